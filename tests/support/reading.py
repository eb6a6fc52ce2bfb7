"""What functions of the engine read of their arguments, told from their text: which parts of application and facts.

It does: follow every use of a value that is an application, facts, evidence or a case. It does not: run anything.
The rule it keeps: what it cannot follow is told as "?", so that nothing is read unseen. Of such a value named parts may
be taken; as a whole it may be handed to another function that is read in its turn, given another name, or given back.
"""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.application import Application
from engine.facts import LATER, SOURCES

ROOT = Path(__file__).parents[2]
UNKNOWN = "?"
Function = ast.FunctionDef
Known = Mapping[str, list[Function]]
Path_ = tuple[str, ...]  # from a case: ("facts", "bank", "value")

_WHOLE: dict[str, Path_] = {
    "Case": (), "Application": ("application",), "Facts": ("facts",), "Evidence": ("evidence",),
}  # fmt: skip
_MADE_BY = {"Case": "Case", "as_verified": "Application", "of": "Evidence"}  # a call of this gives such a value
_EACH_ONE = {"fires", "compute"}  # rules and features, called out of their lists: each of them is read by itself
_EVIDENCE = {
    "register": "registry", "marketplace": "marketplace", "orders": "marketplace", "bank": "bank", "bureau": "bureau",
}  # fmt: skip


def functions(*paths: str) -> dict[str, list[Function]]:
    """Every function and method of these files and folders, by name."""
    found: dict[str, list[Function]] = {}
    for path in (ROOT / each for each in paths):
        for file in sorted(path.rglob("*.py")) if path.is_dir() else (path,):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, Function):
                    found.setdefault(node.name, []).append(node)
    return found


def text_of(function: Callable[..., Any] | str) -> Function:
    """The text of one function, or of the only one in a piece of text."""
    [node] = ast.parse(function if isinstance(function, str) else inspect.getsource(function)).body
    assert isinstance(node, Function)
    return node


def parts_read(function: Function, known: Known, seen: frozenset[int] = frozenset()) -> set[str]:
    """The parts that a function reads, itself or through others; "?" among them where that cannot be told."""
    if id(function) in seen:
        return set()
    seen |= {id(function)}
    above = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}
    tracked = dict(_arguments(function)) | dict(_made(function))
    found: set[str] = set()
    done: set[str] = set()
    while names := tracked.keys() - done:
        name = min(names)
        done.add(name)
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                path, last = _taken(node, above)
                full = (*tracked[name], *path)
                full = full[1:] if full[:2] == ("evidence", "application") else full
                if full not in _WHOLE.values():
                    found |= _part(full)
                elif (other := _renamed(last, above)) is not None:
                    tracked[other] = full
                else:
                    found |= _handed(last, above, known, seen)
    return found


def _arguments(function: Function) -> Iterator[tuple[str, Path_]]:
    for argument in (*function.args.args, *function.args.kwonlyargs):
        if isinstance(argument.annotation, ast.Name) and argument.annotation.id in _WHOLE:
            yield argument.arg, _WHOLE[argument.annotation.id]


def _made(function: Function) -> Iterator[tuple[str, Path_]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            made = _MADE_BY.get(_name(node.value))
            if made is not None:
                yield node.targets[0].id, _WHOLE[made]


def _taken(node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> tuple[Path_, ast.AST]:
    """The names that are taken of a value one after another, and the last expression of them."""
    path: list[str] = []
    while isinstance(parent := above[node], ast.Attribute):
        path.append(parent.attr)
        node = parent
    return tuple(path), node


def _renamed(node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> str | None:
    """The name that a whole value is given, alone or in a row of names."""
    parent, place = above[node], None
    if isinstance(parent, ast.Tuple) and isinstance(above[parent], ast.Assign):
        place, parent = parent.elts.index(node), above[parent]  # type: ignore[arg-type]
    if not isinstance(parent, ast.Assign):
        return None
    [target] = parent.targets
    if place is not None:
        target = target.elts[place] if isinstance(target, ast.Tuple) else target
    return target.id if isinstance(target, ast.Name) else None


def _handed(node: ast.AST, above: Mapping[ast.AST, ast.AST], known: Known, seen: frozenset[int]) -> set[str]:
    """What is read by whoever a whole value is handed to."""
    parent = above[node]
    call = above[parent] if isinstance(parent, ast.keyword) else parent
    if isinstance(call, ast.Return) or (isinstance(call, ast.Tuple) and isinstance(above[call], ast.Return)):
        return set()
    if not isinstance(call, ast.Call) or call.func is node:
        return {UNKNOWN}
    callee = _name(call)
    if callee in _MADE_BY or callee in _EACH_ONE or callee == "cls":
        return set().union(*(parts_read(each, known, seen) for each in known.get(callee, ())))
    if callee not in known:
        return {UNKNOWN}
    return set().union(*(parts_read(each, known, seen) for each in known[callee]))


def _part(path: Path_) -> set[str]:
    match path:
        case ("policy", *_) | ("facts" | "evidence", "as_of" | "synthetic", *_) | (_, "model_copy"):
            return set()
        case ("facts", name, "status", *_) if name in SOURCES:
            return set()  # whether a source answered is no information about anybody
        case ("facts", name, *_) if name in {*SOURCES, *LATER}:
            return {name}
        case ("evidence", name, *_) if name in _EVIDENCE:
            return {_EVIDENCE[name]}
        case ("application", name, *_) if name in Application.model_fields:
            return {f"application.{name}"}
    return {UNKNOWN}


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
