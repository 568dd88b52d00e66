"""A document in the worker process, as the node holds it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from p2pvalue.texts.attribution import Run
from p2pvalue.texts.broken import TextBroken
from p2pvalue.texts.edits import Edit, check_edits, edited
from p2pvalue.texts.frames import COPY, OPEN, SHOW, TAKE_FROM, Answer, Cut, Outcome, Question
from p2pvalue.texts.steps import questions
from p2pvalue_protocol.errors import LocalProtocolError

WORK_S_MAX: Final = 5.0  # of processor time
DIFFERENCE_S_MAX: Final = 30.0

T = TypeVar("T")

_answers = msgspec.msgpack.Decoder(Answer)
_encode = msgspec.msgpack.Encoder().encode


class Texts(ABC):
    """Where documents are kept; `epoch` counts the processes that have held them."""

    def __init__(self) -> None:
        self.epoch = 0
        self._last_number = 0
        self._held: set[int] = set()
        self._dropped: list[int] = []

    @property
    def count(self) -> int:
        """How many documents are held."""
        return len(self._held)

    async def open(self, shape: str, client: int, encoded: bytes | None = None) -> RemoteDocument:
        """Return a new document, empty or as it was `encoded`, that writes as `client`.

        Raises TextBroken as every method of a document does, and P2PValueError if the process
        cannot be started.
        """
        number = self.next_number()
        await self.ask(number, OPEN, [shape, client, encoded], type(None))
        return self.hold(number)

    def next_number(self) -> int:
        """Return a number that no document ever had."""
        self._last_number += 1
        return self._last_number

    def hold(self, number: int) -> RemoteDocument:
        """Return the document that the process now has under a number."""
        self._held.add(number)
        return RemoteDocument(self, self.epoch, number)

    def drop(self, number: int) -> None:
        """Let go of a document; the process hears of it with the next question."""
        if number in self._held:
            self._held.discard(number)
            self._dropped.append(number)

    async def ask(
        self,
        number: int,
        name: str,
        arguments: list[Any],
        answer: type[T],
        *,
        epoch: int | None = None,
        work_s: float = WORK_S_MAX,
    ) -> T:
        """Ask about a document of an epoch (None: of whichever comes) and return the answer.

        More than `work_s` seconds of processor time end the process.

        Raises WorkerLost if its process has ended, or ends over this; TextBroken if the library
        failed, then the document is no more; LocalProtocolError if nothing was changed.
        """
        dropped = len(self._dropped)
        question = _encode(Question(number, name, arguments, work_s, self._dropped))
        found = _answers.decode(await self._exchange(question, epoch))
        del self._dropped[:dropped]
        match found.outcome:
            case Outcome.ANSWERED:
                return msgspec.msgpack.decode(found.value, type=answer)
            case Outcome.REFUSED:
                raise LocalProtocolError(found.message)
            case Outcome.BROKEN:
                self._held.discard(number)
                raise TextBroken(found.message, found.at)

    @abstractmethod
    def apart(self) -> Texts:
        """Return where to keep a document over which a process has ended; closed with this one."""

    @abstractmethod
    def is_there(self, epoch: int) -> bool:
        """Return whether the process of an epoch lives."""

    @abstractmethod
    async def close_if_unused(self) -> None:
        """End the process if it holds nothing."""

    @abstractmethod
    async def close(self) -> None:
        """End the process, and with it all documents; the next question starts another."""

    @abstractmethod
    async def _exchange(self, question: bytes, epoch: int | None) -> bytes:
        """Bring a question to the documents of an epoch, and return the answer."""


class RemoteDocument:
    """A document in the worker process. All methods raise as `Texts.ask` does.

    Use by one task at a time; `close` it when it is not needed any more.
    """

    def __init__(self, texts: Texts, epoch: int, number: int) -> None:
        self.epoch, self.number = epoch, number
        self._texts = texts
        self._shown: str | None = None

    @property
    def is_lost(self) -> bool:
        """Whether its process has ended, so that nothing can be asked of it any more."""
        return not self._texts.is_there(self.epoch)

    async def text(self) -> str:
        """Return the text as it reads now; fetched when others' updates may have changed it."""
        if self._shown is None:
            self._shown = await self._ask("text", [], str, work_s=DIFFERENCE_S_MAX)
        return self._shown

    async def check(self, edits: Sequence[Edit]) -> None:
        """Raise LocalProtocolError unless edits fit the text."""
        check_edits(len(await self.text()), edits)

    async def apply(self, updates: Sequence[bytes]) -> None:
        """Take in verified updates of anybody, in order; `TextBroken.at` says which one failed."""
        self._shown = None
        for first, given in questions(updates):
            try:
                await self._ask("apply", [given], type(None))
            except TextBroken as error:
                if error.at is not None:
                    error.at += first
                raise

    async def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits, one after the other; return the updates that tell others, in order."""
        shown, self._shown = self._shown, None
        updates = await self._ask("edit", [edits], list[bytes])
        if shown is not None:
            self._shown = edited(shown, edits)
        return updates

    async def rewrite(self, base: str | None, text: str) -> list[bytes]:
        """Bring the changes from `base` (None: what it says now) to `text` in; return updates."""
        self._shown = None
        return await self._ask("rewrite", [base, text], list[bytes], work_s=DIFFERENCE_S_MAX)

    async def lacks(self, version: int) -> list[str]:
        """Return what a rich document uses and a version of its schema does not know."""
        return await self._ask("lacks", [version], list[str])

    async def apply_by_edit(self, updates: Sequence[tuple[int, bool, bytes]]) -> None:
        """Take in verified updates, each with the number of its edit and whether that is a return.

        Whoever wants the two below brings all of the document so, a few hundred at a time.
        """
        self._shown = None
        await self._ask("apply_by_edit", [updates], type(None), work_s=DIFFERENCE_S_MAX)

    async def runs_by_edit(self, *, deleted: bool) -> list[Run]:
        """Return the text as runs of one author each, with what was deleted if asked for."""
        return await self._ask("runs_by_edit", [deleted], list[Run])

    async def edits_turning(self, number: int, *, is_again: bool) -> list[Edit]:
        """Return the edits that take back the edit of a number, or do it again."""
        return await self._ask("edits_turning", [number, is_again], list[Edit])

    async def encoded(self) -> bytes:
        """Return the whole document as one update."""
        return await self._ask("encoded", [], bytes)

    async def state(self) -> bytes:
        """Return how much the document holds, as Yjs writes it."""
        return await self._ask("state", [], bytes)

    async def since(self, held: bytes) -> bytes:
        """Return, as one update, what somebody lacks who holds so much, and all deletions.

        Empty if `held` is no state.
        """
        return await self._ask("since", [held], bytes)

    async def cut(self, said: bytes, *, is_all: bool, clock: int) -> Cut:
        """Return what an editor said from a clock on, in parts to sign; nothing is changed."""
        return await self._ask("cut", [said, is_all, clock], Cut)

    async def schema(self) -> int:
        """Return which version of its shape's names the document uses."""
        return await self._ask("schema", [], int)

    async def digest(self) -> bytes:
        """Return what it shows in short, 32 bytes."""
        return await self._ask("digest", [], bytes, work_s=DIFFERENCE_S_MAX)

    async def copy(self, client: int) -> RemoteDocument:
        """Return a document that is as this one is, and writes as `client`."""
        number = self._texts.next_number()
        await self._ask(COPY, [number, client], type(None))
        return self._texts.hold(number)

    async def take_from(self, other: RemoteDocument) -> None:
        """Take in what another document of the same process has and this one lacks."""
        self._shown = None
        await self._ask(TAKE_FROM, [other.number], type(None))

    async def beside(self, shape: str, client: int) -> RemoteDocument:
        """Return an empty document in the same process."""
        number = self._texts.next_number()
        await self._texts.ask(number, OPEN, [shape, client], type(None), epoch=self.epoch)
        return self._texts.hold(number)

    async def show(self, other: RemoteDocument, version: int) -> list[bytes]:
        """Say what another rich document of the same process says, in the names of a version.

        Returns the updates that tell others, in order.
        """
        self._shown = None
        given = [other.number, version]
        return await self._ask(SHOW, given, list[bytes], work_s=DIFFERENCE_S_MAX)

    def close(self) -> None:
        """Let go of it; nothing else may be asked then."""
        self._texts.drop(self.number)

    async def _ask(
        self, name: str, arguments: list[Any], answer: type[T], *, work_s: float = WORK_S_MAX
    ) -> T:
        return await self._texts.ask(
            self.number, name, arguments, answer, epoch=self.epoch, work_s=work_s
        )
