"""What real Yjs clients write, with undo, counts, and shows the same in both libraries."""

from __future__ import annotations

import pytest

from tests.editors import yjs_histories
from tests.editors.yjs_histories import play, play_lies

HISTORIES = 200
LIES = 100


def test_what_yjs_clients_write_and_undo_counts_and_shows_the_same_here(seed: int) -> None:
    met = play(range(seed, seed + HISTORIES))
    assert met["updates"] > 10 * HISTORIES


def test_what_liars_write_and_counts_shows_the_same_in_yjs(seed: int) -> None:
    assert play_lies(range(seed, seed + LIES))["lies"] == LIES


def test_an_update_that_one_library_lacks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(script: str, asked: list[dict[str, list[str]]]) -> list[object]:
        return whole(script, [{**one, "updates": one["updates"][1:]} for one in asked])

    whole = yjs_histories._answers
    monkeypatch.setattr(yjs_histories, "_answers", answers)
    with pytest.raises(AssertionError, match="liars part the libraries"):
        play_lies(range(4))
