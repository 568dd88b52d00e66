from __future__ import annotations

import pytest

from p2pvalue.sizes import MEBIBYTE, said


@pytest.mark.parametrize(
    ("count_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (1024 * 1024 - 1, "1 MiB"),
        (64 * MEBIBYTE, "64 MiB"),
        (1000 * MEBIBYTE, "1,000 MiB"),
        (5 * 1024**4, "5 TiB"),
        (5000 * 1024**4, "5,000 TiB"),
    ],
)
def test_a_number_of_bytes_is_said_in_the_unit_that_fits(count_bytes: int, text: str) -> None:
    assert said(count_bytes) == text
