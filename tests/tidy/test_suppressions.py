"""Silencing a checker needs a reason beside it."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.tidy.tree import python_files, shown

SILENCE = re.compile(r"#\s*(type:\s*ignore|noqa|pyright:\s*ignore|pragma:\s*no cover|fmt:\s*off)")
# The rule that is silenced, then words that say why.
EXPLAINED = re.compile(
    r"#\s*(type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)\s+[#(-]\s*\w+"
)


def unexplained(text: str) -> list[str]:
    """The comments in Python source that silence a checker and do not say which rule and why."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return [c for c in comments if SILENCE.search(c) and not EXPLAINED.search(c)]


@pytest.mark.parametrize("path", python_files(), ids=shown)
def test_every_suppression_names_its_rule_and_its_reason(path: Path) -> None:
    assert unexplained(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("comment", "accepted"),
    [
        ("# type: ignore", False),
        ("# type: ignore[misc]", False),
        ("# noqa", False),
        ("# noqa: E501", False),
        ("# fmt: off", False),
        ("# type: ignore[misc]  # the library has no stubs", True),
        ("# noqa: BLE001  (a stranger's bytes)", True),
        ("# noqa: E501  # a link cannot be broken", True),
        ("# ignore what the peer types", True),
    ],
)
def test_a_suppression_is_recognised(comment: str, accepted: bool) -> None:
    assert (unexplained(f"x = 1  {comment}\n") == []) is accepted
