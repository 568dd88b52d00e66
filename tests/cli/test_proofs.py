"""Whoever gets a file checks it with nothing but the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from p2pvalue_cli.failures import FAILED, NO_DAEMON, NOT_FOUND, NOT_WHOLE, USAGE
from p2pvalue_cli.main import cli
from p2pvalue_protocol.kinds import need
from p2pvalue_protocol.proof.form import decode_proof
from tests.cli.conftest import Person
from tests.needs.proofs import dug, places_of, without_words


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pond.proof"
    path.write_bytes(dug())
    return path


def verified(file: Path, *words: str) -> Result:
    """Check a file, with a data folder that is not there."""
    folder = file.parent / "nowhere"
    result = CliRunner().invoke(
        cli, ["--data-dir", str(folder), "pledge", "verify", *words, str(file)]
    )
    assert not folder.exists()
    return result


def test_a_file_is_read_without_a_data_folder(file: Path) -> None:
    result = verified(file)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Dig the pond behind the shed"
    assert lines[2] == "1. 1h30 of 1h pledged, 1h confirmed"
    [bea] = [line.split() for line in lines if line.startswith("Bea")]
    assert bea[2:] == ["1h", "confirmed", "1h", "Ana"]


def test_a_program_gets_all_of_it(file: Path) -> None:
    found = json.loads(verified(file, "--json").stdout)
    assert [(p["name"], p["state"]) for p in found["pledges"]] == [
        ("Bea", "confirmed"),
        ("Carl", "binding"),
    ]
    assert found["is_whole"]
    assert verified(file, "--community", found["community"]).exit_code == 0


def test_a_file_about_another_community_is_refused(file: Path) -> None:
    result = verified(file, "--community", "ab" * 32)
    assert result.exit_code == FAILED
    assert "about another community" in result.stderr
    assert "Bea" not in result.stdout


def test_who_gives_a_name_or_a_part_of_an_id_is_told_to_give_all_of_it(file: Path) -> None:
    whole = json.loads(verified(file, "--json").stdout)["community"]
    for given in (whole[:8], whole[:-1], "Garden", f"{whole}0"):
        result = verified(file, "--community", given)
        assert result.exit_code == USAGE
        assert "64 digits" in result.stderr
        assert "Bea" not in result.stdout


def test_a_file_that_leaves_something_out_has_a_code_of_its_own(file: Path) -> None:
    place = places_of(decode_proof(dug()), need.NUMBER)[1]
    file.write_bytes(without_words(dug(), place))
    result = verified(file)
    assert result.exit_code == NOT_WHOLE
    assert result.stdout.startswith("Dig the pond\n")
    assert "1 change of the need" in result.stderr


def test_a_file_that_was_changed_is_refused(file: Path) -> None:
    file.write_bytes(dug()[:-9])
    result = verified(file)
    assert result.exit_code == FAILED
    assert "proves nothing" in result.stderr
    assert result.stdout == ""


def test_of_a_need_the_proof_is_made_and_checked_and_no_file_is_left(
    ana: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    ana.sees("need", "add", "Fix the fence", "--hours", "1h")
    ana.sees("pledge", "make", "Fix the fence", "1h")
    assert "1h of 1h pledged" in ana.sees("pledge", "verify", "Fix the fence")
    assert list(folder.iterdir()) == []
    made = ana.gets("pledge", "verify", "Fix the fence", "--file", "fence.proof")
    assert [path.name for path in folder.iterdir()] == ["fence.proof"]
    assert json.loads(verified(folder / "fence.proof", "--json").stdout) == made
    assert ana.gets("pledge", "verify", "fence.proof") == made


def test_what_is_both_a_file_and_a_need_is_asked_back_about(
    ana: Person, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    ana.sees("need", "add", file.name, "--hours", "1h")
    refused = ana.type("pledge", "verify", file.name)
    assert refused.exit_code == USAGE
    assert f"type ./{file.name}" in refused.stderr
    assert "Dig the pond" in ana.sees("pledge", "verify", f"./{file.name}")
    own = ana.gets("pledge", "verify", file.name, "--file", "own.proof")
    assert own["need"]["title"] == file.name


def test_what_is_neither_a_file_nor_a_need_is_said_to_be_neither(
    ana: Person, tmp_path: Path
) -> None:
    unknown = ana.type("pledge", "verify", "fnce.proof")
    assert unknown.exit_code == NOT_FOUND
    assert "there is no file fnce.proof" in unknown.stderr
    alone = verified(tmp_path / "nowhere.proof")
    assert alone.exit_code == NO_DAEMON
    assert "there is no file" in alone.stderr
