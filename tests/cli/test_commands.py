"""What a person types, and what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from p2pvalue.folder import holder
from p2pvalue_cli import failures
from p2pvalue_cli.output import json_text
from tests.api.daemons import Daemon
from tests.cli.conftest import Person
from tests.cli.following import following


def test_a_message_goes_out_and_is_listed(ana: Person) -> None:
    ana.sees("chat", "post", "Who has a ladder?")
    ana.sees("chat", "post", "-", stdin="from a pipe\nof two lines\n")
    assert [m["text"] for m in ana.gets("chat", "list")] == [
        "Who has a ladder?",
        "from a pipe\nof two lines",
    ]
    shown = ana.sees("chat", "list").splitlines()
    assert [line.partition(" Ana")[2] for line in shown[:2]] == [
        ": Who has a ladder?",
        ": from a pipe",
    ]
    assert shown[2].strip() == "| of two lines"


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "chat", "list"),
        ("chat", "--json", "list"),
        ("chat", "list", "--json"),
        ("chat", "list", "--json", "-n", "1"),
    ],
)
def test_json_may_stand_anywhere(settled: Person, words: tuple[str, ...]) -> None:
    assert json.loads(settled.sees(*words)) == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_folder_may_be_named_anywhere(settled: Person, place: int) -> None:
    words = ["chat", "list"]
    words[place:place] = ["--data-dir", str(settled.folder)]
    assert settled.type(*words, P2PVALUE_DATA_DIR="/nowhere").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("chat", "list"), 0),
        (("chat", "post", " "), failures.FAILED),
        (("chat", "lst"), failures.USAGE),
        (("chat", "post", "caf\udce9"), failures.USAGE),
        (("document", "show", ""), failures.USAGE),
        (("document", "show", "caf\udce9"), failures.USAGE),
        (("community", "invite", "--uses", "9" * 20), failures.USAGE),
        (("need", "add", "Roof"), failures.USAGE),
        (("need", "add", "Roof", "--hours", "1h", "--closes", "2020-01-01"), failures.USAGE),
        (("need", "add", "Roof", "--money", f"{'9' * 20}EUR"), failures.USAGE),
        (("need", "add", "Roof", "--hours", "0h"), failures.USAGE),
        (("need", "fit", "0h"), failures.USAGE),
        (("need", "fit", "2000h"), failures.USAGE),
        (("--data-dir", "/nowhere", "status"), failures.NO_DAEMON),
        (("--data-dir", "/nowhere", "stop"), failures.NO_DAEMON),
        (("document", "show", "Nothing"), failures.NOT_FOUND),
        (("chat", "list", "-c", "Nothing"), failures.NOT_FOUND),
        (("community", "invite", "--rank", "founder"), failures.NOT_ALLOWED),
    ],
)
def test_the_exit_code_says_what_became_of_it(
    settled: Person, words: tuple[str, ...], code: int
) -> None:
    result = settled.type(*words)
    assert result.exit_code == code
    assert bool(result.stderr) == (code != 0)
    assert "Traceback" not in result.output


def test_an_error_is_json_when_json_was_asked_for(settled: Person) -> None:
    result = settled.type("document", "show", "Nothing", "--json")
    assert json.loads(result.stderr)["error"] == "not-found"
    assert result.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ("need", "add", "Roof", "--json"),
        ("need", "add", "Roof", "--hours", "12", "--json"),
        ("--json", "need", "lst"),
        ("need", "list", "--json", "--jason"),
        ("--jason", "--json"),
    ],
)
def test_a_wrong_usage_is_json_when_json_was_asked_for(
    settled: Person, words: tuple[str, ...]
) -> None:
    result = settled.type(*words)
    assert (result.exit_code, result.stdout) == (failures.USAGE, "")
    assert json.loads(result.stderr)["error"] == "usage"
    plain = [word for word in words if word != "--json"]
    assert settled.type(*plain).stderr.startswith("Usage: ")


def test_what_follows_two_dashes_asks_for_no_json(settled: Person) -> None:
    assert settled.type("need", "add", "--", "--json").stderr.startswith("Usage: ")


def test_a_need_gathers_what_people_pledge(ana: Person) -> None:
    ana.sees("need", "add", "Fix the roof", "--hours", "12..20h", "--money", "200EUR")
    ana.sees("pledge", "make", "Fix the roof", "3h")
    ana.sees("pledge", "make", "Fix the roof", "99.50EUR")
    assert "3h of 12h..20h; 99.50 EUR of 200 EUR" in ana.sees("need", "list")
    hours, money = ana.gets("need", "show", "Fix the roof")["lines"]
    assert (hours["pledged"], hours["minimum"], hours["optimum"]) == (180, 720, 1200)
    assert (money["pledged"], money["unit"]) == (9950, "EUR")
    pledge = ana.gets("pledge", "list")[0]["pledge"]
    ana.sees("pledge", "withdraw", pledge, "--reason", "I fell ill")
    assert "withdrawn: I fell ill" in ana.sees("pledge", "list")
    assert "0h of 12h..20h" in ana.sees("need", "show", "Fix the roof")


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("3USD", "asks for 12h; 200 EUR; 4h"),
        ("2h", "--line"),
        ("much", "does not fit"),
        ("3", "write 3h"),
        (f"{'9' * 12}h", "too much"),
    ],
)
def test_a_pledge_that_fits_no_line_is_explained(ana: Person, amount: str, told: str) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h", "--hours", "4h", "--money", "200EUR")
    result = ana.type("pledge", "make", "Roof", amount)
    assert result.exit_code == failures.USAGE
    assert told.replace("12h; 200 EUR; 4h", "12h; 4h; 200 EUR") in result.stderr
    ana.sees("pledge", "make", "Roof", "2h", "--line", "2")
    assert ana.gets("need", "show", "Roof")["lines"][1]["pledged"] == 120


def test_a_pledge_of_nothing_is_refused(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h")
    result = ana.type("pledge", "make", "Roof", "0h")
    assert (result.exit_code, "more than 0" in result.stderr) == (failures.USAGE, True)


def test_a_second_need_of_a_title_is_told_of_the_first(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h")
    first = ana.gets("need", "list")[0]["need"]
    told = ana.sees("need", "add", "Roof", "--hours", "4h")
    assert f"need {first[:8]} of" in told
    assert "same title" in told


def test_what_is_said_of_a_need_can_be_taken_back(ana: Person) -> None:
    said = {
        "--body": "It leaks",
        "--closes": "2099-01-31",
        "--deadline": "2099-02-28",
        "--estimate": "3h",
        "--tag": "roofs",
        "--acceptance": "It is dry",
        "--gives-back": "A dry hall",
        "--class": "care",
    }
    ana.sees("need", "add", "Plain", "--hours", "12h")
    ana.sees("need", "add", "Roof", "--hours", "12h", "--after", "Plain")
    ana.sees("need", "edit", "Roof", *(word for pair in said.items() for word in pair))
    whole = ana.gets("need", "show", "Roof")
    taken_back = [*said, "--after", "--steward", "--confirmer"]
    ana.sees("need", "edit", "Roof", *(word for name in taken_back for word in (name, "")))
    plain, roof = ana.gets("need", "show", "Plain"), ana.gets("need", "show", "Roof")
    assert all(whole[name] != plain[name] for name in ("closes", "skills", "depends", "class"))
    for name in ("need", "title", "created", "time"):
        plain[name] = roof[name]
    assert roof == plain


def test_a_need_is_shown_with_what_is_around_it_and_what_to_do_next(ana: Person) -> None:
    ana.sees("need", "add", "Walls", "--hours", "1h")
    ana.sees("need", "add", "Roof", "--hours", "2h", "--estimate", "3h", "--after", "Walls")
    ana.sees("pledge", "make", "Roof", "2h", "--when", "Saturday")
    shown = ana.sees("need", "show", "Roof")
    for words in ("all minimums", "takes about 3h", "comes after Walls (open)", "Saturday"):
        assert words in shown
    *close, short_id = shown.splitlines()[-1].partition("p2pvalue ")[2].split()
    ana.sees(*close, short_id)
    *claim, pledge = ana.sees("need", "show", "Roof").splitlines()[-1].split()
    assert claim[-2:] == ["pledge", "claim"]
    ana.sees("pledge", "claim", pledge)


def test_a_member_is_shown_without_a_rate_while_few_words_have_ended(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "1h")
    me = ana.gets("pledge", "make", "Roof", "1h")["member"]
    assert "too few promises" in ana.sees("member", "show", me)
    assert ana.gets("member", "show", me)["kept_percent"] is None


def test_what_nobody_chose_is_shown_beside_what_is_ranked_by(settled: Person) -> None:
    assert "credit     100" in settled.sees("ranking", "show")


def test_a_pledge_that_waits_for_more_people_than_there_are_says_so(ana: Person) -> None:
    ana.sees("need", "add", "Roof", "--hours", "12h")
    there = ana.gets("community", "show")["members"] - 1
    told = ana.sees("pledge", "make", "Roof", "1h", "--if-others", str(there + 2))
    assert "waits for 2 more to join" in told


def test_joining_waits_and_says_for_what(ana: Person) -> None:
    result = ana.type("community", "join", "p2pvalue:1#later")
    assert result.exit_code == 0
    assert "waiting for a member to answer" in result.stderr
    assert "joined Garden" in result.stdout


def test_joining_need_not_wait(ana: Person) -> None:
    assert "waiting for" in ana.sees("community", "join", "p2pvalue:1#never", "--no-wait")
    result = ana.type("community", "join", "-", "--timeout", "1", stdin="p2pvalue:1#never")
    assert result.exit_code == failures.FAILED
    assert "still waiting" in result.stderr


def test_what_strangers_write_does_not_steer_the_terminal(ana: Person) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07\u202ereversed\rback"
    ana.sees("chat", "post", "-", stdin=hostile)
    ana.sees("document", "create", hostile)
    ana.sees("need", "add", "owned\u202ereversed", "--hours", "1h")  # others are refused
    for words in (("chat", "list"), ("document", "list"), ("need", "list"), ("need", "show")):
        need = [ana.gets("need", "list")[0]["need"]] if words == ("need", "show") else []
        shown = ana.sees(*words, *need)
        assert "owned" in shown
        assert not {"\x1b", "\x07", "\u202e", "\r"} & set(shown)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_name_in_a_refusal_or_in_json_does_not_steer_the_terminal(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "\x9b2J\u202eMal"
    refusal = failures.Failed(f"{name} is an admin: only a stronger rank may remove her")
    refusal.as_json = as_json
    refusal.show()
    shown = capsys.readouterr().err
    assert "Mal is an admin" in shown
    assert not {"\x9b", "\u202e"} & set(shown)
    assert json.loads(json_text({"name": name})) == {"name": name}
    assert not {"\x9b", "\u202e"} & set(json_text({"name": name}))


def test_stop_returns_when_the_daemon_is_gone(ana: Person, daemon: Daemon) -> None:
    assert ana.gets("stop") == {"stopped": daemon.process.pid}
    assert holder(ana.folder) is None
    assert daemon.wait() == 0
    assert ana.type("stop").exit_code == failures.NO_DAEMON


def test_the_node_answers_about_itself(ana: Person, tmp_path: Path) -> None:
    assert "running as process" in ana.sees("status")
    assert ana.gets("status")["data_dir"] == str(ana.folder)
    assert "you are Bea" in ana.sees("profile", "set", "Bea")
    assert "name: Bea" in ana.sees("whoami")
    assert "ok   clock" in ana.sees("doctor")
    assert "ok   hashes" in ana.sees("verify")
    ana.sees("peer", "add", "/ip4/127.0.0.1/tcp/4801")
    assert "/ip4/127.0.0.1/tcp/4801" in ana.sees("peer", "list")
    assert "Bea (you)" in ana.sees("community", "members")
    target = tmp_path / "copy"
    ana.sees("backup", str(target))
    assert target.read_bytes() == b"backup"
    assert ana.type("rebuild").exit_code == failures.FAILED


@pytest.mark.parametrize("what", ["chat", "document"])
def test_following_shows_what_comes_until_ctrl_c(ana: Person, what: str) -> None:
    ana.sees("chat", "post", "before")
    ana.sees("document", "create", "Minutes", "--from", "-", stdin="before")
    words = ["chat", "follow"] if what == "chat" else ["document", "follow", "Minutes"]
    with following(ana, *words) as lines:
        assert "before" in lines.readline()
        ana.sees("chat", "post", "after")
        ana.sees("document", "edit", "Minutes", "--from", "-", stdin="before\nafter")
        assert "after" in lines.readline()


def test_init_makes_keys_and_settings_once(tmp_path: Path) -> None:
    person = Person(tmp_path / "new")
    assert "Ana lives in" in person.sees("init", "--name", "Ana")
    assert {path.name for path in person.folder.iterdir()} >= {"config.toml", "keys.json"}
    assert person.folder.stat().st_mode & 0o077 == 0
    again = person.type("init", "--name", "Bea")
    assert again.exit_code == failures.FAILED
    assert "profile set" in again.stderr


def test_init_refuses_a_folder_whose_path_no_daemon_can_use(tmp_path: Path) -> None:
    person = Person(tmp_path / ("long" * 30))
    assert "shorter path" in person.type("init", "--name", "Ana").stderr
    assert not person.folder.exists()


def test_a_hint_can_be_pasted_whatever_the_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    shown = Person(tmp_path).sees("--data-dir", str(folder), "init", "--name", "Ana")
    assert f"p2pvalue --data-dir '{folder}' run" in shown


def test_init_without_a_name_takes_the_systems(tmp_path: Path) -> None:
    assert Person(tmp_path / "new").gets("init")["name"]


def test_a_unit_for_systemd_is_installed(tmp_path: Path) -> None:
    person = Person(tmp_path / "data of 100%")
    shown = person.sees("service", "--install", XDG_CONFIG_HOME=str(tmp_path))
    unit = (tmp_path / "systemd" / "user" / "p2pvalue.service").read_text()
    assert "systemctl --user enable --now p2pvalue.service" in shown
    assert f'--data-dir "{tmp_path}/data of 100%%" run' in unit
    assert person.sees("service") == unit


def test_what_the_system_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = Person(tmp_path).type("service", "--install", XDG_CONFIG_HOME=str(tmp_path / "file"))
    assert result.exit_code == failures.FAILED
    assert f"Error: {tmp_path}/file" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_tab_key_knows_the_commands(shell: str, tmp_path: Path) -> None:
    assert "_P2PVALUE_COMPLETE" in Person(tmp_path).sees("completion", shell)


def test_completion_offers_commands_and_options(tmp_path: Path) -> None:
    environment = {"_P2PVALUE_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    words = {"COMP_WORDS": "p2pvalue chat fo"}
    result = subprocess.run(
        [sys.executable, "-m", "p2pvalue_cli"],
        capture_output=True,
        env={**os.environ, **environment, **words},
        text=True,
        check=True,
    )
    assert result.stdout == "plain,follow\n"


def test_version_says_which(tmp_path: Path) -> None:
    from p2pvalue import __version__

    for words in ("version", "--version"):
        assert Person(tmp_path).sees(words) == f"p2pvalue {__version__}\n"
