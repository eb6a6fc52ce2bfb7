"""The desk's commands of a roll-out, as a risk officer types them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import models
from models import rollout as rollouts
from tests.support.rollouts import SHIPPED, folder_of
from training.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped champion and a stricter release."""
    return folder_of(tmp_path_factory.mktemp("desk") / "releases", strict=0.5)


def run(folder: Path, *words: str) -> tuple[int, str]:
    """One command; its exit code and all it said."""
    result = CliRunner().invoke(main, ["rollout", words[0], "--root", str(folder), *words[1:]])
    return result.exit_code, result.output


def test_from_start_to_stop(folder: Path) -> None:
    """Shadow, a share, all that the plan allows, no further, stopped; each command says how it stands."""
    assert run(folder, "status") == (0, "no roll-out\n")
    code, said = run(folder, "start", "strict", "--why", "a test", "--up-to", "5", "--expected", "-1.5")
    assert (code, "in shadow now" in said) == (0, True)
    plan = rollouts.waiting_plan(folder)[1]
    assert (plan.stages, plan.up_to, plan.expected, plan.challenger.name) == (
        (100, 500, 2_500, 10_000),
        500,
        -150,
        "strict",
    )
    code, said = run(folder, "status")
    assert f"strict against {SHIPPED}, allowed up to shadow" in said
    assert "changes by other than -1.5 ± 5 points" in said
    assert run(folder, "advance") == (0, f"{plan.id}: allowed up to 1 %\n")
    assert run(folder, "advance", "--to", "5%") == (0, f"{plan.id}: allowed up to 5 %\n")
    assert "the plan goes up to 500 of 10000" in run(folder, "advance")[1]
    assert "stop it first" in run(folder, "start", "strict", "--why", "again")[1]
    assert run(folder, "stop") == (0, f"{plan.id}: stopped\n")
    assert "stopped" in run(folder, "status")[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("start", "nobody", "--why", "x"), "no such release folder"),
        (("start", SHIPPED, "--why", "x"), "A release is not tried against itself"),
        (("start", "strict", "--why", "x", "--stages", "5,1"), "Stages are rising shares"),
        (("start", "strict", "--why", "x", "--stages", "1,half"), "'half' is no number of per cent"),
        (("start", "strict", "--why", "x", "--up-to", "7"), "one of its stages"),
        (("start", "strict", "--why", "x", "--up-to", "0.001"), "at most two digits after the point"),
        (("start", "strict", "--why", ""), "why"),
        (("advance",), "no roll-out is under way"),
        (("sign", "--key", __file__, "--passphrase", ""), "trust root"),
    ],
)
def test_bad_input_is_named(folder: Path, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """A line that says what is wrong, no traceback, and nothing begins."""
    (folder / "ROLLOUT").unlink(missing_ok=True)
    code, said = run(folder, *words)
    assert code != 0
    assert told in said
    assert "Traceback" not in said
    assert not (folder / "ROLLOUT").exists()


def test_a_damaged_line_is_told_and_can_be_started_over(folder: Path) -> None:
    """Whoever damaged it, the commands say so; a person who removes the file starts anew."""
    (folder / "ROLLOUT").write_bytes(b"\xff")
    assert "ROLLOUT is damaged" in run(folder, "status")[1]
    assert "ROLLOUT is damaged" in run(folder, "stop")[1]
    (folder / "ROLLOUT").unlink()
    assert run(folder, "start", "strict", "--why", "a test")[0] == 0
    assert models.champion(root=folder).name == SHIPPED
