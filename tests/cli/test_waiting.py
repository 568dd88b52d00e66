"""Who waits for long is told that something is done."""

from __future__ import annotations

import io
import socket
import sys
import threading
from pathlib import Path

import click
import pytest

from p2pvalue.config import SOCKET_NAME
from p2pvalue_cli import command, connection, waiting
from tests.patience import WAIT_S

ANSWER = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"


class Terminal(io.StringIO):
    """What a person sees; `is_told` is set when something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.is_told = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.is_told.set()
        return super().write(text)


def test_who_waits_for_an_answer_is_told_until_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOMENT_S", 0)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / SOCKET_NAME))
        listening.listen()

        def answer() -> None:
            asked, _ = listening.accept()
            with asked:
                asked.recv(65_536)
                terminal.is_told.wait(WAIT_S)
                asked.sendall(ANSWER)

        answering = threading.Thread(target=answer)
        answering.start()
        with click.Context(click.Command("any")) as context:
            context.meta[command._DATA_DIR] = tmp_path
            assert connection.get("/status") == {}
        answering.join()
    said, *_, wiped = terminal.getvalue().split("\r")
    assert (said, wiped) == ("working ...", "")


def test_what_takes_a_moment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOMENT_S", WAIT_S)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with waiting.told_if_long():
        pass
    assert terminal.getvalue() == ""


def test_a_program_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOMENT_S", 0)
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    before = threading.active_count()
    with waiting.told_if_long():
        assert threading.active_count() == before
    assert file.getvalue() == ""
