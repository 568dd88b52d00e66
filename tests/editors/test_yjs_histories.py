"""What real Yjs clients write, with undo, counts, and shows the same in both libraries."""

from __future__ import annotations

from typing import Any

import pytest

from p2pvalue_protocol.documents.steps import Steps
from tests.editors import rich_histories, yjs_histories
from tests.editors.yjs_histories import play, play_lies

HISTORIES = 200
LIES = 100
RICH = 3
UNDOES_TWICE = 0  # a history in which an editor puts words between no neighbours


def test_what_yjs_clients_write_and_undo_counts_and_shows_the_same_here(seed: int) -> None:
    met = play(range(seed, seed + HISTORIES))
    assert met["updates"] > 10 * HISTORIES


def test_what_liars_write_and_counts_shows_the_same_in_yjs(seed: int) -> None:
    assert play_lies(range(seed, seed + LIES))["lies"] == LIES


def test_what_rich_editors_write_and_undo_counts_and_shows_the_same(seed: int) -> None:
    assert rich_histories.play(range(seed, seed + RICH))["rich"] == RICH


def test_without_mending_rich_editors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rich_histories.play([UNDOES_TWICE])["mended"] > 0
    monkeypatch.setattr(rich_histories, "mending", _as_it_is)
    with pytest.raises(AssertionError, match="refused"):
        rich_histories.play([UNDOES_TWICE])


def _as_it_is(*given: Any) -> Steps[bytes]:
    yield from ()
    update: bytes = given[-1]
    return update


def test_an_update_that_one_library_lacks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(script: str, asked: list[dict[str, list[str]]]) -> list[object]:
        return whole(script, [{**one, "updates": one["updates"][1:]} for one in asked])

    whole = yjs_histories._answers
    monkeypatch.setattr(yjs_histories, "_answers", answers)
    with pytest.raises(AssertionError, match="liars part the libraries"):
        play_lies(range(4))
