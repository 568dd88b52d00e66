"""Random changes reach both the form of bytes and what they say."""

from __future__ import annotations

import random
import zlib

import msgspec

from p2pvalue.sim.hostile.mutator import mutated, mutated_bytes, mutated_value
from p2pvalue_protocol import frames as f
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.frames import decode_frame, encode_frame

FRAME = encode_frame(f.Heads(bytes(16), 1, [f.HeadEntry(bytes(32), 1, 5, bytes(32))]))


def said_by(data: bytes) -> object:
    """The value that bytes say, None if they say none."""
    try:
        return msgspec.msgpack.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def test_changed_bytes_are_mostly_other_bytes_and_often_still_a_value(rng: random.Random) -> None:
    changed = [mutated(rng, FRAME) for _ in range(400)]
    assert sum(one != FRAME for one in changed) > 300
    assert sum(said_by(one) is not None for one in changed) > 60


def test_some_changed_frames_are_still_frames_that_say_something_else(rng: random.Random) -> None:
    others = 0
    for _ in range(400):
        try:
            frame = decode_frame(mutated(rng, FRAME))
        except Refused:
            continue
        others += encode_frame(frame) != FRAME
    assert others > 10


def test_what_is_compressed_is_changed_inside(rng: random.Random) -> None:
    batch = zlib.compress(
        encode([[bytes(32), 1, 0, bytes(32), [[35, b"", [], 9, b"said", b""]]]]), 1
    )
    inner = set()
    for _ in range(300):
        changed = mutated_value(rng, batch)
        try:
            inner.add(zlib.decompress(changed))
        except zlib.error:
            continue
    assert len(inner) > 20


def test_nothing_is_too_short_or_too_deep_to_be_changed(rng: random.Random) -> None:
    deep = b"\x91" * 200 + b"\x00"
    for data in (b"", b"\x00", b"\xff", deep, rng.randbytes(100)):
        for _ in range(50):
            assert isinstance(mutated(rng, data), bytes)
            assert isinstance(mutated_bytes(rng, data), bytes)


def test_one_seed_gives_the_same_changes() -> None:
    first, second = ([mutated(random.Random(5), FRAME) for _ in range(20)] for _ in range(2))
    assert first == second
