"""Tabs of real editors in one Node process, and people whose daemons they are attached to."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.editors import javascript
from tests.system.person import Person, Refused

_titles = itertools.count(1)


class Tab:
    """One tab; `tab("type", 0, "x")` lets it do what `tabs.mjs` calls `type`."""

    def __init__(self, tabs: Tabs, name: str, attached: dict[str, Any]) -> None:
        self._tabs, self._name = tabs, name
        self.attached = attached

    def __call__(self, what: str, *given: Any) -> Any:
        return self._tabs.ask(self._name, what, *given)


class Tabs:
    """A browser of straw."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._numbers = itertools.count(1)

    def ask(self, *question: Any) -> Any:
        """Return what a tab answers; raises RuntimeError with what went wrong there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        number = next(self._numbers)
        self._process.stdin.write(json.dumps([number, *question]) + "\n")
        self._process.stdin.flush()
        answered, answer = json.loads(self._process.stdout.readline() or "[0, null]")
        if answered != number:
            raise RuntimeError("the process of tabs has ended")
        if isinstance(answer, dict) and "failed" in answer:
            raise RuntimeError(f"{question[:2]}: {answer['failed']}")
        return answer

    def open(self, attached: dict[str, Any], *, wait: bool = True, **options: Any) -> Tab:
        """Open a tab with what an attach gave, and wait until it holds the document."""
        name = f"tab {next(self._numbers)}"
        self.ask(name, "open", attached, options)
        tab = Tab(self, name, attached)
        if wait:
            tab("synced")
        return tab

    def at(self, person: Person, document: str, **options: Any) -> Tab:
        """Attach a new tab to a person's daemon; `editor` is one of `views.mjs`."""
        return self.open(attach(person, document), **options)


def attach(person: Person, document: str, **fields: Any) -> dict[str, Any]:
    """What a tab needs to come to a document."""
    answer: dict[str, Any] = person.ask("POST", f"/documents/{document}/attach", **fields)
    return answer


@contextlib.contextmanager
def browser() -> Iterator[Tabs]:
    """A process for tabs, ended when the block ends."""
    process = subprocess.Popen(
        javascript.command("tabs.mjs"),
        cwd=javascript.HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Tabs(process)
    finally:
        process.kill()
        process.communicate()


def as_shown(person: Person, **said: Any) -> dict[str, Any]:
    """What others see of a tab of somebody's that says so much beside who it is."""
    members = person.ask("GET", "/members")
    (member,) = [view["member"] for view in members if view["name"] == person.name]
    return {"user": {"name": person.name, "member": member}, **said}


# --- documents


def new_document(author: Person, *readers: Person, text: str = "", shape: str = "plain") -> str:
    """The id of a new document that all of these have."""
    made = author.ask("POST", "/documents", title=f"Plan {next(_titles)}", text=text, shape=shape)
    document = str(made["document"])
    for reader in readers:
        until_reads(reader, document, text)
    return document


def until_reads(person: Person, document: str, text: str) -> None:
    """Return when a person's daemon has this text."""
    person.until(lambda: text_of(person, document) == text, f"the text {text!r}")


def text_of(person: Person, document: str) -> str | None:
    try:
        return str(person.ask("GET", f"/documents/{document}")["text"])
    except Refused:
        return None


def updates_of(person: Person, document: str) -> int:
    (count,) = (
        int(view["updates"])
        for view in person.ask("GET", "/documents")
        if view["document"] == document
    )
    return count
