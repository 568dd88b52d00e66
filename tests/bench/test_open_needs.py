"""The bench of many open needs runs, and a first look reads what was said of a need once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from p2pvalue.need_types import NeedDraft
from p2pvalue.node.needs import need_views
from p2pvalue.store import Entry
from p2pvalue_protocol.kinds import close, pledge
from p2pvalue_protocol.kinds.need import Terms, terms_id
from tests.bench.open_needs import asked, made
from tests.bench.stalls import Stalls
from tests.node.told_people import HOURS, NAMES, Told, acquainted, promised


async def test_the_bench_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await made(20, tmp_path / "needs.sqlite", seed=1)
    await asked(tmp_path / "needs.sqlite", Stalls())
    assert len(capsys.readouterr().out.splitlines()) == 10


async def test_a_first_look_reads_each_list_of_a_need_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a need that concerns us, of which more is asked than how it stands."""
    people = await acquainted()
    await promised(people)
    ana = people[0]
    ana.restart()
    read, entries = Counter[int](), ana.node.store.entries

    def counted(community: bytes, container: bytes, kind: int, **page: object) -> list[Entry]:
        read[kind] += 1
        return entries(community, container, kind, **page)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(ana.node.store, "entries", counted)
    await ana.news()
    assert (read[pledge.NUMBER], read[close.NUMBER]) == (1, 1)


async def test_the_versions_of_terms_are_named_once_for_all_pledges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And not for each pledge, of which each may name another version."""
    ana = Told(NAMES[0]).node
    draft = NeedDraft(title="Roof", lines=[HOURS])
    need_id = (await ana.community.needs.add(draft)).need
    for opens in range(1, 10):
        await ana.community.needs.change(need_id, NeedDraft(opens=opens))
    for _ in range(20):
        await ana.community.pledges.make(need_id, 30)
    hashed: list[Terms] = []

    def counted(terms: Terms) -> bytes:
        hashed.append(terms)
        return terms_id(terms)

    monkeypatch.setattr(need_views, "terms_id", counted)
    assert len(await ana.community.pledges.all(need=need_id)) == 20
    assert len(hashed) <= 10
