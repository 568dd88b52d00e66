"""The order in which a batch's runs are taken: each at most a few times looked at."""

from __future__ import annotations

from p2pvalue_protocol.arrival import Arrival
from p2pvalue_protocol.auth_payloads import AUTH_SEEN
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.replica import Replica
from tests.protocol.authoring import key_named
from tests.protocol.replicas import NOW_MS, Chain, Copy, admitted, founded, invited, run_of

NEWCOMERS = 120


class Counted:
    """Counts how often a replica asks whether it knows the author of a run."""

    def __init__(self, replica: Replica) -> None:
        self.asked = 0
        self._knows = replica._knows_author
        replica._knows_author = self.knows  # type: ignore[method-assign]  # counts, then asks

    def knows(self, run: Run) -> bool:
        self.asked += 1
        return self._knows(run)


def _community() -> Copy:
    ana = founded()
    invite = invited(ana)
    for number in range(NEWCOMERS):
        admitted(ana, f"member {number}", invite)
    return ana


def test_a_chain_of_admissions_is_taken_in_one_batch_at_a_cost_that_grows_with_its_length() -> None:
    ana = _community()
    copy = Copy(ana.community)
    runs = ana.runs()
    counted = Counted(copy.replica)
    receipt = copy.take(*reversed(runs))
    assert not receipt.refused
    assert len(copy.replica.membership.members()) == NEWCOMERS + 1
    assert counted.asked <= 4 * len(runs)


def test_strangers_that_nothing_names_are_refused_and_cost_as_much_as_they_are_many() -> None:
    ana = _community()
    copy = Copy(ana.community)
    runs = [run for run in ana.runs() if run.items[0].kind != 0]
    counted = Counted(copy.replica)
    receipt = copy.replica.receive(runs, NOW_MS)
    assert receipt.refused == ((Reason.UNKNOWN_AUTHOR, False),) * len(runs)
    assert counted.asked <= 4 * len(runs)


def test_what_is_set_aside_is_looked_at_eight_times_at_most() -> None:
    log = Chain(key_named("ana device"), bytes(32))
    runs = [run_of([log.say(f"{number}")]) for number in range(12)]
    taken: list[Run] = []
    arrival = Arrival(reversed(runs), lambda run: runs.index(run) <= len(taken), list)
    for run in arrival:
        taken.append(run)
    assert taken == runs[:8]
    assert sorted(map(runs.index, arrival.unknown)) == [8, 9, 10, 11]


def test_auth_logs_come_before_content_whatever_the_order_of_a_batch() -> None:
    key = key_named("ana device")
    content, authority = Chain(key, bytes(32)), Chain(key, bytes(32), AUTH)
    content.say("hello")
    authority.add(kind=AUTH_SEEN)
    runs = [content.run(), authority.run()]
    for batch in (runs, runs[::-1]):
        assert [run.log_class for run in Arrival(batch, lambda _: True, list)] == [AUTH, CONTENT]
