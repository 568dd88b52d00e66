"""A document that shows something else than with others who hold the same is noticed and mended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from p2pvalue.node.documents import document_audit
from p2pvalue.node.patience import PAUSE_MS_MIN, Patience
from p2pvalue.node.running import RunningNode
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.remote import RemoteDocument
from p2pvalue.types import EventView
from p2pvalue_protocol.effects import DigestsHeard
from p2pvalue_protocol.inputs import ShownDocument
from tests.node.household import Household, until
from tests.patience import WAIT_S

TEXT = "what we agreed on"


class Pair(NamedTuple):
    """Two nodes that have one document open and show the same."""

    ana: RunningNode
    ben: RunningNode
    community: bytes
    subject: bytes

    @property
    def key(self) -> tuple[bytes, bytes]:
        return self.community, self.subject


@pytest.fixture
async def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setattr(document_audit, "LOOK_AFTER_S", 0.01)
    household = Household(tmp_path)
    async with AsyncExitStack() as stack:
        ana, ben = [await stack.enter_async_context(household.node(n)) for n in ("ana", "ben")]
        community = (await ana.create_community("Garden")).id
        await ben.join(await ana.invite(community, "member", 1))
        await until(ben, lambda: ben.community().view().state == "active")
        made = await ana.community().create_document("Plan", TEXT)
        await until(ben, lambda: bool(ben.community().documents()))
        yield Pair(ana, ben, community, bytes.fromhex(made.document))


async def both_show(pair: Pair, text: str) -> None:
    """Return when both show a text."""
    with trio.fail_after(WAIT_S):
        for node in (pair.ana, pair.ben):
            while (await node.community().document_text("Plan")).text != text:
                await wait_all_tasks_blocked(0.01)


async def bend(pair: Pair, node: RunningNode) -> None:
    """Let a node show what no operation says, as a fault of the text library would."""
    opened = node.documents.use(pair.key)
    async with opened.lock:
        assert opened.replica is not None
        await opened.replica.document.edit([Edit(0, 0, "BENT ")])
    await node.documents.release(opened)
    assert (await node.community().document_text("Plan")).text == f"BENT {TEXT}"


def heard_of(pair: Pair, node: RunningNode, digest: bytes) -> DigestsHeard:
    """What the other node would say of the document with this digest."""
    other = pair.ben if node is pair.ana else pair.ana
    shown = node.audit._shown[pair.key]
    told = ShownDocument(pair.subject, shown.version, digest)
    return DigestsHeard(pair.community, other.device(pair.community), (told,))


async def test_a_replica_that_was_bent_is_noticed_and_mended(pair: Pair) -> None:
    ana, ben = pair.ana, pair.ben
    await both_show(pair, TEXT)
    await bend(pair, ben)
    async with ana.events() as at_ana, ben.events() as at_ben:
        for node in (ana, ben):  # as if it were opened only now
            node.audit._shown.clear()
            await node.community().document_text("Plan")
        with trio.fail_after(WAIT_S):
            for events in (at_ana, at_ben):
                async for event in events:
                    if event.event == "document-differs":
                        assert event.subject == pair.subject.hex()
                        break
    await both_show(pair, TEXT)
    with trio.fail_after(WAIT_S):
        while ana.audit.warnings(pair.community) or ben.audit.warnings(pair.community):
            await wait_all_tasks_blocked(0.01)


async def test_what_differs_still_is_told_with_the_document_and_the_device(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben = pair.ana, pair.ben
    honest = RemoteDocument.digest

    async def bent(self: RemoteDocument) -> bytes:
        digest = await honest(self)
        return bytes(32) if self._texts is ben.documents.texts else digest

    monkeypatch.setattr(RemoteDocument, "digest", bent)
    await both_show(pair, TEXT)
    with trio.fail_after(WAIT_S):
        for node, other in ((ana, ben), (ben, ana)):
            while not node.status().warnings or "Plan" not in node.status().warnings[-1]:
                await wait_all_tasks_blocked(0.01)
            (told,) = [c for c in node.doctor() if c.check == "documents in Garden"]
            assert not told.is_ok
            assert f'"Plan" ({pair.subject.hex()[:12]})' in told.detail
            assert other.device(pair.community).hex()[:12] in told.detail


async def test_who_lies_about_what_is_shown_costs_one_reading_of_it_and_no_word(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = pair.ana
    anew: list[bool] = []
    honest = document_audit.measure

    async def counted(room, subject, *, known, is_anew):  # type: ignore[no-untyped-def]  # passed on
        anew.append(is_anew)
        return await honest(room, subject, known=known, is_anew=is_anew)

    monkeypatch.setattr(document_audit, "measure", counted)
    await both_show(pair, TEXT)
    await ana.audit.look()
    for lie in (b"1", b"2", b"3"):
        ana.audit.heard(heard_of(pair, ana, lie * 32))
        await ana.audit.look()
        ana.audit._differing.clear()
    assert sum(anew) == 1
    await both_show(pair, TEXT)
    ana.audit.heard(heard_of(pair, ana, b"4" * 32))
    await ana.audit.look()
    assert ana.audit.warnings(pair.community)
    ana.audit.heard(heard_of(pair, ana, ana.audit._shown[pair.key].digest))
    assert ana.audit.warnings(pair.community) == []


async def test_other_versions_are_not_compared(pair: Pair) -> None:
    ana = pair.ana
    await both_show(pair, TEXT)
    await ana.audit.look()
    heard = heard_of(pair, ana, bytes(32))
    other = heard.shown[0]._replace(version=bytes(16))
    ana.audit.heard(DigestsHeard(heard.community, heard.device, (other,)))
    assert ana.audit._suspects == {}


async def test_a_member_who_lies_without_end_is_told_of_ever_more_seldom(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ana, now_ms = pair.ana, [0]
    await both_show(pair, TEXT)
    await ana.audit.look()
    start_ms = ana.clock_ms()
    monkeypatch.setattr(ana, "clock_ms", lambda: start_ms + now_ms[0])
    truth = ana.audit._shown[pair.key].digest
    caplog.clear()
    events: list[EventView] = []
    monkeypatch.setattr(ana.hub, "publish", events.append)
    for number in range(600):  # each three seconds, half an hour; now and then the truth
        ana.audit.heard(heard_of(pair, ana, truth if number % 2 else bytes(32)))
        await ana.audit.look()
        now_ms[0] += 3_000
    told = sum(event.event == "document-differs" for event in events)
    assert 0 < told <= 6  # at once, and after pauses of 1, 2, 4, 8 and 16 minutes
    lines = [record.getMessage() for record in caplog.records if "show" in record.getMessage()]
    assert 0 < len(lines) <= 3 * told
    assert any("times more since" in line for line in lines)
    await both_show(pair, TEXT)


def test_who_was_quiet_for_long_is_heeded_at_once_and_with_short_pauses_again() -> None:
    patience = Patience()
    heeded = [ms for ms in range(0, 600_000, 1_000) if patience.heed("eva", ms) is not None]
    assert heeded == [0, 60_000, 180_000, 420_000]
    assert patience.heed("ben", 0) == 0
    later_ms = 420_000 + 3 * 480_000
    assert patience.heed("eva", later_ms) == 0
    assert patience.heed("eva", later_ms + PAUSE_MS_MIN - 1) is None
    assert patience.heed("eva", later_ms + PAUSE_MS_MIN) == 1
    assert patience.heed("eva", later_ms - 1) == 0  # our clock was set back
