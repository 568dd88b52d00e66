"""No rule without a vector and a page: what is agreed between peers is written down and frozen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from p2pvalue_protocol import encoding, keys, operation
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.kind import Kind
from p2pvalue_protocol.kinds import KINDS
from tests.vectors.files import SPEC, VECTORS, vectors_of

FILES = sorted(VECTORS.rglob("*.json"))
REASON = re.compile(r"\bReason\.([A-Z_]+)")


def reasons_of_the_bytes_rules() -> set[str]:
    """What the modules that judge bytes alone can answer, and what signatures and ids add."""
    sources = [Path(str(module.__file__)).read_text() for module in (encoding, keys, operation)]
    named = {Reason[name] for source in sources for name in REASON.findall(source)}
    return {str(reason) for reason in named | {Reason.SIGNATURE_INVALID, Reason.WRONG_COMMUNITY}}


def test_every_reason_of_the_bytes_rules_has_an_invalid_vector_and_is_in_the_page() -> None:
    shown = {v["reason"] for v in vectors_of("operation") if v["result"] == "invalid"}
    assert reasons_of_the_bytes_rules() <= shown
    page = (SPEC / "operation.md").read_text(encoding="utf-8")
    assert {reason for reason in reasons_of_the_bytes_rules() if f"`{reason}`" not in page} == set()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_page_and_vectors_of_both_results(kind: Kind) -> None:
    vectors = vectors_of(f"kinds/{kind.name}")
    assert {vector["result"] for vector in vectors} == {"valid", "invalid"}
    page = (SPEC / "kinds" / f"{kind.name}.md").read_text(encoding="utf-8")
    assert f"Kind {kind.number}" in page


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(VECTORS)))
def test_a_vector_file_explains_itself(file: Path) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (SPEC / f"{document['page']}.md").is_file()
    vectors = document["vectors"]
    ids = [vector["id"] for vector in vectors]
    assert len(ids) == len(set(ids))
    flags = {flag for vector in vectors for flag in vector["flags"]}
    assert flags == set(document["flags"])
    for vector in vectors:
        assert vector["comment"]
        assert vector["result"] in ("valid", "invalid")
        assert ("reason" in vector) == (vector["result"] == "invalid")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(VECTORS)))
def test_every_vector_file_is_run(file: Path) -> None:
    name = file.relative_to(VECTORS).with_suffix("").as_posix()
    tests = [path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    is_kind = name in {f"kinds/{kind.name}" for kind in KINDS}
    assert is_kind or any(f'"{name}"' in text for text in tests)
