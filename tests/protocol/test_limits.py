"""The page of limits is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from p2pvalue_protocol import limits

PAGE = Path(__file__).resolve().parents[2] / "protocol" / "spec" / "limits.md"
ROW = re.compile(r"^\| ([A-Z_]+) \| ([\d,]+) \|", re.MULTILINE)


def test_the_page_of_limits_names_every_limit_with_its_value() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    in_page = {name: int(value.replace(",", "")) for name, value in rows}
    in_code = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert in_page == in_code
    assert len(rows) == len(in_page)
