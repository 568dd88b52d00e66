"""People with a node each, and what each of them is told; and what they do."""

from __future__ import annotations

from collections.abc import Sequence

from p2pvalue.need_types import LineView, NeedDraft, Trigger
from p2pvalue.node.needs.need_closer import NODES_CLOSE_AFTER_MS
from p2pvalue.node.notifications.notifications import Notifications
from p2pvalue.store import Store
from p2pvalue.types import EventView
from p2pvalue_protocol.effects import Change, Changed
from tests.node.small_node import FIRST_MS, SmallNode, exchange

NAMES = ["ana", "ben", "cleo"]
HOURS = LineView(kind="hours", unit="minute", minimum=60, optimum=600)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CLOSES = FIRST_MS + 20 * DAY_MS


class Told:
    """One node, and what its person is shown."""

    def __init__(self, name: str, store: Store | None = None) -> None:
        self.node = SmallNode(name, NAMES, store)
        self.shown: list[EventView] = []
        self.notifications = self._new()
        self.node.on_changes = self._changed

    def _new(self) -> Notifications:
        return Notifications(self.node, lambda: [self.node.community], self.shown.append)

    def _changed(self, changes: Sequence[Change]) -> None:
        self.notifications.changed(Changed(self.node.community_id, tuple(changes)))

    def restart(self) -> None:
        """Go on as a new process would, with nothing but the store."""
        self.node.restart()
        self.notifications = self._new()
        self.notifications.watch.look_at_all()

    async def news(self, *, at_ms: int = 0) -> list[object]:
        """Look; return the kinds of what is shown at once."""
        self.node.now_ms = max(self.node.now_ms, at_ms)
        await self.notifications.watch.look()
        kinds: list[object] = [event.data["kind"] for event in self.shown]
        self.shown.clear()
        return kinds

    def listed(self, *, unread: bool = True) -> list[tuple[str, int]]:
        found = self.notifications.all(unread=unread)
        return [(view.kind, view.count) for view in found]


def meet(people: Sequence[Told]) -> None:
    exchange(*(told.node for told in people))


async def need(
    told: Told,
    title: str = "Roof",
    *,
    closes: int = CLOSES,
    deadline: int = 0,
    trigger: Trigger = "all",
    confirmers: list[str] | None = None,
) -> None:
    draft = NeedDraft(
        title=title,
        lines=[HOURS],
        closes=closes,
        deadline=deadline,
        trigger=trigger,
        confirmers=confirmers,
    )
    await told.node.community.needs.add(draft)


async def promised(people: Sequence[Told], quantity: int = 60) -> str:
    """Ana asks for the roof, and Ben pledges; return the pledge."""
    await need(people[0])
    meet(people)
    made = await people[1].node.community.pledges.make("Roof", quantity)
    meet(people)
    return made.pledge


async def close(people: Sequence[Told]) -> None:
    """The node of who asked for it closes it by itself."""
    for told in people:
        told.node.now_ms = max(told.node.now_ms, CLOSES + NODES_CLOSE_AFTER_MS)
    await people[0].node.community.needs.close("Roof")
    meet(people)


async def acquainted() -> list[Told]:
    """Return the nodes of three people who know each other by name."""
    found = [Told(name) for name in NAMES]
    for told in found:
        await told.node.community.set_my_name(told.node.name.title())
        await told.news()
    meet(found)
    return found
