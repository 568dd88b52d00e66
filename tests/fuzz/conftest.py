"""What fuzzing leaves behind for the tests that follow it: nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def logging_as_before() -> Iterator[None]:
    """Let others hear the log again, which targets silence: hostile inputs fill it."""
    logger = logging.getLogger("p2pvalue")
    level = logger.level
    yield
    logger.setLevel(level)
