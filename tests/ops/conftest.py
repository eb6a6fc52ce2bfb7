"""What the tests of ops/ share: promtool, which reads rules as Prometheus would."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Promtool = Callable[..., "subprocess.CompletedProcess[str]"]
_SECONDS = 300.0


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Runs promtool with these arguments; skips where there is none, unless CREDITLINE_REQUIRE_PROMTOOL is 1."""
    here = Path(sys.prefix) / "promtool"
    program = str(here) if here.exists() else shutil.which("promtool")
    if program is None:
        missing = "there is no promtool: neither .venv/promtool (`make .venv/promtool`) nor one on the PATH"
        if os.environ.get("CREDITLINE_REQUIRE_PROMTOOL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)

    def run(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, *arguments], input=stdin, capture_output=True, text=True, timeout=_SECONDS, check=False
        )

    return run
