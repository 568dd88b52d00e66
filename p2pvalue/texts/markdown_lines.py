"""What stands in a line of a rich document, as Markdown that is read back as the same.

First it is written as people write it. If that is read otherwise (a bold part of a word, a star
among letters), it is written once more with each sign escaped and with tags for marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from p2pvalue.texts import schema
from p2pvalue.texts.blocks import Attributes, Element, Node, Run, Words
from p2pvalue.texts.markdown_spans import BREAK_TAG, TAGS, tag_for
from p2pvalue.texts.said import is_said_in_line

_SIGN = r"[!-/:-@\[-`{-~]"
_ANY_SIGN = re.compile(f"({_SIGN})")
_MEANT = re.compile(
    rf"\\(?={_SIGN}|$)|[*`]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=#?\w+;)|~~|\](?=\()"
)
_MEANT_AT_START = re.compile(r"#{1,6}(?=\s|$)|[-+](?=\s|$)|>|=+\s*$|--+\s*$|\d{1,9}(?=[.)](\s|$))")
_SIGNS = re.compile(r"[\\*_`\[\]<&~!]")
_SIGNS_TRIED_MAX: Final = 1_000  # each may make readers go through all others
_INNOCENT = re.compile(r"[^\W\d_][^\\*_`\[\]<>&~#|\x00-\x1f\x7f]*")
_PLAIN_TARGET = re.compile(r"[^\s()<>\\&\x00-\x1f\x7f]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>\\&\x00-\x1f\x7f]*")
_ORDER: Final = (schema.LINK, schema.BOLD, schema.ITALIC, schema.STRIKE)
_MARKED_BY: Final = {schema.BOLD: "**", schema.ITALIC: "*", schema.STRIKE: "~~"}


class _Style(NamedTuple):
    """One way to write: how letters stand, and what opens and closes marks."""

    escaped: Callable[[str], str]
    opening: dict[str, str]
    closing: dict[str, str]


_AS_PEOPLE_DO: Final = _Style(
    lambda text: _MEANT.sub(lambda found: "\\" + "\\".join(found[0]), text), _MARKED_BY, _MARKED_BY
)
_SAFELY: Final = _Style(
    lambda text: _ANY_SIGN.sub(r"\\\1", text),
    {mark: f"<{tag}>" for mark, tag in TAGS.items()},
    {mark: f"</{tag}>" for mark, tag in TAGS.items()},
)


def write_line(
    said: Sequence[Node], *, is_one_line: bool, is_read_back: Callable[[str], bool]
) -> str:
    """Return what `said_in_line` gave as Markdown; breaks are tags where it must be one line.

    `is_read_back` says whether a way to write it is read as the same.
    """
    if all(isinstance(node, Words) and _is_innocent(node) for node in said):
        return "".join(node.text for node in said if isinstance(node, Words))
    written = _Line(_AS_PEOPLE_DO, is_one_line=is_one_line).write(said)
    if len(_SIGNS.findall(written)) <= _SIGNS_TRIED_MAX and is_read_back(written):
        return written
    return _Line(_SAFELY, is_one_line=is_one_line).write(said)


def _is_innocent(node: Words) -> bool:
    return not any(run.marks for run in node.runs) and bool(_INNOCENT.fullmatch(node.text))


class _Line:
    """A line while it is written, and the marks that are open in it."""

    def __init__(self, style: _Style, *, is_one_line: bool) -> None:
        self._style = style
        self._is_one_line = is_one_line
        self._out: list[str] = []
        self._open: list[tuple[str, Attributes]] = []

    def write(self, said: Sequence[Node]) -> str:
        for number, node in enumerate(said):
            if isinstance(node, Words):
                self._words(node)
            else:
                is_inside = 0 < number < len(said) - 1
                self._out.append(self._element(node, is_inside=is_inside))
        return "".join(self._out)

    def _element(self, element: Element, *, is_inside: bool) -> str:
        if not is_said_in_line(element):
            return tag_for(element)
        if element.name == schema.IMAGE:
            alt = _ANY_SIGN.sub(r"\\\1", str(element.attributes.get("alt", "")))
            return f"![{alt}]({_target(element.attributes, 'src')})"
        is_line_end = is_inside and not self._is_one_line and self._out[-1][-1:] not in ("\n", ">")
        return "\\\n" if is_line_end else BREAK_TAG

    def _words(self, node: Words) -> None:
        for number, run in enumerate(node.runs):
            self._marks(node.runs[number:])
            if schema.CODE in run.marks:
                self._out.append(_code(run.text))
            elif self._is_address(run):
                self._out.append(f"<{run.text}>")
            else:
                self._out.append(self._text(run.text))
        self._close(0)

    def _text(self, text: str) -> str:
        escaped = self._style.escaped(text)
        if self._style is _AS_PEOPLE_DO:
            if not self._out or self._out[-1][-1:] == "\n":
                found = _MEANT_AT_START.match(escaped)
                if found is not None:
                    at = found.end() if found[0].isdigit() else 0
                    escaped = f"{escaped[:at]}\\{escaped[at:]}"
            if any(name == schema.LINK for name, _ in self._open):
                escaped = re.sub(r"(?<!\\)([\[\]])", r"\\\1", escaped)
        return escaped

    # --- marks

    def _marks(self, runs: Sequence[Run]) -> None:
        """Close and open marks for the first of some runs; what lasts longest is outermost."""
        marks = {} if self._is_address(runs[0]) else runs[0].marks
        kept = 0
        while kept < len(self._open) and self._open[kept] in marks.items():
            kept += 1
        self._close(kept)
        begun = [name for name in _ORDER if name in marks and (name, marks[name]) not in self._open]
        for name in sorted(begun, key=lambda name: -_lasts(name, runs)):
            self._open.append((name, marks[name]))
            self._out.append("[" if name == schema.LINK else self._style.opening[name])

    def _close(self, kept: int) -> None:
        while len(self._open) > kept:
            name, attributes = self._open.pop()
            is_link = name == schema.LINK
            end = f"]({_target(attributes, 'href')})" if is_link else self._style.closing[name]
            self._out.append(end)

    def _is_address(self, run: Run) -> bool:
        """Whether a run is nothing but a link that shows its own address."""
        return (
            self._style is _AS_PEOPLE_DO
            and dict(run.marks) == {schema.LINK: {"href": run.text}}
            and _URI.fullmatch(run.text) is not None
        )


def _lasts(name: str, runs: Sequence[Run]) -> int:
    count = 0
    while count < len(runs) and runs[count].marks.get(name) == runs[0].marks[name]:
        count += 1
    return count


def _target(attributes: Attributes, name: str) -> str:
    """Return an address and its title, as they stand between round brackets."""
    address = str(attributes.get(name, ""))
    if not _PLAIN_TARGET.fullmatch(address):
        address = f"<{_escaped_in(address, '<>')}>"
    title = attributes.get("title")
    return address if not title else f'{address} "{_escaped_in(str(title), chr(34))}"'


def _escaped_in(text: str, signs: str) -> str:
    return re.sub(rf"([\\&{signs}])", r"\\\1", text)


def _code(text: str) -> str:
    """Return a span of code: its fence is longer than any row of backticks in it."""
    fence = "`"
    while re.search(rf"(?<!`){fence}(?!`)", text):
        fence += "`"
    is_padded = text.strip(" ") and (text[0] in " `" or text[-1] in " `")
    return f"{fence} {text} {fence}" if is_padded else f"{fence}{text}{fence}"
