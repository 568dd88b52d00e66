"""The tools that bend code and choose tests do what they say, whatever happens on the way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.covering import Covering, files_affected, united
from tests.mutants.judging import Verdict, statement_line
from tests.mutants.mutations import Mutation, mutated, mutations_of, source_file
from tests.mutants.sample import Record, counts
from tests.mutants.tree_copy import bent, changed_files, unbend

SOURCE = """LIMIT = 3


def double(value):
    if value > LIMIT:
        return (
            value +
            value
        )
    return 0
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    file = tmp_path / "module.py"
    file.write_text(SOURCE, encoding="utf-8")
    return file


def test_what_was_bent_is_put_back_whatever_happens(module: Path) -> None:
    before = module.stat().st_mtime_ns

    def interrupted() -> None:
        with bent(module, "bent"):
            assert module.read_text() == "bent"
            assert module.stat().st_mtime_ns > before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert module.read_text() == SOURCE
    assert module.stat().st_mtime_ns == before
    assert [path.name for path in module.parent.iterdir()] == ["module.py"]


def test_what_a_killed_run_left_bent_is_put_back(module: Path, tmp_path: Path) -> None:
    with bent(module, "bent"):
        left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    for name, text in left.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert module.read_text() == "bent"
    unbend(tmp_path)
    assert module.read_text() == SOURCE
    assert [path.name for path in tmp_path.iterdir()] == ["module.py"]


def test_a_line_belongs_to_the_statement_around_it(module: Path) -> None:
    assert [statement_line(module, line) for line in (1, 4, 5, 7, 10)] == [0, 0, 5, 6, 10]


def test_the_tests_of_a_line_are_those_that_run_it_or_its_statement() -> None:
    covering = Covering({"m": {5: ["b", "a"], 6: ["c"]}, "idle": {}}, {"a": 1, "b": 1, "c": 1})
    assert covering.tests_for("m", range(5, 6), 5) == {"a", "b"}
    assert covering.tests_for("m", range(7, 8), 6) == {"c"}
    assert covering.tests_for("m", range(9, 10), 9) == set()
    assert covering.tests_for("m", range(1, 2), 0) == {"a", "b", "c"}
    assert covering.tests_for("idle", range(1, 2), 0) == {"a", "b", "c"}


def test_of_what_was_judged_twice_the_last_verdict_counts(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    one, other = (Mutation("m", "AddNot", number, 1, 0) for number in range(2))
    record = Record(file)
    for mutation, outcome in ((one, "survived"), (other, "survived"), (one, "killed")):
        record.add(mutation, Verdict(outcome, "a test"))
    again = Record(file)
    assert again.outcomes([one.name, other.name]) == {"killed": 1, "survived": 1}
    assert again.verdicts[one.name] == Verdict("killed", "a test")


def test_what_the_tool_cannot_bend_is_no_mutant(tmp_path: Path) -> None:
    pytest.importorskip("cosmic_ray", reason="only long proofs need the tool")
    file = source_file(tmp_path, "m")
    file.parent.mkdir(parents=True)
    file.write_text("try:\n    f()\nexcept (a.Error, B):\n    g()\nexcept Error:\n    h()\n")
    bent_ones = {(m.line, m.column): mutated(tmp_path, m) for m in mutations_of(tmp_path, "m")}
    assert bent_ones[3, 8] is None
    assert "except CosmicRayTestingException:" in (bent_ones[5, 7] or "")


def test_the_score_leaves_out_the_equivalent_and_the_share_of_all_does_not() -> None:
    said = counts(Counter({"killed": 88, "timed-out": 2, "survived": 30, "invalid": 7}), 20)
    assert said == (
        "120 judged: 88 killed, 2 timed out, 30 survive, 20 of them equivalent; "
        "75.0 % noticed of all, score 90.0 % without the equivalent"
    )


def test_of_what_changed_only_files_of_tests_are_named(tmp_path: Path) -> None:
    for folder, texts in (("now", "abc"), ("then", "ab")):
        for name, text in zip(("same", "changed", "new"), texts, strict=False):
            file = tmp_path / folder / "sub" / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text if name == "same" else f"{folder} {text}")
    (tmp_path / "now" / "notes.txt").write_text("nothing that runs")
    assert changed_files(tmp_path / "now", tmp_path / "then") == ["sub/changed.py", "sub/new.py"]


def test_a_test_is_affected_by_what_it_imports_however_far(tmp_path: Path) -> None:
    texts = {
        ("protocol", "far"): "HERE = 1",
        ("protocol", "near"): "from tests.protocol import far",
        ("protocol", "test_one"): "import tests.protocol.near",
        ("protocol", "test_two"): "from tests.protocol.far import HERE",
        ("protocol", "test_three"): "from tests.protocol import other",
        ("sim", "test_four"): "import tests.protocol.near",
    }
    for (folder, name), text in texts.items():
        file = tmp_path / "tests" / folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    far, near, one, two, three = (f"tests/protocol/{name}.py" for _, name in list(texts)[:5])
    assert files_affected(tmp_path, [far]) == [one, two]
    assert files_affected(tmp_path, [near, three]) == [one, three]


def test_what_is_found_out_anew_of_some_files_takes_the_place_of_what_was_known_of_them() -> None:
    before = Covering({"m": {1: ["a::x", "b::y"], 2: ["b::y"]}}, {"a::x": 1.0, "b::y": 2.0})
    anew = Covering({"m": {1: [], 3: ["b::z"]}, "n": {1: ["b::z"]}}, {"b::z": 3.0})
    assert united(before, anew, ["b"]) == Covering(
        {"m": {1: ["a::x"], 2: [], 3: ["b::z"]}, "n": {1: ["b::z"]}}, {"a::x": 1.0, "b::z": 3.0}
    )
