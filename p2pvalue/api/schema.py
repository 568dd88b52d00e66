"""What can be asked: one struct per question, filled from the path, the query and the JSON body.

A field that no struct names is an error, so that a misspelt option is never silently ignored.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from p2pvalue import types as t

Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
"""A full id, a unique beginning of one (at least 4 digits), or an exact name or title."""

Count = Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all questions; without fields when nothing needs to be said."""


class Confidence(Question, frozen=True, kw_only=True):
    """Base of the questions that carry a secret; printed, they show none."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Unlock(Confidence, frozen=True, kw_only=True):
    """The passphrase of the keys."""

    passphrase: str


class Protect(Confidence, frozen=True, kw_only=True):
    """How the keys are closed from now on, and the passphrase that opened them before."""

    protection: t.Protection
    passphrase: str = ""
    passphrase_before: str = ""


class GivenWords(Confidence, frozen=True, kw_only=True):
    """24 words, in one text."""

    words: str


class InCommunity(Question, frozen=True, kw_only=True):
    """A question about one community; without it the only one is meant, or the one chosen."""

    community: Reference | None = None


class SetProfile(Question, frozen=True, kw_only=True):
    """The person's name, in all communities."""

    name: str


class CreateCommunity(Confidence, frozen=True, kw_only=True):
    """A new community: who may read it, and how people come in.

    `words` are needed on a machine that does not keep them.
    """

    name: str
    read: t.Read = "members"
    join: t.Join = "invite"
    description: str = ""
    words: str = ""


class UseCommunity(Question, frozen=True, kw_only=True):
    """The community that is meant from now on where none is named; empty: none is."""

    community: str


class JoinCommunity(Confidence, frozen=True, kw_only=True):
    """A link; `words` are needed on a machine that does not keep them.

    `message` is for who decides, where a person does.
    """

    link: str
    message: str = ""
    words: str = ""


class CreateInvite(InCommunity, frozen=True, kw_only=True):
    """A link for `uses` newcomers, who get `rank`."""

    rank: t.Rank = "member"
    uses: Count = 1


class ListMessages(InCommunity, frozen=True, kw_only=True):
    """The newest messages, or those before or after a cursor."""

    channel: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50
    before: str = ""
    after: str = ""


class PostMessage(InCommunity, frozen=True, kw_only=True):
    """A message; `reply` names the message it answers."""

    text: str
    channel: str = ""
    reply: str = ""


class CreateDocument(InCommunity, frozen=True, kw_only=True):
    """A new document with its first text; `shape` is "markdown", "plain" or "rich"."""

    title: str
    text: str = ""
    shape: str = "markdown"


class ListDocuments(InCommunity, frozen=True, kw_only=True):
    """The documents; with `deleted` those that were deleted instead."""

    deleted: bool = False


class OfDocument(InCommunity, frozen=True, kw_only=True):
    """A question about one document."""

    document: Reference


class RenameDocument(OfDocument, frozen=True, kw_only=True):
    """The document's new title."""

    title: str


class EditDocument(OfDocument, frozen=True, kw_only=True):
    """`base_text` and `base_version` are what the editor saw before it changed the text."""

    text: str
    base_version: str = ""
    base_text: str | None = None


class SpliceDocument(OfDocument, frozen=True, kw_only=True):
    """`session` numbers the editing run, 0 takes a free number; the edits follow in the body."""

    session: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0


class AddPeer(InCommunity, frozen=True, kw_only=True):
    """A node's multiaddress, and the community we want to meet it for."""

    address: str


class Backup(Question, frozen=True, kw_only=True):
    """`target` is an absolute path for the new file."""

    target: str


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """The hash of everything to be seen in a community: equal on nodes with the same operations."""

    community: str
    digest: str


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The 24 words that stand for the person."""

    words: list[str]

    def __repr__(self) -> str:
        return "Words(...)"


class WordsCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether words are those of this node's person."""

    is_hers: bool


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The question was carried out; there is nothing more to say."""

    done: bool = True


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """First line of an editing stream: the text to which the first batch's positions refer."""

    text: str
    version: str


class Spliced(msgspec.Struct, frozen=True, kw_only=True):
    """One line per batch of edits that is now durable.

    `others` turns the caller's text, its batch applied, into the text as it is now: `[[position,
    deleted, text], …]`, what others wrote meanwhile. The next batch's positions refer to that.
    """

    batches: int
    version: str
    others: list[tuple[int, int, str]]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a long task: `done` of `total` steps."""

    done: int
    total: int


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of a long task, with its findings."""

    checks: list[t.CheckView]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Every error: a fixed kebab-case name, and what happened and what to do next."""

    error: str
    message: str
