"""When the door for editors opens: not before somebody wants it."""

from __future__ import annotations

from p2pvalue.node.interface import EditorsInterface


async def serve_editors(editors: EditorsInterface) -> None:
    """Wait until an editor is wanted, then serve tabs until cancelled."""
    await editors.is_wanted.wait()
    from p2pvalue.api.editor_server import serve  # noqa: PLC0415 - few ever need what it imports

    await serve(editors)
