"""Every small fault that cosmic-ray's operators can make in the core, in an order that is fixed.

Left out is what says nothing about tests. Annotations are never evaluated, but for the fields of
structs; a union of types bent in any way does not even load; a bare star among parameters only says
how to call; that a struct is frozen is for the type checker, and how it is collected for nobody.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path("protocol") / "p2pvalue_protocol"
_NEEDS_ARGUMENTS = "Variable"
_SAME_FOR_EQUALS = ("_Eq_Is", "_Is_Eq", "_NotEq_IsNot", "_IsNot_NotEq")
"""Operators that exchange identity and equality: the interpreter decides which equals are one."""


class Mutation(NamedTuple):
    """One fault: the so-many-th place of a module at which an operator can work."""

    module: str  # path below the package, without its suffix
    operator: str
    occurrence: int
    line: int
    column: int

    @property
    def name(self) -> str:
        return f"{self.module}:{self.line}:{self.column}:{self.operator}:{self.occurrence}"


def modules(root: Path) -> list[str]:
    """Return the modules of the core in a tree, ascending."""
    package = root / PACKAGE
    found = (path.relative_to(package).with_suffix("") for path in package.rglob("*.py"))
    return sorted(path.as_posix() for path in found)


def source_file(root: Path, module: str) -> Path:
    """Return the file of a module of the core in a tree."""
    return root / PACKAGE / f"{module}.py"


def mutations_of(root: Path, module: str) -> list[Mutation]:
    """Return all mutations of a module, by place; ~0.3 s for a long one."""
    source = source_file(root, module).read_text(encoding="utf-8")
    unevaluated = list(_annotations(ast.parse(source)))
    return [
        mutation
        for mutation in sorted(_positions(module, source), key=lambda m: (m.line, m.column, m))
        if not any(first <= (mutation.line, mutation.column) < last for first, last in unevaluated)
    ]


def mutated(root: Path, mutation: Mutation) -> str | None:
    """Return a module's source with a mutation in it; None if that is no Python any more."""
    source = source_file(root, mutation.module).read_text(encoding="utf-8")
    operator = _operators()[mutation.operator]
    mutating = import_module("cosmic_ray.mutating")
    try:
        bent = mutating.mutate_code(source, operator, mutation.occurrence)
        return bent if ast.dump(ast.parse(bent)) != ast.dump(ast.parse(source)) else None
    except (SyntaxError, AttributeError):  # the tool cannot bend an exception of some module
        return None


def _positions(module: str, source: str) -> Iterator[Mutation]:
    counts = dict.fromkeys(_operators(), 0)
    stack = [import_module("cosmic_ray.ast").get_ast(source)]
    while stack:  # in the order in which the tool itself counts
        node = stack.pop()
        for name, operator in _operators().items():
            for (line, column), _ in operator.mutation_positions(node):
                if not _is_idle(node):
                    yield Mutation(module, name, counts[name], line, column)
                counts[name] += 1
        stack.extend(reversed(getattr(node, "children", ())))


def _is_idle(node: Any) -> bool:
    """Return whether bending a node of cosmic-ray's tree changes nothing that a test could see."""
    parent = node.parent
    if parent is None:
        return False
    is_bare_star = node.type == "operator" and parent.type in ("parameters", "param")
    is_flag = parent.type == "argument" and getattr(parent.children[0], "value", "") in (
        "frozen",
        "gc",
    )
    return is_bare_star or is_flag


def _annotations(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
            found = [node.returns, *(argument.annotation for argument in every)]
            found += [one.annotation for one in node.body if isinstance(one, ast.AnnAssign)]
        elif isinstance(node, ast.AnnAssign):
            found = [] if node in _fields_of_structs(tree) else [node.annotation]
        elif isinstance(node, ast.Assign) and node in tree.body and _is_union(node.value):
            found = [node.value]
        for one in found:
            if one is not None:
                end = (one.end_lineno or one.lineno, one.end_col_offset or 0)
                yield (one.lineno, one.col_offset), end


def _is_union(value: ast.expr) -> bool:
    parts = [value]
    while isinstance(parts[0], ast.BinOp) and isinstance(parts[0].op, ast.BitOr):
        parts[:1] = [parts[0].left, parts[0].right]
    return len(parts) > 1 and all(isinstance(part, ast.Name) for part in parts)


@cache
def _fields_of_structs(tree: ast.Module) -> frozenset[ast.stmt]:
    return frozenset(
        field
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("Struct" in ast.unparse(b) for b in node.bases)
        for field in node.body
    )


@cache
def _operators() -> dict[str, Any]:
    plugins = import_module("cosmic_ray.plugins")
    return {
        name.removeprefix("core/"): plugins.get_operator(name)()
        for name in sorted(plugins.operator_names())
        if _NEEDS_ARGUMENTS not in name and not name.endswith(_SAME_FOR_EQUALS)
    }
