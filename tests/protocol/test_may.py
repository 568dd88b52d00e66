"""What a device is told that it may do is exactly what would take effect if it did."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from p2pvalue_protocol.acts import Policy
from p2pvalue_protocol.auth_payloads import ADMIN, AUTH_SEEN, FOUNDER, GUEST, JOIN_INVITE, MEMBER
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import KIND_AUTH_MAX, Operation
from tests.protocol.authoring import Author, membership_of
from tests.protocol.village import Village

PAGE = Path(__file__).resolve().parents[2] / "protocol" / "spec" / "membership.md"
RANKS = {"ada": FOUNDER, "bo": ADMIN, "eve": ADMIN, "cy": MEMBER, "dan": MEMBER, "fay": GUEST}
PAIRS = [(actor, target) for actor in (*RANKS, "sam") for target in RANKS if actor != target]


class Town:
    """A founder, two admins, two members, a guest and a stranger, who know of each other."""

    def __init__(self, invite_rank: int = MEMBER) -> None:
        self.people = {name: Author(name) for name in (*RANKS, "sam")}
        ada = self.people["ada"]
        genesis = ada.found(admin_quorum=1, founder_quorum=1, invite_rank=invite_rank)
        self.operations = [genesis]
        for name, author in self.people.items():
            if name != "ada":
                self.operations.append(author.add_device(genesis))
            if RANKS.get(name):
                self.operations.append(ada.grant(author.root.public, RANKS[name]))
        self.operations.append(ada.write(AUTH_SEEN, b"", self.operations[1::2]))

    def now(self, *more: Operation) -> Membership:
        return membership_of(self.people["ada"].community, [*self.operations, *more])

    def root(self, name: str) -> bytes:
        return self.people[name].root.public

    def device(self, name: str) -> bytes:
        return self.people[name].device

    def by(self, name: str, write: Callable[[Author, Operation], Operation]) -> Membership:
        """What is so after somebody who knows all that is held wrote one operation."""
        return self.now(write(self.people[name], self.operations[-1]))


def rank_of(membership: Membership, root: bytes) -> int | None:
    return next((member.rank for member in membership.members() if member.root == root), None)


@pytest.mark.parametrize(("actor", "target"), PAIRS)
def test_who_may_remove_removes(actor: str, target: str) -> None:
    town = Town()
    root = town.root(target)
    after = town.by(actor, lambda author, last: author.remove(root, last))
    assert town.now().may_remove(town.device(actor), root) == (rank_of(after, root) is None)


@pytest.mark.parametrize(("actor", "target"), PAIRS)
@pytest.mark.parametrize("rank", [MEMBER, GUEST])
def test_who_may_demote_demotes(actor: str, target: str, rank: int) -> None:
    town = Town()
    root = town.root(target)
    after = town.by(actor, lambda author, last: author.remove(root, last, rank=rank))
    is_weaker = rank_of(after, root) == rank != RANKS[target]
    assert town.now().may_demote(town.device(actor), root, rank) == is_weaker


@pytest.mark.parametrize(("actor", "target"), PAIRS)
def test_who_may_vote_counts(actor: str, target: str) -> None:
    town = Town()
    root = town.root(target)
    after = town.by(actor, lambda author, last: author.vote(root, last))
    assert town.now().may_vote(town.device(actor), root) == (rank_of(after, root) is None)


@pytest.mark.parametrize("actor", [*RANKS, "sam"])
@pytest.mark.parametrize("rank", [ADMIN, MEMBER, GUEST])
@pytest.mark.parametrize("invite_rank", [FOUNDER, ADMIN, MEMBER, GUEST])
def test_who_may_grant_gives_the_rank(actor: str, rank: int, invite_rank: int) -> None:
    town = Town(invite_rank)
    root = Author("nia").root.public
    after = town.by(actor, lambda author, last: author.grant(root, rank, last))
    membership = town.now()
    has_effect = rank_of(after, root) == rank
    assert membership.may_grant(town.device(actor), root, rank) == has_effect
    assert membership.may_invite(town.device(actor), rank) == has_effect


@pytest.mark.parametrize(("actor", "target"), [*PAIRS, ("cy", "cy")])
def test_who_may_take_a_device_away_takes_it(actor: str, target: str) -> None:
    town = Town()
    second = Author(f"{target}'s phone", root=target)
    genesis = town.operations[0]
    town.operations.append(second.add_device(genesis, certifier=town.people[target]))
    naming = town.people[target].write(AUTH_SEEN, b"", [town.operations[-1], town.operations[-2]])
    town.operations.append(naming)
    root = town.root(target)
    after = town.by(actor, lambda author, last: author.remove_device(second, last))
    assert town.now().is_live(second.device)
    may = town.now().may_remove_device(town.device(actor), root, second.device)
    assert may == (not after.is_live(second.device))
    assert not town.now().may_remove_device(second.device, root, town.device(target))


def test_without_a_policy_guests_write_what_the_page_says_and_members_the_rest() -> None:
    page = PAGE.read_text(encoding="utf-8")
    [listed] = re.findall(r"guests if it is one of ([\d, ]+), by admins if it is 49 or 50", page)
    of_guests = {int(number) for number in listed.split(", ")}
    policy = Policy(JOIN_INVITE, MEMBER, ())
    for kind in range(KIND_AUTH_MAX + 1, 256):
        expected = GUEST if kind in of_guests else ADMIN if kind in (49, 50) else MEMBER
        assert policy.weakest_writer(kind) == expected, kind


def test_a_stranger_may_invite_nobody() -> None:
    village = Village()
    stranger, _ = village.newcomer("eve")
    membership = village.with_()
    assert membership.may_invite(village.ada.device, MEMBER)
    assert not membership.may_invite(stranger.device, MEMBER)
    assert not membership.may_invite(village.ada.device, GUEST + 1)
