"""Each thing once, in bounds, in one harmless line, whatever strangers write."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue.node.notifications import notified
from p2pvalue.node.notifications.concern_words import ABOUT, PART_CHARS_MAX, people, plain, text_of
from p2pvalue.node.notifications.concerns import Concern, key_of
from p2pvalue.node.notifications.notified import (
    AT_ONCE_MAX,
    HOUR_MS,
    KNOWN_MAX,
    NOTIFICATIONS_MAX,
    About,
    Kept,
    Notification,
    take,
    take_back,
)
from p2pvalue.node.notifications.notify_rules import Mute, Rules, Way, default_rule, next_digest_ms
from p2pvalue.notify_types import NotificationKind

ROOF = About(b"r" * 16, "Roof")
NOW = 1_800_000_000_000


def pledged(number: int, *, time: int = NOW, by: bytes = b"m" * 32) -> Concern:
    key = key_of("need-pledged", number.to_bytes(4, "big"))
    return Concern("need-pledged", key, "asked", time, by, ("hours", "minute", 60))


def taken(
    kept: Kept, found: list[Concern], *, way: Way = "now", now: int = NOW, about: About = ROOF
) -> list[Notification]:
    return take(kept, about, found, lambda member: member[:1].decode(), lambda kind: way, now)[1]


@given(
    st.lists(st.sets(st.integers(0, 8)), max_size=8),
    st.sampled_from(["now", "digest", "muted", "never"]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100)
def test_each_thing_counts_once_whatever_comes_when(
    looks: list[set[int]], way: Way, dice: random.Random
) -> None:
    kept = Kept(since=0)
    shown = []
    for now, numbers in enumerate(looks, NOW):
        found = [pledged(number) for number in numbers]
        dice.shuffle(found)
        shown += taken(kept, found, way=way, now=now)
    seen = set().union(*looks)
    assert set(kept.known) == {pledged(number).key for number in seen}
    assert sum(item.count for item in kept.items) == (0 if way == "never" else len(seen))
    assert len({id(item) for item in shown}) == len(shown) <= (AT_ONCE_MAX if way == "now" else 0)


def test_a_burst_is_one_and_what_comes_an_hour_later_is_told_again() -> None:
    kept = Kept(since=0)
    [first] = taken(kept, [pledged(1), pledged(2)])
    assert taken(kept, [pledged(n) for n in (1, 2, 3)], now=NOW + HOUR_MS - 1) == []
    assert first.count == 3
    [second] = taken(kept, [pledged(n) for n in range(5)], now=NOW + HOUR_MS)
    assert second.count == 2


def test_a_claim_that_is_corrected_is_one_pledge_of_the_newest_amount() -> None:
    kept = Kept(since=0)

    def claimed(number: int, minutes: int, *, pledge: bytes) -> Concern:
        key = key_of("confirm-asked", number.to_bytes(4, "big"))
        amount = ("hours", "minute", minutes)
        given = {"said": "at last", "pledge": pledge}
        return Concern("confirm-asked", key, "asked", NOW + number, b"m" * 32, amount, **given)  # type: ignore[arg-type]  # by name

    first, corrected = claimed(1, 90, pledge=b"p" * 16), claimed(2, 60, pledge=b"p" * 16)
    [item] = taken(kept, [first, corrected])
    assert item.text == "m says that 1h of “Roof” is done: confirm or dispute it"
    late = Kept(since=0)
    [item] = taken(late, [corrected, first])
    assert item.text == "m says that 1h of “Roof” is done: confirm or dispute it"
    taken(kept, [first, corrected, claimed(3, 30, pledge=b"q" * 16)])
    [item] = kept.items
    assert item.text == "2 pledges to “Roof” are said to be done, by m: confirm or not"


def test_what_was_read_is_not_added_to() -> None:
    kept = Kept(since=0)
    [first] = taken(kept, [pledged(1)])
    first.is_read = True
    [second] = taken(kept, [pledged(1), pledged(2)])
    assert (first.count, second.count) == (1, 1)


def test_both_lists_are_bounded_and_what_went_from_them_is_no_news() -> None:
    kept = Kept(since=0)
    many = [pledged(number, time=NOW - KNOWN_MAX - 50 + number) for number in range(KNOWN_MAX + 50)]
    taken(kept, many, way="digest")
    assert KNOWN_MAX // 2 < len(kept.known) <= KNOWN_MAX
    [item] = kept.items
    assert item.count == KNOWN_MAX + 50
    taken(kept, many, way="digest")
    assert item.count == KNOWN_MAX + 50
    for number in range(NOTIFICATIONS_MAX + 5):
        about = About(number.to_bytes(16, "big"), "Roof")
        taken(kept, [pledged(KNOWN_MAX + 100 + number)], about=about, way="digest")
    assert len(kept.items) == NOTIFICATIONS_MAX


def test_who_does_very_much_makes_nobody_else_unheard() -> None:
    kept = Kept(since=0)
    taken(kept, [pledged(0, by=b"h" * 32, time=NOW - 10)], way="digest")
    flood = [pledged(number, by=b"f" * 32) for number in range(1, KNOWN_MAX + 100)]
    taken(kept, flood, way="digest")
    assert len(kept.known) <= KNOWN_MAX
    [item] = kept.items
    taken(kept, [pledged(0, by=b"h" * 32, time=NOW - 10), *flood], way="digest")
    assert item.count == KNOWN_MAX + 100, "each thing counted once"
    late = [pledged(10**6, by=b"h" * 32, time=NOW - 20), pledged(10**6 + 1, by=b"f" * 32)]
    taken(kept, late, way="digest")
    assert item.count == KNOWN_MAX + 101, "the honest one is heard, and no more of the flood"
    taken(kept, [pledged(10**6 + 2, by=b"f" * 32, time=NOW + 1)], way="digest")
    assert item.count == KNOWN_MAX + 102


def test_places_are_shared_by_all_who_do_much() -> None:
    kept = Kept(since=0)
    for who, count in ((b"a", 2_400), (b"b", 2_400), (b"c", 201)):
        start = 10_000 * who[0]
        found = [pledged(n, by=who * 32, time=NOW + n) for n in range(start, start + count)]
        taken(kept, found, way="digest")
    counts = Counter(kept.authors.values())
    assert counts == {b"a" * 8: 2_149, b"b" * 8: 2_149, b"c" * 8: 201}
    assert kept.known.keys() == kept.authors.keys()
    assert kept.forgotten.keys() == {b"a" * 8, b"b" * 8}


def test_what_is_read_goes_before_what_is_not() -> None:
    kept = Kept(since=0)
    for number in range(NOTIFICATIONS_MAX):
        about = About(number.to_bytes(16, "big"), "Roof")
        taken(kept, [pledged(number)], about=about, way="digest")
    kept.items[7].is_read = True
    gone = kept.items[7].key
    taken(kept, [pledged(NOTIFICATIONS_MAX)], way="digest")
    assert gone not in {item.key for item in kept.items}
    assert len(kept.items) == NOTIFICATIONS_MAX


def test_what_asks_for_something_at_once_is_not_pushed_out_by_what_waits_for_the_digest() -> None:
    """Anybody can make 200 needs that name us, and pledge to each."""
    kept = Kept(since=0)
    taken(kept, [pledged(0)], way="now")
    for number in range(1, NOTIFICATIONS_MAX + 5):
        about = About(number.to_bytes(16, "big"), "Roof")
        taken(kept, [pledged(number)], about=about, way="digest")
    assert len(kept.items) == NOTIFICATIONS_MAX
    assert kept.items[0].way == "now"


@given(st.text(), st.text(), st.text())
@settings(max_examples=200)
def test_whatever_strangers_write_is_one_short_line(title: str, name: str, said: str) -> None:
    text = text_of("pledge-disputed", title, [name], 1, "1h", said, by="")
    assert len(text) <= 4 * PART_CHARS_MAX
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def test_braces_in_a_title_ask_for_nothing() -> None:
    text = text_of("need-lapsed", "{who} {0} {title.__class__}", [], 1, "", "", by="")
    assert text == "“{who} {0} {title.__class__}” did not come about"


def test_names_are_said_as_people_do() -> None:
    assert people([]) == "somebody"
    assert people(["Ana"]) == "Ana"
    assert people(["Ana", "Ben", "Cleo"]) == "Ana, Ben and Cleo"
    assert people(["Ana", "Ben", "Cleo", "Dan"]) == "Ana, Ben, Cleo and others"
    assert plain("a\x1b[2J\u202eb\n c") == "a [2J b c"
    assert len(plain("x" * 500)) == PART_CHARS_MAX


def test_a_mute_ends_in_time_and_never_stays_never() -> None:
    need, community = b"n" * 16, b"c" * 32
    rules = Rules().with_mute(Mute("need", need, community, until=NOW), NOW - 1)
    assert rules.way("confirm-asked", community, need, b"", NOW - 1) == "muted"
    assert rules.way("confirm-asked", community, need, b"", NOW) == "now"
    assert rules.way("confirm-asked", community, b"o" * 16, b"", NOW - 1) == "now"
    silent = rules.with_rule("confirm-asked", "never", b"")
    assert silent.way("confirm-asked", community, need, b"", NOW - 1) == "never"


def test_a_muted_project_mutes_its_needs() -> None:
    project, community = b"p" * 16, b"c" * 32
    rules = Rules().with_mute(Mute("project", project, community), NOW)
    assert rules.way("confirm-asked", community, b"n" * 16, project, NOW) == "muted"
    assert rules.way("confirm-asked", community, b"n" * 16, b"", NOW) == "now"
    assert rules.way("confirm-asked", b"d" * 32, b"n" * 16, project, NOW) == "now"


def test_the_page_about_it_lists_every_kind_and_its_default() -> None:
    page = Path(__file__).parents[2] / "docs" / "notifications.md"
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", page.read_text("utf-8"), flags=re.M)
    assert sorted(rows) == sorted((kind, ABOUT[kind], default_rule(kind)) for kind in ABOUT)


@given(st.integers(NOW, NOW + 10**11), st.integers(0, 23))
@settings(max_examples=50)
def test_the_next_digest_is_within_about_a_day(after_ms: int, hour: int) -> None:
    due = next_digest_ms(after_ms, hour)
    assert after_ms < due <= after_ms + 26 * HOUR_MS  # a clock may be put back that day


def of_mine(number: int, kind: NotificationKind = "pledge-confirmed") -> Concern:
    """One of several things about one pledge of four hours."""
    key = key_of(kind, number.to_bytes(4, "big"))
    by, three, four = bytes([97 + number]) * 32, ("hours", "minute", 180), ("hours", "minute", 240)
    return Concern(kind, key, "pledged", NOW, by, three, pledge=b"p" * 16, pledged=four)


def test_why_it_is_told_states_what_was_pledged_and_not_what_was_confirmed() -> None:
    kept = Kept(since=0)
    [item] = taken(kept, [of_mine(0)])
    assert item.text == "a confirmed 3h of yours for “Roof”"
    assert item.why == "because you pledged 4h"


def test_who_pledged_once_and_was_confirmed_twice_pledged_once() -> None:
    kept = Kept(since=0)
    [item] = taken(kept, [of_mine(0), of_mine(1)])
    assert item.text == "a and b confirmed what you did for “Roof”"
    assert item.why == "because you pledged 4h"
    taken(kept, [of_mine(2)._replace(pledge=b"q" * 16)])
    assert item.why == "because you pledged 2 times"


def test_what_is_asked_is_told_with_the_command_that_does_it() -> None:
    kept = Kept(since=0)
    [item] = taken(kept, [of_mine(0, "confirm-asked")])
    assert item.todo() == "p2pvalue pledge confirm 70707070"
    taken(kept, [of_mine(n, "confirm-asked")._replace(pledge=bytes([n]) * 16) for n in range(1, 9)])
    assert item.todo().count("; ") == 2
    each = item.todo(b"ab" * 16).split("; ")
    assert all(command.endswith(" -c 61626162") for command in each), "in one of several"
    [other] = taken(kept, [of_mine(9)])
    assert other.todo() == ""


def test_what_is_to_come_is_told_as_of_when_it_was_noticed() -> None:
    kept = Kept(since=0)
    key = key_of("need-closing", b"")
    ahead = Concern("need-closing", key, "asked", NOW - 23 * HOUR_MS, is_ahead=True)
    [item] = taken(kept, [ahead])
    assert item.time == NOW
    assert taken(kept, [ahead], now=NOW + 1) == []


def test_what_stands_for_several_loses_the_words_and_stays() -> None:
    kept = Kept(since=0)
    said = pledged(1)._replace(said="come at noon")
    [item] = taken(kept, [said, pledged(2)])
    assert take_back(kept, [said.key])
    assert (item.said, item.is_gone, item.is_read, item.count) == ("", False, False, 2)


def test_what_went_from_the_list_stays_no_news_when_older_things_go_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notified, "KNOWN_MAX", 40)
    monkeypatch.setattr(notified, "_KNOWN_LEFT", 30)
    kept = Kept(since=0)
    new = [pledged(number, time=NOW + number) for number in range(41)]
    taken(kept, new)
    old = [pledged(100 + number, time=NOW - 1_000 + number) for number in range(11)]
    taken(kept, old)
    assert new[0].key not in kept.known
    assert old[0].key not in kept.known
    taken(kept, [new[0]])
    assert [item.count for item in kept.items] == [len(new)]


def test_of_no_more_authors_it_is_remembered_what_was_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notified, "KNOWN_MAX", 40)
    monkeypatch.setattr(notified, "_KNOWN_LEFT", 30)
    monkeypatch.setattr(notified, "FORGOTTEN_MAX", 2)
    kept = Kept(since=0)
    for number in range(200):
        by = bytes([number % 5]) * 32
        taken(kept, [pledged(number, time=NOW + number, by=by)], way="digest")
        assert len(kept.forgotten) <= 2
        assert len(kept.known) <= 40
    assert kept.forgotten
