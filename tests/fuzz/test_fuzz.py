"""What a campaign found stays mended, and a few hundred new inputs are tried on every change."""

from __future__ import annotations

import ast
import random
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.fuzz import campaign, run
from tests.fuzz.core_decoders import _exact
from tests.fuzz.inputs import CORPUS, REGRESSIONS, keep, kept
from tests.fuzz.mutation import mutate
from tests.fuzz.table import TARGETS
from tests.fuzz.target import Target, TooLarge, TooSlow, steady_work, try_input
from tests.tidy.tree import functions, python_files, shown

EVERY = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
_WEIGHED_EVERY = 8


def check(target: Target, data: bytes, *, weighs: bool) -> bool:
    """Try an input; a finding is shown with the bytes that repeat it."""
    try:
        return try_input(target, data, weighs=weighs)
    except BaseException as found:  # a panic of a library is no Exception
        text = b64encode(data).decode()
        raise AssertionError(f"{target.name} fails on base64 {text}") from found


@EVERY
def test_what_was_found_once_stays_mended(target: Target) -> None:
    for data in kept(REGRESSIONS, target.name):
        check(target, data, weighs=True)


@EVERY
def test_honest_inputs_and_those_that_reach_far_break_nothing(target: Target) -> None:
    seeds = list(target.seeds())
    accepted = [
        check(target, data, weighs=at % _WEIGHED_EVERY == 0) for at, data in enumerate(seeds)
    ]
    assert any(accepted), "a target that refuses all its seeds tests one line"
    for data in kept(CORPUS, target.name):
        check(target, data, weighs=False)


@EVERY
def test_mutated_inputs_break_nothing(target: Target, rng: random.Random) -> None:
    pool = [*target.seeds(), *kept(CORPUS, target.name)]
    for at in range(target.mutations_in_tests):
        one, other = rng.choice(pool), rng.choice(pool)
        data = mutate(one, other, rng, target.bytes_max, target.shape)
        check(target, data, weighs=at % 64 == 0)


def test_every_kept_input_belongs_to_a_target() -> None:
    names = {target.name for target in TARGETS}
    folders = [place for kind in (CORPUS, REGRESSIONS) if kind.exists() for place in kind.iterdir()]
    assert sorted(folder.name for folder in folders if folder.name not in names) == []
    assert len({target.name for target in TARGETS}) == len(TARGETS)


# --- the testers tested


def _slow(data: bytes) -> bool:
    for _ in range(60):
        steady_work()
    return True


def _large(data: bytes) -> bool:
    return bool(bytearray(1 << 20))


def _raising(data: bytes) -> bool:
    return data.decode("ascii") == "a"


def _fake(run: object) -> Target:
    return Target(name="fake", run=run, seeds=lambda: [b"a"], covers=())  # type: ignore[arg-type]  # any


def test_an_exception_that_nobody_documented_is_a_finding(rng: random.Random) -> None:
    assert check(_fake(_raising), b"a", weighs=True)
    mutated = [mutate(b"abc", b"def", rng, 64, "bytes") for _ in range(2_000)]
    with pytest.raises(UnicodeDecodeError):
        [try_input(_fake(_raising), data) for data in mutated]


def test_bytes_with_two_forms_are_a_finding() -> None:
    lenient = _fake(_exact(msgspec.msgpack.Decoder(int).decode))
    assert try_input(lenient, b"\x05")
    with pytest.raises(AssertionError, match="one form"):
        try_input(lenient, b"\xcc\x05")


def test_an_input_that_takes_too_long_is_a_finding() -> None:
    with pytest.raises(TooSlow):
        try_input(_fake(_slow), b"")


def test_an_input_that_takes_too_much_memory_is_a_finding() -> None:
    with pytest.raises(TooLarge):
        try_input(_fake(_large), b"", weighs=True)


def test_a_campaign_without_a_guide_keeps_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fuzz.table.target_named", lambda name: _fake(_raising))
    monkeypatch.setattr(campaign, "_atheris", lambda: None)
    monkeypatch.setattr("tests.fuzz.inputs.REGRESSIONS", tmp_path / "regressions")
    with pytest.raises(UnicodeDecodeError):
        campaign.fuzz("fake", 60, tmp_path, seed=7)
    (found,) = run._artefacts(tmp_path)
    run._report("fake", found, b"")
    (data,) = kept(tmp_path / "regressions", "fake")
    with pytest.raises(UnicodeDecodeError):
        _raising(data)


def test_an_input_is_kept_once(tmp_path: Path) -> None:
    assert keep(tmp_path, "fake", b"a") == keep(tmp_path, "fake", b"a")
    assert kept(tmp_path, "fake") == [b"a"]


# --- no door without a target


_READERS = re.compile(
    r"(decode_canonical|decode_payload|.*\.(FromString|unpack_from|decompress)"
    r"|.*decoder\.decode|msgspec\..*\.decode|msgspec\.convert|tomllib\.loads)"
)
_LAST_NAMES = {"FromString", "unpack_from", "decompress", "decode", "convert", "loads"}
_NOT_STRANGERS = {
    # What this machine wrote for itself, behind the encryption of its database.
    "p2pvalue.node.documents.document_facts.loading",
    "p2pvalue.node.documents.kept_document",
    "p2pvalue.node.members.joining._find_again",
    "p2pvalue.node.members.requests.all",
    "p2pvalue.store",
    "p2pvalue_protocol.documents.kept_facts",
    "p2pvalue_protocol.epoch_records",
    # What a process that we started tells us.
    "p2pvalue.texts.remote.ask",
    # What the kernel tells us.
    "p2pvalue.api.socket_owner",
    # What a caller is about to write.
    "p2pvalue_protocol.auth_payloads._checked",
    # No part of a running node.
    "p2pvalue.api.reference",
    "p2pvalue.sim",
}


def readers(path: Path) -> Iterator[str]:
    """The functions of a file that turn bytes into values."""
    module = shown(path).removeprefix("protocol/").removesuffix(".py").removesuffix("/__init__")
    for function in functions(path):
        if any(_reads(call) for call in ast.walk(function) if isinstance(call, ast.Call)):
            yield f"{module.replace('/', '.')}.{function.name}"


def _reads(call: ast.Call) -> bool:
    last = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    is_told_by_name = isinstance(call.func, ast.Name) or last in _LAST_NAMES
    return is_told_by_name and _READERS.fullmatch(ast.unparse(call.func)) is not None


def uncovered(names: list[str]) -> list[str]:
    """Which of these no target covers, by function or by module."""
    covered = {name for target in TARGETS for name in target.covers} | _NOT_STRANGERS
    parts = [(name, name.split(".")) for name in names]
    prefixes = [(name, {".".join(p[:n]) for n in range(len(p) + 1)}) for name, p in parts]
    return [name for name, of_it in prefixes if not covered & of_it]


def test_every_function_that_reads_strangers_bytes_has_a_target() -> None:
    packages = ("p2pvalue", "protocol/p2pvalue_protocol")
    assert uncovered([name for path in python_files(*packages) for name in readers(path)]) == []


def test_a_reader_without_a_target_is_recognised() -> None:
    assert uncovered(["p2pvalue_protocol.operation.decode_core"]) == []
    assert uncovered(["p2pvalue_protocol.new.read"]) == ["p2pvalue_protocol.new.read"]
