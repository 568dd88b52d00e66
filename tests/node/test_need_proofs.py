"""A member writes a file about a need, and who reads it sees what she sees."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.node.needs.need_proofs import read_proof_file
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError
from tests.node.small_node import SmallNode, exchange

NAMES = ["ana", "eva"]
HOURS = LineView(kind="hours", unit="minute", minimum=60, optimum=600)


@pytest.fixture
def ana() -> SmallNode:
    return SmallNode("ana", NAMES)


@pytest.fixture
def eva() -> SmallNode:
    return SmallNode("eva", NAMES)


async def test_what_a_file_proves_is_what_its_maker_is_told(
    ana: SmallNode, eva: SmallNode, tmp_path: Path
) -> None:
    needs, pledges = ana.community.needs, ana.community.pledges
    await needs.add(NeedDraft(title="Fix the roof", lines=[HOURS]))
    exchange(ana, eva)
    made = await eva.community.pledges.make("Fix the roof", 90)
    exchange(ana, eva)
    await needs.close("Fix the roof")
    await pledges.confirm(made.pledge, quantity=60)
    proven = await needs.prove("Fix the roof", tmp_path / "roof.proof")
    told = needs.named("Fix the roof")
    assert proven.need == msgspec.structs.replace(told, is_mine=False)  # hers who reads it
    assert proven.pledges == await pledges.all(need="Fix the roof")
    assert [(d.member, d.quantity, len(d.witnesses)) for d in proven.done] == [
        (proven.pledges[0].member, 60, 1)
    ]
    assert proven.is_whole
    assert read_proof_file(tmp_path / "roof.proof") == proven
    assert await needs.prove("Fix the roof") == proven


async def test_a_file_that_is_there_is_not_replaced(ana: SmallNode, tmp_path: Path) -> None:
    await ana.community.needs.add(NeedDraft(title="Fix the roof", lines=[HOURS]))
    (tmp_path / "roof.proof").write_bytes(b"mine")
    with pytest.raises(ConfigError, match="is there already"):
        await ana.community.needs.prove("Fix the roof", tmp_path / "roof.proof")
    assert (tmp_path / "roof.proof").read_bytes() == b"mine"
    with pytest.raises(ConfigError, match="was not written"):
        await ana.community.needs.prove("Fix the roof", tmp_path / "nowhere" / "roof.proof")


async def test_a_copy_that_was_read_anew_meanwhile_is_not_written_down(
    ana: SmallNode, eva: SmallNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.community.needs.add(NeedDraft(title="Fix the roof", lines=[HOURS]))
    copies = iter([ana.replica, eva.replica])
    with monkeypatch.context() as patch:
        patch.setattr(ana, "copy_of", lambda community: next(copies))
        with pytest.raises(LocalProtocolError, match="try again"):
            await ana.community.needs.prove("Fix the roof", tmp_path / "roof.proof")
    assert list(tmp_path.iterdir()) == []


def test_what_proves_nothing_is_told_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "roof.proof"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_proof_file(file)
    file.write_bytes(b"p2pvalue proof 2\n")
    with pytest.raises(LocalProtocolError, match="use a newer p2pvalue; ask for a new one"):
        read_proof_file(file)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="is no file"):
        read_proof_file(pipe)
