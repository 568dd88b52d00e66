"""The texts of documents in the process of the test, behind the interface of those that are not."""

from __future__ import annotations

from p2pvalue.texts.remote import Texts
from p2pvalue.texts.worker import Desk


class NearTexts(Texts):
    """Asks the desk of a worker without a process or a pause."""

    def __init__(self) -> None:
        super().__init__()
        self._desk = Desk()

    def is_there(self, epoch: int) -> bool:
        return epoch == self.epoch

    def apart(self) -> NearTexts:
        return self

    async def close_if_unused(self) -> None:
        if not self.count:
            await self.close()

    async def close(self) -> None:
        self.epoch += 1
        self._desk = Desk()
        self._held.clear()

    async def _exchange(self, question: bytes, epoch: int | None) -> bytes:
        return self._desk.answer(question)
