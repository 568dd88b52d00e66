"""An update that nobody lists is asked for by its id where something shown rests on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from p2pvalue.node.documents.document_facts import WAITS
from p2pvalue.node.running import RunningNode
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.removal import removal_draft
from tests.node.household import Household, until

NAMES = ("ben", "ana", "mal", "eva")


class Scene(NamedTuple):
    """Ben founded, Ana is honest, Mal and Eva lie; all have read a document that says "abc"."""

    ben: RunningNode
    ana: RunningNode
    mal: RunningNode
    eva: RunningNode
    household: Household
    community: bytes
    subject: bytes

    def part(self, *groups: Sequence[RunningNode]) -> None:
        """Let only those of a group reach each other."""
        hub = self.household.hub
        hub.heal()
        hub.partition(*[[peer_of(node) for node in group] for group in groups])
        for group in groups:
            for node in group:
                for other in group:
                    assert node.dialer is not None
                    node.dialer.look_again(peer_of(other))

    async def plant(self, node: RunningNode, text: str, heads: Sequence[bytes]) -> bytes:
        """Write text at the start in a session of its own, as one whose software checks nothing."""
        client = client_of(node.device(self.community), self.subject, 9)
        (update,) = SharedDocument("plain", client).edit([Edit(0, 0, text)])
        payload = document.encode_document_update(update, 9, sorted(heads))
        draft = Draft(document.UPDATE_NUMBER, self.subject, payload)
        (order,) = await node.write(self.community, [draft])
        return order.op_id


def peer_of(node: RunningNode) -> str:
    assert node.network is not None
    return node.network.peer_id


def holds(node: RunningNode, scene: Scene, op_id: bytes) -> bool:
    """Whether a node lists an update, hidden or shown."""
    entries = node.store.entries_since(
        scene.community, scene.subject, document.UPDATE_NUMBER, 0, hidden=True
    )
    return op_id in {entry.order.op_id for entry in entries}


def is_out(node: RunningNode, scene: Scene, other: RunningNode) -> bool:
    """Whether a node knows that another was put out."""
    return node.membership(scene.community).is_gone(other.device(scene.community))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    household = Household(tmp_path)
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(household.node(name)) for name in NAMES]
        ben, *others = nodes
        community = (await ben.create_community("Garden")).id
        for node in others:
            await node.join(await ben.invite(community, "member", 1))
            await until(node, lambda n=node: n.community().view().state == "active")  # type: ignore[misc]  # bound now
            # What nodes write by themselves would name what Eva writes late, and have it fetched.
            await until(node, lambda n=node: n.community().has_my_name())  # type: ignore[misc]  # bound
        made = await ben.community().create_document("Plan", "abc")
        for node in others:
            await until(node, lambda n=node: bool(n.community().documents()))  # type: ignore[misc]  # bound now
        ana, mal, eva = others
        yield Scene(ben, ana, mal, eva, household, community, bytes.fromhex(made.document))


async def test_two_liars_one_of_them_put_out_never_let_machines_differ_in_what_waits(
    scene: Scene,
) -> None:
    ben, ana, mal, eva = scene[:4]
    scene.part([ben], [ana, mal, eva])
    late = await scene.plant(eva, "EVA", [])
    for node in (ana, mal):
        await until(node, lambda n=node: holds(n, scene, late))  # type: ignore[misc]  # bound now
    scene.part([ben], [ana], [mal], [eva])
    standing = ben.membership(scene.community).standing(eva.device(scene.community))
    assert standing is not None
    draft = removal_draft(ben.machine.replica(scene.community), standing.member)
    await ben.write(scene.community, [draft])
    scene.part([ben, ana, mal], [eva])
    for node in (ana, mal):
        await until(node, lambda n=node: is_out(n, scene, eva))  # type: ignore[misc]  # bound now
    mals = await scene.plant(mal, "mal", [late])
    for node in (ana, ben):
        await until(node, lambda n=node: holds(n, scene, mals))  # type: ignore[misc]  # bound now
    shown = await ana.community().document_text("Plan")
    assert "mal" in shown.text
    assert "EVA" not in shown.text
    waiting = await ben.community().document_text("Plan")  # and he asks for what it waits for
    assert waiting.text == "abc"
    assert [w.reason for w in waiting.without_effect] == [WAITS]
    await until(ben, lambda: holds(ben, scene, late))
    assert await ben.community().document_text("Plan") == shown
