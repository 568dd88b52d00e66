from __future__ import annotations

from collections.abc import Set
from random import Random

import msgspec
import pytest

from p2pvalue_protocol.kinds.pledge import Condition
from p2pvalue_protocol.needs.acts import Acts, Offer, sorted_acts, withdrawals
from p2pvalue_protocol.needs.binding import withdrawn_unbound
from p2pvalue_protocol.needs.conditions import holding
from p2pvalue_protocol.needs.outcome import EXPIRY_MS
from p2pvalue_protocol.needs.reliability import GRACE_MS, endings_of
from p2pvalue_protocol.needs.waiting import Waiting
from tests.needs.by_hand import CLOSES, Board, root

DUE = 10 * GRACE_MS


def rota(opens: int = 0, closes: int = 0) -> Board:
    """A need whose pledges bind at once."""
    return Board(trigger="none", opens=opens, closes=closes)


def test_without_a_trigger_every_withdrawal_is_a_release() -> None:
    board = rota(closes=CLOSES)
    in_time, late = board.offer("bea", 120), board.offer("carl", 60)
    board.say("bea", "withdraw", in_time, reason="I fell ill", to="dora")
    board.say("carl", "withdraw", late, at=CLOSES + 1)
    found = board.pledge(in_time)
    assert (found.state, found.reason) == ("released", "I fell ill")
    assert found.word is not None
    assert found.word.to == root("dora")
    assert board.states(late) == ["released"]
    assert (board.state(), [tuple(total) for total in board.standing().totals]) == (
        "open",
        [(0, 0)],
    )


def test_a_turn_is_handed_over_and_back() -> None:
    board = rota()
    offered = board.offer("bea", 120)
    board.say("bea", "withdraw", offered, to="dora")
    carl = board.offer("carl", 120, takes=offered)
    dora = board.offer("dora", 120, takes=offered)
    assert board.states(offered, carl, dora) == ["released", "late", "binding"]
    assert board.state() == "triggered"
    board.say("dora", "withdraw", dora, to="bea")
    back = board.offer("bea", 90, takes=dora)
    assert board.states(offered, dora, back) == ["released", "released", "binding"]
    assert (board.state(), [tuple(total) for total in board.standing().totals]) == (
        "open",
        [(90, 1)],
    )


def test_what_was_done_of_a_turn_stays_when_the_rest_is_released() -> None:
    board = rota()
    offered = board.offer("bea", 120)
    board.say("bea", "claim", offered, 60)
    board.say("ana", "confirm", offered, 60)
    board.say("bea", "withdraw", offered)
    assert board.states(offered) == ["confirmed"]
    assert [tuple(total) for total in board.standing().delivered] == [(60, 1)]


def test_what_bound_nobody_yet_is_taken_back_without_a_trace() -> None:
    board = rota(opens=100)
    early = board.offer("bea", 120, at=99)
    board.say("bea", "withdraw", early, to="dora")
    board.change(opens=50)
    outdated = board.offer("carl", 120, terms=board.need.terms[0], at=120)
    board.say("carl", "withdraw", outdated)
    taken = board.offer("dora", 120, takes=early)
    assert board.states(early, outdated, taken) == ["withdrawn", "withdrawn", "late"]


def test_who_waits_for_company_and_withdraws_before_it_comes_is_no_company() -> None:
    board = rota()
    bea = board.offer("bea", 60, Condition(member=root("carl")))
    board.say("bea", "withdraw", bea)
    carl = board.offer("carl", 60, Condition(member=root("bea")))
    assert board.states(bea, carl) == ["withdrawn", "unmet"]
    again = board.offer("bea", 60)
    assert board.states(bea, carl, again) == ["withdrawn", "binding", "binding"]


def test_company_that_came_stays_company_when_it_releases() -> None:
    board = rota()
    carl = board.offer("carl", 60, Condition(others=2))
    bea = board.offer("bea", 60, Condition(member=root("carl")))
    dora = board.offer("dora", 60)
    assert board.states(carl, bea, dora) == ["binding", "binding", "binding"]
    board.say("bea", "withdraw", bea)
    board.say("dora", "withdraw", dora)
    assert board.states(carl, bea, dora) == ["binding", "released", "released"]


def test_a_withdrawal_that_folds_before_its_offer_takes_it_back() -> None:
    board = rota()
    offered = board.offer("bea", 60, at=20)
    board.say("bea", "withdraw", offered)
    withdrawal = board.acts.pop()  # of another device of hers, whose clock is slow
    order = withdrawal.order._replace(time=10, device=root("bea's other"))
    board.acts.append(withdrawal._replace(order=order))
    assert board.states(offered) == ["withdrawn"]


def test_a_turn_is_promised_however_far_ahead_its_last_day_is() -> None:
    board = rota(closes=CLOSES + 2 * EXPIRY_MS)
    offered = board.offer("bea", 120)
    assert board.states(offered) == ["binding"]


def test_a_turn_that_was_released_is_no_broken_word_and_one_that_was_forgotten_is() -> None:
    board = rota()
    board.need = msgspec.structs.replace(board.need, deadline=DUE)
    released, kept = board.offer("bea", 60), board.offer("carl", 60)
    board.say("bea", "withdraw", released, to="dora")
    taken = board.offer("dora", 60, takes=released)
    board.say("carl", "claim", kept, 60)
    board.say("ana", "confirm", kept, 60)

    def shares(who: str) -> list[int]:
        standing = board.standing()
        return [
            ending.millionths
            for ending in endings_of(board.need, 0, standing, root(who), DUE + GRACE_MS + 1)
        ]

    assert board.states(released, kept, taken) == ["released", "confirmed", "binding"]
    assert (shares("bea"), shares("carl"), shares("dora")) == ([], [1_000_000], [0])


def test_who_waits_and_withdraws_all_day_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred offers wait for who comes last, and two hundred more are made and taken back."""
    board = rota()
    many, never = Condition(others=2), Condition(others=10**6)
    for number in range(200):
        asked = many if number % 2 else never
        board.offer("eve", 60, asked, Condition(member=root("zoe")))
    for number in range(200):
        asked = Condition(member=root("zoe")) if number % 2 else Condition(others=10**6 - number)
        board.say("eve", "withdraw", board.offer("eve", 60, asked))
    last = board.offer("zoe", 60)
    looks: list[int] = []
    look = Waiting._gone

    def counted(self: Waiting, members: Set[bytes], alive: int) -> Set[bytes]:
        looks.append(len(members))
        return look(self, members, alive)

    monkeypatch.setattr(Waiting, "_gone", counted)
    assert board.states(last) == ["binding"]
    assert sum(looks) < 1_000


def test_who_is_without_company_leaves_too_few_for_the_next() -> None:
    """The first waits for somebody who is not here yet, each other for as many as there were."""
    board, people = rota(), ["bea", "carl", "dora", "fay", "gus"]
    board.offer("bea", 60, Condition(member=root("zoe")))
    for number, who in enumerate(people[1:]):
        board.offer(who, 60, Condition(others=len(people) - number))
    offered = board.offer("eve", 60, Condition(others=1))
    board.say("eve", "withdraw", offered)
    board.offer("zoe", 60, Condition(others=6))
    assert board.states(offered) == ["withdrawn"]


@pytest.mark.parametrize("is_far", [False, True])
def test_who_withdraws_costs_a_look_at_members_and_not_at_all_that_waits(
    monkeypatch: pytest.MonkeyPatch, *, is_far: bool
) -> None:
    """Twenty people wait in twenty ways each, while one comes and goes two hundred times."""
    board, people = rota(), [f"person {number}" for number in range(20)]
    for number, who in enumerate(people):
        asked = Condition(member=root(people[number - 1] if number else "zoe"))
        for others in range(20):
            board.offer(who, 60, asked, Condition(others=others + 1))
    for _ in range(200):
        asked = Condition(member=root(people[-1] if is_far else "zoe"))
        board.say("eve", "withdraw", board.offer("eve", 60, asked))
    last = board.offer("zoe", 60, Condition(others=10))
    looks: list[int] = []
    look = Waiting._gone

    def counted(self: Waiting, members: Set[bytes], alive: int) -> Set[bytes]:
        looks.append(len(members))
        return look(self, members, alive)

    monkeypatch.setattr(Waiting, "_gone", counted)
    acts = sorted_acts(board.acts)
    found = withdrawn_unbound(acts.offers, withdrawals(acts), 1_000)
    assert len(found) == 200
    assert last not in found
    assert sum(looks) <= (200 * 20 * 20 if is_far else 0)


@pytest.mark.parametrize("seed", range(40))
def test_what_was_taken_back_unbound_is_what_all_that_came_before_says(seed: int) -> None:
    print("seed", seed)
    rng, board = Random(seed), rota()
    names = ["bea", "carl", "dora", "eve", "fay", "gus", "hal", "ida"][: rng.randint(3, 8)]
    offered: list[tuple[str, bytes]] = []
    for _ in range(90):
        who = rng.choice(names)
        if offered and rng.random() < 0.4:
            mine = [pledge for member, pledge in offered if member == who]
            for pledge in rng.sample(mine, min(1, len(mine))):
                board.say(who, "withdraw", pledge)
            continue
        asked = [Condition(others=rng.randint(1, 5))] if rng.random() < 0.4 else []
        if rng.random() < 0.6:
            asked.append(Condition(member=root(rng.choice([*names, "nobody"]))))
        if rng.random() < 0.2:
            asked.append(Condition(after=rng.choice([1, 10**6])))
        offered.append((who, board.offer(who, 60, *asked)))
    acts = sorted_acts(board.acts)
    found = withdrawn_unbound(acts.offers, withdrawals(acts), 1_000)
    assert found.keys() == unbound_by_looking_at_all(acts)


def unbound_by_looking_at_all(acts: Acts) -> set[bytes]:
    """What was taken back before it stood, looking at all that came before each withdrawal."""
    said = withdrawals(acts)
    unbound: set[bytes] = set()
    bound: set[bytes] = set()
    for pledge, act in sorted(said.items(), key=lambda item: item[1].order):
        before = [o for o in acts.offers if o.act.order < act.order and o.pledge not in unbound]
        bound |= holding([unasked(o) if o.pledge in bound else o for o in before], 1_000)
        if pledge not in bound:
            unbound.add(pledge)
    return unbound


def unasked(offer: Offer) -> Offer:
    """The same offer, whoever else is there."""
    return offer._replace(said=msgspec.structs.replace(offer.said, conditions=()))
