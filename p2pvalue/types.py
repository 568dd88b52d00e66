"""What callers see: plain values in the glossary's words, alike in Python, HTTP and `--json`.

Ids are lower-case hex. Times are milliseconds since 1970 (UTC), as the author's clock gave them.
The HTTP interface sends these values as JSON objects with the same field names.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Rank = Literal["founder", "admin", "member", "guest"]
Read = Literal["public", "members"]
Join = Literal["invite", "open", "request"]
Protection = Literal["none", "passphrase", "keyring"]
LineKind = Literal["hours", "money", "material", "skill"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values; immutable, compared by content."""


class JoinView(Value, frozen=True, kw_only=True):
    """How a join under way goes; `answer` is what the last member who answered said."""

    stage: Literal[
        "off", "starting", "calling", "away", "asked", "refused", "welcomed", "admitted", "words"
    ]
    tries: int = 0
    addresses_tried: int = 0  # in the last try
    members_asked: int = 0
    answer: str = ""
    is_final: bool = False  # True: asking again by this link will not help
    errors: list[str] = []  # of the last try
    last_try_ago_s: float | None = None
    next_try_in_s: float | None = None  # null while a try is under way


class CommunityView(Value, frozen=True, kw_only=True):
    """A community this node takes part in."""

    community: str
    name: str
    description: str = ""
    read: Read
    join: Join
    rank: Rank | None  # what we are in it; None while we are only a reader
    members: int
    device: str
    state: Literal["joining", "active", "removed", "left"]
    waiting_for: str = ""  # what a join waits for, in words
    joining: JoinView | None = None  # the same in numbers, while a join is under way
    peers: list[str] = []
    operations: int = 0
    unshared: int = 0  # operations of ours that no peer has confirmed to hold
    sealed: int = 0  # operations held that wait for the key to read them
    reminders: list[str] = []  # what waits for somebody to decide, and how
    is_used: bool = False  # chosen among several, to be meant where none is named


class DeviceView(Value, frozen=True, kw_only=True):
    """One device of our own in one community."""

    community: str
    device: str
    label: str = ""  # what it called itself when it was linked; known to its person's devices only
    is_this: bool
    state: Literal["live", "revoked", "forked"]  # forked: wrote two histories, put out or not
    added: int  # when its log began
    added_by: str = ""  # the device that brought it in; empty: the person's words did
    last_seen: int  # of its newest operation held here
    brought_in: list[str] = []  # live devices that it certified
    needs_words: bool  # this device alone may not put it out


class DeviceLinkView(Value, frozen=True, kw_only=True):
    """How it stands with bringing in a device: with the code shown here, or the one called."""

    state: Literal["waiting", "linked", "failed", "expired", "cancelled"]
    code: str = ""  # to be given to the older device; only while it is waited for
    seconds_left: int = 0
    name: str = ""  # whose device the other one is
    label: str = ""  # what the other one is called
    communities: list[str] = []  # that both are in now
    message: str = ""


class InviteView(Value, frozen=True, kw_only=True):
    """A link that lets people in; whoever has it may use it.

    `void`: who made it may not invite any more.
    """

    invite: str
    link: str = ""  # told once, to who made it
    rank: Rank
    uses: int  # how many may use it; 0: no limit
    used: int = 0
    member: str = ""  # who made it
    name: str = ""
    time: int = 0
    state: Literal["open", "used-up", "withdrawn", "void"] = "open"
    admitted: list[str] = []  # names of who came in by it


class MemberView(Value, frozen=True, kw_only=True):
    """A member, or somebody who was one: her root key, the name she gives herself, her devices.

    `voided`: who let her in had no right to, as came to light later; nobody removed her.
    """

    member: str
    name: str
    rank: Rank | None  # None for who is no member any more
    devices: list[str]
    is_me: bool
    admitted_by: str = ""  # the name of who let her in; empty for founders
    since: int | None = None  # when she was let in
    state: Literal["member", "removed", "left", "voided"] = "member"
    removed_by: str = ""  # a name; empty when equals voted
    reason: str = ""
    until: int | None = None  # end of the term, if one was set
    skills: list[str] = []  # what she says that she can


class RemovalView(Value, frozen=True, kw_only=True):
    """What the removal of a member would do, and what it would not."""

    member: MemberView
    stay: list[str]  # names of members who came in through her and stay
    invites: list[InviteView]  # of hers, that nobody could use any more
    unseen: bool  # True: nobody is connected, so what she did lately may not have come here


class MadeNeedView(Value, frozen=True, kw_only=True):
    """A need that came of a message, and what it is called."""

    need: str
    title: str


class MessageView(Value, frozen=True, kw_only=True):
    """One chat message, in the order of its channel, and the needs that came of it."""

    message: str  # subject of the message, 32 hex digits
    channel: str
    member: str
    name: str
    text: str
    reply: str = ""
    time: int
    cursor: str  # opaque position for `before` and `after`
    needs: list[MadeNeedView] = []


class DocumentView(Value, frozen=True, kw_only=True):
    """A document without its text."""

    document: str
    title: str
    shape: str
    member: str  # who started it
    name: str
    updates: int
    time: int
    deleted: bool = False


class WithoutEffectView(Value, frozen=True, kw_only=True):
    """Updates of a document by one member that show nothing, all for one reason.

    `waits` is a reason that may pass: what they name is not here yet.
    """

    member: str
    reason: str
    updates: int


class TextView(Value, frozen=True, kw_only=True):
    """A document's text as this node has it; `version` names these operations."""

    document: str
    title: str
    text: str
    version: str
    skipped: int = 0  # updates that break the rules of documents and show nothing
    without_effect: list[WithoutEffectView] = []  # whose, why, and those that wait


class AttachedView(Value, frozen=True, kw_only=True):
    """What one tab of an editor needs to come to a document by y-websocket.

    `client` is the Yjs client id that it must take after its first sync. Its own edits are refused
    if it is `read_only`. `schema` is what the document uses.
    """

    document: str
    url: str
    room: str
    token: str
    session: int
    client: int
    read_only: bool
    schema: int


class BlobView(Value, frozen=True, kw_only=True):
    """A file that a member shares, and whether it is on this node's disk."""

    blob: str
    file: str  # what it is called
    media: str
    bytes: int
    member: str
    name: str
    time: int
    state: Literal["here", "partly", "elsewhere"]


class InviteUseView(Value, frozen=True, kw_only=True):
    """An invite, and the names of those whom its revocation with members would remove."""

    invite: InviteView
    removes: list[str]


class LeaveView(Value, frozen=True, kw_only=True):
    """How far a leave got: others must hear of it before they stop counting on us."""

    community: str
    name: str
    told: bool  # True: some peer holds it, so that all will hear
    wiped: bool = False


class PolicyView(Value, frozen=True, kw_only=True):
    """What the founders decided: how people come in, who may invite, who may write what."""

    read: Read
    join: Join
    invite_rank: Rank  # the weakest rank that may bring people in
    write: dict[str, Rank]  # the weakest rank that may write a kind, by its name
    founder_quorum: int  # votes of founders that remove a founder; 0: none do
    admin_quorum: int


class RequestView(Value, frozen=True, kw_only=True):
    """Somebody who asks to be let in, and what she wrote."""

    request: str
    name: str
    text: str
    time: int  # when it came here


class PeerView(Value, frozen=True, kw_only=True):
    """Another node we are or want to be connected with."""

    peer: str
    is_connected: bool
    communities: list[str]
    addresses: list[str]
    next_dial_in_s: float | None = None
    last_error: str = ""


class StatusView(Value, frozen=True, kw_only=True):
    """How this node is, at a glance."""

    version: str
    data_dir: str
    pid: int
    uptime_s: float
    peer: str
    network: Literal["starting", "up", "off", "restarting"]
    network_detail: dict[str, int | str | list[str]]
    addresses: list[str]
    communities: list[CommunityView]
    peers: int
    rss_bytes: int
    database_bytes: int
    durability: Literal["power-cut", "kill"]
    warnings: list[str]
    protection: Protection  # how the keys are closed on the disk
    state: Literal["running", "locked"] = "running"
    waiting_for: str = ""  # what a locked daemon waits for, in words


class WhoAmIView(Value, frozen=True, kw_only=True):
    """Who we are, to ourselves and in each community."""

    name: str
    peer: str
    devices: dict[str, str]  # community -> device


class CheckView(Value, frozen=True, kw_only=True):
    """One finding of `doctor` or `verify`."""

    check: str
    is_ok: bool
    detail: str


class EventView(Value, frozen=True, kw_only=True):
    """Something changed: what kind, in which community, about which object."""

    event: Literal[
        "message",
        "document",
        "document-differs",
        "need",
        "project",
        "pledge",
        "contribution",
        "thanks",
        "notification",
        "member",
        "request",
        "fork",
        "device",
        "community",
        "profile",
        "blob",
        "peer",
    ]
    community: str
    subject: str
    time: int
    data: dict[str, str | int | None] = {}
