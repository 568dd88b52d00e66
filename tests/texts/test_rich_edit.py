from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pycrdt
import pytest

from p2pvalue.texts.blocks import Element, Run, Words, fingerprint
from p2pvalue.texts.kept_nodes import LETTERS_MAX, NODES_MAX, KeptNodes
from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.markdown_spans import KEPT_SIGN
from p2pvalue.texts.rich_edit import change_to, markdown_of
from p2pvalue.texts.rich_tree import Bursts, insert_nodes, read_tree
from p2pvalue_protocol.documents.update_form import read_update
from tests.documents.edits import edit_anything
from tests.documents.hostile import deliver
from tests.documents.peers import Person, Written
from tests.texts.rich_by_chance import WORDS, blocks_by_chance, markdown_by_chance
from tests.texts.test_markdown import EVERYTHING

HISTORIES = 12
STEPS = 25
NONE: dict[str, Any] = {}


def fragment_of(person: Person) -> pycrdt.XmlFragment:
    fragment = person.roots["prosemirror"]
    assert isinstance(fragment, pycrdt.XmlFragment)
    return fragment


def says(person: Person) -> str:
    return markdown_of(fragment_of(person))


def person_with(text: str) -> Person:
    person = Person(b"ana", "rich")
    change(person, text)
    return person


def change(person: Person, text: str) -> list[Written]:
    """Let somebody save a text; what she wrote, which all verifiers must count."""

    def save(one: Person, _: Random) -> None:
        change_to(one.doc, fragment_of(one), text)

    return person.write(save, Random(1))


def second(first: Person, name: bytes = b"eva") -> Person:
    """Somebody else who has all that the first one has."""
    other = Person(name, "rich")
    for op in first.held.values():
        other.take(op)
    return other


def meet(*people: Person) -> None:
    for one in people:
        for other in people:
            for op in one.held.values():
                if op.op_id not in other.held:
                    other.take(op)
    assert len({person.shown for person in people}) == 1


def test_what_was_imported_is_exported() -> None:
    person = person_with(EVERYTHING)
    assert says(person) == EVERYTHING
    assert change(person, EVERYTHING) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seeds", "seeds 😀"),
        ("日本語", "日本の言語"),
        ("مرحبا", "مرحبا بكم"),
        ("👩‍👩‍👧", "👩‍👧"),
        ("# Plan", "### Plan"),
        ("water", "**water**"),
        ("9) ninth", "7) ninth"),
        ("~~today~~", "today"),
        ("```python", "```rust"),
        ("(https://example.org/a_b ", "(https://example.org/c "),
    ],
)
def test_a_change_of_a_word_writes_that_word_and_no_block(old: str, new: str) -> None:
    person = person_with(EVERYTHING)
    text = EVERYTHING.replace(old, new)
    (op,) = change(person, text)
    assert says(person) == text
    assert len(op.data) < 130
    assert not [struct for struct in read_update(op.data).structs if struct.type_ref >= 0]


def test_others_edits_in_blocks_that_stay_are_kept() -> None:
    ana = person_with("one\n\ntwo words here\n\nthree\n")
    eva = second(ana)
    change(ana, "before\n\ntwo words there\n\nthree\n\nafter\n")
    change(eva, "one\n\ntwo good words here 😀\n\nthree!\n")
    meet(ana, eva)
    assert says(ana) == "before\n\ntwo good words there 😀\n\nthree!\n\nafter\n"


def test_a_mark_and_a_word_at_once_both_stay() -> None:
    ana = person_with("we meet in May\n")
    eva = second(ana)
    change(ana, "we **meet** in May\n")
    change(eva, "we meet in sunny May\n")
    meet(ana, eva)
    assert says(ana) == says(eva) == "we **meet** in sunny May\n"


def test_items_of_a_list_are_changed_one_by_one() -> None:
    ana = person_with("- a b\n- c d\n- e f\n")
    eva = second(ana)
    change(ana, "- a b\n- new\n- c d\n  - under\n- e f\n")
    change(eva, "- a b\n- c d changed\n")
    meet(ana, eva)
    assert says(ana) == "- a b\n- new\n- c d changed\n  - under\n"


# --- what Markdown cannot say


def write_into(person: Person, *blocks: Element) -> None:
    def insert(one: Person, _: Random) -> None:
        bursts = Bursts(one.doc)
        insert_nodes(fragment_of(one), len(fragment_of(one).children), blocks, bursts)
        bursts.end()

    person.write(insert, Random(1))


def words(text: str, **marks: object) -> Words:
    return Words((Run(text, marks),))


def test_a_block_that_is_unknown_stays_while_its_comment_does() -> None:
    person = person_with("above\n")
    callout = Element("callout", {"kind": "tip"}, (Element("box", NONE, (words("Mind -- this"),)),))
    write_into(person, callout, Element("paragraph", NONE, (words("below"),)))
    exported = says(person)
    assert "callout: Mind this -->" in exported
    change(person, exported.replace("above", "new above").replace("below", "new below"))
    assert callout in read_tree(fragment_of(person))
    assert says(person).replace("new ", "") == exported


def test_a_block_that_is_unknown_can_be_moved_and_taken_away() -> None:
    person = person_with("one\n\ntwo\n")
    callout = Element("callout", {"kind": "tip"}, ())
    write_into(person, callout)
    one, two, comment = says(person).split("\n\n")
    change(person, "\n\n".join((comment, one, two)))
    assert read_tree(fragment_of(person))[0] == callout
    change(person, "\n\n".join((one, two)))
    assert callout not in read_tree(fragment_of(person))


def test_a_block_that_is_unknown_comes_back_with_its_comment() -> None:
    person = person_with("one\n")
    callout = Element("callout", {"kind": "tip"}, (Element("box", NONE, (words("Mind"),)),))
    write_into(person, callout)
    exported = says(person)
    change(person, "one\n")
    change(person, exported)
    assert callout in read_tree(fragment_of(person))
    assert says(person) == exported


def test_what_was_shown_longest_ago_is_forgotten_first() -> None:
    shown = KeptNodes()
    blocks = [Element("callout", {"number": number}, ()) for number in range(NODES_MAX + 1)]
    names = [shown.keep(block) for block in [*blocks[:-1], blocks[0], blocks[-1]]]
    assert [shown.get(name) for name in names[:3]] == [blocks[0], None, blocks[2]]
    large = [Element("box", {"number": n, "x": "y" * (LETTERS_MAX // 2)}, ()) for n in range(2)]
    names = [shown.keep(block) for block in large]
    assert [shown.get(name) for name in names] == [None, large[1]]


def test_what_is_unknown_in_a_line_stays_where_it_is() -> None:
    person = Person(b"ana", "rich")
    mention = Element("mention", {"id": 7}, ())
    line = (words("ask "), mention, words(" today", underline=NONE))
    write_into(person, Element("paragraph", {"textAlign": "right"}, line))
    change(person, says(person).replace("today", "today or so").replace("ask", "**ask**"))
    (block,) = read_tree(fragment_of(person))
    assert isinstance(block, Element)
    assert block.attributes == {"textAlign": "right"}
    asked, *rest = block.children
    assert asked == Words((Run("ask", {"bold": NONE}), Run(" ", NONE)))
    assert rest == [mention, words(" today or so", underline=NONE)]


def test_marks_that_are_unknown_go_with_the_words_into_a_block_of_another_kind() -> None:
    person = Person(b"ana", "rich")
    line = Words((Run("Our ", NONE), Run("plan 😀", {"underline": NONE}), Run(" of May", NONE)))
    write_into(person, Element("paragraph", NONE, (line,)))
    change(person, "## Our *new plan* 😀\n")
    assert read_tree(fragment_of(person)) == (
        Element(
            "heading",
            {"level": 2},
            (
                Words(
                    (
                        Run("Our ", NONE),
                        Run("new ", {"italic": NONE}),
                        Run("plan", {"italic": NONE, "underline": NONE}),
                        Run(" 😀", {"underline": NONE}),
                    )
                ),
            ),
        ),
    )


def test_what_is_kept_is_known_by_128_bits() -> None:
    assert len(bytes.fromhex(fingerprint(Element("callout", NONE, ())))) == 16


def test_comments_of_another_document_are_words() -> None:
    person = Person(b"ana", "rich")
    comment = f"<!-- {KEPT_SIGN} {'0123456789abcdef' * 2} callout -->"
    change(person, comment)
    (block,) = read_tree(fragment_of(person))
    assert block == Element("paragraph", NONE, (words(comment),))


def test_paragraphs_without_words_are_not_shown_and_stay() -> None:
    person = person_with("one\n\ntwo\n")
    write_into(person, Element("paragraph", NONE, ()), Element("paragraph", NONE, ()))
    change(person, "one\n\ntwo\n\nthree\n")
    blocks = read_tree(fragment_of(person))
    sizes = [len(block.children) for block in blocks if isinstance(block, Element)]
    assert sizes == [1, 1, 1, 0, 0]


# --- by chance


def edit_by_chance(person: Person, rng: Random) -> None:
    dice = rng.random()
    if dice < 0.5:
        rewrite_by_chance(person, rng)
    elif dice < 0.65:
        place = rng.randint(0, len(fragment_of(person).children))
        bursts = Bursts(person.doc)
        insert_nodes(fragment_of(person), place, blocks_by_chance(rng), bursts)
        bursts.end()
    else:
        edit_anything(person, rng)


def rewrite_by_chance(person: Person, rng: Random) -> None:
    lines = says(person).split("\n")
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(lines) + 1)
        how: Callable[[], list[str]] = rng.choice(
            (list, partial(_some_lines, rng), partial(_changed, lines[at : at + 1], rng))
        )
        lines[at : at + rng.randint(0, 4)] = how()
    text = "\n".join(lines)
    change_to(person.doc, fragment_of(person), text)
    if KEPT_SIGN not in text:
        assert read_markdown(says(person)) == read_markdown(text), text


def _some_lines(rng: Random) -> list[str]:
    return markdown_by_chance(rng).split("\n")


def _changed(lines: list[str], rng: Random) -> list[str]:
    start, end = sorted((rng.randint(0, 40), rng.randint(0, 40)))
    return [line[:start] + rng.choice(("", *WORDS)) + line[end:] for line in lines]


def test_imports_count_for_all_and_all_show_the_same(seed: int) -> None:
    for number in range(HISTORIES):
        rng = Random(seed + number)
        people = [Person(name, "rich") for name in (b"ana", b"eva", b"kim")]
        inboxes: dict[Person, list[Written]] = {person: [] for person in people}
        for _ in range(STEPS):
            one = rng.choice(people)
            if rng.random() < 0.5 and inboxes[one]:
                deliver(one, inboxes[one], rng.randint(1, len(inboxes[one])), rng)
            for op in one.write(edit_by_chance, rng):
                for other in people:
                    inboxes[other] += [op] if other is not one else []
        for person, inbox in inboxes.items():
            deliver(person, inbox, len(inbox), rng)
        assert len({person.shown for person in people}) == 1
        assert len({says(person) for person in people}) == 1
        assert change(people[0], says(people[0])) == []


# --- what is large


def large_text() -> str:
    """500 kB: prose, all that can be marked, one very long word and one much marked line."""
    prose = "We meet in the garden at noon, and whoever comes brings what she has. " * 12
    parts = [f"## Part {number}\n\n{prose.strip()}\n" for number in range(500)]
    marked = " a ".join(["**😀😀**"] * 200)
    return "\n".join([*parts, *[EVERYTHING] * 20, "x" * 40_000, *["", marked] * 12, ""])


def test_a_file_of_500_kb_is_cut_into_updates_that_count() -> None:
    text = large_text()
    assert len(text.encode()) > 500_000
    person = person_with("above\n\nbelow\n")
    ops = change(person, f"above\n\n{text}\nbelow\n")
    assert says(person) == f"above\n\n{text}\nbelow\n"
    assert max(len(op.data) for op in ops) <= 62_000
    ops = change(person, "above\n\nbelow\n")
    assert says(person) == "above\n\nbelow\n"
    assert max(len(op.data) for op in ops) <= 62_000


def test_two_who_paste_much_at_the_same_place_keep_both() -> None:
    ana = person_with("above\n\nbelow\n")
    eva = second(ana)
    pasted = ["\n\n".join(f"{name} {number}" for number in range(300)) for name in ("a", "e")]
    change(ana, f"above\n\n{pasted[0]}\n\nbelow\n")
    change(eva, f"above\n\n{pasted[1]}\n\nbelow\n")
    meet(ana, eva)
    both = {f"above\n\n{one}\n\n{other}\n\nbelow\n" for one, other in (pasted, pasted[::-1])}
    assert says(ana) in both
