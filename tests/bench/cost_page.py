"""Makes the tables and the plot of docs/cost.md of what `cost` measured.

Only what stands between the markers is made; the words around it are written by hand.

    python -m tests.bench.cost_page
"""

from __future__ import annotations

import json
from statistics import median
from typing import Any, NamedTuple

from tests.bench.agent_process import ROOT
from tests.bench.cost import FIGURES

PAGE = ROOT / "docs" / "cost.md"
PLOT = ROOT / "docs" / "cost.svg"
BEGIN, END = "<!-- made by make cost: begin -->", "<!-- end -->"
PICTURE = "![each cost over the operations held, in logarithmic scale](cost.svg)"
FLAT_MAX = 1.5


class Cost(NamedTuple):
    """A row of the table and a panel of the plot: which figure, and how it is called."""

    key: str
    title: str
    unit: str
    wall_key: str = ""  # of the same in wall time, shown beside it


COSTS = (
    Cost("post_cpu_us", "post a message, on the disk", "µs CPU", "post_us"),
    Cost("page_cpu_us", "open the newest page of a chat, 50 messages", "µs CPU", "page_us"),
    Cost("past_cpu_us", "open a page anywhere in its past", "µs CPU", "past_us"),
    Cost("edit_cpu_us", "edit a document of a page, on the disk", "µs CPU", "edit_us"),
    Cost("pledge_cpu_us", "make a pledge, on the disk", "µs CPU", "pledge_us"),
    Cost("long_cpu_us", "edit a document after up to 2,000 edits", "µs CPU"),
    Cost("need_cpu_us", "look at a need: sums its pledges, a fifth of all", "µs CPU"),
    Cost("catch_up_cpu_us", "catch up, each, in one process", "µs CPU"),
    Cost("wire_sender_cpu_us", "catch up over TCP, each, sender", "µs CPU"),
    Cost("wire_receiver_cpu_us", "catch up over TCP, each, receiver", "µs CPU", "wire_us"),
    Cost("idle_cpu_us", "an idle second, in touch", "µs CPU"),
    Cost("start_cpu_ms", "from the start to the first page read", "ms CPU", "start_ms"),
    Cost("rss_mb", "memory after the first page, network up", "MB"),
    Cost("newcomer_rss_mb", "memory of a newcomer that fetched all", "MB"),
    Cost("disk_bytes", "disk, each operation", "bytes"),
)

Figures = dict[str, dict[str, Any]]


def middle(figures: Figures, size: str, key: str) -> float:
    """Return the median of one figure at one size."""
    return float(median(turn[key] for turn in figures[size]["turns"]))


def shown(value: float) -> str:
    """Return a figure with two digits that count, or all before the point."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def growth_of(values: list[float]) -> float:
    """Return how much more the largest size costs than the size that costs least."""
    return values[-1] / min(values)


def verdict(growth: float) -> str:
    """Return whether a cost is flat, by how much more it is at the largest size."""
    return "flat" if growth <= FLAT_MAX else "**grows**"


def tables(figures: Figures) -> str:
    """Return what is between the markers: circumstances, costs, and wall times beside them."""
    sizes = sorted(figures, key=int)
    lines = ["| measured | commit | date | turns | load | machine |", "|---|---|---|---|---|---|"]
    for size in sizes:
        of = figures[size]
        loads = sorted(turn["load"] for turn in of["turns"])
        lines.append(
            f"| {int(size):,} | {of['commit']} | {of['date']} | {len(loads)} "
            f"| {loads[0]:.1f} to {loads[-1]:.1f} | {of['machine']} |"
        )
    heads = " | ".join(f"{int(size):,}" for size in sizes)
    lines += ["", f"| cost, median | | {heads} | growth | |", "|---" * (len(sizes) + 4) + "|"]
    for cost in COSTS:
        values = [middle(figures, size, cost.key) for size in sizes]
        growth = growth_of(values)
        cells = " | ".join(map(shown, values))
        lines.append(f"| {cost.title} | {cost.unit} | {cells} | {growth:.2f} | {verdict(growth)} |")
    lines += ["", f"| wall time, median | | {heads} |", "|---" * (len(sizes) + 2) + "|"]
    for cost in COSTS:
        if cost.wall_key:
            cells = " | ".join(shown(middle(figures, size, cost.wall_key)) for size in sizes)
            lines.append(f"| {cost.title} | {cost.unit.split()[0]} | {cells} |")
    return "\n".join(lines)


def with_tables(page: str, made: str, mark: str = BEGIN) -> str:
    """Return a page with what is between its markers made anew."""
    before, begin, rest = page.partition(mark)
    _, end, after = rest.partition(END)
    assert begin, f"the page has no {mark}"
    assert end, f"the page has no {END} after {mark}"
    return f"{before}{begin}\n\n{made}\n\n{end}{after}"


def plot(figures: Figures) -> None:
    """Draw one small panel for each cost; the same figures make the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update({"svg.hashsalt": "p2pvalue", "svg.fonttype": "none", "font.size": 7})
    sizes = sorted(figures, key=int)
    columns = 3
    rows = -(-len(COSTS) // columns)
    drawing = Figure(figsize=(8, 1.7 * rows), layout="constrained")
    panels = drawing.subplots(rows, columns, sharex=True).flat
    for cost, panel in zip(COSTS, panels, strict=False):
        values = [middle(figures, size, cost.key) for size in sizes]
        turns = [(int(s), turn[cost.key]) for s in sizes for turn in figures[s]["turns"]]
        panel.loglog(*zip(*turns, strict=True), ".", color="#bbbbbb", markersize=4)
        panel.loglog([int(size) for size in sizes], values, "o-", color="#1f5c99", markersize=3)
        panel.set_ylim(min(values) / 10, max(values) * 10)
        panel.set_title(f"{cost.title}\n{cost.unit}", fontsize=7)
        panel.minorticks_off()
        panel.grid(visible=True, linewidth=0.3)
    for panel in list(drawing.axes)[len(COSTS) :]:
        panel.set_visible(False)
    drawing.supxlabel("operations held")
    drawing.savefig(PLOT, metadata={"Date": None, "Creator": None})


def main() -> None:
    """Make the page and the plot anew."""
    figures: Figures = json.loads(FIGURES.read_text())
    made = f"{tables(figures)}\n\n{PICTURE}"
    PAGE.write_text(with_tables(PAGE.read_text("utf-8"), made), "utf-8")
    plot(figures)


if __name__ == "__main__":
    main()
