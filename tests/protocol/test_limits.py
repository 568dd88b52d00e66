"""The page of limits is what the code does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.kinds import (
    blob,
    card,
    chat,
    close,
    contribution,
    document,
    epoch,
    interest,
    need,
    notice,
    pledge,
    prekey,
    profile,
    project,
    ranking,
    thanks,
)
from tests.protocol.authoring import prekey_named

KEY = prekey_named("ada")
PAGE = Path(__file__).resolve().parents[2] / "protocol" / "spec" / "limits.md"
ROW = re.compile(r"^\| ([A-Z_]+) \| ([\d,]+) \|", re.MULTILINE)


def test_the_page_of_limits_names_every_limit_with_its_value() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    in_page = {name: int(value.replace(",", "")) for name, value in rows}
    in_code = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert in_page == in_code
    assert len(rows) == len(in_page)


KINDS = PAGE.parent / "kinds"
CONSTANT = re.compile(r"^([A-Z_]+): Final = (?:\d|0x)", re.MULTILINE)


@pytest.mark.parametrize(
    "module",
    [
        *(blob, card, chat, close, contribution, document, epoch, interest, need, notice),
        *(pledge, prekey, profile, project, ranking, thanks),
    ],
)
def test_the_page_of_a_kind_says_its_numbers(module: ModuleType) -> None:
    name = module.__name__.rpartition(".")[2]
    pages = sorted(KINDS.glob(f"{name}*.md"))
    text = " ".join(page.read_text(encoding="utf-8") for page in pages)
    constants = CONSTANT.findall(Path(str(module.__file__)).read_text(encoding="utf-8"))
    assert "NUMBER" in constants
    for constant in constants:
        value = vars(module)[constant]
        said = "10\\^12" if constant == "QUANTITY_MAX" and value == 10**12 else f"{value:,}"
        assert re.search(rf"(?<![\d,]){said}(?!\d|,\d)", text), f"{constant} {value}"


@pytest.mark.parametrize(
    "write",
    [
        lambda over: need.encode_need("t", [need.NeedLine("hours", "minute", 0, 10**12 + over)]),
        lambda over: pledge.encode_pledge(bytes(16), bytes(16), 0, 10**12 + over),
        lambda over: card.encode_card("n" * (200 + over)),
        lambda over: prekey.encode_prekey(KEY + bytes(over)),
        lambda over: prekey.encode_prekey(KEY[: 32 - over]),
    ],
    ids=["need", "pledge", "card", "long prekey", "short prekey"],
)
def test_a_value_may_be_as_large_as_its_page_says_and_no_larger(
    write: Callable[[int], bytes],
) -> None:
    assert write(0)
    with pytest.raises(LocalProtocolError):
        write(1)
