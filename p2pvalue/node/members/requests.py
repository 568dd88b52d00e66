"""Who asks to be let in: kept on this node until somebody here says yes or no.

A request is heard by the members that the newcomer reached, and by nobody else: it is no operation.
So it is bounded, and what a stranger wrote takes little room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.people import RANKS
from p2pvalue.node.references import resolve
from p2pvalue.store import Store
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import JoinRequested
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import NotAdmitted
from p2pvalue_protocol.inputs import Answer, Draft

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

REQUESTS_MAX: Final = 64


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """One request as it is kept."""

    root: bytes
    device: bytes
    name: str
    text: str
    time_ms: int
    is_declined: bool = False


_decoder = msgspec.msgpack.Decoder(list[Asked])


class PendingRequests:
    """The requests that one node keeps for one community, oldest first."""

    def __init__(self, store: Store, community: bytes) -> None:
        self._store = store
        self._key = f"requests:{community.hex()}"

    def all(self) -> list[Asked]:
        """Return what is kept."""
        kept = self._store.meta(self._key)
        return [] if kept is None else _decoder.decode(kept)

    def put(self, asked: Asked) -> Literal["new", "known", "full"]:
        """Keep a request, the newest of its root; return what became of it.

        A root that was declined stays declined. Without room a new one is not kept, so that nobody
        is pushed out by a crowd: whoever asks comes back.
        """
        kept = self.all()
        for place, before in enumerate(kept):
            if before.root == asked.root:
                kept[place] = msgspec.structs.replace(
                    asked, time_ms=before.time_ms, is_declined=before.is_declined
                )
                if kept[place] != before:
                    self._write(kept)
                return "known"
        if len(kept) >= REQUESTS_MAX:
            kept = [asked for asked in kept if not asked.is_declined]
        if len(kept) >= REQUESTS_MAX:
            return "full"
        self._write([*kept, asked])
        return "new"

    def decline(self, root: bytes) -> None:
        """Remember the answer no, so that it is given when she asks again."""
        self._write(
            [
                msgspec.structs.replace(kept, is_declined=True) if kept.root == root else kept
                for kept in self.all()
            ]
        )

    def remove(self, root: bytes) -> None:
        """Forget a request that was granted."""
        self._write([kept for kept in self.all() if kept.root != root])

    def is_declined(self, root: bytes) -> bool:
        """Return whether somebody here said no to a root."""
        return any(kept.root == root and kept.is_declined for kept in self.all())

    def _write(self, kept: list[Asked]) -> None:
        kept.sort(key=lambda asked: (asked.time_ms, asked.root))
        self._store.put_meta(self._key, encode(kept))


def heard(node: RunningNode, requested: JoinRequested) -> Answer:
    """Keep somebody's request to be let in, and return what she is told at once."""
    pending = PendingRequests(node.store, requested.community)
    if pending.is_declined(requested.root):
        return "declined"
    asked = Asked(
        root=requested.root,
        device=requested.device,
        name=" ".join(requested.name.split()) or f"newcomer {requested.root.hex()[:6]}",
        text=requested.message,
        time_ms=node.clock_ms(),
    )
    became = pending.put(asked)
    if became == "new":
        node.member_events.requested(requested.community, asked.root, asked.name, asked.time_ms)
    return "busy" if became == "full" else "pending"


class Requests:
    """The requests of one community, as its members see them."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community
        self._pending = PendingRequests(context.store, community)

    def all(self) -> list[t.RequestView]:
        """Return who waits for an answer, oldest first."""
        members = {m.root for m in self._context.membership(self._community).members()}
        return [
            _view(asked)
            for asked in self._pending.all()
            if not asked.is_declined and asked.root not in members
        ]

    async def approve(self, reference: str, rank: t.Rank = "member") -> t.RequestView:
        """Let a newcomer in, by a GRANT; she hears of it when she asks again."""
        root, view = self._found(reference)
        device = self._context.device(self._community)
        number = RANKS.index(rank)
        if not self._context.membership(self._community).may_grant(device, root, number):
            raise NotAdmitted(
                f"your rank here may not let somebody in as {rank}: ask a stronger member"
            )
        draft = Draft(auth.GRANT, b"", auth.grant_payload(root, number))
        await self._context.write(self._community, [draft])
        self._pending.remove(root)
        return view

    async def decline(self, reference: str) -> t.RequestView:
        """Say no; the newcomer is told when she asks again."""
        root, view = self._found(reference)
        self._pending.decline(root)
        return view

    def _found(self, reference: str) -> tuple[bytes, t.RequestView]:
        waiting = {bytes.fromhex(view.request): view for view in self.all()}
        named = ((root, view.name) for root, view in waiting.items())
        root = resolve(reference, named, "request")
        return root, waiting[root]


def _view(asked: Asked) -> t.RequestView:
    return t.RequestView(
        request=asked.root.hex(), name=asked.name, text=asked.text, time=asked.time_ms
    )
