"""What a running node offers to callers: the library's public surface, and all that `api` may use.

Every method that changes something returns after the change is durable. A caller's mistake raises a
`P2PValueError` whose message says what to do next. References to a community, document, project,
need or pledge may be a full id, a unique beginning of one (≥ 4 digits), or its exact name or title.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import trio

from p2pvalue import types as t
from p2pvalue.node.documents.history_interface import HistoryInterface
from p2pvalue.node.needs.need_interface import (
    CapacityInterface,
    NeedsInterface,
    OrderInterface,
    PledgesInterface,
)
from p2pvalue.node.needs.project_interface import ProjectsInterface
from p2pvalue.node.notifications.notify_interface import NotificationsInterface
from p2pvalue.node.value.fact_interface import ContributionsInterface, ThanksInterface


class NodeInterface(Protocol):
    """One person's node. All calls belong to the trio event loop that opened it."""

    @property
    def keys(self) -> KeysInterface:
        """The person's keys on this machine, and the words that stand for them."""
        ...

    @property
    def devices(self) -> DevicesInterface:
        """The person's own devices."""
        ...

    @property
    def linking(self) -> LinkingInterface:
        """Bringing in another device of the person's."""
        ...

    @property
    def capacity(self) -> CapacityInterface:
        """What the person promised, beside what she can do."""
        ...

    @property
    def notifications(self) -> NotificationsInterface: ...
    @property
    def editors(self) -> EditorsInterface:
        """Editors that are attached to documents."""
        ...

    def status(self) -> t.StatusView: ...
    def whoami(self) -> t.WhoAmIView: ...
    def doctor(self) -> list[t.CheckView]: ...
    def communities(self) -> list[t.CommunityView]: ...
    def community(self, reference: str | None = None) -> CommunityInterface:
        """Return the community meant, None: the only or chosen one; raises NotFound."""
        ...

    def use_community(self, reference: str) -> list[t.CommunityView]:
        """Choose what is meant where no community is named, empty: none; raises NotFound."""
        ...

    def blobs(self, community: str | None = None) -> BlobsInterface:
        """Return the files shared in the community meant; raises NotFound as `community` does."""
        ...

    async def create_community(
        self,
        name: str,
        *,
        read: t.Read = "members",
        join: t.Join = "invite",
        description: str = "",
        words: str = "",
    ) -> CommunityInterface:
        """Found a community; `words` are needed where this machine does not keep them."""
        ...

    async def join(self, link: str, *, message: str = "", words: str = "") -> CommunityInterface:
        """Start to join and return; the view says `joining` and what it waits for.

        `message` is for who decides, where a person does. `words` are needed where this machine
        does not keep them.
        """
        ...

    async def set_profile(self, name: str) -> None:
        """Set the person's name, now and for communities joined later."""
        ...

    def events(
        self, community: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[t.EventView]]:
        """Open a stream of changes from now on; who falls 10,000 behind is cut off."""
        ...

    def peers(self) -> list[t.PeerView]: ...
    async def add_peer(self, address: str, community: str | None = None) -> t.PeerView: ...
    async def leave(self, community: str | None = None, *, wipe: bool = False) -> t.LeaveView:
        """Leave a community; with `wipe`, all of it goes from this machine."""
        ...

    async def export(
        self,
        target: Path,
        progress: Callable[[int, int], None],
        *,
        community: str | None = None,
        is_forced: bool = False,
    ) -> Path:
        """Write all of one community that can be read here to files; return their folder."""
        ...

    async def backup(self, target: Path, progress: Callable[[int, int], None]) -> None: ...
    async def verify(self, progress: Callable[[int, int], None]) -> list[t.CheckView]: ...
    async def rebuild(self, progress: Callable[[int, int], None]) -> list[t.CheckView]: ...


class BlobsInterface(Protocol):
    """The files that members of a community share, named by name or id.

    `progress` is told bytes done and bytes in all.
    """

    def all(self) -> list[t.BlobView]: ...
    async def add(
        self, path: Path, progress: Callable[[int, int], None], *, name: str = ""
    ) -> t.BlobView:
        """Share a file of up to 64 MiB; ConfigError if it cannot be read."""
        ...

    async def get(
        self,
        reference: str,
        target: Path,
        progress: Callable[[int, int], None],
        *,
        wait_s: float,
    ) -> tuple[t.BlobView, int]:
        """Write a file to a new one, fetching what is missing; and how many peers brought some.

        Raises LocalProtocolError if for `wait_s` seconds nobody had any of what is missing: what
        came is kept, and the next call goes on from there.
        """
        ...

    async def remove(self, reference: str) -> t.BlobView:
        """Take back a file of ours; NotAdmitted for that of another."""
        ...


class DevicesInterface(Protocol):
    """The devices of the node's person, in all her communities."""

    def all(self, community: str | None = None) -> list[t.DeviceView]: ...
    def named(self, reference: str, community: str | None = None) -> list[t.DeviceView]:
        """Return the devices meant, by what they are called or the beginning of an id."""
        ...

    async def revoke(
        self, reference: str, *, community: str | None = None, words: str = ""
    ) -> list[t.DeviceView]:
        """Put a device out wherever the reference names one; NotAdmitted if words are needed."""
        ...

    async def link_of(self, community: str | None) -> str:
        """Return the link that says where a community is, without a secret."""
        ...

    async def recover(self, link: str, *, words: str = "") -> t.CommunityView:
        """Start to come back into a community with the words; the view says what it waits for."""
        ...


class LinkingInterface(Protocol):
    """Bringing in a device: on the new one, which shows a code, and on an older one."""

    async def show_code(self, label: str = "") -> t.DeviceLinkView: ...
    def view(self) -> t.DeviceLinkView:
        """Return how it stands with the code shown last; LocalProtocolError if none was."""
        ...

    def cancel(self) -> t.DeviceLinkView: ...
    async def add(self, text: str) -> t.DeviceLinkView:
        """Make the device that shows this code one of ours; done on return."""
        ...


class KeysInterface(Protocol):
    """The keys of the person on this machine."""

    @property
    def protection(self) -> t.Protection: ...

    def take_words(self) -> list[str]:
        """Return the 24 words, once in a life; raises LocalProtocolError the next time."""
        ...

    def check_words(self, words: str) -> bool:
        """Return whether these are the person's; LocalProtocolError if they are no 24 words."""
        ...

    def forget_words(self) -> None:
        """Remove from this machine what the words stand for."""
        ...

    async def protect(
        self, protection: t.Protection, *, passphrase: str = "", passphrase_before: str = ""
    ) -> None:
        """Close the keys in another way; `passphrase_before` must be right if there is one."""
        ...


class EditorTab(Protocol):
    """One tab of an editor that is connected; its methods raise EditorRefused when it must go."""

    is_done: bool
    """To be set if the tab says that it will not come back."""

    async def take(self, message: bytes) -> None:
        """Take a message of the tab; waits while there is much to do."""
        ...

    async def next_message(self) -> bytes:
        """Wait for the next message to the tab, and return it."""
        ...

    async def run(self) -> None:
        """Do what is due until cancelled."""
        ...


class EditorsInterface(Protocol):
    """Editors in browsers and elsewhere, which speak the y-websocket protocol."""

    @property
    def is_wanted(self) -> trio.Event:
        """Set when somebody must serve tabs."""
        ...

    @property
    def port(self) -> int:
        """The port of this machine at which tabs look for us; 0 if any will do."""
        ...

    def serves_at(self, port: int) -> None:
        """Note that tabs are served there from now on."""
        ...

    def lets_in(self, room: str, token: str, origin: str) -> bool:
        """Return whether a tab of this origin may talk to us at all, if only to be told why not."""
        ...

    def tab(self, room: str, token: str) -> AbstractAsyncContextManager[EditorTab]:
        """Be a tab of a document; raises EditorRefused."""
        ...

    async def attach(
        self, community: str | None, document: str, *, origin: str, schema: int
    ) -> t.AttachedView:
        """Lend a session to a tab of a page of this origin, empty for what is no page."""
        ...

    async def detach(self, community: str | None, document: str, session: int) -> None:
        """Take a session back."""
        ...


class MembersInterface(Protocol):
    """Who is in a community and who was; a member is named by her name or her key."""

    def all(self, *, with_former: bool = False) -> list[t.MemberView]: ...
    def preview(self, reference: str) -> t.RemovalView:
        """Return what a removal would do; raises NotAdmitted where it may not be done."""
        ...

    async def remove(
        self, reference: str, *, reason: str = "", until: int | None = None
    ) -> t.MemberView: ...
    async def set_rank(self, reference: str, rank: t.Rank) -> t.MemberView: ...
    async def vote_out(self, reference: str) -> t.MemberView: ...
    async def readmit(self, reference: str, rank: t.Rank = "member") -> t.MemberView: ...


class InvitesInterface(Protocol):
    """The invites of a community; an invite is named by its id."""

    def all(self) -> list[t.InviteView]: ...
    def use_of(self, reference: str) -> t.InviteUseView: ...
    async def create(self, rank: t.Rank, uses: int) -> t.InviteView: ...
    async def revoke(self, reference: str, *, with_members: bool = False) -> t.InviteView:
        """Take an invite back; with those who came in by it and are weaker than we are."""
        ...


class RequestsInterface(Protocol):
    """Who asks to be let in; a request is named by its name or its key."""

    def all(self) -> list[t.RequestView]: ...
    async def approve(self, reference: str, rank: t.Rank = "member") -> t.RequestView: ...
    async def decline(self, reference: str) -> t.RequestView: ...


class CommunityInterface(Protocol):
    """One community of the node."""

    def view(self) -> t.CommunityView: ...
    def digest(self) -> str:
        """Return the hash of all there is to see: equal on nodes with the same operations."""
        ...

    async def invite(self, *, rank: t.Rank = "member", uses: int = 1) -> t.InviteView: ...
    def members(self) -> list[t.MemberView]: ...
    @property
    def people(self) -> MembersInterface: ...
    @property
    def needs(self) -> NeedsInterface: ...
    @property
    def projects(self) -> ProjectsInterface: ...
    @property
    def pledges(self) -> PledgesInterface: ...
    @property
    def order(self) -> OrderInterface: ...
    @property
    def contributions(self) -> ContributionsInterface: ...
    @property
    def thanks(self) -> ThanksInterface: ...
    @property
    def invites(self) -> InvitesInterface: ...
    @property
    def requests(self) -> RequestsInterface: ...
    @property
    def history(self) -> HistoryInterface: ...
    def policy(self) -> t.PolicyView: ...
    async def set_policy(
        self,
        *,
        join: t.Join | None = None,
        invite_rank: t.Rank | None = None,
        write: Mapping[str, t.Rank] | None = None,
    ) -> t.PolicyView:
        """Change what is given; founders may. `write` is by the names of kinds."""
        ...

    async def post(self, text: str, *, channel: str = "", reply: str = "") -> t.MessageView: ...
    def messages(
        self, *, channel: str = "", limit: int = 50, before: str = "", after: str = ""
    ) -> list[t.MessageView]:
        """Return up to `limit` messages in order: newest, or before or after a cursor."""
        ...

    async def create_document(
        self, title: str, text: str = "", shape: str = "markdown"
    ) -> t.DocumentView: ...
    def documents(self, *, deleted: bool = False) -> list[t.DocumentView]: ...
    async def rename_document(self, document: str, title: str) -> t.DocumentView: ...
    async def delete_document(self, document: str) -> t.DocumentView:
        """Take a document out of sight for all; NotAdmitted unless ours, or we are an admin."""
        ...

    async def undelete_document(self, document: str) -> t.DocumentView:
        """Show a deleted document again, with all that was ever written into it."""
        ...

    async def document_text(self, document: str) -> t.TextView:
        """Return the text as it is here; that of rich text is Markdown."""
        ...

    async def edit_document(
        self, document: str, text: str, *, base_version: str = "", base_text: str | None = None
    ) -> t.TextView:
        """Turn the difference between what the editor saw (`base_text`) and `text` into edits.

        What others wrote meanwhile stays. Without a base, the difference to the current text
        counts. Rich text is edited block by block.
        """
        ...

    async def splice_document(
        self, document: str, edits: list[tuple[int, int, str]], *, session: int = 0
    ) -> t.TextView:
        """Apply `(position, deleted, inserted)` edits, in code points, one after the other.

        In session 0 positions count in the text as it is here. A session from 1 on begins with that
        text and then has its own, so that a caller can type ahead: only its own edits move its
        positions, until an empty list brings in what others wrote. The answer shows that text.
        Rich text has no positions, and is refused.
        """
        ...
