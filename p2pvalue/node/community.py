"""One community as callers hold it: `CommunityInterface` over the node's context, room by room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from p2pvalue import types as t
from p2pvalue.node.cards import card_of, community_name
from p2pvalue.node.chat import Chat
from p2pvalue.node.context import Context
from p2pvalue.node.documents.document_history import DocumentHistory
from p2pvalue.node.documents.documents import Documents
from p2pvalue.node.documents.open_documents import OpenDocuments
from p2pvalue.node.members.invites import Invites
from p2pvalue.node.members.members import Members
from p2pvalue.node.members.requests import Requests
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.needs.pledges import Pledges
from p2pvalue.node.needs.projects import Projects
from p2pvalue.node.needs.work_order import WorkOrder
from p2pvalue.node.people import JOINS, Names, People
from p2pvalue.node.reminders import reminders
from p2pvalue.node.rules import Rules
from p2pvalue.node.value.contributions import Contributions
from p2pvalue.node.value.thanks import ThanksGiven
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import card, profile


class Community:
    """One community of the node; cheap to make, holds nothing that the store does not."""

    def __init__(self, context: Context, community: bytes, documents: OpenDocuments) -> None:
        self._context = context
        self._community = community
        self._profile = People(context, community)
        self.people = Members(context, community)
        self.invites = Invites(context, community)
        self.requests = Requests(context, community)
        self._rules = Rules(context, community)
        self._chat = Chat(context, community)
        self._documents = Documents(context, community, documents)
        self.history = DocumentHistory(self._documents)
        self.needs = Needs(context, community)
        self.projects = Projects(context, community, self.needs)
        self.pledges = Pledges(context, community, self.needs)
        self.order = WorkOrder(context, community, self.needs)
        self.contributions = Contributions(context, community, self.needs)
        self.thanks = ThanksGiven(context, community, self.needs, self.contributions)

    # --- the community itself

    @property
    def id(self) -> bytes:
        """Its 32-byte id."""
        return self._community

    @property
    def name(self) -> str:
        """What its card calls it, or a name made from its id while the card has not arrived."""
        return community_name(self._context, self._community)

    def view(self) -> t.CommunityView:
        """Return what it is, what we are in it and how it stands."""
        membership = self._context.membership(self._community)
        genesis, policy = membership.genesis, membership.policy()
        is_public = genesis is not None and genesis.read == auth.READ_PUBLIC
        state = card_of(self._context, self._community)
        taking_part = self._context.participation(self._community)
        return t.CommunityView(
            community=self._community.hex(),
            name=self.name,
            description=state.description if state is not None else "",
            read="public" if is_public else "members",
            join=JOINS[policy.join] if policy is not None else "invite",
            rank=self._profile.my_rank(),
            members=len(membership.members()),
            device=self._context.device(self._community).hex(),
            state=taking_part.state,
            waiting_for=taking_part.waiting_for,
            joining=taking_part.joining,
            peers=list(taking_part.peers),
            operations=taking_part.operations,
            unshared=taking_part.unshared,
            sealed=self._context.copy_of(self._community).sealed_count,
            reminders=reminders(self, taking_part.state, self._context.clock_ms()),
        )

    def digest(self) -> str:
        """Return the hash of everything to be seen here; reads all of it."""
        return self._context.store.state_digest(self._community).hex()

    async def describe(self, name: str, description: str = "") -> None:
        """Write the community's card."""
        payload = card.encode_card(name, description)
        await self._context.write(self._community, [Draft(card.NUMBER, b"", payload)])

    # --- people

    async def invite(self, *, rank: t.Rank = "member", uses: int = 1) -> t.InviteView:
        """Return a new invitation; `uses` 0 means no limit."""
        return await self.invites.create(rank, uses)

    def members(self) -> list[t.MemberView]:
        return self.people.all()

    def policy(self) -> t.PolicyView:
        return self._rules.view()

    async def set_policy(
        self,
        *,
        join: t.Join | None = None,
        invite_rank: t.Rank | None = None,
        write: Mapping[str, t.Rank] | None = None,
    ) -> t.PolicyView:
        return await self._rules.change(join=join, invite_rank=invite_rank, write=write)

    def has_my_name(self) -> bool:
        """Return whether we said here what we are called."""
        return self._profile.has_my_name()

    async def set_my_name(self, name: str) -> None:
        """Say what we are called here."""
        await self._profile.set_my_name(name)

    def my_profile(self) -> profile.ProfileState | None:
        """Return what we said here of ourselves."""
        return self._profile.profile()

    async def set_my_offers(
        self, skills: Sequence[str], interests: Sequence[str], hours_per_week: int
    ) -> None:
        """Say what we can and like to do here."""
        me = self._context.root(self._community)
        name = Names(self._context, self._community).of(me)
        await self._profile.set_my_offers(name, skills, interests, hours_per_week)

    # --- chat

    async def post(self, text: str, *, channel: str = "", reply: str = "") -> t.MessageView:
        return await self._chat.post(text, channel=channel, reply=reply)

    def messages(
        self, *, channel: str = "", limit: int = 50, before: str = "", after: str = ""
    ) -> list[t.MessageView]:
        return self._chat.messages(channel=channel, limit=limit, before=before, after=after)

    # --- documents

    async def create_document(
        self, title: str, text: str = "", shape: str = "markdown"
    ) -> t.DocumentView:
        return await self._documents.create(title, text, shape)

    def documents(self, *, deleted: bool = False) -> list[t.DocumentView]:
        return self._documents.list.all(removed=deleted)

    async def rename_document(self, document: str, title: str) -> t.DocumentView:
        return await self._documents.list.rename(document, title)

    async def delete_document(self, document: str) -> t.DocumentView:
        return await self._documents.list.remove(document)

    async def undelete_document(self, document: str) -> t.DocumentView:
        return await self._documents.list.bring_back(document)

    async def document_text(self, document: str) -> t.TextView:
        return await self._documents.text(document)

    async def edit_document(
        self, document: str, text: str, *, base_version: str = "", base_text: str | None = None
    ) -> t.TextView:
        return await self._documents.rewrite(
            document, text, base_version=base_version, base_text=base_text
        )

    async def splice_document(
        self, document: str, edits: list[tuple[int, int, str]], *, session: int = 0
    ) -> t.TextView:
        return await self._documents.splice(document, edits, session=session)
