"""A node without peers, store or keys: what a test of the API or the CLI needs to talk to."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import trio

from p2pvalue import types as t
from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.node.interface import CommunityInterface, NodeInterface
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from tests.api.fake_keys import FakeKeys

FOLLOWERS_BEHIND_MAX = 100


class FakeNode:
    """Fulfils NodeInterface in memory; a link that ends in `later` or `never` is joined so."""

    def __init__(self, data_dir: Path = Path("/nowhere"), name: str = "Ana") -> None:
        self.data_dir = data_dir
        self.name = name
        self.held: dict[str, FakeCommunity] = {}
        self.followers: list[trio.MemorySendChannel[t.EventView]] = []
        self.dialled: list[t.PeerView] = []
        self.times = 1_700_000_000_000
        self.looks = 0
        self.keys = FakeKeys()

    def now(self) -> int:
        self.times += 1000
        return self.times

    def status(self) -> t.StatusView:
        return t.StatusView(
            version="0.1.0",
            data_dir=str(self.data_dir),
            pid=os.getpid(),
            uptime_s=1.5,
            peer="12D3KooWFake",
            network="up",
            network_detail={},
            addresses=["/ip4/127.0.0.1/tcp/4801"],
            communities=self.communities(),
            peers=len(self.dialled),
            rss_bytes=50_000_000,
            database_bytes=12_288,
            durability="power-cut",
            warnings=[],
            protection=self.keys.protection,
        )

    def whoami(self) -> t.WhoAmIView:
        return t.WhoAmIView(
            name=self.name, peer="12D3KooWFake", devices=dict.fromkeys(self.held, "d" * 64)
        )

    def doctor(self) -> list[t.CheckView]:
        return [t.CheckView(check="clock", is_ok=True, detail="within a second of our peers")]

    def communities(self) -> list[t.CommunityView]:
        self.looks += 1
        for community in self.held.values():
            if community.joins_at_look and self.looks >= community.joins_at_look:
                community.state = "active"
        return [community.view() for community in self.held.values()]

    def community(self, reference: str | None = None) -> CommunityInterface:
        if reference is None and len(self.held) != 1:
            names = ", ".join(c.name for c in self.held.values()) or "none yet"
            raise NotFound(f"say which community is meant: {names}")
        for community in self.held.values():
            if reference in (None, community.community, community.name):
                return community
        raise NotFound(f"there is no community {reference!r} here; list them: community list")

    async def create_community(
        self,
        name: str,
        *,
        read: t.Read = "members",
        join: t.Join = "invite",
        description: str = "",
        words: str = "",
    ) -> CommunityInterface:
        self.keys.lend(words)
        made = FakeCommunity(self, name, read, join, description, "active")
        self.held[made.community] = made
        self.tell(t.EventView(event="community", community=made.community, subject="", time=1))
        return made

    async def join(self, link: str, *, words: str = "") -> CommunityInterface:
        self.keys.lend(words)
        if not link.startswith("p2pvalue:"):
            raise LocalProtocolError("this is no invite: a link begins with p2pvalue:")
        made = FakeCommunity(self, "Garden", "members", "invite", "", "joining")
        self.held[made.community] = made
        if not link.endswith("never"):
            made.joins_at_look = self.looks + 1
        if not link.endswith(("later", "never")):
            made.state = "active"
        return made

    async def set_profile(self, name: str) -> None:
        self.name = name

    @contextlib.asynccontextmanager
    async def events(
        self, community: str | None = None
    ) -> AsyncIterator[AsyncIterator[t.EventView]]:
        self.community(community) if community else None
        send, receive = trio.open_memory_channel[t.EventView](FOLLOWERS_BEHIND_MAX)
        self.followers.append(send)
        try:
            async with receive:
                yield receive
        finally:
            if send in self.followers:
                self.followers.remove(send)

    def tell(self, event: t.EventView) -> None:
        for follower in list(self.followers):
            try:
                follower.send_nowait(event)
            except trio.WouldBlock:
                follower.close()
                self.followers.remove(follower)

    def peers(self) -> list[t.PeerView]:
        return self.dialled

    async def add_peer(self, address: str, community: str | None = None) -> t.PeerView:
        view = t.PeerView(
            peer="12D3KooWOther", is_connected=False, communities=[], addresses=[address]
        )
        self.dialled.append(view)
        return view

    async def backup(self, target: Path, progress: Callable[[int, int], None]) -> None:
        for step in range(3):
            progress(step + 1, 3)
            await trio.lowlevel.checkpoint()
        target.write_bytes(b"backup")

    async def verify(self, progress: Callable[[int, int], None]) -> list[t.CheckView]:
        progress(1, 1)
        return [t.CheckView(check="hashes", is_ok=True, detail="3 operations")]

    async def rebuild(self, progress: Callable[[int, int], None]) -> list[t.CheckView]:
        raise RuntimeError("the fake cannot rebuild")


class FakeCommunity:
    """Fulfils CommunityInterface in memory, with plain lists."""

    def __init__(
        self,
        node: FakeNode,
        name: str,
        read: t.Read,
        join: t.Join,
        description: str,
        state: Any,
    ) -> None:
        self.node, self.name, self.read, self.entry = node, name, read, join
        self.description, self.state = description, state
        self.joins_at_look = 0
        self.community = hashlib.sha256(name.encode()).hexdigest()
        self.posted: list[t.MessageView] = []
        self.texts: dict[str, t.TextView] = {}
        self.wanted: dict[str, t.NeedView] = {}
        self.promised: dict[str, t.PledgeView] = {}

    def view(self) -> t.CommunityView:
        return t.CommunityView(
            community=self.community,
            name=self.name,
            description=self.description,
            read=self.read,
            join=self.entry,
            rank="founder",
            members=1,
            device="d" * 64,
            state=self.state,
            waiting_for="a member to answer" if self.state == "joining" else "",
        )

    def digest(self) -> str:
        return hashlib.sha256(repr(self.posted).encode()).hexdigest()

    async def invite(self, *, rank: t.Rank = "member", uses: int = 1) -> t.InviteView:
        if rank == "founder":
            raise NotAdmitted("only all founders together can make a founder")
        return t.InviteView(invite="e" * 64, link="p2pvalue:1#AAAA", rank=rank, uses=uses)

    def members(self) -> list[t.MemberView]:
        return [
            t.MemberView(
                member="a" * 64, name=self.node.name, rank="founder", devices=["d" * 64], is_me=True
            )
        ]

    async def post(self, text: str, *, channel: str = "", reply: str = "") -> t.MessageView:
        if not text.strip():
            raise LocalProtocolError("an empty message says nothing: write some text")
        if text == "crash":
            raise RuntimeError("a bug\nof two lines")
        number = len(self.posted) + 1
        message = t.MessageView(
            message=f"{number:032x}",
            channel=channel,
            member="a" * 64,
            name=self.node.name,
            text=text,
            reply=reply,
            time=self.node.now(),
            cursor=str(number),
        )
        self.posted.append(message)
        self.node.tell(
            t.EventView(
                event="message",
                community=self.community,
                subject=message.message,
                time=message.time,
                data={"channel": channel},
            )
        )
        return message

    def messages(
        self, *, channel: str = "", limit: int = 50, before: str = "", after: str = ""
    ) -> list[t.MessageView]:
        fitting = [
            m
            for m in self.posted
            if m.channel == channel
            and (not before or int(m.cursor) < int(before))
            and (not after or int(m.cursor) > int(after))
        ]
        return fitting[:limit] if after else fitting[-limit:]

    async def create_document(self, title: str, text: str = "") -> t.DocumentView:
        document = hashlib.sha256(title.encode()).hexdigest()[:32]
        self.texts[document] = t.TextView(document=document, title=title, text=text, version="1")
        return self.documents()[-1]

    def documents(self) -> list[t.DocumentView]:
        return [
            t.DocumentView(
                document=view.document,
                title=view.title,
                shape="plain",
                member="a" * 64,
                updates=int(view.version),
                time=self.node.times,
            )
            for view in self.texts.values()
        ]

    async def document_text(self, document: str) -> t.TextView:
        for view in self.texts.values():
            if document in (view.document, view.title):
                return view
        raise NotFound(f"there is no document {document!r}; list them: document list")

    async def edit_document(
        self, document: str, text: str, *, base_version: str = "", base_text: str | None = None
    ) -> t.TextView:
        return await self._save(await self.document_text(document), text)

    async def splice_document(
        self, document: str, edits: list[tuple[int, int, str]], *, session: int = 0
    ) -> t.TextView:
        view = await self.document_text(document)
        if not edits:
            return view
        text = view.text
        for position, deleted, inserted in edits:
            if position + deleted > len(text):
                raise LocalProtocolError(f"position {position} is behind the text's end")
            text = text[:position] + inserted + text[position + deleted :]
        return await self._save(view, text)

    async def _save(self, view: t.TextView, text: str) -> t.TextView:
        await trio.lowlevel.checkpoint()
        version = str(int(view.version) + 1)
        saved = msgspec.structs.replace(view, text=text, version=version)
        self.texts[view.document] = saved
        self.node.tell(
            t.EventView(event="document", community=self.community, subject=view.document, time=1)
        )
        return saved

    async def add_need(
        self, title: str, *, body: str = "", lines: list[t.LineView], closes: int | None = None
    ) -> t.NeedView:
        need = t.NeedView(
            need=hashlib.sha256(title.encode()).hexdigest()[:32],
            title=title,
            body=body,
            lines=lines,
            closes=closes,
            member="a" * 64,
            name=self.node.name,
            time=self.node.now(),
            state="open",
        )
        self.wanted[need.need] = need
        return need

    def needs(self) -> list[t.NeedView]:
        return [self._counted(need) for need in self.wanted.values()]

    def need(self, need: str) -> t.NeedView:
        for known in self.wanted.values():
            if need in (known.need, known.title):
                return self._counted(known)
        raise NotFound(f"there is no need {need!r}; list them: need list")

    def _counted(self, need: t.NeedView) -> t.NeedView:
        lines = []
        for number, line in enumerate(need.lines):
            pledges = [
                p
                for p in self.promised.values()
                if (p.need, p.line, p.state) == (need.need, number, "offered")
            ]
            pledged = sum(p.quantity for p in pledges)
            lines.append(
                msgspec.structs.replace(line, pledged=pledged, pledgers=min(1, len(pledges)))
            )
        is_met = all(line.pledged >= line.minimum for line in lines)
        return msgspec.structs.replace(need, lines=lines, state="met" if is_met else "open")

    async def make_pledge(self, need: str, quantity: int, *, line: int = 0) -> t.PledgeView:
        wanted = self.need(need)
        if line >= len(wanted.lines):
            raise LocalProtocolError(f"the need has no line {line}: look with need show")
        pledge = t.PledgeView(
            pledge=f"{len(self.promised) + 1:032x}",
            need=wanted.need,
            need_title=wanted.title,
            line=line,
            quantity=quantity,
            unit=wanted.lines[line].unit,
            member="a" * 64,
            name=self.node.name,
            time=self.node.now(),
            state="offered",
        )
        self.promised[pledge.pledge] = pledge
        return pledge

    def pledges(self, *, need: str = "") -> list[t.PledgeView]:
        wanted = self.need(need).need if need else ""
        return [p for p in self.promised.values() if not wanted or p.need == wanted]

    async def withdraw_pledge(self, pledge: str, *, reason: str = "") -> t.PledgeView:
        if pledge not in self.promised:
            raise NotFound(f"there is no pledge {pledge!r}; list them: pledge list")
        withdrawn = msgspec.structs.replace(self.promised[pledge], state="withdrawn", reason=reason)
        self.promised[pledge] = withdrawn
        return withdrawn


@contextlib.asynccontextmanager
async def open_fake_node(
    data_dir: Path, _config: Config, *, keystore: Keystore
) -> AsyncIterator[NodeInterface]:
    """What `p2pvalue.node.open_node` does, without a network."""
    yield FakeNode(data_dir)
