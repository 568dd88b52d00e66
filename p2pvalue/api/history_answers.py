"""The endpoints about a document's past."""

from __future__ import annotations

from p2pvalue import past_types as pt
from p2pvalue import types as t
from p2pvalue.api import history_schema as s
from p2pvalue.api.schema import OfDocument
from p2pvalue.node.documents.history_interface import HistoryInterface
from p2pvalue.node.interface import NodeInterface


def _history(node: NodeInterface, question: OfDocument) -> HistoryInterface:
    return node.community(question.community).history


async def list_edits(node: NodeInterface, question: s.ListEdits) -> pt.HistoryView:
    """What people did to a document, edit by edit, newest last."""
    return await _history(node, question).edits(question.document, question.limit)


async def show_version(node: NodeInterface, question: s.AtVersion) -> t.TextView:
    """A document's text as it was at a version."""
    return await _history(node, question).at(question.document, question.version)


async def blame(node: NodeInterface, question: s.Blame) -> pt.BlameView:
    """Who wrote each run of a document's text, and who deleted what is gone."""
    return await _history(node, question).blame(
        question.document, question.version or "", deleted=question.deleted
    )


async def restore(node: NodeInterface, question: s.AtVersion) -> t.TextView:
    """Make a document's text what it was at a version, by a new edit."""
    return await _history(node, question).restore(question.document, question.version)


async def undo(node: NodeInterface, question: OfDocument) -> pt.TurnView:
    """Take back this device's newest edit that is not taken back; others' text stays."""
    return await _history(node, question).undo(question.document)


async def redo(node: NodeInterface, question: OfDocument) -> pt.TurnView:
    """Do again what was taken back last, unless something was written since."""
    return await _history(node, question).redo(question.document)
