"""`creditline-train monitor` as a job at night: its exit code, its files, its words; baselines from fit to manifest."""

import json
from datetime import date
from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner, Result

import models
from engine.release import Release
from models.watching import Damaged, Watch, read
from tests.support.monitoring import Decided, lines, spread, write
from tests.training.test_learning import POLICY, SPLIT, made
from training.cli import main
from training.evaluation import Prices
from training.fitting import fit
from training.publishing import publish_draft, write_draft


def run(*arguments: object) -> Result:
    """The command, on these arguments."""
    return CliRunner().invoke(main, ["monitor", *map(str, arguments)])


def drawn_export(folder: Path, businesses: list[Decided], release: Release, moved: bool) -> Path:
    """1,500 decisions over five months; in the last two, where told, half of them from the riskiest."""
    chance = Random(4)
    risky = sorted(
        (each for each in businesses if each.decision["score"]), key=lambda each: -each.decision["score"]["pd"]
    )
    kept = [
        chance.choice(risky[: len(risky) // 3] if moved and i > 900 and chance.random() < 0.5 else businesses)
        for i in range(1_500)
    ]
    return write(folder / "export.jsonl", lines(spread(kept, date(2025, 1, 1), 150), release))


def test_a_quiet_release_ends_with_0(businesses: list[Decided], shipped: Release, tmp_path: Path) -> None:
    """The record, the pictures and the figures are there; nothing in them is an alarm; the shipped release has none
    of the baselines, and the words say so."""
    out = run("--export", drawn_export(tmp_path, businesses, shipped, moved=False), "--out", tmp_path / "out")
    assert out.exit_code == 0, out.output
    assert "no alarm" in out.output
    assert "the release tells no baselines" in out.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "features.svg", "metrics.prom", "monitor.json", "rates.svg", "score.svg",
    ]  # fmt: skip
    told = read(tmp_path / "out")
    assert isinstance(told, Watch)
    assert Watch.parse(told.to_bytes()) == told
    figures = (tmp_path / "out" / "metrics.prom").read_text()
    assert 'creditline_monitor_alarms{kind="score"} 0' in figures
    assert f'creditline_monitor_psi{{of="score"}} {round(told.newest.score.psi, 6)}' in figures


def test_a_moved_release_ends_with_3_and_says_why(businesses: list[Decided], shipped: Release, tmp_path: Path) -> None:
    """The alarm stands in the words, the record and the figures; the folder is replaced, and a later start is quiet."""
    export = drawn_export(tmp_path, businesses, shipped, moved=True)
    for _ in range(2):
        out = run("--export", export, "--by", "week", "--out", tmp_path / "out")
        assert out.exit_code == 3, out.output
    assert "ALARM  The score moved: PSI " in out.output
    told = read(tmp_path / "out")
    assert isinstance(told, Watch)
    assert "score" in {alarm.kind for alarm in told.standing}
    assert 'creditline_monitor_alarms{kind="score"} 1' in (tmp_path / "out" / "metrics.prom").read_text()
    assert run("--export", export, "--to", "2025-03-31").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give --export, or --described-by with --draft"),
        (("--export", "EXPORT", "--definitions", "EXPORT"), "--performance and --definitions go together"),
        (("--export", "EXPORT", "--release", "no-such"), "no-such: no such release folder"),
        (("--export", "EXPORT", "--from", "2030-01-01"), "there is no decision to watch in that span"),
        (("--export", "EXPORT", "--out", "OTHER"), "holds other files"),
        (("--export", "EXPORT", "--reference-to", "2020-01-01"), "no decision up to 2020-01-01"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: tuple[str, ...], says: str, businesses: list[Decided], shipped: Release, tmp_path: Path
) -> None:
    """Neither 0 nor 3, and nothing written."""
    places = {"EXPORT": str(write(tmp_path / "e.jsonl", lines(spread(businesses[:40], date(2025, 1, 1), 40), shipped)))}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    out = run(*(places.get(each, str(tmp_path / "other") if each == "OTHER" else each) for each in arguments))
    assert out.exit_code in {1, 2}
    assert says in out.output
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_baselines_go_from_fit_to_manifest(tmp_path: Path) -> None:
    """A fit keeps them, a release carries them, loading checks them; they are the training span's own shares."""
    data, book = made(), models.champion().policy
    prices = Prices.of(book.on(date(2026, 1, 1)))
    write_draft(tmp_path / "draft", fit(data, SPLIT, 5, num_threads=1, min_data_in_leaf=20), data, SPLIT, prices)
    publish_draft(tmp_path / "draft", POLICY, "watched", date(2026, 1, 1), tmp_path / "root", True)
    told = models.load("watched", tmp_path / "root").manifest.baselines
    assert told is not None
    train = SPLIT.parts(data)[0]
    assert (told.rows, told.population, told.approved_to_pd) == (len(train.y), "applicants", prices.pd_most[-1])
    assert [each.name for each in told.features] == list(data.names)
    for i, each in enumerate(told.features):
        edges = np.array([*each.edges, np.inf])
        low = np.array([-np.inf, *each.edges])
        x = train.x[:, i]
        seen = [((x > a) & (x <= b)).mean() for a, b in zip(low, edges, strict=True)]
        assert each.shares == pytest.approx([*seen, np.isnan(x).mean()], abs=1e-6)


def test_a_draft_without_baselines_publishes_all_the_same(tmp_path: Path) -> None:
    """An older draft makes a release whose manifest does not speak of them."""
    data = made()
    write_draft(tmp_path / "draft", fit(data, SPLIT, 5, num_threads=1, min_data_in_leaf=20), data, SPLIT)
    draft = json.loads((tmp_path / "draft" / "draft.json").read_bytes())
    del draft["baselines"]
    (tmp_path / "draft" / "draft.json").write_text(json.dumps(draft))
    publish_draft(tmp_path / "draft", POLICY, "older", date(2026, 1, 1), tmp_path / "root", True)
    assert models.load("older", tmp_path / "root").manifest.baselines is None
    assert b"baselines" not in (tmp_path / "root" / "older" / "manifest.json").read_bytes()


def test_a_record_that_is_none_is_told(tmp_path: Path) -> None:
    """Missing, cut short, of no form, too long: each a value with plain words."""
    assert read(tmp_path) == Damaged(True, "There is no monitor.json yet: `creditline-train monitor --out` writes it.")
    for content in (b"", b"{", b"[]", b'{"schema_version": 2}', b"\xff\xfe"):
        (tmp_path / "monitor.json").write_bytes(content)
        told = read(tmp_path)
        assert isinstance(told, Damaged)
        assert not told.missing
        assert "damaged" in told.why
