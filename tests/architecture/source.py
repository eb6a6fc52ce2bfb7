"""Reads the project's own source as syntax trees, for the house rules beside it.

It runs nothing of what it reads. Every rule is a function of a root folder that returns its violations as
`path:line: what`, so that the same rule can be tried on a tree with a planted violation.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUSES = ("engine", "models", "training", "api")
TREES = (*HOUSES, "benchmarks", "tests")


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its path from the root with forward slashes, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def house(self) -> str:
        return self.path.split("/", 1)[0]

    def at(self, line: int, what: str) -> str:
        return f"{self.path}:{line}: {what}"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name, written out in full: `from numpy import random` is `numpy.random`."""

    name: str
    line: int

    @property
    def top(self) -> str:
        return self.name.split(".", 1)[0]


def modules(root: Path, trees: tuple[str, ...]) -> Iterator[Module]:
    """Every Python file of the named folders, in a fixed order."""
    for tree in trees:
        for file in sorted((root / tree).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            yield Module(file.relative_to(root).as_posix(), text, ast.parse(text, str(file)))


def imports(module: Module) -> Iterator[Import]:
    """Every import wherever it stands: in a function, under TYPE_CHECKING, or by name through importlib."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Import():
                yield from (Import(alias.name, node.lineno) for alias in node.names)
            case ast.ImportFrom():
                origin = _origin(module, node)
                yield from (Import(_join(origin, alias.name), node.lineno) for alias in node.names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield Import(name, node.lineno)


def references(module: Module) -> Iterator[tuple[str, int]]:
    """Every name or attribute read, with import aliases undone.

    After `from datetime import datetime as dt`, `dt.now` is `datetime.datetime.now`. Names bound otherwise
    stand as they are written; a field that is merely called `open` is bound, not read.
    """
    bound = _bindings(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            first, *rest = _dotted(node)
            if first:
                yield ".".join([bound.get(first, first), *rest]), node.lineno


def _bindings(module: Module) -> dict[str, str]:
    bound = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".", 1)[0]
                bound[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound[alias.asname or alias.name] = _join(_origin(module, node), alias.name)
    return bound


def _origin(module: Module, node: ast.ImportFrom) -> str:
    """The package a `from` import reads, with leading dots resolved against the file's own place."""
    if node.level == 0:
        return node.module or ""
    place = module.path.split("/")[: -node.level]
    return _join(*place, node.module or "")


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _dotted(node: ast.expr) -> list[str]:
    """`a.b.c` as its parts; [""] when it does not begin with a plain name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return [node.id, *parts] if isinstance(node, ast.Name) else [""]
