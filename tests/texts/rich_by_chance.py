"""Rich documents and Markdown made by chance: what people write, and what no person would."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from p2pvalue.texts.blocks import Element, Node, Run, words

WORDS = (
    *(
        "tree",
        "garden",
        "We",
        "a",
        "x1",
        "é",
        "😀",
        "👩‍👩‍👧",
        "日本",
        "語",
        "مرحبا",
        "\u0301",
        "ß",
        "42",
    ),
    *("*", "**", "_", "`", "``", "[", "](", ")", "![", "<", "<b>", ">", "&", "&amp;", "\\", "~~"),
    *("#", "-", "+", "1.", "2)", "---", "===", "|", ":", "!", "snake_case", "a*b*c", "[x]: y"),
    *("https://example.org", "<!--", "-->", "\t", "  ", "\u00a0", "{", "'", '"'),
)
MARKS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("bold", {}), ("italic", {}), ("strike", {}), ("code", {}), ("underline", {})),
    ("link", {"href": "https://example.org/a_b?x=1&amp=2"}),
    ("link", {"href": "a (b) <c>", "title": 'say "it" \\'}),
)
_SIGNS = ("- ", "* ", "1. ", "7) ", "> ", "# ", "###### ", "    ", "```\n", "~~~ py\n", "", "", "")
_ENDS = ("\n", "\n", "\n\n", "\n\n", "\\\n", "  \n", "\n---\n", "\n===\n", "\n> ", "\n  ")


def blocks_by_chance(rng: Random, depth: int = 0) -> tuple[Element, ...]:
    """Some blocks, in each other, as an editor could leave them."""
    return tuple(_block(rng, depth) for _ in range(rng.choice((0, 1, 1, 2, 3))))


def _block(rng: Random, depth: int) -> Element:
    kinds = ["paragraph", "paragraph", "heading", "codeBlock", "horizontalRule", "callout"]
    kinds += [] if depth > 2 else ["bulletList", "orderedList", "blockquote"] * 2
    name = rng.choice(kinds)
    match name:
        case "paragraph":
            return Element(name, rng.choice(({}, {}, {"textAlign": "right"})), _line(rng))
        case "heading":
            return Element(name, {"level": rng.randint(1, 6)}, _line(rng))
        case "codeBlock":
            language = rng.choice(({}, {"language": "py"}, {"language": "a `b` &amp;"}))
            text = rng.choice(("\n", " ")).join(rng.choices(WORDS, k=rng.randint(0, 4)))
            return Element(name, language, _words([Run(text, {})]))
        case "horizontalRule":
            return Element(name, {}, ())
        case "bulletList" | "orderedList":
            start = {"start": rng.choice((0, 1, 9))} if name == "orderedList" else {}
            items = [
                Element("listItem", {}, (_paragraph(rng), *blocks_by_chance(rng, depth + 1)))
                for _ in range(rng.randint(1, 3))
            ]
            return Element(name, start, tuple(items))
    return Element(name, {}, blocks_by_chance(rng, depth + 1))


def _paragraph(rng: Random) -> Element:
    return Element("paragraph", {}, _line(rng))


def _line(rng: Random) -> tuple[Node, ...]:
    found: list[Node] = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        dice = rng.random()
        if dice < 0.15:
            found.append(Element("hardBreak", {}, ()))
        elif dice < 0.25:
            found.append(
                Element("image", {"src": "blob:" + "a" * 32, "alt": rng.choice(WORDS)}, ())
            )
        elif dice < 0.3:
            found.append(Element("mention", {"id": 7}, ()))
        else:
            found += _words([_run(rng) for _ in range(rng.randint(1, 4))])
    return tuple(found)


def _run(rng: Random) -> Run:
    text = rng.choice((" ", "")).join(rng.choices(WORDS, k=rng.randint(1, 3)))
    text = rng.choice(("", "", " ")) + text + rng.choice(("", "", " "))
    return Run(text, dict(rng.sample(MARKS, rng.choice((0, 0, 1, 1, 2)))))


def _words(runs: Sequence[Run]) -> tuple[Node, ...]:
    found = words(runs)
    return (found,) if found.runs else ()


def markdown_by_chance(rng: Random) -> str:
    """Text that is mostly no good Markdown."""
    lines = []
    for _ in range(rng.randint(1, 6)):
        sign = "".join(rng.choices(_SIGNS, k=rng.choice((1, 1, 2, 3))))
        text = rng.choice((" ", "")).join(rng.choices(WORDS, k=rng.randint(0, 5)))
        lines.append(sign + text + rng.choice(_ENDS))
    return "".join(lines)
