"""The editors that the tests drive are those that their lock file names."""

from __future__ import annotations

import json

import pytest

from tests.editors import javascript


def wanted() -> dict[str, str]:
    package = json.loads((javascript.HERE / "package.json").read_text(encoding="utf-8"))
    versions = package["dependencies"]
    assert isinstance(versions, dict)
    return versions


def locked() -> dict[str, dict[str, str]]:
    lock = json.loads((javascript.HERE / "package-lock.json").read_text(encoding="utf-8"))
    packages = lock["packages"]
    assert isinstance(packages, dict)
    return packages


def test_the_editors_run_here_with_the_yjs_that_is_pinned() -> None:
    said = json.loads(javascript.run("versions.js"))
    assert said == {
        "yjs": wanted()["yjs"],
        "text": "héllo 😀",
        "bindings": ["function", "function"],
    }


def test_every_package_is_pinned_to_one_release() -> None:
    of_lock = {name: locked()[f"node_modules/{name}"]["version"] for name in wanted()}
    assert of_lock == wanted()


def test_every_locked_package_has_a_hash_and_names_no_host() -> None:
    packages = {name: entry for name, entry in locked().items() if name}
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_a_script_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="Cannot find module"):
        javascript.run("there-is-no-such-script.js")
