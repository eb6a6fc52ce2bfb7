"""The service stays small: what only training needs is never loaded into the serving process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

SERVICE = ("api.cli", "api.app")
TRAINING_ONLY = {"pandas", "polars", "scipy", "sklearn", "lightgbm", "matplotlib", "optuna", "dask", "distributed"}

ASK = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps([*sys.modules]))
"""


def unwanted(root: Path, names: tuple[str, ...]) -> set[str]:
    """What a fresh process has loaded of training's libraries after importing `names` from `root`."""
    # A `-c` program looks in its working folder first; PYTHONSAFEPATH or PYTHONPATH would change that.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-c", ASK, *names],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".", 1)[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert {name.split(".", 1)[0] for name in names} <= loaded
    return loaded & TRAINING_ONLY


def test_the_service_loads_none_of_trainings_libraries() -> None:
    """The command line and the app bring in nothing that only training needs."""
    assert unwanted(ROOT, SERVICE) == set()


def test_what_sets_the_service_up_needs_none_of_them_either() -> None:
    """`make run` makes its market and its comparables in an environment that holds none of training's libraries."""
    assert (
        unwanted(ROOT, ("training.cli", "training.simulate", "training.simulate.report", "training.comparables"))
        == set()
    )


@pytest.mark.parametrize("library", sorted(TRAINING_ONLY))
def test_a_library_of_training_is_found(tmp_path: Path, library: str) -> None:
    """Each library is noticed, also when only a module behind the first one imports it."""
    for name in TRAINING_ONLY:
        (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    (tmp_path / "planted_behind.py").write_text(f"import {library}\n", encoding="utf-8")
    (tmp_path / "planted.py").write_text("import planted_behind\n", encoding="utf-8")
    assert unwanted(tmp_path, ("planted",)) == {library}
