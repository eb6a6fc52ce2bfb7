"""The tail is kept short: 70 lines a function and 500 a module at most, and no drawer for odds and ends."""

import ast
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, TREES, modules

FUNCTION_LINES = 70
MODULE_LINES = 500
DRAWERS = {"helpers", "utils", "common"}


def oversized(root: Path) -> list[str]:
    """Functions and modules beyond the limit; a function is counted from `def` to its last line."""
    found = []
    for module in modules(root, TREES):
        lines = len(module.text.splitlines())
        if lines > MODULE_LINES:
            found.append(module.at(1, f"{lines} lines, at most {MODULE_LINES}"))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(module.at(node.lineno, f"{node.name}: {length} lines, at most {FUNCTION_LINES}"))
    return found


def drawers(root: Path) -> list[str]:
    """Files and packages named after nothing in particular."""
    return [
        module.at(1, "says nothing about what it holds")
        for module in modules(root, TREES)
        if DRAWERS & {part.removesuffix(".py") for part in module.path.split("/")}
    ]


def test_functions_and_modules_stay_short() -> None:
    """No function is longer than 70 lines and no module longer than 500."""
    assert oversized(ROOT) == []


def test_no_file_is_a_drawer() -> None:
    """Nothing is called helpers, utils or common: a module is named by the noun it holds."""
    assert drawers(ROOT) == []


@pytest.mark.parametrize(("body_lines", "too_long"), [(69, False), (70, True)])
def test_the_limit_of_a_function_is_exact(tmp_path: Path, body_lines: int, too_long: bool) -> None:
    """70 lines pass and 71 do not, in a method as in a function."""
    (tmp_path / "api").mkdir()
    body = "        x = 1\n" * body_lines
    (tmp_path / "api/planted.py").write_text(f"class Box:\n    async def fill(self):\n{body}", encoding="utf-8")
    assert bool(oversized(tmp_path)) is too_long


@pytest.mark.parametrize(("lines", "too_long"), [(500, False), (501, True)])
def test_the_limit_of_a_module_is_exact(tmp_path: Path, lines: int, too_long: bool) -> None:
    """500 lines pass and 501 do not."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine/planted.py").write_text("x = 1\n" * lines, encoding="utf-8")
    assert bool(oversized(tmp_path)) is too_long


@pytest.mark.parametrize("place", ["engine/helpers.py", "api/store/utils.py", "tests/common.py", "models/utils/x.py"])
def test_a_drawer_is_found(tmp_path: Path, place: str) -> None:
    """A drawer is named wherever it is hidden, as a file or as a package."""
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.write_text("", encoding="utf-8")
    assert drawers(tmp_path) == [f"{place}:1: says nothing about what it holds"]
