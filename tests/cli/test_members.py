"""What a person types about members, invites, requests, rules and leaving, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pvalue_cli import failures
from tests.cli.conftest import Person


def test_members_are_listed_with_who_let_them_in(settled: Person) -> None:
    shown = settled.sees("member", "list")
    assert "by Ana" in shown
    assert "Dan" not in shown
    assert [m["name"] for m in settled.gets("member", "list")] == ["Ana", "Bo", "Cleo"]


def test_former_members_are_listed_with_why_they_went(settled: Person) -> None:
    [line] = [
        line for line in settled.sees("member", "list", "--all").splitlines() if "Dan" in line
    ]
    assert "removed" in line
    assert "by Ana" in line
    assert "spam" in line


def test_a_removal_says_what_it_does_before_it_is_done(ana: Person) -> None:
    result = ana.type("member", "remove", "Bo")
    assert result.exit_code == failures.FAILED
    assert "What Bo wrote until now stays. What her 1 device writes " in result.stderr
    assert "Who came in through Bo stays: Cleo" in result.stderr
    assert "Nobody can use this invite of Bo any more: eeeeeeee" in result.stderr
    assert "--yes" in result.stderr
    assert "Bo" in ana.sees("member", "list")
    removed = ana.type("member", "remove", "Bo", "--yes", "--reason", "took the tools")
    assert removed.exit_code == 0
    assert "undo: p2pvalue member readmit bbbbbbbb" in removed.stdout
    assert "took the tools" in ana.sees("member", "list", "--all")


def test_a_removal_that_voids_nothing_asks_a_program_for_nothing(ana: Person) -> None:
    assert ana.gets("member", "remove", "Cleo")["state"] == "removed"


def test_a_term_is_a_day_to_come(ana: Person) -> None:
    for wrong in ("2020-01-01", "soon"):
        result = ana.type("member", "remove", "Cleo", "--until", wrong)
        assert (result.exit_code, "--until" in result.stderr) == (failures.USAGE, True)
    ana.sees("member", "remove", "Cleo", "--until", "2099-12-31")
    assert "until 2099-12-31" in ana.sees("member", "list", "--all")


def test_who_was_put_out_is_let_in_again(ana: Person) -> None:
    assert "Dan is guest again" in ana.sees("member", "readmit", "Dan", "--rank", "guest")
    assert "Dan" in ana.sees("member", "list")
    assert ana.type("member", "readmit", "Bo").exit_code == failures.FAILED


def test_a_rank_is_given_by_name(ana: Person) -> None:
    assert "Bo is admin now" in ana.sees("member", "rank", "Bo", "admin")
    assert ana.gets("member", "list")[1]["rank"] == "admin"
    assert ana.type("member", "rank", "Bo", "founder").exit_code == failures.USAGE


def test_what_the_rules_do_not_allow_ends_with_its_own_code(ana: Person) -> None:
    result = ana.type("member", "vote-out", "Bo", "--yes")
    assert (result.exit_code, "equals" in result.stderr) == (failures.NOT_ALLOWED, True)
    assert ana.type("member", "remove", "Nobody").exit_code == failures.NOT_FOUND


def test_who_loses_a_vote_and_was_let_in_under_another_rank_is_said_to_keep_that(
    ana: Person,
) -> None:
    ana.sees("member", "rank", "Bo", "admin")
    shown = ana.sees("member", "vote-out", "Bo", "--yes")
    assert "Bo is a member now" in shown
    assert "p2pvalue member remove bbbbbbbb" in shown


def test_an_invite_shows_who_came_in_by_it(settled: Person) -> None:
    [line] = [line for line in settled.sees("invite", "list").splitlines() if "eeeeeeee" in line]
    assert "1 of 5" in line
    assert line.endswith("Cleo")


def test_a_leaked_link_is_taken_back_with_everybody_who_came_in_by_it(ana: Person) -> None:
    asked = ana.type("invite", "revoke", "eeeeeeee", "--with-members")
    assert asked.exit_code == failures.FAILED
    assert "would be removed: Cleo" in asked.stderr
    assert ana.gets("invite", "list")[0]["state"] == "open"
    ana.sees("invite", "revoke", "eeeeeeee", "--with-members", "--yes")
    assert ana.gets("invite", "list")[0]["state"] == "withdrawn"
    assert "Cleo" not in ana.sees("member", "list")


def test_the_link_alone_goes_to_standard_output(ana: Person) -> None:
    assert ana.sees("invite", "create") == ana.sees("community", "invite") == "p2pvalue:1#AAAA\n"


def test_a_request_is_shown_with_its_words_and_answered(ana: Person) -> None:
    assert "I have a spade" in ana.sees("request", "list")
    assert "let in Eve as guest" in ana.sees("request", "approve", "Eve", "--rank", "guest")
    assert "nobody asks" in ana.sees("request", "list")
    assert ana.type("request", "decline", "Eve").exit_code == failures.NOT_FOUND


def test_rules_are_shown_and_changed(ana: Person) -> None:
    assert "join by invite" in ana.sees("community", "policy")
    changed = ana.sees("community", "policy", "--join", "request", "--invite-rank", "admin")
    assert "join by request" in changed
    assert "invites by admin and stronger" in changed
    for wrong in ("document", "document=king"):
        assert ana.type("community", "policy", "--write", wrong).exit_code == failures.USAGE


def test_leaving_takes_the_data_along_and_says_who_knows(ana: Person, tmp_path: Path) -> None:
    left = ana.type("community", "leave", "--export", str(tmp_path / "out"), "--yes")
    assert (left.exit_code, left.stdout) == (0, "left Garden\n")
    assert "the only founder" in left.stderr
    assert (tmp_path / "out" / "garden").is_dir()
    assert "no communities" in ana.sees("community", "list")


def test_a_wipe_is_never_done_unasked(ana: Person) -> None:
    refused = ana.type("community", "leave", "--wipe")
    assert (refused.exit_code, "--yes" in refused.stderr) == (failures.FAILED, True)
    left = ana.sees("community", "leave", "--wipe", "--yes")
    assert "nobody else knows it yet" in left
    assert "gone from this machine" in left


def test_an_export_replaces_nothing_unasked(ana: Person, tmp_path: Path) -> None:
    target = str(tmp_path / "out")
    assert "written to" in ana.sees("export", target)
    result = ana.type("export", target)
    assert (result.exit_code, "--force" in result.stderr) == (failures.FAILED, True)
    ana.sees("export", target, "--force")


@pytest.mark.parametrize("words", [("member", "list"), ("invite", "list"), ("request", "list")])
def test_lists_answer_programs_with_a_list(settled: Person, words: tuple[str, str]) -> None:
    assert isinstance(settled.gets(*words), list)
