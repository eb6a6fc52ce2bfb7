"""Nothing that is loaded may run code: no pickle, plain or hidden, where releases and requests are read."""

import ast
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, imports, modules, references

READERS = ("engine", "models", "api")
# shelve keeps pickles; yaml is refused whole, since its plain `load` builds any object it is told to.
FORBIDDEN = {"pickle", "_pickle", "cPickle", "joblib", "cloudpickle", "dill", "marshal", "shelve", "yaml"}
FORBIDDEN_NAMES = {"pandas.read_pickle"}


def picklers(root: Path) -> list[str]:
    """Imports and calls that can turn bytes into running code."""
    found = []
    for module in modules(root, READERS):
        found += [module.at(i.line, f"imports {i.name}") for i in imports(module) if i.top in FORBIDDEN]
        found += [module.at(line, f"uses {name}") for name, line in references(module) if name in FORBIDDEN_NAMES]
        found += [
            module.at(node.value.lineno, "allows pickles")
            for node in ast.walk(module.tree)
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and not _is_false(node.value)
        ]
    return found


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_nothing_that_is_loaded_can_run_code() -> None:
    """Neither engine, models nor api can unpickle anything."""
    assert picklers(ROOT) == []


@pytest.mark.parametrize("house", READERS)
@pytest.mark.parametrize(
    "line",
    [
        *(
            "import pickle",
            "from joblib import load",
            "import cloudpickle as c",
            "import dill",
            "import marshal",
        ),
        *("import yaml", "from yaml import load", "def late():\n    import pickle", "import shelve"),
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import pandas as pd\npd.read_pickle('x')",
        "import importlib\nimportlib.import_module('pickle')",
    ],
)
def test_a_pickler_is_found(tmp_path: Path, house: str, line: str) -> None:
    """Each way of reading code as data is named."""
    (tmp_path / house).mkdir()
    (tmp_path / house / "planted.py").write_text(line, encoding="utf-8")
    assert [violation.split(":")[0] for violation in picklers(tmp_path)] == [f"{house}/planted.py"]


def test_training_and_plain_loading_are_left_alone(tmp_path: Path) -> None:
    """The rule is for what reads releases and requests: json passes, and so does training's own desk."""
    for house, text in (("api", "import json\njson.loads('1')"), ("training", "import joblib")):
        (tmp_path / house).mkdir()
        (tmp_path / house / "planted.py").write_text(text, encoding="utf-8")
    assert picklers(tmp_path) == []
