"""Whatever becomes of the process that holds texts, the node goes on and no word is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing

from p2pvalue.node.documents.open_documents import (
    REST_S,
    RESTS_MAX,
    RESTS_OF_SESSIONS_MAX,
    OpenDocuments,
)
from p2pvalue.texts.workers import TextWorkers
from p2pvalue.types import TextView
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.errors import LocalProtocolError
from tests.node.near_texts import NearTexts
from tests.node.small_node import SmallNode, exchange
from tests.node.test_document_attacks import plant, text_of

NAMES = ["ana", "eva"]


class FrailTexts(TextWorkers):
    """A real process that stands still over questions that hold certain bytes, so that it is ended.

    `deaths_left` says how often.
    """

    def __init__(self, model: FrailTexts | None = None) -> None:
        super().__init__()
        self.model = model or self
        self.patience_s = self._answer_s_max
        self.deadly = b"nothing of the kind"
        self.deaths_left = 1_000
        self.deaths = 0

    def apart(self) -> FrailTexts:
        self._apart = self._apart or FrailTexts(self)
        return cast("FrailTexts", self._apart)

    async def _exchange(self, question: bytes, epoch: int | None) -> bytes:
        self._answer_s_max = self.patience_s
        model = self.model
        if self.pid is not None and model.deadly in question and model.deaths_left:
            model.deaths_left -= 1
            model.deaths += 1
            os.kill(self.pid, signal.SIGSTOP)
            self._answer_s_max = 0.01
        return await super()._exchange(question, epoch)


@pytest.fixture
async def texts() -> AsyncIterator[FrailTexts]:
    kept = FrailTexts()
    yield kept
    await kept.close()


def with_texts(node: SmallNode, texts: TextWorkers | NearTexts) -> SmallNode:
    """The node as a new process would be, that keeps texts there."""
    node.restart()
    node.documents = OpenDocuments(texts)
    node.community = node.community_object()
    return node


@pytest.fixture
def ana(texts: FrailTexts) -> SmallNode:
    return with_texts(SmallNode("ana", NAMES), texts)


@pytest.fixture
def eva() -> SmallNode:
    return SmallNode("eva", NAMES)


async def texts_of(node: SmallNode) -> list[str]:
    titles = [view.title for view in node.community.documents()]
    return [(await node.community.document_text(title)).text for title in titles]


def kill(texts: TextWorkers) -> None:
    """Kill it, and see it dead."""
    assert texts.pid is not None
    os.kill(texts.pid, signal.SIGKILL)
    os.waitid(os.P_PID, texts.pid, os.WEXITED | os.WNOWAIT)


async def test_a_kill_at_rest_is_not_even_seen_by_who_reads_and_edits(
    ana: SmallNode, texts: FrailTexts
) -> None:
    await ana.community.create_document("Plan", "abc")
    await ana.community.create_document("Other", "other")
    await texts_of(ana)
    for number in range(3):
        kill(texts)
        edited = await ana.community.splice_document("Plan", [(0, 0, str(number))])
        kill(texts)
        assert await ana.community.document_text("Plan") == edited
    assert (edited.text, edited.skipped) == ("210abc", 0)
    assert (await ana.community.document_text("Other")).text == "other"


async def test_a_kill_ends_sessions_and_says_so(ana: SmallNode, texts: FrailTexts) -> None:
    await ana.community.create_document("Plan", "abc")
    await ana.community.splice_document("Plan", [(3, 0, "d")], session=5)
    kill(texts)
    with pytest.raises(LocalProtocolError, match=r"session 5 was closed.*go on with a new number"):
        await ana.community.splice_document("Plan", [(4, 0, "e")], session=5)
    after = await ana.community.splice_document("Plan", [(4, 0, "e")], session=6)
    assert after.text == "abcde"


async def test_an_end_over_many_updates_costs_a_second_reading(
    ana: SmallNode, eva: SmallNode, texts: FrailTexts
) -> None:
    await eva.community.create_document("Plan")
    for number in range(400):
        await eva.community.splice_document("Plan", [(0, 0, f"{number},")])
    exchange(ana, eva)
    texts.deadly, texts.deaths_left = b"300,", 1
    shown = await ana.community.document_text("Plan")
    assert texts.deaths == 1
    assert shown == await eva.community.document_text("Plan")
    assert shown.skipped == 0


def broken_here(shown: TextView) -> list[tuple[str, int]]:
    return [(why.reason, why.updates) for why in shown.without_effect]


async def test_what_ends_the_process_twice_is_set_aside_and_told(
    ana: SmallNode, eva: SmallNode, texts: FrailTexts
) -> None:
    made = await eva.community.create_document("Plan", "abc")
    subject = bytes.fromhex(made.document)
    await eva.community.create_document("Other", "other")
    boom = text_of(client_of(eva.device(b""), subject, 3), "boom")
    await plant(eva, subject, boom, session=3)
    exchange(ana, eva)
    texts.deadly = b"boom"
    shown = await ana.community.document_text("Plan")
    assert (shown.text, shown.skipped) == ("abc", 1)
    assert broken_here(shown) == [("broken-here", 1)]
    assert texts.deaths == 2
    after = await ana.community.splice_document("Plan", [(3, 0, "d")])
    assert (after.text, after.skipped) == ("abcd", 1)
    assert (await ana.community.document_text("Other")).text == "other"
    # Nor is it tried again by a daemon that was killed, and comes back.
    again = await with_texts(ana, texts).community.document_text("Plan")
    assert (again, texts.deaths) == (after, 2)


async def test_a_document_that_ended_the_process_leaves_the_others_alone_from_then_on(
    ana: SmallNode, eva: SmallNode, texts: FrailTexts
) -> None:
    made = await eva.community.create_document("Plan", "abc")
    subject = bytes.fromhex(made.document)
    await ana.community.create_document("Other", "other")

    async def plant_doom(session: int) -> None:
        client = client_of(eva.device(b""), subject, session)
        await plant(eva, subject, text_of(client, "doom"), session=session)
        exchange(ana, eva)

    for session in range(1, 18):
        await plant_doom(session)
    texts.deadly = b"doom"
    await ana.community.splice_document("Other", [(5, 0, "s")], session=1)
    shown = await ana.community.document_text("Plan")
    assert (shown.text, broken_here(shown), texts.deaths) == ("abc", [("broken-here", 17)], 18)
    with pytest.raises(LocalProtocolError, match="closed"):
        await ana.community.splice_document("Other", [(6, 0, "!")], session=1)
    await ana.community.splice_document("Other", [(6, 0, "!")], session=2)
    process = texts.pid
    await plant_doom(18)
    shown = await ana.community.document_text("Plan")
    assert (broken_here(shown), texts.deaths) == ([("broken-here", 18)], 20)
    typed = await ana.community.splice_document("Other", [(7, 0, "!")], session=2)
    assert (typed.text, texts.pid) == ("others!!", process)


async def test_what_ends_the_process_is_found_among_honest_updates(
    ana: SmallNode, eva: SmallNode, texts: FrailTexts
) -> None:
    made = await eva.community.create_document("Plan", "abc")
    subject = bytes.fromhex(made.document)
    for number in range(30):
        before_b = (await eva.community.document_text("Plan")).text.index("b")
        await eva.community.splice_document("Plan", [(before_b, 0, "x")])
        if number in (10, 20):
            client = client_of(eva.device(b""), subject, number)
            await plant(eva, subject, text_of(client, "doom"), session=number)
    exchange(ana, eva)
    texts.deadly = b"doom"
    shown = await ana.community.document_text("Plan")
    assert (shown.text, broken_here(shown)) == (f"a{'x' * 30}bc", [("broken-here", 2)])


async def test_who_gives_up_while_a_document_opens_costs_nobody_a_word(
    ana: SmallNode, eva: SmallNode, texts: FrailTexts
) -> None:
    await eva.community.create_document("Plan")
    for number in range(600):
        await eva.community.splice_document("Plan", [(0, 0, f"{number},")])
    exchange(ana, eva)
    expected = await eva.community.document_text("Plan")
    for steps in range(12):
        ana.documents.forget(ana.community_id)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ana.community.document_text, "Plan")
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                scope.cancel()
        assert await ana.community.document_text("Plan") == expected


async def test_what_is_forgotten_while_it_is_read_is_read_to_the_end(
    ana: SmallNode, eva: SmallNode, texts: FrailTexts
) -> None:
    await eva.community.create_document("Plan", "abc")
    exchange(ana, eva)
    shown: list[TextView] = []

    async def read() -> None:
        shown.append(await ana.community.document_text("Plan"))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(read)
            await trio.lowlevel.checkpoint()
            ana.documents.forget(ana.community_id)
    ana.documents.forget(ana.community_id)
    assert [view.text for view in shown] == ["abc"] * 3
    assert texts.count == 0


async def rest(clock: trio.testing.MockClock, rests: int) -> None:
    for _ in range(rests):
        await trio.testing.wait_all_tasks_blocked()
        clock.jump(REST_S)
    await trio.testing.wait_all_tasks_blocked()


async def test_what_nobody_uses_is_closed_and_the_process_with_it(
    mock_clock: trio.testing.MockClock,
) -> None:
    texts = NearTexts()
    ana = with_texts(SmallNode("ana", NAMES), texts)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ana.documents.run)
        await ana.community.create_document("Plan", "abc")
        await ana.community.splice_document("Plan", [(3, 0, "d")], session=1)
        await ana.community.create_document("Other", "other")
        assert await texts_of(ana) == ["abcd", "other"]
        assert texts.count == 3  # one is her session's own
        await rest(mock_clock, RESTS_MAX)
        assert texts.count == 3
        await rest(mock_clock, 1)
        assert texts.count == 2
        await rest(mock_clock, RESTS_OF_SESSIONS_MAX)
        assert (texts.count, texts.epoch) == (0, 1)
        assert (await ana.community.document_text("Plan")).text == "abcd"
        nursery.cancel_scope.cancel()


EMBEDDER = """
import pathlib, sys, trio, p2pvalue
from p2pvalue.config import Config

folder = pathlib.Path(sys.argv[1])

async def main():
    config = Config(data_dir=folder, listen=(), lan_discovery=False)
    async with p2pvalue.open_node(folder, config) as node:
        community = await node.create_community("Garden")
        await community.create_document("Plan", "abc")
        view = await community.splice_document("Plan", [(3, 0, "d")])
        print(node.documents.texts.pid, view.text, "pycrdt" in sys.modules)

p2pvalue.init(folder, "Ana")
trio.run(main)
"""


def test_a_program_with_a_node_inside_has_the_process_and_ends_it(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", EMBEDDER, str(tmp_path / "node")],
        capture_output=True,
        text=True,
        check=True,
    )
    pid, text, has_library = ended.stdout.split()
    assert (text, has_library) == ("abcd", "False")
    assert not Path(f"/proc/{pid}").exists()
