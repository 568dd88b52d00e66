"""Whether our documents show what others' do who hold the same updates (spec: digests).

It should never be otherwise. If it is, the document is made anew from its operations, for what went
wrong may have been in memory or in a snapshot; what differs still is told to the person. A member
who lies about it without end is heeded ever more seldom.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.documents.documents import Documents
from p2pvalue.node.documents.titles import document_state
from p2pvalue.node.patience import Patience
from p2pvalue.store import StoreFailed
from p2pvalue.types import EventView
from p2pvalue_protocol.effects import Change, DigestsHeard
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.inputs import DocumentsShown, ShownDocument
from p2pvalue_protocol.kinds import document

if TYPE_CHECKING:
    from p2pvalue.node.documents.open_documents import DocumentKey
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)

LOOK_AFTER_S: Final = 3.0  # who types is not measured at every key
ANEW_EVERY_MS: Final = 600_000  # a member who lies may cost so much, and no more
_REMEMBERED_MAX: Final = 1_024


class DocumentAudit:
    """Compares what is open here with what members say, and mends what differs."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._shown: OrderedDict[DocumentKey, ShownDocument] = OrderedDict()  # by us, when open
        self._heard: OrderedDict[tuple[DocumentKey, bytes], ShownDocument] = OrderedDict()
        self._due: set[DocumentKey] = set()  # may show something else than when we looked
        self._suspects: dict[DocumentKey, int] = {}  # and what was not heeded before
        self._anew_ms: dict[DocumentKey, int] = {}
        self._differing: dict[DocumentKey, bytes] = {}  # the device that shows something else
        self._patience = Patience()
        self._told: set[DocumentKey] = set()  # of those that differ
        self._measured: DocumentKey | None = None  # just now, which is a use of it too
        self._wake = trio.Event()

    async def run(self) -> None:
        """Look whenever something changed, until cancelled; sleeps while nothing does."""
        while True:
            await self._wake.wait()
            await trio.sleep(LOOK_AFTER_S)
            self._wake = trio.Event()
            await self.look()

    # --- what happens

    def changed(self, community: bytes, changes: Sequence[Change]) -> None:
        """Note that documents may show something else; called with every commit."""
        due = {(community, c.subject) for c in changes if c.kind == document.UPDATE_NUMBER}
        if due:
            self._due |= due
            self._wake.set()

    def opened(self, key: DocumentKey) -> None:
        """Note that a document is used; what is open for the first time is compared soon."""
        if key not in self._shown and key != self._measured:
            self._due.add(key)
            self._wake.set()

    def heard(self, heard: DigestsHeard) -> None:
        """Compare what a member's device shows with what we do."""
        for theirs in heard.shown:
            key = (heard.community, theirs.document)
            self._heard[key, heard.device] = theirs
            self._heard.move_to_end((key, heard.device))
            if len(self._heard) > _REMEMBERED_MAX:
                self._heard.popitem(last=False)
            if self._compare(key, heard.device) is False and self._differing.get(key) is None:
                self._doubt(key, heard.device)

    def _doubt(self, key: DocumentKey, device: bytes) -> None:
        """Let a document be looked at, because of what a device says; not each time."""
        unheeded = self._patience.heed(self._member(key, device), self._node.clock_ms())
        if unheeded is None:
            if not self._may_make_anew(key):
                self._differing[key] = device
            return
        self._suspects[key] = unheeded
        self._wake.set()

    def _member(self, key: DocumentKey, device: bytes) -> bytes:
        return self._node.membership(key[0]).member_of(device) or device

    def _compare(self, key: DocumentKey, device: bytes) -> bool | None:
        """Return whether a device shows what we do; None if one of us holds other updates."""
        ours, theirs = self._shown.get(key), self._heard.get((key, device))
        if ours is None or theirs is None or ours.version != theirs.version:
            return None
        is_equal = ours.digest == theirs.digest
        if is_equal and self._differing.get(key) == device:
            del self._differing[key]
            if key in self._told:
                self._told.discard(key)
                log.info("document %s shows the same again", key[1].hex()[:12])
        return is_equal

    # --- a round

    async def look(self) -> None:
        """Tell members what changed in open documents, and mend what differs from theirs."""
        told: dict[bytes, list[ShownDocument]] = {}
        due, self._due = self._due | self._suspects.keys(), set()
        for key in [key for key in self._node.documents.all() if key in due]:
            before = self._shown.get(key)
            try:
                await self._measure(key)
                self._settle(key)
            except P2PValueError as error:
                log.warning("document %s cannot be compared: %s", key[1].hex()[:12], error)
                continue
            shown = self._shown.get(key)
            if shown is not None and shown != before:
                told.setdefault(key[0], []).append(shown)
        for community, shown_documents in told.items():
            if community in self._node.machine.communities():
                with suppress(StoreFailed):  # told by what failed first
                    self._node.handle(DocumentsShown(community, tuple(shown_documents)))

    async def _measure(self, key: DocumentKey) -> None:
        """Take what an open document shows; made anew if it is a suspect, and that may be."""
        is_anew = key in self._suspects and self._may_make_anew(key)
        if key in self._suspects:
            self._tell(key, self._suspects.pop(key), is_anew=is_anew)
        if is_anew:
            self._anew_ms[key] = self._node.clock_ms()
        room = Documents(self._node, key[0], self._node.documents)
        self._measured = key
        try:
            known = self._known_version(key)
            measured = await measure(room, key[1], known=known, is_anew=is_anew)
        finally:
            self._measured = None
        if measured is not None:
            version, digest = measured
            self._shown[key] = ShownDocument(key[1], bytes.fromhex(version), digest)
            self._shown.move_to_end(key)
            if len(self._shown) > _REMEMBERED_MAX:
                self._shown.popitem(last=False)

    def _known_version(self, key: DocumentKey) -> str:
        shown = self._shown.get(key)
        return "" if shown is None else shown.version.hex()

    def _may_make_anew(self, key: DocumentKey) -> bool:
        now_ms, before_ms = self._node.clock_ms(), self._anew_ms.get(key)
        return before_ms is None or not 0 <= now_ms - before_ms < ANEW_EVERY_MS

    def _settle(self, key: DocumentKey) -> None:
        """Note who still shows something else, now that ours is what the operations make it."""
        devices = [device for owner, device in self._heard if owner == key]
        found = {device: self._compare(key, device) for device in devices}
        differing = next((device for device, is_equal in found.items() if is_equal is False), None)
        if differing is None:
            return
        if self._may_make_anew(key):
            self._doubt(key, differing)  # told before we had measured ours
        elif self._differing.get(key) != differing:
            self._differing[key] = differing
            if key not in self._told:
                self._told.add(key)
                log.warning("%s", self._words(key))

    def _tell(self, key: DocumentKey, unheeded: int, *, is_anew: bool) -> None:
        log.warning(
            "document %s shows something else here than with a member who holds the same%s%s",
            key[1].hex()[:12],
            ": it is made anew" if is_anew else "",
            f"; {unheeded} times more since the last time that was told" if unheeded else "",
        )
        community, subject = (part.hex() for part in key)
        self._node.hub.publish(
            EventView(
                event="document-differs",
                community=community,
                subject=subject,
                time=self._node.clock_ms(),
                data={},
            )
        )

    # --- for the person

    def warnings(self, community: bytes) -> list[str]:
        """Return in words what differs for good, one sentence for each document."""
        return [self._words(key) for key in sorted(self._differing) if key[0] == community]

    def _words(self, key: DocumentKey) -> str:
        community, subject = key
        row = self._node.store.state(community, subject)
        title = document_state(row).title if row is not None else ""
        return (
            f'the document "{title}" ({subject.hex()[:12]}) shows something else here than on the '
            f"device {self._differing[key].hex()[:12]}, though both hold the same, and making it "
            "anew did not help: one of the two programs is at fault; install the newest p2pvalue "
            "on both and, if that does not help, report it"
        )


async def measure(
    room: Documents, subject: bytes, *, known: str, is_anew: bool
) -> tuple[str, bytes] | None:
    """Return the version of a document and the digest of what it shows.

    None if the version is `known`, or if an update waits: others may not, with the same updates.
    `is_anew`: after it was made of its operations alone.
    """
    async with room.opened(subject) as replica:
        if is_anew:
            replica.void()
            await replica.catch_up()
            await replica.save_snapshot(least=0)  # what was kept may be at fault
        elif replica.version == known:
            return None
        if replica.facts.is_waiting:
            return None
        with replica.readable():
            return replica.version, await replica.document.digest()
