"""A person whose machine has forgotten her words joins with the paper, and stays who she is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.person import Person, Refused, people, until_equal


def forget(person: Person) -> str:
    """Have the machine forget the words; returns them, as they stand on paper."""
    words = " ".join(person.ask("POST", "/words")["words"])
    person.ask("POST", "/words/forget")
    return words


def me(person: Person) -> str:
    (member,) = [m["member"] for m in person.ask("GET", "/members") if m["is_me"]]
    return str(member)


def test_she_joins_with_the_words_and_goes_on_without_them(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        ana.found("Garden")
        link = ana.invite()
        words, hers = forget(ben), forget(ana)
        with pytest.raises(Refused, match="24 words") as refused:
            ben.join(link)
        assert refused.value.kind == "words-needed"
        with pytest.raises(Refused, match="another person's words"):
            ben.ask("POST", "/communities/join", link=link, words=hers)
        assert ben.ask("GET", "/communities") == []
        ben.ask("POST", "/communities/join", link=link, words=words)
        ben.until_member()
        before = me(ben)
        assert words not in ben.log
        assert ben.stop() == 0
        ben.start()
        ben.until_up()
        assert me(ben) == before
        ben.post("without typing anything")
        ana.until_reads("without typing anything")
        until_equal(ana, ben)
        assert not ben.ask("POST", "/words/check", words=hers)["is_hers"]
        assert ben.ask("POST", "/words/check", words=words)["is_hers"]
