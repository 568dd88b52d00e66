"""What every network keeps, in memory or over libp2p (contract: p2pvalue/network/interface.py)."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from p2pvalue.network import (
    FRAME_BYTES_MAX,
    GOSSIP_BYTES_MAX,
    SYNC_PROTOCOL,
    Limits,
    Link,
    LinkClosed,
    Network,
    Timeouts,
    Verdict,
    parse_address,
)
from p2pvalue_protocol.errors import LocalProtocolError
from tests.network.conftest import Started
from tests.network.recorder import Recorder, closed, echo
from tests.patience import WAIT_S

TOPIC = "a-topic"


async def meet(a: Network, b: Network, b_recorder: Recorder) -> None:
    """Connect a to b, known to both."""
    assert await a.connect(b.addresses()) == b.peer_id
    await b_recorder.until(lambda: a.peer_id in b_recorder.connected)


async def gossip_between(a: Network, b: Network) -> None:
    """Let two connected peers speak gossip about one topic."""
    for network, other in ((a, b), (b, a)):
        network.subscribe(TOPIC)
        network.admit_to_gossip(other.peer_id, [TOPIC])


async def publish_until_heard(
    a: Network, heard: Recorder, message: bytes, *, topic: str = TOPIC
) -> None:
    """Publish variants of a message until one is heard, for meshes take a moment to form."""
    with trio.fail_after(WAIT_S):
        for attempt in range(1000):
            a.publish(topic, message + b" %d" % attempt)
            with trio.move_on_after(0.1):
                await heard.until(lambda: any(m[1].startswith(message) for m in heard.gossip))
                return


async def send_for_ever(link: Link) -> None:
    """Send until it fails."""
    with trio.fail_after(WAIT_S):
        while True:
            await link.send(bytes(FRAME_BYTES_MAX))


async def test_addresses_are_concrete_and_name_the_peer(start: Started) -> None:
    network, _ = await start()
    for address in map(parse_address, network.addresses()):
        assert address.peer_id == network.peer_id
        assert address.port != 0


async def test_both_sides_are_told_of_a_connection_and_of_its_end(start: Started) -> None:
    (a, a_told), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    assert a.peers() == [b.peer_id]
    assert b.peers() == [a.peer_id]
    await a.disconnect(b.peer_id)
    await a_told.until_gone(b.peer_id)
    await b_told.until_gone(a.peer_id)
    assert a.peers() == b.peers() == []


async def test_connecting_twice_reuses_the_connection(start: Started) -> None:
    (a, a_told), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    await meet(a, b, b_told)
    assert a_told.events == [("connected", b.peer_id)]


async def test_two_peers_that_dial_each_other_at_once_end_with_one_connection(
    start: Started,
) -> None:
    (a, a_told), (b, b_told) = await start(), await start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(a.connect, b.addresses())
        nursery.start_soon(b.connect, a.addresses())
    await a_told.until(lambda: a_told.connected == [b.peer_id])
    await b_told.until(lambda: b_told.connected == [a.peer_id])
    with trio.fail_after(WAIT_S):
        while True:
            try:
                link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
                assert await echo(link) == b"are you there"
                return
            except LinkClosed:
                await a_told.until(lambda: a_told.connected == [b.peer_id])


async def test_a_failed_dial_says_what_was_tried_and_is_forgotten(start: Started) -> None:
    (a, _), (b, _) = await start(), await start()
    nobody = f"/ip4/127.0.0.1/tcp/1/p2p/{b.peer_id}"
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1/tcp/1"):
        await a.connect([nobody.replace(b.peer_id, "12D3KooW" + "x" * 44)])
    assert await a.connect([nobody, *b.addresses()]) == b.peer_id


async def test_addresses_of_two_peers_are_a_mistake_of_the_caller(start: Started) -> None:
    (a, _), (b, _), (c, _) = await start(), await start(), await start()
    with pytest.raises(LocalProtocolError):
        await a.connect([*b.addresses(), *c.addresses()])
    with pytest.raises(LocalProtocolError):
        await a.connect(["/ip4/127.0.0.1/tcp/4001"])


async def test_dialling_ourselves_fails(start: Started) -> None:
    a, _ = await start()
    with pytest.raises(ConnectionError):
        await a.connect(a.addresses())


async def test_a_link_carries_frames_of_every_size_in_order(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    for size in (0, 1, 65_519, 65_520, FRAME_BYTES_MAX):
        assert await echo(link, bytes(size)) == bytes(size)
    assert (link.peer_id, link.protocol, link.initiated) == (b.peer_id, SYNC_PROTOCOL, True)
    other_end = b_told.links[0]
    assert (other_end.peer_id, other_end.initiated) == (a.peer_id, False)


async def test_an_oversized_frame_is_a_mistake_of_the_caller(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    with pytest.raises(LocalProtocolError):
        await link.send(bytes(FRAME_BYTES_MAX + 1))
    assert await echo(link) == b"are you there"


async def test_closing_a_link_ends_it_for_the_other_side(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    await echo(link)
    await link.close()
    await link.close()
    await closed(b_told.links[0])
    with pytest.raises(LinkClosed):
        await link.send(b"too late")


async def test_the_end_of_a_connection_ends_its_links(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    await b_told.until(lambda: bool(b_told.links))
    await b.disconnect(a.peer_id)
    await closed(link)
    with pytest.raises(LinkClosed):
        await a.open_link(b.peer_id, SYNC_PROTOCOL)


async def test_a_handler_that_raises_ends_its_link_and_nothing_else(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    bad = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    good = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    await bad.send(b"raise")
    await closed(bad)
    assert await echo(good) == b"are you there"


async def test_a_peer_that_does_not_read_loses_the_link_but_not_the_connection(
    start: Started,
) -> None:
    (a, _), (b, b_told) = await start(timeouts=Timeouts(stall_s=0.5)), await start()
    await meet(a, b, b_told)
    b_told.echoes = False
    unread = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    with pytest.raises(LinkClosed):
        await send_for_ever(unread)
    b_told.echoes = True
    assert await echo(await a.open_link(b.peer_id, SYNC_PROTOCOL)) == b"are you there"


async def test_a_cancelled_send_leaves_the_link_whole(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    sent = 0
    for size in (1, 1000, FRAME_BYTES_MAX):
        with trio.move_on_after(0) as cancelled:
            await link.send(bytes(size))
        sent += not cancelled.cancelled_caught
    assert sent == 0
    assert await echo(link, b"whole") == b"whole"


async def test_a_cancelled_receive_loses_nothing(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    for _ in range(3):
        with trio.move_on_after(0):
            await link.receive()
    assert await echo(link) == b"are you there"


async def test_gossip_reaches_admitted_peers(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    await gossip_between(a, b)
    await publish_until_heard(a, b_told, b"hello")
    assert {(t, p) for t, _, p in b_told.gossip} == {(TOPIC, a.peer_id)}


async def test_gossip_is_not_spoken_with_peers_that_were_not_admitted(start: Started) -> None:
    (a, _), (b, b_told), (c, c_told) = await start(), await start(), await start()
    await meet(a, b, b_told)
    await meet(a, c, c_told)
    await gossip_between(a, b)
    c.subscribe(TOPIC)
    c.admit_to_gossip(a.peer_id, [TOPIC])
    await publish_until_heard(a, b_told, b"hello")
    assert c_told.gossip == []


async def test_a_peer_admitted_to_one_topic_hears_nothing_of_another(start: Started) -> None:
    (a, _), (b, b_told), (c, c_told) = await start(), await start(), await start()
    await meet(a, b, b_told)
    await meet(a, c, c_told)
    await gossip_between(a, b)
    for network, other in ((a, c), (c, a)):
        network.subscribe("of-all")
        network.admit_to_gossip(other.peer_id, ["of-all"])
    c.subscribe(TOPIC)
    c.admit_to_gossip(a.peer_id, [TOPIC])
    await publish_until_heard(a, c_told, b"to all", topic="of-all")
    await publish_until_heard(a, b_told, b"to members")
    await publish_until_heard(a, c_told, b"again to all", topic="of-all")
    assert {topic for topic, _, _ in c_told.gossip} == {"of-all"}


async def test_a_peer_hears_of_a_topic_that_it_is_admitted_to_later(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    await gossip_between(a, b)
    await publish_until_heard(a, b_told, b"first")
    for network, other in ((a, b), (b, a)):
        network.subscribe("second-topic")
        network.admit_to_gossip(other.peer_id, ["second-topic"])
    await publish_until_heard(a, b_told, b"second", topic="second-topic")


async def test_a_peer_that_is_barred_from_a_topic_hears_nothing_of_it_any_more(
    start: Started,
) -> None:
    (a, _), (b, b_told), (c, c_told) = await start(), await start(), await start()
    for other, told in ((b, b_told), (c, c_told)):
        await meet(a, other, told)
        await gossip_between(a, other)
        for network, peer in ((a, other), (other, a)):
            network.subscribe("of-all")
            network.admit_to_gossip(peer.peer_id, ["of-all"])
        await publish_until_heard(a, told, b"before")
    a.bar_from_gossip(c.peer_id, [TOPIC])
    a.bar_from_gossip("a peer that is not here", [TOPIC])
    await publish_until_heard(a, b_told, b"after")
    await publish_until_heard(a, c_told, b"to all", topic="of-all")
    assert not any(message.startswith(b"after") for _, message, _ in c_told.gossip)


async def test_only_accepted_gossip_is_passed_on(start: Started) -> None:
    (a, _), (b, b_told), (c, c_told) = await start(), await start(), await start()
    await meet(a, b, b_told)
    await meet(b, c, c_told)
    await gossip_between(a, b)
    await gossip_between(b, c)
    b_told.verdict = lambda m: Verdict.IGNORE if m.startswith(b"hush") else Verdict.ACCEPT
    await publish_until_heard(a, b_told, b"hush")
    await publish_until_heard(a, c_told, b"hello")
    assert all(m.startswith(b"hello") for _, m, _ in c_told.gossip)


async def test_rejected_gossip_costs_its_sender_the_connection(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start(limits=Limits(gossip_offences_max=3))
    await meet(a, b, b_told)
    await gossip_between(a, b)
    b_told.verdict = lambda m: Verdict.REJECT
    await publish_until_heard(a, b_told, b"first")
    for number in range(3):
        a.publish(TOPIC, b"bad %d" % number)
    await b_told.until_gone(a.peer_id)


async def test_ignored_gossip_costs_nothing(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start(limits=Limits(gossip_offences_max=3))
    await meet(a, b, b_told)
    await gossip_between(a, b)
    b_told.verdict = lambda m: Verdict.IGNORE
    await publish_until_heard(a, b_told, b"first")
    for number in range(10):
        a.publish(TOPIC, b"odd %d" % number)
    await b_told.until(lambda: b_told.gossip[-1][1] == b"odd 9")
    assert b_told.connected == [a.peer_id]


async def test_a_judge_that_raises_is_contained(start: Started) -> None:
    (a, _), (b, b_told) = await start(), await start()
    await meet(a, b, b_told)
    await gossip_between(a, b)

    def fail(message: bytes) -> Verdict:
        raise RuntimeError("the judge was asked to fail")

    b_told.verdict = fail
    await publish_until_heard(a, b_told, b"first")
    b_told.verdict = lambda m: Verdict.ACCEPT
    await publish_until_heard(a, b_told, b"second")
    assert b_told.connected == [a.peer_id]


async def test_publishing_says_when_the_queue_is_full(start: Started) -> None:
    a, _ = await start(
        limits=Limits(gossip_queue_max=4, gossip_burst=1, gossip_per_topic_per_s=0.01)
    )
    a.subscribe(TOPIC)
    assert a.publish(TOPIC, b"takes all that the pace allows")
    await wait_all_tasks_blocked()
    queued = [a.publish(TOPIC, b"%d" % n) for n in range(10)]
    assert queued == [True] * 4 + [False] * 6
    assert a.status()["hints_dropped"] == 6


async def test_gossip_that_breaks_our_own_limits_is_a_mistake_of_the_caller(
    start: Started,
) -> None:
    a, _ = await start()
    with pytest.raises(LocalProtocolError):
        a.publish(TOPIC, b"not subscribed")
    a.subscribe(TOPIC)
    with pytest.raises(LocalProtocolError):
        a.publish(TOPIC, bytes(GOSSIP_BYTES_MAX + 1))
