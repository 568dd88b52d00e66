"""A file about a need grows by little with the history."""

from __future__ import annotations

from tests.bench.proofs import measured


def test_a_further_operation_adds_few_bytes() -> None:
    short, long = (measured(count, members=4, pledges=4, turns=1) for count in (200, 700))
    assert short["state"] == long["state"] == "confirmed"
    assert long["operations"] - short["operations"] > 450
    grown = (long["bytes"] - short["bytes"]) / (long["operations"] - short["operations"])
    assert 40 < grown < 90
