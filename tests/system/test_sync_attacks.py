"""A member's device that breaks the rules of sync loses its link; everybody else keeps theirs."""

from __future__ import annotations

import random
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import msgspec
import pytest
import trio

from p2pvalue.network import LinkClosed
from p2pvalue.node.node import wall_clock_ms
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds.chat import NUMBER as CHAT
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.log import encode_batch
from tests.patience import WAIT_S
from tests.seeds import drawn_seed
from tests.system.hostile import Insider, Stranger, Watch, at_once, offer, stranger

Attack = Callable[[Stranger, Insider, random.Random], Awaitable[None]]


def message(text: str) -> Draft:
    return Draft(CHAT, b"", encode_chat_message(text))


def a_head(insider: Insider) -> Reference:
    """The head of a log that no other attack has made the daemon give up on."""
    head, _ = insider.imagine(message("x"), now_ms=wall_clock_ms())
    return head


async def garbage_frames(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    for _ in range(50):
        spoken = await peer.greet(insider)
        await spoken.say_raw(rng.randbytes(rng.choice((0, 1, 100, 60_000))))
        await spoken.until_closed()
        await spoken.link.close()


async def an_oversized_frame(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    spoken = await peer.greet(insider)
    stream = spoken.link._stream  # type: ignore[attr-defined]  # below the limit that Link keeps
    await stream.write((limits.FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    await spoken.until_closed()


async def frames_after_the_end(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    spoken = await peer.greet(insider)
    await spoken.say(f.Ack())
    await spoken.until_closed()
    with suppress(LinkClosed):
        for _ in range(5_000):
            await spoken.say(f.Heads(b"", 0, []))


async def acks_without_end(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    spoken = await peer.greet(insider)
    await spoken.say(f.Ack())
    await spoken.until_closed()


async def no_acks(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    spoken = await peer.greet(insider)
    entries = (await spoken.hear(f.Heads)).heads
    wants = [f.Want(e.device, e.log_class, 0, e.seq, e.op_id) for e in entries]
    for _ in range(8):
        await spoken.say(f.Wants(wants[:1]))
    frames = 0
    with trio.move_on_after(1):
        while True:
            frames += isinstance(f.decode_frame(await spoken.hear_raw()), f.Ops)
    assert frames <= limits.UNACKED_FRAMES_MAX


async def the_same_wants_again_and_again(
    peer: Stranger, insider: Insider, rng: random.Random
) -> None:
    spoken = await peer.greet(insider)
    (entry, *_) = (await spoken.hear(f.Heads)).heads
    want = f.Want(entry.device, entry.log_class, 0, entry.seq, entry.op_id)
    with suppress(LinkClosed):
        for _ in range(10_000 // limits.WANTS_PER_FRAME_MAX + 1):
            await spoken.say(f.Wants([want] * limits.WANTS_PER_FRAME_MAX))
    await spoken.until_closed()


async def nothing_is_read(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    spoken = await peer.greet(insider)
    entries = (await spoken.hear(f.Heads)).heads
    want = f.Want(entries[0].device, entries[0].log_class, 0, entries[0].seq, entries[0].op_id)

    async def ask_for_ever() -> None:
        while True:
            await spoken.say(f.Wants([want]), f.Ack())

    with pytest.raises(LinkClosed), trio.fail_after(WAIT_S):
        await ask_for_ever()


async def heads_that_are_never_delivered(
    peer: Stranger, insider: Insider, rng: random.Random
) -> None:
    spoken = await peer.greet(insider)
    device = insider.signer.public
    entries = [
        f.HeadEntry(device, CONTENT, 2**40 + n, rng.randbytes(32))
        for n in range(limits.HEADS_PER_FRAME_MAX)
    ]
    heads = f.Heads(b"", 0, entries)
    for _ in range(3):
        await spoken.say(heads)
    wanted = (await spoken.hear(f.Wants)).wants
    await spoken.say(f.Ops(len(wanted), encode_batch([])))  # all 30 first might take too long
    for _ in range(27):
        await spoken.say(heads)
    with trio.move_on_after(1):
        await spoken.hear(f.Wants)
        raise AssertionError("what was not delivered is believed again")


async def a_claim_that_is_not_answered(
    peer: Stranger, insider: Insider, rng: random.Random
) -> None:
    spoken = await peer.greet(insider)
    await spoken.say(f.Heads(b"", 0, [f.head_entry(a_head(insider))]))
    await spoken.hear(f.Wants)
    await spoken.until_closed()


async def comparisons_without_end(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    spoken = await peer.greet(insider)
    for _ in range(3):
        await spoken.say(f.Buckets(rng.randbytes(f.SUM_BYTES * f.BUCKETS)))
    await spoken.until_closed()


async def wrong_signatures(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    head, runs = insider.imagine(message("forged"), now_ms=wall_clock_ms())
    items = [msgspec.structs.replace(i, signature=rng.randbytes(64)) for i in runs[0].items]
    spoken = await peer.greet(insider)
    await offer(spoken, head, [msgspec.structs.replace(runs[0], items=items)])
    await spoken.until_closed()


async def changed_words_under_a_good_signature(
    peer: Stranger, insider: Insider, rng: random.Random
) -> None:
    head, runs = insider.imagine(message("I agree"), now_ms=wall_clock_ms())
    payload = encode_chat_message("I never agreed")
    items = [msgspec.structs.replace(i, payload=payload) for i in runs[0].items]
    spoken = await peer.greet(insider)
    await offer(spoken, head, [msgspec.structs.replace(runs[0], items=items)])
    await spoken.until_closed()


async def wrong_backlinks(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    head, runs = insider.imagine(message("after nothing"), now_ms=wall_clock_ms())
    spoken = await peer.greet(insider)
    run = msgspec.structs.replace(runs[0], first_seq=7, backlink=rng.randbytes(32))
    await offer(spoken, head, [run])
    with trio.move_on_after(1):
        await spoken.until_closed()


async def operations_of_another_community(
    peer: Stranger, insider: Insider, rng: random.Random
) -> None:
    head, runs = insider.imagine(message("elsewhere"), now_ms=wall_clock_ms())
    spoken = await peer.greet(insider)
    signature = insider.signer.sign(b"p2pv1/op\x00" + rng.randbytes(200))
    items = [msgspec.structs.replace(i, signature=signature) for i in runs[0].items]
    await offer(spoken, head, [msgspec.structs.replace(runs[0], items=items)])
    await spoken.until_closed()


async def operations_nobody_asked_for(peer: Stranger, insider: Insider, rng: random.Random) -> None:
    _, runs = insider.imagine(message("unasked"), now_ms=wall_clock_ms())
    spoken = await peer.greet(insider)
    await spoken.say(f.Ops(0, encode_batch(runs)))
    await spoken.until_closed()


async def a_batch_that_unfolds_to_a_gigabyte(
    peer: Stranger, insider: Insider, rng: random.Random
) -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(60)) + packer.flush()
    assert len(bomb) < limits.FRAME_BYTES_MAX
    spoken = await peer.greet(insider)
    await spoken.say(f.Heads(b"", 0, [f.head_entry(a_head(insider))]))
    await spoken.hear(f.Wants)
    await spoken.say(f.Ops(1, bomb))
    await spoken.until_closed()


async def the_words_of_another_session(
    peer: Stranger, insider: Insider, rng: random.Random
) -> None:
    """Replay a whole handshake, word by word."""
    first = await peer.greet(insider)
    replayed = await peer.open()
    for frame in first.said[:2]:
        await replayed.say_raw(frame)
    await replayed.until_closed()
    assert len(replayed.heard) == 1, "nothing but a nonce may be told"


ATTACKS: tuple[Attack, ...] = (
    garbage_frames,
    an_oversized_frame,
    frames_after_the_end,
    acks_without_end,
    no_acks,
    the_same_wants_again_and_again,
    nothing_is_read,
    heads_that_are_never_delivered,
    a_claim_that_is_not_answered,
    comparisons_without_end,
    wrong_signatures,
    changed_words_under_a_good_signature,
    wrong_backlinks,
    operations_of_another_community,
    operations_nobody_asked_for,
    a_batch_that_unfolds_to_a_gigabyte,
    the_words_of_another_session,
)


@pytest.fixture(scope="module")
def outcomes(
    watch: Watch, mallory: Insider, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, BaseException | None]:
    """How each attack ended, all of them at the same time."""
    seed = drawn_seed(__name__)
    address = watch.victim.address

    async def attacked(attack: Attack) -> None:
        async with stranger(address) as peer:
            await attack(peer, mallory, random.Random(f"{seed} {attack.__name__}"))

    return trio.run(at_once, watch, {a.__name__: partial(attacked, a) for a in ATTACKS})


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_the_daemon_serves_others_during_and_after(
    attack: Attack, outcomes: dict[str, BaseException | None]
) -> None:
    assert outcomes[attack.__name__] is None


def test_nothing_forged_is_to_be_seen(
    watch: Watch, outcomes: dict[str, BaseException | None]
) -> None:
    assert not {"forged", "I never agreed", "after nothing", "elsewhere", "unasked"} & set(
        watch.victim.texts()
    )
