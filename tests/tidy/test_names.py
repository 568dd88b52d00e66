"""Names say what a thing is, in the words of the glossary."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.tidy.tree import PACKAGES, functions, parsed, python_files, shown

# A module with such a name collects what nobody found a place for.
SHAPELESS_MODULE = re.compile(r"_?(util|helper|common|misc|manager|service)s?")
# The hat of another language's naming scheme: IStore, AbstractStore, StoreImpl.
HATTED_CLASS = re.compile(r"(I[A-Z][a-z]\w*|Abstract\w*|\w+Impl)")
# Words of other projects for what the glossary calls community, operation and member.
FOREIGN_WORDS = re.compile(r"(^|_)(workspace|circle|guild|tribe)s?(_|$)", re.IGNORECASE)


def test_no_module_has_a_shapeless_name() -> None:
    stems = {part for path in python_files() for part in _parts(path)}
    assert sorted(stem for stem in stems if SHAPELESS_MODULE.fullmatch(stem)) == []


def test_no_class_wears_a_hat() -> None:
    hatted = [
        f"{shown(path)}: {node.name}"
        for path in python_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and HATTED_CLASS.fullmatch(node.name)
    ]
    assert hatted == []


def test_an_identifier_says_what_it_identifies() -> None:
    bare = [
        f"{shown(path)}:{line}"
        for path in python_files(*PACKAGES)
        for name, line in _defined_names(path)
        if name == "id"
    ]
    assert bare == [], "write op_id, community_id, ... instead of id"


def test_bounds_and_units_come_last() -> None:
    first = [
        f"{shown(path)}:{line}: {name}"
        for path in python_files(*PACKAGES)
        for name, line in _defined_names(path)
        if re.match(r"_?(max|min|num)_", name, re.IGNORECASE)
    ]
    assert first == [], "write latency_ms_max instead of max_latency"


def test_names_use_the_words_of_the_glossary() -> None:
    foreign = [
        f"{shown(path)}:{line}: {name}"
        for path in python_files(*PACKAGES)
        for name, line in _defined_names(path)
        if FOREIGN_WORDS.search(name)
    ]
    assert foreign == []


def _parts(path: Path) -> list[str]:
    return [part.removesuffix(".py") for part in Path(shown(path)).parts]


def _defined_names(path: Path) -> list[tuple[str, int]]:
    """What a file gives a name to: constants, fields and parameters, with their lines."""
    names = [
        (node.target.id if isinstance(node.target, ast.Name) else "", node.lineno)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.AnnAssign)
    ]
    names += [
        (target.id, node.lineno)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    for function in functions(path):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        names += [(argument.arg, argument.lineno) for argument in every]
    return names
