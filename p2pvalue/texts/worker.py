"""The process that holds the texts of all documents: `python -m p2pvalue.texts.worker`.

It reads questions from its standard input and answers each on its standard output, and ends when
its input does, so also when the node was killed. It may take so much memory and no more, and a
question so much processor time: a machine with other work to do is no reason to end. It writes no
files, and no core when it is killed.
"""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING, Final

import msgspec

from p2pvalue.texts.frames import COPY, HEAD_BYTES, OPEN, SHOW, TAKE_FROM, Answer, Outcome, Question
from p2pvalue.texts.frames import framed as _framed

if TYPE_CHECKING:
    from p2pvalue.texts.shared import SharedDocument

MEMORY_BYTES_MAX: Final = 2**30

_questions = msgspec.msgpack.Decoder(Question)
_encode = msgspec.msgpack.Encoder().encode


class Desk:
    """The documents by their numbers, and the answers to questions about them."""

    def __init__(self) -> None:
        self._documents: dict[int, SharedDocument] = {}

    def answer(self, question: bytes) -> bytes:
        """Answer a question; whatever the text library does short of ending the process."""
        from p2pvalue.texts.broken import TextBroken  # noqa: PLC0415 - as in `main`
        from p2pvalue_protocol.errors import LocalProtocolError  # noqa: PLC0415 - as in `main`

        asked = _questions.decode(question)
        self._let_work(asked.work_s)
        for number in asked.dropped:
            self._documents.pop(number, None)
        try:
            answer = Answer(Outcome.ANSWERED, msgspec.Raw(_encode(self._do(asked))))
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except LocalProtocolError as error:
            answer = Answer(Outcome.REFUSED, message=str(error))
        except TextBroken as error:
            answer = Answer(Outcome.BROKEN, message=str(error), at=error.at)
        except BaseException as error:  # noqa: BLE001 - a PanicException is no Exception
            answer = Answer(Outcome.BROKEN, message=f"{type(error).__name__}: {error}")
        if answer.outcome is Outcome.BROKEN:
            self._documents.pop(asked.number, None)
        self._let_work(0.0)
        return _encode(answer)

    def _let_work(self, work_s: float) -> None:
        """Let so much work end the process from now on; 0 lets none."""

    def _do(self, asked: Question) -> object:
        from p2pvalue.texts.calls import CALLS  # noqa: PLC0415 - as in `main`
        from p2pvalue.texts.shared import SharedDocument  # noqa: PLC0415 - as in `main`

        if asked.name == OPEN:
            self._documents[asked.number] = SharedDocument(*asked.arguments)
            return None
        document = self._documents[asked.number]
        if asked.name == COPY:
            number, client = asked.arguments
            copied = SharedDocument(document.shape, client, document.encoded())
            self._documents[number] = copied
            return None
        if asked.name == TAKE_FROM:
            document.take_from(self._documents[asked.arguments[0]])
            return None
        if asked.name == SHOW:
            number, version = asked.arguments
            return document.show(self._documents[number], version)
        return CALLS[asked.name](document, *asked.arguments)


class _BoundDesk(Desk):
    """A desk in a process of its own."""

    def _let_work(self, work_s: float) -> None:
        signal.setitimer(signal.ITIMER_PROF, work_s)


def main() -> None:
    """Answer until nobody asks any more."""
    questions, answers = _own_pipes()
    _bound()
    # What can fail comes after: the text library may find no room, or not be there.
    desk = _BoundDesk()
    desk.answer(_encode(Question(0, OPEN, ["plain", 1], 0.0)))
    _write(answers, _framed(b""))
    while head := _read(questions, HEAD_BYTES):
        answer = desk.answer(_read(questions, int.from_bytes(head, "big")))
        _write(answers, _framed(answer))


def _own_pipes() -> tuple[int, int]:
    """Return the pipes, which nothing else in this process reads or writes by mistake."""
    questions, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return questions, answers


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A terminal or a service manager tells the whole group; the node still needs us to close.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # it ends also who is deep in the library


def _read(pipe: int, count: int) -> bytes:
    """Return so many bytes, or none at the end."""
    parts = bytearray()
    while len(parts) < count:
        part = os.read(pipe, count - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _write(pipe: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(pipe, left) :]


if __name__ == "__main__":
    main()
