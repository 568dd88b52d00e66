from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from p2pvalue.texts import markdown_writing
from p2pvalue.texts.blocks import Element, Node, Run, Words, text_of
from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.markdown_spans import ATTRIBUTE_MAX
from p2pvalue.texts.markdown_writing import joined, write_blocks
from p2pvalue_protocol.errors import LocalProtocolError
from tests.texts.rich_by_chance import MARKS, blocks_by_chance, markdown_by_chance

DOCUMENTS = 300

EVERYTHING = """\
# Plan *of* May

We **meet *soon*** ~~today~~ at `x = 1`, see [the map](https://example.org/a_b "here")\\
or <https://example.org>. ![A tree](blob:00112233445566778899aabbccddeeff "Ours")

- seeds
  - [ ] beans
- water

1. first
2. second

9) ninth

> quoted
>
> - in a quote

---

```python
if x:

    print("`*_")
```

Emoji 😀 👩‍👩‍👧, 日本語, مرحبا and é stay.
"""


def write_markdown(blocks: Sequence[Node]) -> str:
    """A whole document."""
    return joined(write_blocks(blocks))


def paragraph(*runs: tuple[str, dict[str, object]]) -> Element:
    return Element("paragraph", {}, (Words(tuple(Run(*run) for run in runs)),))


def test_what_people_write_is_exported_as_they_wrote_it() -> None:
    assert write_markdown(read_markdown(EVERYTHING)) == EVERYTHING


def test_markdown_becomes_the_elements_that_editors_know() -> None:
    blocks = read_markdown(EVERYTHING)
    assert [block.name for block in blocks] == [
        *("heading", "paragraph", "bulletList", "orderedList", "orderedList", "blockquote"),
        *("horizontalRule", "codeBlock", "paragraph"),
    ]
    assert blocks[0].attributes == {"level": 1}
    assert [block.attributes for block in blocks[3:5]] == [{"start": 1}, {"start": 9}]
    assert blocks[7].attributes == {"language": "python"}
    line = blocks[1].children
    assert [child.name for child in line if isinstance(child, Element)] == ["hardBreak", "image"]
    assert line[0] == Words(
        (
            Run("We ", {}),
            Run("meet ", {"bold": {}}),
            Run("soon", {"bold": {}, "italic": {}}),
            Run(" ", {}),
            Run("today", {"strike": {}}),
            Run(" at ", {}),
            Run("x = 1", {"code": {}}),
            Run(", see ", {}),
            Run("the map", {"link": {"href": "https://example.org/a_b", "title": "here"}}),
        )
    )


def test_what_was_exported_is_read_back_as_the_same_whatever_stands_in_it(rng: Random) -> None:
    for _ in range(DOCUMENTS):
        blocks = blocks_by_chance(rng)
        text = write_markdown(blocks)
        read = read_markdown(text)
        assert write_markdown(read) == text, blocks
        assert read_markdown(write_markdown(read)) == read, blocks
        apart = [read_markdown(block) for block in write_blocks(blocks) if block]
        assert [len(one) for one in apart] == [1] * len(apart), blocks
        assert tuple(one for (one,) in apart) == read, blocks


def test_any_text_at_all_is_a_document_that_stays_as_it_is(rng: Random) -> None:
    for _ in range(DOCUMENTS):
        text = markdown_by_chance(rng)
        read = read_markdown(text)
        assert read_markdown(write_markdown(read)) == read, text


def test_letters_of_a_paragraph_are_all_exported(rng: Random) -> None:
    letters = "a*_`[]()<>&#\\~!|:-+=.'\"{}1é😀日م\u0301"
    for _ in range(DOCUMENTS):
        text = "".join(rng.choices(letters, k=rng.randint(1, 12)))
        marks: dict[str, object] = dict(rng.sample(MARKS[:4], rng.choice((0, 1))))
        (read,) = read_markdown(write_markdown([paragraph((f"x{text}y", marks))]))
        assert read == paragraph((f"x{text}y", marks))


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ((("foo", {}), ("bar.", {"bold": {}}), ("baz", {})), "foo<strong>bar\\.</strong>baz\n"),
        ((("bold ", {"bold": {}}), ("text", {})), "**bold** text\n"),
        ((("a", {"bold": {}}), ("b", {"bold": {}, "italic": {}})), "**a*b***\n"),
        ((("1. no list", {}),), "1\\. no list\n"),
        ((("snake_case and 2 * 3", {}),), "snake_case and 2 \\* 3\n"),
        ((("[ ] to do", {}),), "[ ] to do\n"),
        ((("x", {"bold": {}, "underline": {}}),), "**x**\n"),
    ],
)
def test_marks_are_exported_so_that_they_are_read_as_marks(
    marked: tuple[tuple[str, dict[str, object]], ...], expected: str
) -> None:
    assert write_markdown([paragraph(*marked)]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo", "one two"),
        ("日本\n語", "日本語"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a  \nb", "a\\\nb"),
        ("Title\n=====", "# Title"),
        ("    code", "```\ncode\n```"),
        ("+ a\n+ b", "- a\n- b"),
        ("[a][r]\n\n[r]: https://example.org", "[a](https://example.org)"),
        ("<div>\nx\n</div>", "```html\n<div>\nx\n</div>\n```"),
        ("|a|b|\n|-|:-:|\n|1|2|", "```markdown\n| a | b |\n| --- | :-: |\n| 1 | 2 |\n```"),
        ("[x](javascript:alert)", "[x\\](javascript:alert)"),
        ("\ufeff# Title\r\n\r\nwords\r\n", "# Title\n\nwords"),
        (
            "---\ntitle: Plan\ntags:\n- a\n---\n# Plan",
            "```yaml\ntitle: Plan\ntags:\n- a\n```\n\n# Plan",
        ),
        ("---\n\ntitle: Plan\n\n---", "---\n\ntitle: Plan\n\n---"),
        ("---\ntitle: Plan", "---\n\ntitle: Plan"),
        ("", ""),
    ],
)
def test_other_ways_to_write_it_are_exported_in_one(text: str, expected: str) -> None:
    assert write_markdown(read_markdown(text)) == (expected and expected + "\n")


def test_what_is_deeper_than_documents_can_be_keeps_its_words() -> None:
    text = "".join(f"{'  ' * depth}- word{depth}\n" for depth in range(20))
    read = read_markdown(text)
    assert [f"word{depth}" in text_of(read[0]) for depth in range(20)] == [True] * 20
    assert depth_of(read[0]) <= 24


def depth_of(node: Node) -> int:
    if isinstance(node, Words):
        return 1
    return 1 + max(map(depth_of, node.children), default=0)


def test_text_that_cannot_be_in_a_document_is_refused_in_words() -> None:
    with pytest.raises(LocalProtocolError, match="too deep"):
        read_markdown("> " * 100 + "x")
    with pytest.raises(LocalProtocolError, match="keep an image as a file"):
        read_markdown(f"![x](data:image/png;base64,{'A' * ATTRIBUTE_MAX})")


@pytest.mark.parametrize("sign", ["![", "[", "<![CDATA[", "*a **b ", "`a``", "~~a"])
def test_a_line_of_nothing_but_signs_is_exported_by_reading_none_of_it(
    sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: str) -> None:
        raise AssertionError("readers go through all signs for each")

    block = paragraph((sign * 20_000, {}))
    with monkeypatch.context() as patch:
        patch.setattr(markdown_writing, "read_markdown", read)
        text = write_markdown([block])
    assert "".join(text.split("\\")).rstrip("\n") == (sign * 20_000).rstrip()


@pytest.mark.parametrize("name", ["src", "alt", "title"])
def test_what_is_too_long_to_be_read_back_is_not_exported(name: str) -> None:
    attributes = {"src": "https://example.org/a.png"} | {name: "x" * (ATTRIBUTE_MAX + 1)}
    block = Element("paragraph", {}, (Element("image", attributes, ()),))
    text = write_markdown([block])
    assert len(text) < 200
    assert write_markdown(read_markdown(text)) == text
