"""What is said of concerns, in one line each: what happened, why it is told, how to have fewer.

Titles, names and reasons are strangers' texts: nothing in them steers a terminal, begins another
line, or looks like an option to a program.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from p2pvalue.notify_types import NotificationKind

PART_CHARS_MAX: Final = 80
GONE: Final = "it counts no more"
_ID_DIGITS: Final = 8  # name a pledge, and a community
_TODO_MAX: Final = 3
_UNSAFE: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))

_ONE: Final[dict[NotificationKind, str]] = {
    "confirm-asked": "{who} says that {much} of “{title}” is done: confirm or dispute it",
    "settle-asked": "{who} disputes {much} of “{title}”: you may settle it",
    "left-owing": "{who} is no longer a member and owes {much} of “{title}”: settle it",
    "handed-over": "{who} asks you to take over {much} of “{title}”",
    "pledge-triggered": "“{title}” came about: your {much} binds you now",
    "pledge-outdated": "“{title}” has other terms now: your {much} counts when you renew it",
    "pledge-disputed": "{who} disputes your {much} of “{title}”",
    "pledge-settled": "{who} settled what you did for “{title}”: {much} counts",
    "due-tomorrow": "“{title}” is to be done by {by}: you promised {much}",
    "need-closing": "“{title}” takes pledges until {by}, and too little is pledged",
    "need-triggered": "“{title}” came about: the pledges to it bind",
    "need-released": "{who} cannot do {much} of “{title}” any more",
    "need-lapsed": "“{title}” did not come about",
    "need-pledged": "{who} pledged {much} to “{title}”",
    "commented": "{who} said to “{title}”",
    "mentioned": "{who} named you in a comment on “{title}”",
    "need-claimed": "{who} says that {much} of “{title}” is done",
    "pledge-lapsed": "your {much} for “{title}” binds you to nothing",
    "pledge-confirmed": "{who} confirmed {much} of yours for “{title}”",
    "thanked": "{who} thanks you",
}
_MANY: Final[dict[NotificationKind, str]] = {
    "confirm-asked": "{count} pledges to “{title}” are said to be done, by {who}: confirm or not",
    "settle-asked": "{count} pledges to “{title}” are disputed, by {who}: you may settle it",
    "handed-over": "you are asked to take over {count} parts of “{title}”, by {who}",
    "left-owing": "{count} pledges to “{title}” bind who is no longer a member, {who}: settle them",
    "pledge-triggered": "“{title}” came about: {count} pledges of yours bind you now",
    "pledge-outdated": "“{title}” has other terms now: {count} pledges of yours wait for you",
    "pledge-disputed": "{count} times somebody disputes what you did for “{title}”: {who}",
    "pledge-settled": "{count} pledges of yours to “{title}” were settled, by {who}",
    "due-tomorrow": "“{title}” is to be done by {by}: you promised {count} parts of it",
    "need-released": "{count} pledges to “{title}” were released, by {who}",
    "need-pledged": "{count} pledges to “{title}”, by {who}",
    "commented": "{count} comments on “{title}”, by {who}",
    "mentioned": "{count} comments on “{title}” name you, by {who}",
    "need-claimed": "{count} pledges to “{title}” are said to be done, by {who}",
    "pledge-lapsed": "{count} pledges of yours to “{title}” bind you to nothing",
    "pledge-confirmed": "{who} confirmed what you did for “{title}”",
    "thanked": "{count} thanks to you, from {who}",
}
ABOUT: Final[dict[NotificationKind, str]] = {
    "confirm-asked": "somebody says it is done, and you are asked to confirm it",
    "settle-asked": "a quarrel that you are asked to settle",
    "left-owing": "who is no longer a member owes something, and you may settle it",
    "handed-over": "somebody asks you to take over what they promised",
    "pledge-triggered": "what you pledged to came about: your word binds",
    "pledge-outdated": "terms changed: your pledge waits until you renew it",
    "pledge-disputed": "somebody disputes what you did",
    "pledge-settled": "a steward settled what you did",
    "due-tomorrow": "what you promised is due within a day",
    "need-closing": "your need ends within a day, and too little is pledged",
    "need-triggered": "your need came about",
    "need-released": "somebody took back a word that bound, for your need",
    "need-lapsed": "your need did not come about",
    "need-pledged": "somebody pledged to your need",
    "commented": "somebody commented on your need",
    "mentioned": "a comment on any need names you, as @Bea",
    "need-claimed": "something is said to be done for your need",
    "pledge-lapsed": "what you pledged to did not come about",
    "pledge-confirmed": "somebody confirmed what you did",
    "thanked": "somebody thanked you",
}
_TODO: Final[dict[NotificationKind, str]] = {
    "confirm-asked": "p2pvalue pledge confirm {pledge}",
    "settle-asked": "p2pvalue pledge settle {pledge} AMOUNT",
    "left-owing": "p2pvalue pledge settle {pledge} AMOUNT",
    "handed-over": "p2pvalue pledge take {pledge}",
    "pledge-outdated": "p2pvalue pledge renew {pledge}",
}
_WHY: Final = {
    "pledged": "because you pledged {much}",
    "asked": "because you asked for it",
    "steward": "because you are a steward of it",
    "confirmer": "because you are asked to confirm what is done for it",
    "stand-in": "because nobody named for it may, and you are near to it",
    "named": "because {who} named you",
    "thanked": "because the words are to you",
}


def text_of(
    kind: NotificationKind,
    title: str,
    names: Sequence[str],
    count: int,
    much: str,
    said: str,
    *,
    by: str,
) -> str:
    """Return what happened, in one line; `names` are some of the people behind `count` things.

    `by` is the time that is near, in words, where it is about one.
    """
    form = _MANY.get(kind, _ONE[kind]) if count > 1 else _ONE[kind]
    told = form.format(
        title=plain(title), who=people(names), count=count, much=plain(much) or "part", by=by
    )
    return f"{told}: {plain(said)}" if said and count == 1 else told


def why_of(because: str, names: Sequence[str], pledges: int, pledged: str) -> str:
    """Return why it is told, in one line; `pledged` is what one of so many pledges offered."""
    mine = f"{pledges} times" if pledges > 1 else plain(pledged) or "to it"
    return _WHY[because].format(much=mine, who=people(names))


def todo_of(kind: NotificationKind, pledges: Sequence[bytes], community: bytes | None) -> str:
    """Return what to type to do what is asked, for three pledges at most; empty if nothing is.

    The community is named unless it is None: of several, whoever types it is asked which.
    """
    form = _TODO.get(kind, "")
    shown = [pledge.hex()[:_ID_DIGITS] for pledge in pledges[:_TODO_MAX]]
    where = "" if community is None else f" -c {community.hex()[:_ID_DIGITS]}"
    return "; ".join(form.format(pledge=pledge) + where for pledge in shown) if form else ""


def fewer_of(kind: NotificationKind, way: str) -> str:
    """Return what to type to be told less of a kind than the way in which it came."""
    return f"p2pvalue notify set {kind} {'digest' if way == 'now' else 'never'}"


def people(names: Sequence[str]) -> str:
    """Return names as one says them: the first three, and that there are more."""
    shown = [plain(name) for name in names[:3]]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and others"
    if len(shown) > 1:
        return f"{', '.join(shown[:-1])} and {shown[-1]}"
    return shown[0] if shown else "somebody"


def plain(text: str) -> str:
    """Return a stranger's text as a short part of one line: nothing in it steers anything."""
    letters = (" " if unicodedata.category(c) in _UNSAFE else c for c in text)
    line = " ".join("".join(letters).split())
    return line if len(line) <= PART_CHARS_MAX else line[: PART_CHARS_MAX - 1] + "…"
