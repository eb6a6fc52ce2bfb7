"""Who may import whom, and what the pure middle may touch.

api -> models -> engine        training -> models -> engine        nothing else
"""

import sys
from pathlib import Path

import pytest

from tests.architecture.source import HOUSES, ROOT, Module, imports, modules, references

MAY_IMPORT = {
    "engine": {"engine"},
    "models": {"models", "engine"},
    "training": {"training", "models", "engine"},
    "api": {"api", "models", "engine"},
}
OURS = {*HOUSES, "benchmarks", "tests"}

# pydantic_core and typing_extensions are parts of pydantic: its errors, and TypedDict before Python 3.12.
ENGINE_THIRD_PARTY = {
    "msgspec",
    "numpy",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "stdnum",
    "phonenumbers",
    "holidays",
}

# Files, clock, network, environment, chance, other processes: each would be a hidden argument of decide().
ENGINE_FORBIDDEN = {
    *("os", "sys", "pathlib", "io", "glob", "shutil", "tempfile", "fileinput", "sqlite3", "mmap", "fcntl"),
    *(
        "socket",
        "ssl",
        "urllib",
        "http",
        "ftplib",
        "smtplib",
        "select",
        "selectors",
        "socketserver",
        "asyncio",
    ),
    *("random", "secrets", "uuid", "time", "sched", "locale", "platform", "getpass", "logging", "warnings"),
    *("subprocess", "multiprocessing", "signal", "concurrent", "queue", "builtins", "runpy", "code", "pty"),
}
# Scoring alone reaches LightGBM's shared library, and guards it with a lock.
SCORING_ONLY = {"ctypes", "importlib", "threading"}

ENGINE_FORBIDDEN_NAMES = {
    *("open", "input", "print", "breakpoint", "eval", "exec", "__import__"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("numpy.load", "numpy.save", "numpy.savez", "numpy.fromfile", "numpy.loadtxt", "numpy.savetxt"),
    *("numpy.genfromtxt", "numpy.memmap", "numpy.random"),
}


def wrong_directions(root: Path) -> list[str]:
    """Imports that go against the arrows, whether at the top of a file or inside a function."""
    return [
        module.at(found.line, f"{module.house} imports {found.name}")
        for module in modules(root, HOUSES)
        for found in imports(module)
        if found.top in OURS and found.top not in MAY_IMPORT[module.house]
    ]


def impurities(root: Path) -> list[str]:
    """Every door in engine/ to a file, a clock, the network, the environment or chance."""
    return [
        violation
        for module in modules(root, ("engine",))
        for violation in (*_impure_imports(module), *_impure_names(module))
    ]


def _impure_imports(module: Module) -> list[str]:
    forbidden = ENGINE_FORBIDDEN if _is_scoring(module) else ENGINE_FORBIDDEN | SCORING_ONLY
    return [
        module.at(found.line, f"engine may not import {found.name}")
        for found in imports(module)
        if found.top in forbidden
        or (found.top not in sys.stdlib_module_names | OURS | ENGINE_THIRD_PARTY)
        or found.name.startswith("numpy.random")
    ]


def _impure_names(module: Module) -> list[str]:
    return [
        module.at(line, f"engine may not use {name}")
        for name, line in references(module)
        if name in ENGINE_FORBIDDEN_NAMES
    ]


def _is_scoring(module: Module) -> bool:
    return module.path == "engine/scoring.py" or module.path.startswith("engine/scoring/")


def test_houses_import_only_along_the_arrows() -> None:
    """No house imports one it may not know; api and training never meet."""
    assert wrong_directions(ROOT) == []


def test_engine_is_pure() -> None:
    """engine/ has no door to files, clock, network, environment or chance."""
    assert impurities(ROOT) == []


@pytest.mark.parametrize(
    ("house", "line"),
    [
        ("engine", "import models"),
        ("engine", "from api.store import tables"),
        ("models", "from training import fitting"),
        ("models", "import api.settings as settings"),
        ("training", "import api"),
        ("api", "def late():\n    from training.simulate import market"),
        ("api", "import importlib\nimportlib.import_module('training.cli')"),
        ("engine", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from api import flow"),
        ("models", "import tests.conftest"),
        ("api", "from benchmarks import serving"),
        ("engine", "from .. import api"),
    ],
)
def test_a_wrong_direction_is_found(tmp_path: Path, house: str, line: str) -> None:
    """Each way of importing against an arrow is named with its file."""
    _plant(tmp_path, f"{house}/planted.py", line)
    [violation] = wrong_directions(tmp_path)
    assert violation.startswith(f"{house}/planted.py:")


@pytest.mark.parametrize(
    "line",
    [
        *(
            "import os",
            "import sys",
            "from pathlib import Path",
            "import io",
            "import socket",
            "import random",
        ),
        *(
            "from secrets import token_hex",
            "import time",
            "import subprocess",
            "import logging",
            "import sqlite3",
        ),
        *(
            "import urllib.request",
            "import asyncio",
            "import threading",
            "import ctypes",
            "import importlib.util",
        ),
        *(
            "import requests",
            "import pandas",
            "import scipy.stats",
            "import lightgbm",
            "from numpy import random",
        ),
        *("import numpy.random", "open('x')", "read = open", "__import__('os')", "eval('1')"),
        "from datetime import datetime\nNOW = datetime.now()",
        "import datetime as d\nNOW = d.datetime.utcnow()",
        "from datetime import date as day\nCLOCK = day.today",
        "import datetime\nNOW = datetime.datetime.today()",
        "import numpy as np\nDRAW = np.random.default_rng()",
        "import numpy\nTABLE = numpy.loadtxt('x')",
        "def deep():\n    def deeper():\n        import time",
    ],
)
def test_an_impurity_is_found(tmp_path: Path, line: str) -> None:
    """Each door to the outside is named, however the name was brought in."""
    _plant(tmp_path, "engine/planted.py", line)
    assert impurities(tmp_path)
    assert all(violation.startswith("engine/planted.py:") for violation in impurities(tmp_path))


@pytest.mark.parametrize("place", ["engine/scoring.py", "engine/scoring/library.py"])
def test_scoring_alone_reaches_the_shared_library(tmp_path: Path, place: str) -> None:
    """ctypes, importlib and a lock are allowed in scoring; a clock is not allowed there either."""
    allowed = "import ctypes\nimport importlib.util\nimport threading\n"
    _plant(tmp_path, place, allowed)
    assert impurities(tmp_path) == []
    _plant(tmp_path, place, allowed + "import time\n")
    assert impurities(tmp_path) == [f"{place}:4: engine may not import time"]


def test_what_is_allowed_is_not_called_a_violation(tmp_path: Path) -> None:
    """The allowed libraries, the arrows and dates as values pass."""
    _plant(
        tmp_path,
        "engine/planted.py",
        "import numpy as np\nfrom datetime import date, datetime\nfrom decimal import Decimal\n"
        "from stdnum.au import abn\nfrom engine.facts import Facts\nfrom . import facts\n"
        "BORN = date(2000, 1, 1)\nclass Box:\n    def open(self): ...\n"
        "    def today(self): ...\nBox().open()\nclass Account:\n    open: bool = True\n",
    )
    _plant(tmp_path, "api/planted.py", "import os\nfrom models import load\nfrom engine.decision import decide\n")
    _plant(tmp_path, "training/planted.py", "import pandas\nfrom models import publish\nimport engine\n")
    assert wrong_directions(tmp_path) == []
    assert impurities(tmp_path) == []


def _plant(root: Path, place: str, text: str) -> None:
    file = root / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
