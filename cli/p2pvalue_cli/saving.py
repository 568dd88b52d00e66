"""Saving the text of a document: what it is a change of, what it may not take away, and Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click

from p2pvalue.amounts import counted
from p2pvalue_cli import bases, connection, drafts
from p2pvalue_cli.bases import Base
from p2pvalue_cli.command import command_line, data_dir
from p2pvalue_cli.failures import Failed
from p2pvalue_cli.output import one_line
from p2pvalue_cli.reading import STDIN, text_from
from p2pvalue_cli.writing import AS_SHOWN

UNKNOWN = "version-unknown"
WAYS_ON = (
    "Name the version that it was made from with --base (p2pvalue document history lists them), or"
    " make this the whole text with --replace"
)


def save_text(path: str, base: Base, text: str, title: str, community: str | None) -> Any:
    """Bring what differs between a base and a text into a document; return it as it is then."""
    with seen_through(title, community):
        return connection.put(
            path,
            text=text,
            base_text=base.text,
            base_version=base.version or None,
            community=community,
        )


@dataclass(frozen=True)
class Wish:
    """How the text of a file is to be taken: as options of `document edit` say it."""

    version: str | None = None
    replaces: bool = False
    empties: bool = False

    def options(self) -> list[str]:
        """The wish as it is typed."""
        version = [] if self.version is None else ["--base", self.version]
        flags = [("--replace", self.replaces), ("--empty", self.empties)]
        return [*version, *(name for name, is_given in flags if is_given)]


def save_file(
    reference: str, source: str, community: str | None, wish: Wish
) -> tuple[dict[str, Any], bool]:
    """Save the text of a file; return the document, and whether that changed it.

    What the file was made from is the version named, or known since we wrote it. Raises Failed if
    neither is, and saving it would take words away.
    """
    text = text_from(source)
    path = f"/documents/{connection.quoted(reference)}"

    def save(draft: Path) -> str:
        words = ["document", "edit", reference, "--from", str(draft), *wish.options()]
        return command_line(words, community)

    with drafts.kept_if_failed(text, reference, data_dir(), save=save, source=source):
        now = connection.get(path, community=community)
        if text == now["text"]:
            keep_base(source, text, now)
            return now, False
        refuse_empty(now, text, empties=wish.empties)
        base = _base_of(source, text, now, community, wish)
        try:
            saved = save_text(path, base, text, now["title"], community)
        except Failed as failure:
            raise _with_ways_on(failure, source) from failure
    keep_base(source, text, saved)
    return saved, saved["version"] != now["version"]


def _base_of(
    source: str, text: str, now: dict[str, Any], community: str | None, wish: Wish
) -> Base:
    as_it_is = Base(now["document"], now["version"], now["text"])
    if wish.replaces:
        return as_it_is
    if wish.version is not None:
        return _named(now["document"], wish.version, community)
    base = None if source == STDIN else bases.known(Path(source), data_dir())
    if base is not None and base.document == now["document"]:
        return base
    if text.strip():
        _refuse_to_take_away(source, now, text)
    return as_it_is


def _with_ways_on(failure: Failed, source: str) -> Failed:
    if failure.name != UNKNOWN:
        return failure
    return Failed(
        f"nothing saved: the text cannot be made again as it was when {_what(source)} was made."
        f" {WAYS_ON}",
        name=UNKNOWN,
    )


def keep_base(source: str, text: str, saved: dict[str, Any]) -> None:
    """Remember what a file that was saved is a text of; a draft has done its work."""
    folder = data_dir()
    if source == STDIN:
        return
    file = Path(source)
    if drafts.is_draft(source, folder):
        drafts.forget(file, folder)
        return
    digest = bases.digest_of(text.encode())
    if saved["text"] == text:
        base = Base(saved["document"], saved["version"], digest=digest)
    else:
        base = Base(saved["document"], text=text, digest=digest)
    bases.remember(file, base, folder)


def refuse_empty(now: dict[str, Any], text: str, *, empties: bool) -> None:
    """Raise Failed if a text would empty a document, and nobody said that it shall."""
    if not empties and not text.strip() and now["text"].strip():
        raise Failed(
            f'the new text is empty; nothing saved. To empty "{now["title"]}", add --empty'
        )


@contextlib.contextmanager
def seen_through(title: str, community: str | None) -> Iterator[None]:
    """Go on saving at the first Ctrl-C, for the daemon would; the second one raises Failed."""
    presses = 0

    def pressed(_: int, __: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            click.echo("still saving; Ctrl-C again leaves without an answer", err=True)
            return
        look = command_line(["document", "history", title], community)
        raise Failed(f"left while saving: it may be saved or not. Look first, with: {look}")

    before = signal.signal(signal.SIGINT, pressed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _named(document: str, version: str, community: str | None) -> Base:
    if AS_SHOWN.fullmatch(version):
        return Base(document, version)
    then = connection.get(f"/versions/{document}", version=version, community=community)
    return Base(document, text=then["text"])


def _refuse_to_take_away(source: str, now: dict[str, Any], text: str) -> None:
    from p2pvalue.texts.difference import edits_between

    letters = _letters_gone(now["text"], edits_between(now["text"], text))
    if not letters:
        return
    title = one_line(now["title"])
    raise Failed(
        f'nothing saved: from which version of "{title}" {_what(source)} was made is not known, and'
        f" it would take away {counted(letters, 'letter')} of the text as it is now. {WAYS_ON}"
    )


def _what(source: str) -> str:
    return "what came on standard input" if source == STDIN else source


def _letters_gone(text: str, edits: list[Any]) -> int:
    gone = moved = 0
    for position, deleted, inserted in edits:
        start = position - moved
        gone += len("".join(text[start : start + deleted].split()))
        moved += len(inserted) - deleted
    return gone
