"""A need as a person writes it down: a title, lines with amounts, and a body."""

from __future__ import annotations

import re
from typing import NamedTuple

from p2pvalue_cli.amounts import EXAMPLES

_AMOUNT = re.compile(rf"\s*--({'|'.join(EXAMPLES)})(?:\s+|=)(.*?)\s*")


class NeedText(NamedTuple):
    """What a text says of a need; `amounts` as they are typed, by option."""

    title: str
    body: str
    amounts: dict[str, list[str]]


def read_need(text: str, *, has_title: bool = True) -> NeedText:
    r"""What a text says; its first line is the title, if it has one.

    A line is an amount if it is written as the option is: `--hours 12h..20h`.

    >>> read_need("Fix the roof\n--hours 12h\n\nIt rains in.")
    NeedText(title='Fix the roof', body='It rains in.', amounts={'hours': ['12h']})
    """
    lines: list[str] = []
    amounts: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        found = _AMOUNT.fullmatch(line)
        if found is None:
            lines.append(line)
        else:
            amounts.setdefault(found[1], []).append(found[2].strip("'\""))
    said = "\n".join(lines).strip("\n ")
    if not has_title:
        return NeedText("", said, amounts)
    title, _, body = said.partition("\n")
    return NeedText(" ".join(title.split()), body.strip("\n "), amounts)
