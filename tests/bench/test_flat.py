"""What one thing more costs does not depend on how much there is already.

Counted, not timed: the Python calls that it takes, and the steps of SQLite's virtual machine, which
grow with every row that a statement looks at. The least of several turns counts, for a timer of the
node may fire in any of them.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import apsw
import pytest
import trio

from p2pvalue.node.running import RunningNode
from p2pvalue.store import SqliteStore
from p2pvalue_protocol.inputs import Wakeup
from tests.bench.history import filled, names_in, node_in
from tests.node.near_texts import NearTexts

FEW = 200
MANY = 10_000
TURNS = 7


class Effort(NamedTuple):
    """How much work something was."""

    python_calls: int
    sqlite_steps: int


class Meter:
    """Counts while it is on."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._calls = self._steps = 0

    @contextmanager
    def on(self) -> Iterator[None]:
        self._calls = self._steps = 0
        self._connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._statement, id=self)
        sys.setprofile(self._call)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._connection.trace_v2(0, None, id=self)

    def _call(self, frame: FrameType, event: str, argument: object) -> None:
        self._calls += event in ("call", "c_call")

    def _statement(self, ended: dict[str, Any]) -> None:
        self._steps += ended["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    @property
    def effort(self) -> Effort:
        return Effort(self._calls, self._steps)


async def efforts(folder: Path) -> dict[str, Effort]:
    """Do each thing some times in a community that has a history; return the least effort."""
    async with node_in(folder) as node:
        assert isinstance(node.store, SqliteStore)
        node.documents.texts = NearTexts()  # how often one looks into a pipe is nobody's doing
        meter = Meter(node.store._connection)
        found: dict[str, Effort] = {}
        for name, act in acts(node, names_in(folder)).items():
            await act()  # the first opens what the others find open
            turns = []
            for _ in range(TURNS):
                with meter.on():
                    await act()
                turns.append(meter.effort)
            found[name] = Effort(*map(min, zip(*turns, strict=True)))
        return found


def acts(node: RunningNode, names: dict[str, str]) -> dict[str, Callable[[], Awaitable[object]]]:
    """What people and timers do, by name."""
    community = node.community()

    async def post() -> None:
        await community.post("hello")

    async def open_page() -> None:
        assert len(community.messages(limit=50)) == 50

    async def open_page_before() -> None:
        newest = community.messages(limit=50)
        assert len(community.messages(limit=50, before=newest[0].cursor)) == 50

    async def edit() -> None:
        await community.splice_document(names["document"], [(0, 0, "x")])

    async def pledge() -> None:
        await community.pledges.make(names["need"], 1)

    async def wake() -> None:
        node.handle(Wakeup())

    async def list_needs() -> None:
        assert await community.needs.all()

    async def list_needs_anew() -> None:
        node.boards.forget(community.id)
        assert await community.needs.all()

    return {
        "post": post,
        "open page": open_page,
        "open page before": open_page_before,
        "edit": edit,
        "pledge": pledge,
        "wake": wake,
        "list needs": list_needs,
        "list needs anew": list_needs_anew,
    }


@pytest.fixture(scope="module")
def few_and_many(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Effort], dict[str, Effort]]:
    parent = tmp_path_factory.mktemp("histories")
    few, many = (trio.run(efforts, filled(parent, size)) for size in (FEW, MANY))
    return few, many


@pytest.mark.parametrize(
    "act", ["post", "open page", "open page before", "edit", "pledge", "list needs", "wake"]
)
def test_an_act_takes_as_much_work_after_a_long_history(
    few_and_many: tuple[dict[str, Effort], dict[str, Effort]], act: str
) -> None:
    few, many = few_and_many
    assert many[act] == few[act]


def test_work_that_grows_with_history_is_noticed(
    few_and_many: tuple[dict[str, Effort], dict[str, Effort]],
) -> None:
    few, many = few_and_many
    assert many["list needs anew"].python_calls > 2 * few["list needs anew"].python_calls
    assert many["list needs anew"].sqlite_steps > 2 * few["list needs anew"].sqlite_steps
