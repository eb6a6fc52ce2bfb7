"""`creditline-train report` as a newcomer meets it: on a small market, and with wrong words."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from training.cli import main
from training.report import Report, render

RELEASE = Path(__file__).parents[3] / "models" / "synthetic-2026-11"


def run(*words: object) -> Result:
    """A command's outcome."""
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small market."""
    place = tmp_path_factory.mktemp("market") / "market.sqlite"
    assert run("simulate", "--businesses", 1_200, "--seed", 3, "--jobs", 1, "--out", place).exit_code == 0
    return place


def test_a_release_on_a_market(market: Path, tmp_path: Path) -> None:
    """Page and record are written, hold the same, count what has no outcome yet, and name the market's own terms."""
    done = run(
        "report", RELEASE, "--market", market, "--from", "2025-01-01", "--jobs", 1, "--dated", "2026-11-29",
        "--out", tmp_path / "r.html", "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "stop: Synthetic" in done.output
    shown = Report.model_validate_json((tmp_path / "r.json").read_bytes())
    assert render(shown) == (tmp_path / "r.html").read_text()
    assert shown.dated == "2026-11-29"
    assert [left.why for left in shown.data.left_out] == ["window not closed"]
    assert {word.term for word in shown.data.definitions} >= {"bad", "good", "indeterminate", "window"}
    assert shown.judgement is not None
    assert {each.attribute for each in shown.judgement.fairness} == {"region", "industry", "turnover", "staff"}
    assert shown.dependence
    assert all(each.proved != "broken" for each in shown.inputs)
    assert shown.commands == (
        "creditline-train report synthetic-2026-11 \\\n    --market market.sqlite \\\n    --from 2025-01-01 \\\n"
        "    --out synthetic-2026-11.html",
    )
    assert str(tmp_path) not in json.dumps(shown.model_dump(mode="json"))


def test_nothing_is_overwritten_unless_told(tmp_path: Path) -> None:
    """A page or a record that is there ends the command before anything is computed; --force replaces it."""
    (tmp_path / "r.html").write_text("mine")
    refused = run("report", RELEASE, "--out", tmp_path / "r.html")
    assert refused.exit_code == 1
    assert "exists; --force replaces it" in refused.output
    assert (tmp_path / "r.html").read_text() == "mine"
    assert run("report", RELEASE, "--out", tmp_path / "r.html", "--force").exit_code == 0
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere",), "is neither a draft nor a release"),
        ((RELEASE, "--against", "nowhere"), "is neither a draft nor a release"),
        ((RELEASE, "--market", __file__), "is not a market file"),
        ((RELEASE, "--policy", __file__), "Expected"),
    ],
)
def test_wrong_words_are_one_line(tmp_path: Path, words: tuple[object, ...], says: str) -> None:
    """What is wrong is named, and nothing is written."""
    done = run("report", *words, "--out", tmp_path / "r.html")
    assert done.exit_code == 1
    assert says in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "r.html").exists()
