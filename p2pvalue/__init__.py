"""The public library of p2pvalue: a node of your own, inside your program.

    import pathlib, trio, p2pvalue

    folder = pathlib.Path("garden")

    async def main() -> None:
        async with p2pvalue.open_node(folder) as node:
            community = await node.create_community("Garden")
            await community.post("Hello")
            for message in community.messages():
                print(message.name, message.text)

    p2pvalue.init(folder, "Ana")  # makes the folder's keys, once
    trio.run(main)

It runs under trio, not asyncio; a folder belongs to one node at a time, the daemon's included.
What a node and a community can do is in `p2pvalue.node.interface`. Values are those of
`p2pvalue.types`, errors are `P2PValueError`; nothing else is promised. What is named
here is imported when it is first used, so that a command that only needs a settings file stays
fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from p2pvalue.node.opening import init as init
    from p2pvalue.node.opening import open_node as open_node
    from p2pvalue_protocol.errors import P2PValueError as P2PValueError

__version__ = "0.1.0"

__all__ = ["P2PValueError", "__version__", "init", "open_node"]

_HOMES = {
    "init": "p2pvalue.node.opening",
    "open_node": "p2pvalue.node.opening",
    "P2PValueError": "p2pvalue_protocol.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'p2pvalue' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # only who asks for something pays

    return getattr(import_module(_HOMES[name]), name)
