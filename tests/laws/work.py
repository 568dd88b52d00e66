"""Histories of a community that works: needs, and what honest and hostile people say about them."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple, get_args

from p2pvalue.node.needs.need_boards import NeedBoards
from p2pvalue.node.references import every_state
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import (
    close,
    contribution,
    interest,
    need,
    pledge,
    project,
    ranking,
    thanks,
)
from p2pvalue_protocol.needs.standing import NeedStanding
from tests.laws.histories import LINE, NAMES, TERMS, History
from tests.protocol.authoring import key_named
from tests.protocol.replicas import Copy

FIRST_NEEDS: Final = 4
OTHER_TERMS: Final = need.terms_id(need.Terms((LINE,), trigger="none"))


class Offered(NamedTuple):
    """An offer, and by what its need, acts and CLOSEs know it."""

    need: bytes
    pledge: bytes
    name: bytes


class WorkHistory(History):
    """Needs come first, and most is said about them."""

    def __init__(self, rng: Random, steps: int) -> None:
        self.offered: list[Offered] = []
        super().__init__(rng, steps)

    def _remember(self, draft: Draft, op_id: bytes) -> None:
        super()._remember(draft, op_id)
        if draft.kind == pledge.NUMBER and (said := pledge.read_pledge(draft.payload)).act is None:
            self.offered.append(Offered(said.need, subject_of(op_id), op_id[:16]))

    def _draft(self) -> Draft:
        if len(self.subjects) <= FIRST_NEEDS:
            trigger: need.Trigger = self.rng.choice(("all", "none"))
            return Draft(need.NUMBER, b"", need.encode_need("a need", [LINE], trigger=trigger))
        make = self.rng.choice(
            (
                *[self._offer] * 5,
                *[self._act] * 4,
                *[self._close] * 3,
                *(self._need_change, self._project, self._contribution, self._thanks),
                *(self._interest, self._ranking),
            )
        )
        return make()

    def _about(self) -> bytes:
        """A need, mostly."""
        known = self.subjects[1 : 1 + FIRST_NEEDS]
        return self.rng.choice(known if self.rng.random() < 0.8 else self.subjects)

    def _root(self) -> bytes:
        return key_named(f"{self.rng.choice(NAMES)} root").public

    def _terms(self) -> bytes:
        return self.rng.choice((TERMS, TERMS, OTHER_TERMS))

    def _offer(self) -> Draft:
        rng = self.rng
        conditions = rng.choice(
            ((), (), (pledge.Condition(others=1),), (pledge.Condition(member=self._root()),))
        )
        takes = rng.choice((None, None, rng.choice(self.subjects)))
        said = pledge.encode_pledge(
            self._about(),
            self._terms(),
            0,
            rng.randint(1, 9),
            conditions=list(conditions),
            takes=takes,
        )
        return Draft(pledge.NUMBER, b"", said)

    def _act(self) -> Draft:
        rng = self.rng
        act: pledge.Act = rng.choice(get_args(pledge.Act))
        about, promised = self._about(), rng.choice(self.subjects)
        if self.offered and rng.random() < 0.9:
            about, promised, _ = rng.choice(self.offered)
        quantity = rng.randint(1, 9) if act in ("claim", "confirm", "settle") else None
        said = pledge.encode_pledge_act(about, promised, act, quantity=quantity)
        return Draft(pledge.NUMBER, b"", said)

    def _close(self) -> Draft:
        about = self._about()
        names = [one.name for one in self.offered if self.rng.random() < 0.7]
        return Draft(close.NUMBER, b"", close.encode_close(about, self._terms(), names))

    def _need_change(self) -> Draft:
        rng = self.rng
        said = rng.choice(
            (
                need.encode_need_change(trigger=rng.choice(("none", "all"))),
                need.encode_need_change(stewards=(self._root(),)),
                need.encode_need_change(status=rng.choice(("open", "dropped"))),
            )
        )
        return Draft(need.NUMBER, self._about(), said)

    def _project(self) -> Draft:
        if self.rng.random() < 0.5:
            return Draft(project.NUMBER, b"", project.encode_project("a garden"))
        said = project.encode_project_change(place=f"place {self.rng.random()}")
        return Draft(project.NUMBER, self.rng.choice(self.subjects), said)

    def _contribution(self) -> Draft:
        if self.rng.random() < 0.5:
            said = contribution.encode_contribution("weeding", 0, minutes=self.rng.randint(1, 99))
            return Draft(contribution.NUMBER, b"", said)
        said = self.rng.choice(
            (contribution.encode_witness(), contribution.encode_contribution_withdrawal())
        )
        return Draft(contribution.NUMBER, self.rng.choice(self.subjects), said)

    def _thanks(self) -> Draft:
        if self.rng.random() < 0.7:
            return Draft(thanks.NUMBER, b"", thanks.encode_thanks(self._root(), "for the rain"))
        subject = self.rng.choice(self.subjects)
        return Draft(thanks.NUMBER, subject, thanks.encode_thanks_withdrawal())

    def _interest(self) -> Draft:
        role: interest.Role = self.rng.choice(get_args(interest.Role))
        return Draft(interest.NUMBER, b"", interest.encode_interest(self._about(), role))

    def _ranking(self) -> Draft:
        weights = ranking.Weights(self.rng.randint(1, 9), self.rng.randint(0, 9))
        said = ranking.encode_ranking(weights, self.rng.randint(0, 3))
        return Draft(ranking.NUMBER, b"", said)


def standings(copy: Copy) -> dict[bytes, NeedStanding]:
    """Where every need stands for somebody."""
    boards = NeedBoards()
    return {
        row.subject: boards.of(copy.replica, copy.store, row)
        for row in every_state(copy.store, copy.community, need.NUMBER)
    }
