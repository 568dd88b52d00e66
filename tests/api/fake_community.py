"""A community in plain lists, for a node of straw."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import trio

from p2pvalue import types as t
from p2pvalue.node.documents.document_shapes import VersionUnknown, check_text
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from tests.api.fake_history import FakeHistory
from tests.api.fake_members import FakeInvites, FakeMembers, FakeRequests
from tests.node.small_node import SmallNode

if TYPE_CHECKING:
    from tests.api.fake_node import FakeNode

VERSIONS = "{:032x}"


def merged(now: str, base: str | None, text: str) -> str:
    """The text as it is now with the changes from `base` to `text`."""
    held = SharedDocument("plain", client=1)
    if now:
        held.edit([Edit(0, 0, now)])
    held.rewrite(base, text)
    return held.text


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
        self.invite_rank: t.Rank = "member"
        self.community = hashlib.sha256(name.encode()).hexdigest()
        self.people = FakeMembers(node.name)
        self.invites = FakeInvites(self.people)
        self.requests = FakeRequests()
        self.history = FakeHistory(self)
        self.posted: list[t.MessageView] = []
        self.texts: dict[str, t.TextView] = {}
        self.deleted: dict[str, t.TextView] = {}
        self.shapes: dict[str, str] = {}
        self.shown: dict[tuple[str, str], str] = {}
        rooms = self.rooms = SmallNode(node.name, [node.name]).community
        self.needs, self.pledges, self.order = rooms.needs, rooms.pledges, rooms.order
        self.projects = rooms.projects
        self.contributions, self.thanks = rooms.contributions, rooms.thanks

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
        return await self.invites.create(rank, uses)

    def members(self) -> list[t.MemberView]:
        return self.people.all()

    def policy(self) -> t.PolicyView:
        return t.PolicyView(
            read=self.read,
            join=self.entry,
            invite_rank=self.invite_rank,
            write={"card": "admin", "document": "member"},
            founder_quorum=1,
            admin_quorum=0,
        )

    async def set_policy(
        self,
        *,
        join: t.Join | None = None,
        invite_rank: t.Rank | None = None,
        write: Mapping[str, t.Rank] | None = None,
    ) -> t.PolicyView:
        self.entry = join or self.entry
        self.invite_rank = invite_rank or self.invite_rank
        return self.policy()

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

    async def create_document(
        self, title: str, text: str = "", shape: str = "markdown"
    ) -> t.DocumentView:
        check_text(text)
        document = hashlib.sha256(title.encode()).hexdigest()[:32]
        self.texts[document] = t.TextView(
            document=document, title=title, text=text, version=VERSIONS.format(1)
        )
        self.shapes[document] = shape
        if text:
            self.history.saved(document, text)
        return self._listed(self.texts[document])

    def documents(self, *, deleted: bool = False) -> list[t.DocumentView]:
        held = (self.deleted if deleted else self.texts).values()
        return [self._listed(view) for view in held]

    def _listed(self, view: t.TextView) -> t.DocumentView:
        return t.DocumentView(
            document=view.document,
            title=view.title,
            shape=self.shapes[view.document],
            member="a" * 64,
            name=self.node.name,
            updates=int(view.version, 16),
            time=self.node.times,
            deleted=view.document in self.deleted,
        )

    async def rename_document(self, document: str, title: str) -> t.DocumentView:
        view = await self.document_text(document)
        renamed = msgspec.structs.replace(view, title=title)
        self.texts[view.document] = renamed
        return self._listed(renamed)

    async def delete_document(self, document: str) -> t.DocumentView:
        view = await self.document_text(document)
        self.deleted[view.document] = self.texts.pop(view.document)
        return self._listed(view)

    async def undelete_document(self, document: str) -> t.DocumentView:
        view = self._named(document, self.deleted)
        self.texts[view.document] = self.deleted.pop(view.document)
        return self._listed(view)

    async def document_text(self, document: str) -> t.TextView:
        return self._named(document, self.texts)

    def _named(self, document: str, held: dict[str, t.TextView]) -> t.TextView:
        for view in held.values():
            if document in (view.document, view.document[:8], view.title):
                return view
        raise NotFound(f"there is no document {document!r}; list them: document list")

    async def edit_document(
        self, document: str, text: str, *, base_version: str = "", base_text: str | None = None
    ) -> t.TextView:
        check_text(text)
        now = await self.document_text(document)
        if base_version not in ("", now.version):
            base_text = self.shown.get((now.document, base_version), base_text)
            if base_text is None:
                raise VersionUnknown(f"version {base_version} was never here")
        elif base_version:
            base_text = None
        made = merged(now.text, base_text, text)
        return now if made == now.text else await self._save(now, made)

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
        version = VERSIONS.format(int(view.version, 16) + 1)
        self.shown[view.document, view.version] = view.text
        saved = msgspec.structs.replace(view, text=text, version=version)
        self.texts[view.document] = saved
        self.history.saved(view.document, text)
        self.node.tell(
            t.EventView(event="document", community=self.community, subject=view.document, time=1)
        )
        return saved
