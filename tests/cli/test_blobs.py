"""Sharing files from a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pvalue_cli import failures
from tests.cli.conftest import Person


@pytest.fixture
def roof(ana: Person, tmp_path: Path) -> Path:
    """An image that ana shares."""
    path = tmp_path / "roof.png"
    path.write_bytes(b"an image")
    ana.sees("blob", "add", str(path))
    return path


def test_an_image_is_shared_and_how_a_document_shows_it_is_said(
    ana: Person, tmp_path: Path
) -> None:
    (tmp_path / "roof.png").write_bytes(b"an image")
    said = ana.sees("blob", "add", str(tmp_path / "roof.png"))
    [view] = ana.gets("blob", "list")
    assert said.splitlines()[-2:] == [
        f"shared roof.png, 8 B (blob {view['blob'][:8]})",
        f"in a document: ![roof.png](blob:{view['blob']})",
    ]
    assert ana.gets("blob", "add", str(tmp_path / "roof.png"), "--name", "Dach.png") == {
        **view,
        "file": "Dach.png",
    }


def test_files_are_listed_with_where_they_are(ana: Person, roof: Path) -> None:
    shown = ana.sees("blob", "list").splitlines()
    assert shown[0].split() == ["BLOB", "FILE", "SIZE", "FROM", "SHARED", "WHERE"]
    assert "roof.png" in shown[1]
    assert shown[1].endswith("here")


def test_that_there_are_none_says_how_to_share_one(settled: Person) -> None:
    assert "p2pvalue blob add FILE" in settled.sees("blob", "list")


def test_a_file_is_written_under_the_name_given_and_never_over_another(
    ana: Person, roof: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.png"
    assert f"written to {target} (it was here)" in ana.sees("blob", "get", "roof.png", str(target))
    assert target.read_bytes() == b"an image"
    result = ana.type("blob", "get", "roof.png", str(target))
    assert (result.exit_code, "exists already" in result.output) == (failures.FAILED, True)


def test_without_a_name_it_is_written_under_its_own_in_this_folder(
    ana: Person, roof: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    [view] = ana.gets("blob", "list")
    ana.sees("blob", "get", f"blob:{view['blob']}"[5:17])
    assert (tmp_path / "here" / "roof.png").read_bytes() == b"an image"
    ana.sees("blob", "add", str(roof), "--name", ".profile")
    ana.sees("blob", "get", ".profile")
    assert [path.name for path in sorted((tmp_path / "here").iterdir())] == ["profile", "roof.png"]
    assert ana.type("blob", "get", "none").exit_code == failures.NOT_FOUND


def test_a_file_goes_into_a_folder_under_its_own_name(
    ana: Person, roof: Path, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    target = tmp_path / "pictures" / "roof.png"
    assert str(target) in ana.sees("blob", "get", "roof.png", str(tmp_path / "pictures"))
    assert target.read_bytes() == b"an image"
    missing = ana.type("blob", "get", "roof.png", str(tmp_path / "none" / "roof.png"))
    assert missing.exit_code == failures.FAILED
    assert f"there is no folder {tmp_path / 'none'}" in missing.stderr


def test_a_file_goes_to_standard_output_as_it_is(ana: Person, tmp_path: Path) -> None:
    data = bytes(range(256)) * 1_000
    (tmp_path / "roof.bin").write_bytes(data)
    ana.sees("blob", "add", str(tmp_path / "roof.bin"))
    before = {path.name for path in ana.folder.iterdir()}
    result = ana.type("blob", "get", "roof.bin", "-")
    assert (result.exit_code, result.stdout_bytes) == (0, data), result.output
    assert {path.name for path in ana.folder.iterdir()} == before
    assert ana.type("blob", "get", "roof.bin", "-", "--json").exit_code == failures.USAGE


def test_from_how_many_it_came_is_said(ana: Person, tmp_path: Path) -> None:
    (tmp_path / "map.far").write_bytes(b"a map")
    ana.sees("blob", "add", str(tmp_path / "map.far"))
    assert "(from 2 peers)" in ana.sees("blob", "get", "map.far", str(tmp_path / "copy"))
    done = ana.gets("blob", "get", "map.far", str(tmp_path / "again"), "--wait", "3")
    assert (done["peers"], done["blob"]["file"]) == (2, "map.far")


def test_a_file_is_taken_back(ana: Person, roof: Path) -> None:
    assert ana.sees("blob", "remove", "roof.png") == "removed roof.png\n"
    assert ana.gets("blob", "list") == []


def test_what_is_no_file_is_told(ana: Person, tmp_path: Path) -> None:
    result = ana.type("blob", "add", str(tmp_path / "none"))
    assert (result.exit_code, "is no file" in result.output) == (failures.FAILED, True)
