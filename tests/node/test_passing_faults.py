"""What goes wrong in one place, for a while, ends neither the node nor what else it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from p2pvalue.network import MemoryNetwork
from p2pvalue.network.interface import SYNC_PROTOCOL, Link, LinkClosed
from p2pvalue.node import trying
from p2pvalue.node.community import Community
from p2pvalue.node.members import introductions
from p2pvalue.node.members.leaving import Leaving
from p2pvalue.node.needs.need_closer import LOOK_EVERY_S, NeedCloser
from p2pvalue.node.peers.links import Links
from p2pvalue.node.running import RunningNode
from p2pvalue.store import SqliteStore, StoreFailed
from p2pvalue.types import MemberView
from p2pvalue_protocol.addresses import decode_record
from p2pvalue_protocol.inputs import DevicesMade, Input, PeerLeft, Wakeup
from p2pvalue_protocol.past import Batch
from tests.node.household import Household, until
from tests.node.small_node import SmallNode
from tests.node.test_joining import ANA, BEA, GARDEN, Home, at
from tests.patience import WAIT_S


def full(*_: object) -> None:
    raise StoreFailed("the disk is full")


async def founded(node: RunningNode) -> tuple[Community, str]:
    """A new community, and a link that lets one more in."""
    garden = await node.create_community("Garden")
    return garden, (await garden.invite()).link


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


async def test_a_join_that_is_cancelled_while_somebody_is_called_ends(
    home: Home, nursery: trio.Nursery
) -> None:
    home.is_network_up.set()
    nursery.start_soon(home.joining.run)
    await trio.testing.wait_all_tasks_blocked()

    def nobody() -> Exception:
        home.keystore.drop(GARDEN)
        home.joining.cancel(GARDEN)
        home.joining.look_again()
        return ConnectionError("nobody there")

    home.wire.refusal = nobody
    home.join(at(ANA), at(BEA))
    await home.wire.until_called(1)
    await trio.testing.wait_all_tasks_blocked()
    assert len(home.wire.called) == 1
    assert not home.joining.is_any_under_way()


async def test_a_need_is_closed_once_the_disk_can_be_read_again(
    ana: SmallNode, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    closer, looks = NeedCloser(ana, lambda: [ana.community]), list[int]()

    def unreadable(*_: object, **__: object) -> None:
        looks.append(1)
        full()

    monkeypatch.setattr(ana.store, "states", unreadable)
    with trio.move_on_after(2.5 * LOOK_EVERY_S):
        await closer.run()
    assert len(looks) > 1


async def test_who_was_let_in_says_her_name_once_the_disk_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana, home.node("Ben") as ben:
        garden, link = await founded(ana)
        tries = trio.Event()

        async def untaken(room: object, name: str) -> MemberView:
            await trio.lowlevel.checkpoint()
            tries.set()
            raise StoreFailed("the disk is full")

        monkeypatch.setattr(introductions, "AGAIN_S", 0.01)
        with monkeypatch.context() as patch:
            patch.setattr("p2pvalue.node.community.Community.set_my_name", untaken)
            await ben.join(link)
            with trio.fail_after(WAIT_S):
                await tries.wait()
        await until(ana, lambda: {member.name for member in garden.members()} == {"Ana", "Ben"})


async def test_a_community_is_let_in_to_though_its_keys_cannot_be_kept_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana, home.node("Ben") as ben:
        garden, link = await founded(ana)
        finish, tries = ben.joining.finish, list[bytes]()

        def failing(community: bytes) -> bool:
            tries.append(community)
            if len(tries) == 1:
                raise StoreFailed("the disk is full")
            return finish(community)

        monkeypatch.setattr(introductions, "AGAIN_S", 0.01)
        monkeypatch.setattr(ben.joining, "finish", failing)
        await ben.join(link)
        await until(ana, lambda: {member.name for member in garden.members()} == {"Ana", "Ben"})
        assert len(tries) > 1


async def test_a_code_that_the_disk_did_not_take_leaves_the_node_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        await laptop.create_community("Garden")
        handle = phone.handle

        def failing(given: Input) -> object:
            if isinstance(given, DevicesMade):
                full()
            return handle(given)

        with monkeypatch.context() as patch, trio.move_on_after(1.0):
            patch.setattr(phone, "handle", failing)
            await laptop.linking.add((await phone.linking.show_code()).code)
        await laptop.linking.add((await phone.linking.show_code()).code)
        await until(phone, lambda: [c.state for c in phone.communities()] == ["active"])


async def test_how_a_node_is_can_be_asked_though_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana:
        garden = await ana.create_community("Garden")
        await garden.post("hello")
        monkeypatch.setattr(ana.store, "put_meta", full)
        monkeypatch.setattr(ana.machine, "peers_holding", lambda *_: 1)
        assert [view.unshared for view in ana.communities()] == [0]
        ana.sign()


async def test_where_a_node_started_on_a_full_disk_is_now_is_said_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home, moved = Household(tmp_path), "/ip4/127.0.0.1/tcp/4242"
    async with home.node("Ana") as ana:
        community = (await ana.create_community("Garden")).id
    (before,) = ana.machine.replica(community).address_records()
    tried, again, taken = trio.Event(), trio.Event(), trio.Event()
    commit = SqliteStore.commit

    def failing(store: SqliteStore, batches: Sequence[Batch]) -> None:
        if any(batch.addresses for batch in batches):
            (again if tried.is_set() else tried).set()
        full()

    def noted(store: SqliteStore, batches: Sequence[Batch]) -> None:
        commit(store, batches)
        if any(batch.addresses for batch in batches):
            taken.set()

    monkeypatch.setattr(trying, "ADDRESSES_AGAIN_S", 0.01)
    monkeypatch.setattr(
        MemoryNetwork, "addresses", lambda network: [f"{moved}/p2p/{network.peer_id}"]
    )
    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "commit", failing)
        async with home.node("Ana") as ana:
            with trio.fail_after(WAIT_S):
                await again.wait()
            assert [view.state for view in ana.communities()] == ["active"]
            assert caplog.text.count("where we are now is not said yet") == 1
            patch.setattr(SqliteStore, "commit", noted)
            with trio.fail_after(WAIT_S):
                await taken.wait()
            (now,) = ana.machine.replica(community).address_records()
            record = decode_record(now[1], community)
            assert before != now
            assert record is not None
            assert record.addresses[0].startswith(moved)
            await ana.community().post("as before")


async def test_what_a_crash_left_unsigned_ends_no_start_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana:
        community = (await ana.create_community("Garden")).id
    tries, woken, handle = list[Input](), trio.Event(), RunningNode.handle

    def failing(node: RunningNode, given: Input) -> object:
        if isinstance(given, Wakeup):
            tries.append(given)
            if len(tries) < 3:
                full()
            woken.set()
        return handle(node, given)

    monkeypatch.setattr(trying, "DUE_AGAIN_S", 0.01)
    monkeypatch.setattr(RunningNode, "handle", failing)
    async with home.node("Ana") as ana:
        await ana.community(community.hex()).post("as before")
        with trio.fail_after(WAIT_S):
            await woken.wait()


async def test_who_left_is_silent_though_the_disk_takes_no_note_of_it_and_notes_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana, home.node("Ben") as ben:
        garden = await ana.create_community("Garden")
        await ben.join((await garden.invite()).link)
        await until(ana, lambda: {member.name for member in garden.members()} == {"Ana", "Ben"})
        with monkeypatch.context() as patch:
            patch.setattr(ben.store, "put_meta", full)
            assert (await ben.leave(garden.id.hex(), wipe=False)).told
            assert ben.is_silent(garden.id)
            assert caplog.text.count("the disk is full") == 1
        assert ben.is_silent(garden.id)
        monkeypatch.setattr(ben.machine, "peers_holding", lambda *_: 0)
        assert Leaving(ben).is_silent(garden.id)


class Broken(Link):
    """A link that its peer closes at once."""

    peer_id, protocol, initiated = ANA, SYNC_PROTOCOL, False
    is_closed = False

    async def send(self, frame: bytes) -> None:
        raise LinkClosed("closed")

    async def receive(self) -> bytes:
        raise LinkClosed("closed")

    async def close(self) -> None:
        self.is_closed = True
        await trio.lowlevel.checkpoint()


async def test_a_defect_at_the_end_of_a_link_ends_nothing_else() -> None:
    def handle(given: Input) -> None:
        if isinstance(given, PeerLeft):
            raise ZeroDivisionError

    link = Broken()
    await Links(handle).serve(link)
    assert link.is_closed


def test_more_news_of_an_admission_than_fit_are_one(tmp_path: Path) -> None:
    class Idle(RunningNode):
        def __init__(self) -> None:
            pass

    finishing = introductions.Introductions(Idle())
    for _ in range(1_000):
        finishing.admitted(GARDEN)
    assert len(finishing._admitted) == 1


async def test_after_a_defect_in_what_is_to_be_done_all_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana:
        garden = await ana.create_community("Garden")
        before = ana.machine.replica(garden.id)

        def defect(_: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(ana, "on_changed", defect)
            with pytest.raises(ZeroDivisionError):
                await garden.post("stored, though nobody was told")
        assert ana.machine.replica(garden.id) is not before
        assert "a defect, please report it" in caplog.text
        assert [m.text for m in garden.messages()] == ["stored, though nobody was told"]
        await garden.post("as before")
