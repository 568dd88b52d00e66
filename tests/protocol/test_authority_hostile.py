"""What hostile members write may cost them their rank, never the node its life."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from p2pvalue_protocol import acts
from p2pvalue_protocol.auth_record import NoContent
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.kinds.chat import NUMBER as CHAT
from p2pvalue_protocol.limits import CERTIFICATE_DEPTH_MAX
from p2pvalue_protocol.settled import Settled
from p2pvalue_protocol.verdicts import Verdicts
from p2pvalue_protocol.visibility import Visibility

POLICY = acts.Policy(0, 2, ())
FRAMES_MAX = 450
"""Of 1,000 that Python allows; the rest is for whoever asks."""


class Town:
    """Acts of named authors: each operation is named after its author and its number."""

    def __init__(self, *founders: bytes, quorum: int = 2) -> None:
        self.graph = AuthGraph()
        self.authority = Authority(self.graph, NoContent())
        self.visibility = Visibility(self.authority)
        self.logs: dict[bytes, list[bytes]] = {}
        entries = tuple((founder, founder + b" device") for founder in founders)
        found = acts.Found(entries, quorum, quorum, POLICY)
        self.genesis = self.write(entries[0][1], found)

    def write(self, device: bytes, act: acts.Act, *named: bytes, seq: int | None = None) -> bytes:
        log = self.logs.setdefault(device, [])
        at = len(log) if seq is None else seq
        backlink = log[at - 1] if at else ZERO32
        op_id = b"%s %d %d" % (device, at, len(self.graph))
        self.graph.add(op_id, [*named, *([backlink] if at else [])])
        self.authority.add(acts.Event(op_id, device, at, backlink, named, act))
        log[at:] = [op_id]
        return op_id

    def heads(self) -> list[bytes]:
        return self.graph.heads()

    def ask_everything(self) -> int:
        """Ask for what nodes ask for; return how many devices are live."""
        self.visibility.take_reconsidered()
        view = self.authority.view()
        for device in self.logs:
            self.visibility.is_gone(device)
        for op_ids in self.logs.values():
            for op_id in op_ids:
                view.is_effective(op_id)
        return len(view.live_devices())


@contextmanager
def few_frames() -> Iterator[None]:
    """Let nothing inside run deeper than a part of what Python allows."""
    before, depth, frame = sys.getrecursionlimit(), 0, sys._getframe()
    while (above := frame.f_back) is not None:
        depth, frame = depth + 1, above
    sys.setrecursionlimit(depth + FRAMES_MAX)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def test_a_chain_of_admissions_does_not_run_deep() -> None:
    town = Town(b"ada")
    key = b"key"
    invite = town.write(b"ada device", acts.OpenInvite(key, 2))
    author, last = b"ada device", invite
    for number in range(1_500):
        root, device = b"root %d" % number, b"device %d" % number
        added = town.write(device, acts.AddDevice(root, b""), town.genesis)
        last = town.write(author, acts.Admit(root, device, key, invite), added, last)
        town.write(device, acts.Nothing(), last)
        author = device
    with few_frames():
        assert town.ask_everything() == 1_501


def test_a_chain_of_votes_does_not_run_deep() -> None:
    founders = [b"ada", b"bo", b"cy"]
    town = Town(*founders)
    for number in range(900):
        author = founders[number % 3]
        target = founders[(number + 1 + number // 3 % 2) % 3]
        town.write(author + b" device", acts.Vote(target), *town.heads())
    with few_frames():
        assert town.ask_everything() <= 1


def test_a_chain_of_removals_does_not_run_deep() -> None:
    town = Town(b"ada", b"bo")
    added = town.write(b"cy device", acts.AddDevice(b"cy", b""), town.genesis)
    town.write(b"ada device", acts.Give(b"cy", 1), added)
    for number in range(700):
        author = (b"ada device", b"bo device", b"cy device")[number % 3]
        rank = number % 3 and 2
        town.write(author, acts.Remove(b"cy", rank), *town.heads())
    with few_frames():
        assert town.ask_everything() == 2


def test_the_deepest_tree_whose_devices_remove_each_other_is_judged() -> None:
    town = Town(b"ada")
    certifier, devices = b"ada device", [b"ada device"]
    for number in range(2, CERTIFICATE_DEPTH_MAX + 2):
        device = b"device %d" % number
        town.write(device, acts.AddDevice(b"ada", certifier), town.genesis)
        certifier = device
        devices.append(device)
    known = town.heads()
    for device in devices:
        for other in devices:
            town.write(device, acts.RemoveDevice(b"ada", other), *known)
    with few_frames():
        assert town.ask_everything() == 1  # the first one: whoever it certified is taken away


def test_a_device_that_forks_its_first_operation_many_times_is_judged() -> None:
    town = Town(b"ada")
    devices = [b"device %d" % number for number in range(12)]
    for device in devices:
        for certifier in [b"ada device", *devices]:
            town.write(device, acts.AddDevice(b"ada", certifier), town.genesis, seq=0)
        town.write(device, acts.RemoveDevice(b"ada", devices[0]), *town.heads())
    with few_frames():
        assert town.ask_everything() >= 1


def test_keeps_of_everything_by_everybody_are_judged() -> None:
    town = Town(b"ada", b"bo")
    added = town.write(b"cy device", acts.AddDevice(b"cy", b""), town.genesis)
    given = town.write(b"ada device", acts.Give(b"cy", 1), added)
    for number in range(100):
        town.write(b"cy device", acts.Give(b"guest %d" % number, 3), given)
    kept = tuple(
        town.authority.record.place(town.graph.index(op_id)) for op_id in town.logs[b"cy device"]
    )
    for _ in range(20):
        town.write(b"bo device", acts.Remove(b"cy", keeps=kept), given)
        town.write(b"ada device", acts.Give(b"cy", 1, kept[:5]))
    with few_frames():
        assert town.ask_everything() == 2
        view = town.authority.view()
        guests = [view.rank_of(b"guest %d" % number) for number in range(100)]
    assert guests == [3] * 100, "what was kept stands"


def test_who_has_no_power_makes_nobody_judge_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[set[bytes]] = []
    monkeypatch.setattr(Settled, "forget", lambda _, roots, __: forgotten.append(roots))
    town = Town(b"ada")
    for name, rank in ((b"bo", 2), (b"cy", 1)):
        added = town.write(name + b" device", acts.AddDevice(name, b""), town.genesis)
        town.write(b"ada device", acts.Give(name, rank), added)
    known = town.heads()
    town.ask_everything()
    town.write(b"cy device", acts.Nothing(), *known)
    for act in (acts.Remove(b"cy"), acts.RemoveDevice(b"cy", b"cy device"), acts.Vote(b"cy")):
        town.write(b"bo device", act, *known)
        assert town.visibility.take_reconsidered() == []
    assert not forgotten
    town.write(b"ada device", acts.Remove(b"cy"), *known)
    assert town.visibility.take_reconsidered() == [b"cy device"]
    assert forgotten == [{b"cy"}], "who has power does, about whom it is aimed at"


def test_with_the_removed_fall_those_whom_she_let_in_whenever_it_is_heard() -> None:
    """What was judged before a removal came is judged anew as far as it rests on the removed."""
    town = Town(b"ada")
    added = [
        town.write(name + b" device", acts.AddDevice(name, b""), town.genesis)
        for name in (b"bo", b"cy", b"dee")
    ]
    seen = town.write(b"ada device", acts.Give(b"bo", 1), *added)
    town.write(b"bo device", acts.Give(b"cy", 2), seen)
    town.write(b"cy device", acts.Give(b"dee", 3), *town.heads())
    assert town.ask_everything() == 4
    town.write(b"ada device", acts.Remove(b"bo"))
    assert town.ask_everything() == 1


def test_with_the_removed_falls_what_she_said_of_a_device_before_it_came() -> None:
    town = Town(b"ada")
    added = town.write(b"bo device", acts.AddDevice(b"bo", b""), town.genesis)
    seen = town.write(b"ada device", acts.Give(b"bo", 1), added)
    number = len(town.graph) + 1
    one, other = (
        Reference(b"cy device", AUTH, 0, b"cy device 0 %d" % (number + branch)) for branch in (0, 1)
    )
    town.write(b"bo device", acts.ProveFork(one, other), seen)
    for _ in range(2):
        given = town.write(b"cy device", acts.AddDevice(b"cy", b""), town.genesis, seq=0)
    town.write(b"ada device", acts.Give(b"cy", 2), given)
    assert town.visibility.is_gone(b"cy device")
    town.write(b"ada device", acts.Remove(b"bo"))
    assert not town.visibility.is_gone(b"cy device")


@pytest.mark.parametrize("what", ["forks", "device removals", "removals", "votes"])
def test_what_the_weak_say_of_a_founder_is_not_looked_at_for_each_of_her_words(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(b"ada")
    added = town.write(b"bo device", acts.AddDevice(b"bo", b""), town.genesis)
    given = town.write(b"ada device", acts.Give(b"bo", 2), added)
    for number in range(100):
        first, second = (
            Reference(b"ada device", CONTENT, 5, b"%d %d" % (number, branch)) for branch in (1, 2)
        )
        said: dict[str, acts.Act] = {
            "forks": acts.ProveFork(first, second, (first,)),
            "device removals": acts.RemoveDevice(b"ada", b"ada device", keeps=(first,)),
            "removals": acts.Remove(b"ada", keeps=(first,)),
            "votes": acts.Vote(b"ada", (first,)),
        }
        town.write(b"bo device", said[what], given)
    asked = 0
    rank_of = Verdicts.rank_of

    def counted(*arguments: Any) -> Any:
        nonlocal asked
        asked += 1
        return rank_of(*arguments)

    frontier = town.graph.head_frontier()
    place = Reference(b"ada device", CONTENT, 0, b"first")
    assert town.visibility.visible(b"ada device", CHAT, frontier, place)
    monkeypatch.setattr(Verdicts, "rank_of", counted)
    for number in range(1, 50):
        place = Reference(b"ada device", CONTENT, number, b"%d" % number)
        assert town.visibility.visible(b"ada device", CHAT, frontier, place)
    assert asked == 0
