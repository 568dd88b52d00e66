"""Who is at a document is heard by whoever has it open too, and leaves no trace."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from p2pvalue.network import Libp2pNetwork, MemoryHub, MemoryNetwork, Network
from p2pvalue.network.interface import Verdict
from p2pvalue.node.editors.presence import PresenceNote
from p2pvalue.node.running import RunningNode
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.presence import Presence, live_topic_name, sign_presence
from p2pvalue_protocol.removal import removal_draft
from p2pvalue_protocol.topics import Topic
from tests.node.household import gossiping, until
from tests.patience import WAIT_S

DOCUMENT, OTHER = b"d" * 16, b"e" * 16
RENEW_S = 0.2  # as editors do: what was lost, while nobody listened yet, is said again


class Meeting(NamedTuple):
    """Nodes of one community, the first of them its founder's."""

    community: bytes
    nodes: list[RunningNode]
    told: list[tuple[str, str, str]]  # (sender, receiver, topic) of all gossip


def over_libp2p(seed: bytes) -> Network:
    return Libp2pNetwork(seed, ["/ip4/127.0.0.1/tcp/0"])


@asynccontextmanager
async def meeting(
    folder: Path, *names: str, network_of: Callable[[bytes], Network] | None = None
) -> AsyncIterator[Meeting]:
    """A community over a network in memory, or another; of what others carry nothing is told."""
    hub = MemoryHub()
    told: list[tuple[str, str, str]] = []

    def overheard(sender: str, receiver: str, topic: str) -> bool:
        told.append((sender, receiver, topic))
        return False

    hub.gossip_is_lost = overheard
    async with AsyncExitStack() as stack:
        make = network_of or partial(MemoryNetwork, hub)
        nodes = [await stack.enter_async_context(gossiping(make, folder / n)) for n in names]
        community = (await nodes[0].create_community("Garden")).id
        for node in nodes[1:]:
            await node.join(await nodes[0].invite(community, "member", 1))
            await until(node, lambda n=node: n.community().view().state == "active")  # type: ignore[misc]  # bound now
        yield Meeting(community, nodes, told)


async def heard(
    speaker: RunningNode,
    community: bytes,
    channel: trio.MemoryReceiveChannel[PresenceNote],
    state: bytes | None,
) -> PresenceNote:
    """What comes of saying something again and again."""
    with trio.fail_after(WAIT_S):
        while True:
            await speaker.presences.tell(community, DOCUMENT, 7, state)
            with trio.move_on_after(RENEW_S):
                while True:
                    note = await channel.receive()
                    if note.state == state:
                        return note


def live_topic(node: RunningNode, community: bytes, document: bytes = DOCUMENT) -> Topic:
    secret = node.machine.replica(community).told_topic_secret
    assert secret is not None
    return Topic(live_topic_name(secret, document), community, secret, is_sealed=True)


def forged(node: RunningNode, community: bytes, *, at: int = 0) -> bytes:
    """A member's message in the name of another device, or of her own if `at` is a time."""
    signer = node.machine.replica(community).signer
    assert signer is not None
    device = signer.public if at else b"\x01" * 32
    said = Presence(device, DOCUMENT, 7, at or node.clock_ms(), b"x")
    return live_topic(node, community).seal(sign_presence(signer, community, said), os.urandom)


async def test_who_has_a_document_open_hears_who_is_there_and_who_leaves(tmp_path: Path) -> None:
    async with meeting(tmp_path, "ana", "ben") as (community, (ana, ben), _):
        listen = (
            ana.presences.listen(community, DOCUMENT),
            ben.presences.listen(community, DOCUMENT),
        )
        with listen[0], listen[1] as at_ben:
            note = await heard(ana, community, at_ben, b"here")
            assert note == (ana.root(community), ana.device(community), 7, b"here")
            assert (await heard(ana, community, at_ben, None)).state is None


async def test_over_the_real_network_too_a_document_is_opened_and_closed_again(
    tmp_path: Path,
) -> None:
    async with meeting(tmp_path, "ana", "ben", network_of=over_libp2p) as (community, nodes, _):
        ana, ben = nodes
        with ana.presences.listen(community, DOCUMENT) as at_ana:
            for _ in range(2):
                with ben.presences.listen(community, DOCUMENT) as at_ben:
                    await heard(ana, community, at_ben, b"ana")
                    await heard(ben, community, at_ana, b"ben")
                    await heard(ben, community, at_ana, None)
            assert ben.network is not None
            assert ben.network.status()["gossip_rejected"] == 0


async def test_nothing_is_told_to_nodes_where_the_document_is_not_open(tmp_path: Path) -> None:
    async with meeting(tmp_path, "ana", "ben", "eva") as (community, (ana, ben, eva), told):
        topic = live_topic(ana, community).name
        listen = (
            ana.presences.listen(community, DOCUMENT),
            ben.presences.listen(community, DOCUMENT),
        )
        with listen[0], listen[1] as at_ben, eva.presences.listen(community, OTHER) as at_eva:
            await heard(ana, community, at_ben, b"here")
            with pytest.raises(trio.WouldBlock):
                at_eva.receive_nowait()
        assert eva.network is not None
        assert eva.network.peer_id not in {to for _, to, about in told if about == topic}
        assert topic not in ana.presences.topics(), "who listens no more hears no more"


async def test_nothing_of_it_is_stored(tmp_path: Path) -> None:
    async with meeting(tmp_path, "ana", "ben") as (community, (ana, ben), _):
        operations = [node.store.figures().operations for node in (ana, ben)]
        listen = (
            ana.presences.listen(community, DOCUMENT),
            ben.presences.listen(community, DOCUMENT),
        )
        with listen[0], listen[1] as at_ben:
            await heard(ana, community, at_ben, b"here")
        assert [node.store.figures().operations for node in (ana, ben)] == operations


async def test_forged_and_replayed_ones_reach_nobody(tmp_path: Path) -> None:
    async with meeting(tmp_path, "ana", "mal") as (community, (ana, mal), _):
        with ana.presences.listen(community, DOCUMENT) as at_ana:
            name, now_ms = live_topic(ana, community).name, ana.clock_ms()
            good = forged(mal, community, at=now_ms)
            signer = ana.machine.replica(community).signer
            assert signer is not None
            said = Presence(signer.public, DOCUMENT, 7, now_ms, b"x")
            mals = mal.machine.replica(community).signer
            assert mals is not None
            hers = live_topic(ana, community).seal(sign_presence(mals, community, said), os.urandom)
            verdicts = [
                ana.gossip_received(name, message, "a peer")
                for message in (good, good, hers, forged(mal, community), bytes(2_000))
            ]
            assert verdicts == [
                Verdict.ACCEPT,
                Verdict.IGNORE,  # replayed
                Verdict.REJECT,  # in another's name
                Verdict.IGNORE,  # in the name of nobody
                Verdict.REJECT,  # too long
            ]
            assert at_ana.receive_nowait().device == mal.device(community)
            with pytest.raises(trio.WouldBlock):
                at_ana.receive_nowait()


async def test_who_forges_presence_loses_the_connection(tmp_path: Path) -> None:
    async with meeting(tmp_path, "ana", "mal", network_of=over_libp2p) as (community, nodes, _):
        ana, mal = nodes
        assert ana.network is not None
        assert mal.network is not None
        lost = trio.Event()
        ana.peer_disconnected = lambda peer_id: lost.set()  # type: ignore[method-assign]  # to see it
        topic, signer = live_topic(ana, community), mal.machine.replica(community).signer
        assert signer is not None
        said = Presence(ana.device(community), DOCUMENT, 7, ana.clock_ms(), b"x")
        lie = sign_presence(signer, community, said)
        with (
            ana.presences.listen(community, DOCUMENT) as at_ana,
            mal.presences.listen(community, DOCUMENT),
        ):
            await heard(mal, community, at_ana, b"so far honest")
            with trio.fail_after(WAIT_S):
                for _ in range(8):
                    mal.network.publish(topic.name, topic.seal(lie, os.urandom))
                await lost.wait()
            assert ana.network.status()["gossip_rejected"] == 8


async def test_after_a_removal_who_was_put_out_hears_nobody(tmp_path: Path) -> None:
    async with meeting(tmp_path, "ana", "ben", "mal") as (community, (ana, ben, mal), told):
        mal_peer = mal.network.peer_id if mal.network is not None else ""
        before = live_topic(ana, community).name
        with (
            ana.presences.listen(community, DOCUMENT),
            ben.presences.listen(community, DOCUMENT) as at_ben,
            mal.presences.listen(community, DOCUMENT) as at_mal,
        ):
            await heard(ana, community, at_mal, b"before")
            standing = ana.membership(community).standing(mal.device(community))
            assert standing is not None
            draft = removal_draft(ana.machine.replica(community), standing.member)
            await ana.write(community, [draft])
            await until(ben, lambda: not ben.membership(community).is_live(mal.device(community)))
            await heard(ana, community, at_ben, b"after")
            after = {about for _, to, about in told if to == mal_peer} & ana.presences.topics()
            assert before not in ana.presences.topics()
            assert after == set()


async def test_too_many_documents_at_once_are_refused(tmp_path: Path) -> None:
    async with meeting(tmp_path, "ana") as (community, (ana,), _):
        with ExitStack() as stack:
            for number in range(limits.LIVE_DOCUMENTS_MAX):
                stack.enter_context(ana.presences.listen(community, number.to_bytes(16, "big")))
            with (
                pytest.raises(LocalProtocolError, match="32 documents are open"),
                ana.presences.listen(community, DOCUMENT),
            ):
                pass
        assert ana.presences.topics() == set()
