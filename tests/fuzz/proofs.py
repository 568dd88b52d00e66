"""Targets for files about needs: as they come, unpacked, and with all signatures taken for good."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from unittest import mock

from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.needs.standing import standing_of
from p2pvalue_protocol.proof import replay
from p2pvalue_protocol.proof.form import decode_proof, encode_proof
from p2pvalue_protocol.proof.reading import read_proof
from tests.fuzz.seeds import in_vectors
from tests.fuzz.target import Budget, Target

_MAGIC = b"p2pvalue proof 1\n"


def _proof(data: bytes) -> bool:
    try:
        proven = read_proof(data)
    except Refused:
        return False
    assert decode_proof(encode_proof(decode_proof(data))) == decode_proof(data)
    assert read_proof(data)[:3] == proven[:3]
    assert standing_of(proven.state, reversed(proven.acts)).state == proven.standing.state
    assert all(pledge.offer.act in proven.acts for pledge in proven.standing.pledges)
    return True


def _packed(data: bytes) -> bool:
    return _proof(_MAGIC + zlib.compress(data, 1))


def _believed(data: bytes) -> bool:
    """Read a file as if whoever made it had everybody's keys."""
    with mock.patch.object(replay, "verify", return_value=True):
        return _packed(data)


def _bombs() -> Iterable[bytes]:
    yield _MAGIC + zlib.compress(bytes(40_000_000), 9)
    yield _MAGIC + zlib.compress(b"\x93\xc4\x10" + bytes(16) + b"\xdd\x00\x01\x86\xa0" * 2, 9)


def _unpacked() -> Iterable[bytes]:
    for file in in_vectors("proof", "file"):
        try:
            yield zlib.decompress(file.removeprefix(_MAGIC))
        except zlib.error:
            continue


_P = "p2pvalue_protocol.proof"
_BUDGET = Budget(units=80, units_per_kib=8, memory_bytes=4 * 1_024 * 1_024, memory_per_byte=256)

PROOFS = (
    Target(
        name="proof",
        run=_proof,
        seeds=lambda: (*in_vectors("proof", "file"), *_bombs()),
        covers=(f"{_P}.form.decode_proof", f"{_P}.reading.read_proof"),
        bytes_max=65_536,
        # A bomb unfolds to what is allowed before it is refused.
        budget=Budget(units=400, units_per_kib=8, memory_bytes=80 * 1_024 * 1_024),
        mutations_in_tests=60,
    ),
    Target(
        name="proof-unpacked",
        run=_packed,
        seeds=_unpacked,
        covers=(),
        shape="msgpack",
        bytes_max=65_536,
        budget=_BUDGET,
        mutations_in_tests=60,
    ),
    Target(
        name="proof-believed",
        run=_believed,
        seeds=_unpacked,
        covers=(f"{_P}.replay.replay",),
        shape="msgpack",
        bytes_max=65_536,
        budget=_BUDGET,
        mutations_in_tests=200,
    ),
)
