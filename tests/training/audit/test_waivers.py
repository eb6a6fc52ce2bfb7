"""A model on a betraying column is refused, unless a person signs; what was signed goes to draft and card."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.tables import table
from training.audit import Refused, Report, Waiver, audit, card_section, keep, read_waivers, require_clean
from training.cli import main

DAY = date(2026, 3, 1)
SIGNED = """
[[waivers]]
column = "queue"
name = "A. Person"
reason = "Kept to show what a leak does; never to be published."
date = 2026-03-01
"""


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table whose column `queue` betrays, and its description with that column an input."""
    folder = tmp_path_factory.mktemp("leaking")
    table(0, ("a code for a third of the bads",), rows=4_000)[0].write_parquet(folder / "loans.parquet")
    (folder / "loans.toml").write_text(
        'table = "loans.parquet"\ntarget = "bad"\ntime = "day"\n[columns]\nscore = { kind = "number" }\n'
        'late_90 = { kind = "number" }\nqueue = { kind = "category" }\n'
    )
    (folder / "waivers.toml").write_text(SIGNED)
    return folder


@pytest.fixture(scope="module")
def report(leaking: Path) -> Report:
    """Its audit."""
    return audit(leaking / "loans.parquet", "bad", "day")


def test_clean_inputs_need_nobody(report: Report) -> None:
    """A betraying column that is no input bars nothing."""
    assert require_clean(["score", "late_90"], report) == ()


def test_a_betraying_input_is_refused_by_name(report: Report) -> None:
    """The refusal names the column, says why in a sentence, and how to go on."""
    with pytest.raises(Refused, match="1 of the inputs betray the outcome") as refused:
        require_clean(["score", "queue"], report)
    assert refused.value.columns == ("queue",)
    assert "queue: Where queue is" in str(refused.value)


def test_a_waiver_counts_for_its_column_and_from_its_day(report: Report, leaking: Path) -> None:
    """Signed for this column and not dated ahead, it lets the column in; for another it does not."""
    [waiver] = read_waivers(leaking / "waivers.toml")
    assert require_clean(["queue"], report, [waiver], DAY) == (waiver,)
    with pytest.raises(Refused):
        require_clean(["queue"], report, [waiver], date(2026, 2, 28))
    with pytest.raises(Refused):
        require_clean(["queue"], report, [waiver.model_copy(update={"column": "score"})], DAY)


@pytest.mark.parametrize("without", ["name", "reason", "date"])
def test_a_waiver_without_name_reason_or_day_is_none(tmp_path: Path, without: str) -> None:
    """Each of the three is asked for by name."""
    lines = [line for line in SIGNED.splitlines() if not line.startswith(without)]
    (tmp_path / "w.toml").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=f"waivers.0.{without}"):
        read_waivers(tmp_path / "w.toml")


def test_the_draft_keeps_findings_and_waivers_for_the_card(tmp_path: Path, report: Report) -> None:
    """The card names who signed for what and why; a draft whose waiver was taken out is refused."""
    waiver = Waiver(column="queue", name="A. Person", reason="Kept to show a leak.", date=DAY)
    keep(tmp_path, report, [waiver])
    section = card_section(tmp_path, ["score", "queue"])
    assert "| queue | A. Person | 2026-03-01 | Kept to show a leak. |" in section
    assert report.sha256 in section
    keep(tmp_path, report, [])
    with pytest.raises(Refused):
        card_section(tmp_path, ["score", "queue"])
    assert card_section(tmp_path / "elsewhere", ["score"]) == ""


def test_fit_refuses_a_leak_and_takes_a_waiver(leaking: Path, tmp_path: Path) -> None:
    """`fit` on a described table stops before anything is fitted; signed for, it fits and keeps who signed."""
    fit = [
        "fit", "--described-by", str(leaking / "loans.toml"), "--train-to", "2019-12-31", "--validate-to",
        "2020-12-31", "--out", str(tmp_path / "draft"),
    ]  # fmt: skip
    refused = CliRunner().invoke(main, fit)
    assert refused.exit_code == 1
    assert "queue: Where queue is" in refused.output
    assert not (tmp_path / "draft").exists()
    taken = CliRunner().invoke(main, [*fit, "--waivers", str(leaking / "waivers.toml")])
    assert taken.exit_code == 0, taken.output
    kept = json.loads((tmp_path / "draft" / "audit.json").read_bytes())
    assert [waiver["name"] for waiver in kept["waivers"]] == ["A. Person"]


def test_the_command_shows_and_writes_what_it_found(leaking: Path, tmp_path: Path) -> None:
    """A table on the screen, JSON in a file that is not overwritten, an error only where an input betrays."""
    named = ["audit", str(leaking / "loans.parquet"), "--target", "bad", "--time", "day", "--json", str(tmp_path / "f")]
    done = CliRunner().invoke(main, named)
    assert done.exit_code == 0, done.output
    assert "1 of 18 columns betray the outcome: queue" in done.output
    assert Report.model_validate_json((tmp_path / "f").read_bytes()).betraying.keys() == {"queue"}
    assert "--force" in CliRunner().invoke(main, named).output
    described = ["audit", "--described-by", str(leaking / "loans.toml")]
    assert CliRunner().invoke(main, described).exit_code == 1
    assert CliRunner().invoke(main, [*described, "--waivers", str(leaking / "waivers.toml")]).exit_code == 0
