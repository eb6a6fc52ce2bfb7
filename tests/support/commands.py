"""The command line, run in this process: what a command prints, and how it fails."""

from collections.abc import Mapping
from unittest.mock import patch

from click.testing import CliRunner, Result

import models
from api.cli import main
from tests.support.service import champion_once


def run(url: str | None, *words: object, more: Mapping[str, str] | None = None) -> Result:
    """One command on this database."""
    cleared = dict.fromkeys(("CREDITLINE_DEVELOPMENT", "CREDITLINE_MARKET", "CREDITLINE_PORT", "CREDITLINE_RELEASE"))
    runner = CliRunner(env={**cleared, "CREDITLINE_DATABASE_URL": url, **(more or {})})
    with patch.object(models, "champion", champion_once):  # loading it takes longer than most commands
        return runner.invoke(main, [*map(str, words)])


def ran(url: str | None, *words: object) -> str:
    """What a command that succeeds prints."""
    result = run(url, *words)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def failed(url: str | None, *words: object, more: Mapping[str, str] | None = None) -> str:
    """What a command that fails says: one line, no traceback."""
    result = run(url, *words, more=more)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").rstrip("\n")
