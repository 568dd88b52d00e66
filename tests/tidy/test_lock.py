"""The lock decides alone what is installed, and says what the project's declarations say."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.tidy.test_doors import imported
from tests.tidy.tree import PACKAGES, ROOT, parsed, python_files

LOCKS = ("requirements/build.txt", "requirements/all.txt", "requirements/proof.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Why it differs from what libp2p asks for: docs/decisions/0001-one-wheel-that-needs-no-compiler.md
OVERRIDDEN = {"fastecdsa"}


def pins(lock: str) -> dict[str, str]:
    """Package name to version, as the lock has them."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonicalize_name(n): v for n, v in re.findall(r"^([\w.-]+)==(\S+)", text, re.M)}


def optional() -> list[str]:
    """What only those install who ask for it."""
    extras = PROJECT["project"].get("optional-dependencies", {})
    return [line for extra in extras.values() for line in extra]


def declared() -> list[Requirement]:
    """What the project asks for, to run and to be built and tested."""
    listed = [*PROJECT["project"]["dependencies"], *optional()]
    for group in PROJECT["dependency-groups"].values():
        listed += group
    return [Requirement(line) for line in listed]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_host(lock: str) -> None:
    lines = [
        line
        for line in (ROOT / lock).read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("#")
    ]
    assert [n for n in lines if "//" in n or "@" in n or re.match(r"-", n)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_release_has_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_agree() -> None:
    build, everything, proof = map(pins, LOCKS)
    assert {name: everything.get(name) for name in build} == build
    assert {name: everything[name] for name in proof if name in everything} == {
        name: proof[name] for name in proof if name in everything
    }


def test_the_lock_fits_what_the_project_declares() -> None:
    locked = pins("requirements/all.txt") | pins("requirements/proof.txt")
    unfit = [
        str(requirement)
        for requirement in declared()
        if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"))
    ]
    assert unfit == [], "run `make lock`"


def test_we_ask_for_what_libp2p_asks_for_but_the_override() -> None:
    ours = {
        canonicalize_name(r.name): r.specifier
        for r in map(Requirement, PROJECT["project"]["dependencies"])
    }
    theirs = {
        canonicalize_name(requirement.name): requirement.specifier
        for requirement in map(Requirement, requires("libp2p") or ())
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    differing = {n for n, spec in theirs.items() if n not in ours or not _narrower(ours[n], spec)}
    assert differing == OVERRIDDEN


def test_what_we_import_is_what_we_declare() -> None:
    theirs = {canonicalize_name(Requirement(line).name) for line in requires("libp2p") or ()}
    declared_names = {
        canonicalize_name(Requirement(line).name)
        for line in (*PROJECT["project"]["dependencies"], *optional())
    }
    packages = {name for path in python_files(*PACKAGES) for name in imported(parsed(path))}
    homes = packages_distributions()
    used = {canonicalize_name(home) for package in packages for home in homes.get(package, ())}
    used -= {"p2pvalue", "libp2p"}
    assert sorted(used - declared_names) == [], "imported but not declared"
    assert sorted(declared_names - theirs - used) == [], "declared but not imported"


def _narrower(ours: SpecifierSet, theirs: SpecifierSet) -> bool:
    """Whether all that we accept is also accepted by libp2p, as far as the clauses show it."""
    floors = [clause.version for clause in ours if clause.operator in (">=", "==")]
    return all(
        clause in list(ours)
        or (clause.operator == ">=" and any(Version(floor) in clause for floor in floors))
        for clause in map(Specifier, filter(None, str(theirs).split(",")))
    )
