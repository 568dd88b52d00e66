"""The stream of changes: from what the core reports to what a reader gets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal

import trio

from p2pvalue.types import EventView
from p2pvalue_protocol.effects import Change, Changed
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds import (
    blob,
    card,
    chat,
    close,
    contribution,
    document,
    need,
    notice,
    pledge,
    profile,
    project,
    thanks,
)
from p2pvalue_protocol.operation import KIND_AUTH_MAX

BEHIND_MAX: Final = 10_000

EventName = Literal[
    "message",
    "document",
    "need",
    "project",
    "pledge",
    "contribution",
    "thanks",
    "profile",
    "community",
    "member",
    "blob",
]

_NAMES: Final[dict[int, EventName]] = {
    document.NUMBER: "document",
    document.UPDATE_NUMBER: "document",
    need.NUMBER: "need",
    project.NUMBER: "project",
    pledge.NUMBER: "pledge",
    close.NUMBER: "need",
    contribution.NUMBER: "contribution",
    thanks.NUMBER: "thanks",
    profile.NUMBER: "profile",
    card.NUMBER: "community",
    notice.NUMBER: "member",
    blob.NUMBER: "blob",
}


class ReaderCutOff(P2PValueError):
    """A reader of events fell too far behind and missed some."""


class _Reader:
    def __init__(self, community: str | None) -> None:
        self.community = community
        self.was_cut_off = False
        self.send, self.receive = trio.open_memory_channel[EventView](BEHIND_MAX)

    async def events(self) -> AsyncIterator[EventView]:
        async for event in self.receive:
            yield event
            # What is there already comes without a turn of the scheduler for each: a node that
            # folds a long history publishes a thousand events in each of its own.
            with suppress(trio.WouldBlock, trio.EndOfChannel):
                while True:
                    yield self.receive.receive_nowait()
        if self.was_cut_off:
            raise ReaderCutOff(
                f"this reader fell {BEHIND_MAX:,} events behind and was cut off:"
                " open a new stream and read the lists again"
            )


class EventHub:
    """Hands every event to every reader; a slow reader costs others nothing."""

    def __init__(self) -> None:
        self._readers: list[_Reader] = []
        self._is_closed = False

    @property
    def has_readers(self) -> bool:
        """False when nobody would see an event."""
        return bool(self._readers)

    def publish(self, event: EventView) -> None:
        """Give an event to the readers of its community; cuts off those with no room for it."""
        for reader in self._readers:
            if reader.community not in (None, event.community):
                continue
            try:
                reader.send.send_nowait(event)
            except trio.WouldBlock:
                reader.was_cut_off = True
                reader.send.close()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # cut off before, or about to leave

    @asynccontextmanager
    async def open(self, community: str | None = None) -> AsyncIterator[AsyncIterator[EventView]]:
        """Open a stream of the events from now on, of one community or of all.

        The stream ends when the node stops. Raises ReaderCutOff in the reader after the last event
        that it had room for.
        """
        reader = _Reader(community)
        if self._is_closed:
            reader.send.close()
        self._readers.append(reader)
        events = reader.events()
        try:
            yield events
        finally:
            self._readers.remove(reader)
            reader.send.close()
            reader.receive.close()
            await events.aclose()  # type: ignore[attr-defined]  # it is a generator

    def close(self) -> None:
        """End all streams after what was published so far; for a node that stops."""
        self._is_closed = True
        for reader in self._readers:
            reader.send.close()


def events_of(changed: Changed) -> Iterator[EventView]:
    """Yield what the changes of one commit mean to a reader, in their order.

    Messages come one by one; `again` says that one was hidden or shown after all. Of several
    changes to one other object there is one event, with the time of the last: what it is like now
    has to be read anyway.
    """
    community = changed.community.hex()
    last: dict[tuple[EventName, bytes], Change] = {}
    for change in changed.changes:
        if change.kind == chat.NUMBER and change.again == "hidden":
            yield _hidden_event(community, change)
        elif change.kind == chat.NUMBER:
            yield _message_event(community, change)
        elif change.kind <= KIND_AUTH_MAX:
            last["member", b""] = change
        elif change.kind in _NAMES:
            last[_NAMES[change.kind], change.subject] = change
    for (name, subject), change in last.items():
        yield EventView(
            event=name,
            community=community,
            subject=subject.hex(),
            time=change.order.time,
            data={"member": change.member.hex()},
        )


def _hidden_event(community: str, change: Change) -> EventView:
    return EventView(
        event="message",
        community=community,
        subject=subject_of(change.order.op_id).hex(),
        time=change.order.time,
        data={
            "member": change.member.hex(),
            "channel": "" if change.subject == NO_SUBJECT else change.subject.hex(),
            "again": change.again,
        },
    )


def _message_event(community: str, change: Change) -> EventView:
    message = chat.read_chat_message(change.payload)
    return EventView(
        event="message",
        community=community,
        subject=subject_of(change.order.op_id).hex(),
        time=change.order.time,
        data={
            "member": change.member.hex(),
            "channel": message.channel.hex() if message.channel else "",
            "reply": message.reply.hex() if message.reply else "",
            "text": message.text,
            **({"again": change.again} if change.again else {}),
        },
    )
