"""The endpoints about editors that are attached to documents."""

from __future__ import annotations

from p2pvalue import types as t
from p2pvalue.api import editor_schema as s
from p2pvalue.api.schema import Done
from p2pvalue.node.interface import NodeInterface


async def attach_editor(node: NodeInterface, question: s.AttachEditor) -> t.AttachedView:
    """Lend an editing session to one tab of an editor that speaks the y-websocket protocol."""
    return await node.editors.attach(
        question.community, question.document, origin=question.origin, schema=question.schema
    )


async def detach_editor(node: NodeInterface, question: s.DetachEditor) -> Done:
    """Take an editor's session back; what it did not send by now is not signed."""
    await node.editors.detach(question.community, question.document, question.session)
    return Done()
