from __future__ import annotations

import pytest

from p2pvalue.node.references import resolve
from p2pvalue_protocol.errors import NotFound

ROOF = bytes.fromhex("aabbccdd" + "00" * 12)
WALL = bytes.fromhex("aabbccee" + "00" * 12)
DOOR = bytes.fromhex("11223344" + "00" * 12)
THERE = [(ROOF, "Roof"), (WALL, "Wall"), (DOOR, "Wall")]


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        (ROOF.hex(), ROOF),
        (f" {ROOF.hex().upper()} ", ROOF),
        ("aabbccdd", ROOF),
        ("AABBCCE", WALL),
        ("1122", DOOR),
        ("Roof", ROOF),
    ],
)
def test_an_id_a_unique_beginning_or_an_exact_name_is_understood(
    reference: str, meant: bytes
) -> None:
    assert resolve(reference, THERE, "need") == meant


def test_a_beginning_shared_by_two_names_both() -> None:
    with pytest.raises(NotFound, match='aabbccdd0000 "Roof" or aabbccee0000 "Wall"'):
        resolve("aabb", THERE, "need")


def test_a_name_shared_by_two_names_both() -> None:
    with pytest.raises(NotFound, match=r"aabbccee0000.*or 112233440000.*these digits"):
        resolve("Wall", THERE, "need")


@pytest.mark.parametrize("reference", ["112", "rooff", "ffff", "", "aabbccdd" + "00" * 13])
def test_what_is_not_there_is_said_with_what_to_do(reference: str) -> None:
    with pytest.raises(NotFound, match="no need"):
        resolve(reference, THERE, "need")


def test_what_has_no_name_is_not_asked_for_by_name() -> None:
    with pytest.raises(NotFound, match="give at least 4 digits"):
        resolve("ffff", [(ROOF, "")], "message")
    with pytest.raises(NotFound, match="give its exact name, or at least 4 digits"):
        resolve("ffff", THERE, "need")


def test_a_name_made_of_digits_is_found_by_that_name() -> None:
    assert resolve("1122", [*THERE, (ROOF, "1122")], "need") == ROOF


def test_a_name_in_other_capitals_is_found_where_nothing_else_is_meant() -> None:
    assert resolve("rOOF", THERE, "need") == ROOF
    other = bytes([9] * 16)
    assert resolve("roof", [*THERE, (other, "roof")], "need") == other
    with pytest.raises(NotFound, match='"ROOF" may mean'):
        resolve("ROOF", [*THERE, (other, "roof")], "need")
    digits = bytes.fromhex("beef" + "00" * 14)
    assert resolve("beef", [(other, "Beef"), (digits, "Soup")], "need") == digits


def test_many_candidates_are_listed_in_part() -> None:
    many = [(bytes([7] * 15 + [number]), "Same") for number in range(40)]
    with pytest.raises(NotFound, match="one of 35 more"):
        resolve("Same", many, "need")


@pytest.mark.parametrize("mistyped", ["rof", "Rof", "ROOFS"])
def test_a_name_that_is_mistyped_is_answered_with_what_is_near(mistyped: str) -> None:
    with pytest.raises(NotFound, match=f'no need "{mistyped}" here: did you mean "Roof"'):
        resolve(mistyped, THERE, "need")


def test_a_name_that_is_long_or_like_none_is_compared_with_nothing() -> None:
    for wanted in ("Garden gate", "R" * 101):
        with pytest.raises(NotFound, match="give its exact name"):
            resolve(wanted, [*THERE, (ROOF, "R" * 102)], "need")
