"""One author at one daemon: plays intentions through the daemon's editing stream.

The daemon answers every batch with what others wrote meanwhile, as edits of the author's own text.
So the author knows at any moment where her own characters are, and types relative to them.
Characters of the other author are recognised by letter only, so she leaves them alone: deleting
them is left out of the play, and then the outcome can be checked letter by letter.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.demo.recording import BEGINNING, Script
from tests.patience import WAIT_S

Edit = tuple[int, int, str]
FOREIGN = -2


class EditingStream:
    """A streaming request to `POST /documents/{id}/edits` over the daemon's unix socket."""

    def __init__(self, socket_path: Path, document: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(WAIT_S)
        self._socket.connect(str(socket_path))
        path = f"/documents/{quote(document, safe='')}/edits"
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        self._send(head.encode())
        self._answer = http.client.HTTPResponse(self._socket, method="POST")
        self._answer.begin()
        self.text: str = self._line()["text"]

    def splice(self, edits: list[Edit]) -> list[Edit]:
        """Apply a batch; return what others wrote meanwhile. Durable on return."""
        line = json.dumps(edits).encode() + b"\n"
        self._send(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        return [tuple(edit) for edit in self._line()["others"]]

    def close(self) -> None:
        """End the stream; what was answered stays."""
        self._send(b"0\r\n\r\n")
        self._socket.close()

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _line(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._answer.readline())
        if "error" in answer:
            raise RuntimeError(answer["message"])
        return answer


class Author:
    """Plays one author's part of a script, in bursts of some keystrokes."""

    def __init__(self, script: Script, number: int, stream: EditingStream) -> None:
        self._script = script
        self._number = number
        self._stream = stream
        self._next = 0
        self._characters = [FOREIGN] * len(stream.text)
        self.typed: list[str] = []
        self.deleted: list[str] = []
        self.left_out = 0

    @property
    def intentions_left(self) -> int:
        return len(self._script.authors[self._number]) - self._next

    def close(self) -> None:
        """Stop typing."""
        self._stream.close()

    def play(self, count: int, burst: int, told: Callable[[int], None]) -> None:
        """Play the next `count` intentions, `burst` to a batch; `told(n)` after each batch."""
        end = self._next + min(count, self.intentions_left)
        while self._next < end:
            last = min(self._next + burst, end)
            edits: list[Edit] = []
            for intention in self._script.authors[self._number][self._next : last]:
                edits += self._delete(intention.deleted)
                if intention.text:
                    edits.append(self._insert(intention.left, intention.inserted, intention.text))
            played, self._next = last - self._next, last
            for position, deleted, inserted in self._stream.splice(edits):
                self._characters[position : position + deleted] = [FOREIGN] * len(inserted)
            told(played)

    def _delete(self, numbers: tuple[int, ...]) -> list[Edit]:
        edits: list[Edit] = []
        for number in numbers:
            if self._script.writer_of[number] != self._number:
                self.left_out += 1
                continue
            position = self._characters.index(number)
            del self._characters[position]
            self.deleted.append(self._script.letters[number])
            edits.append((position, 1, ""))
        return edits

    def _insert(self, left: int, numbers: tuple[int, ...], text: str) -> Edit:
        position = self._place_after(left)
        self._characters[position:position] = numbers
        self.typed += text
        return position, 0, text

    def _place_after(self, left: int) -> int:
        """Return the place after a character of ours, or after the nearest one before it."""
        while left != BEGINNING:
            if self._script.writer_of[left] == self._number:
                try:
                    return self._characters.index(left) + 1
                except ValueError:
                    pass  # deleted meanwhile
            left = self._script.left_of[left]
        return 0
