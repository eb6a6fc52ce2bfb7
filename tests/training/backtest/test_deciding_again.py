"""Recorded decisions decided again: exactly, whichever way they are kept, and in however many processes."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import models
from engine.canonical import canonical_bytes
from engine.decision import decide
from tests.training.backtest.conftest import POLICY, SHIPPED, Changed
from training.backtest import Export, Market, Plan, Tally, Wanted, Work, indexed, run
from training.backtest.keeping import write_condensed, write_replay_set
from training.backtest.records import Record, Source
from training.backtest.referrals import Settled, load, settled
from training.backtest.seen import moved, seen_in, seen_of
from training.backtest.trials import Terms, release_of
from training.cli import main


def tally(source: Source, new: Wanted, jobs: int = 1, against: Wanted | None = None, terms: str = "then") -> Tally:
    """A plan run."""
    plan = Plan(source, new, against, terms)  # type: ignore[arg-type]
    return run(Work(plan), indexed(plan, jobs=jobs), jobs)


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of an export, parsed."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_same_release_changes_nothing(export: Path, shipped: Path) -> None:
    """Every recorded decision is decided again as it was, and counted once."""
    found = tally(Export(export), Wanted(shipped))
    assert (found.decisions, found.changed, found.whole.applications) == (200, 0, 200)
    assert found.whole.before == found.whole.after
    assert sum(found.whole.before.outcomes.values()) == 200


def test_it_is_the_engines_own_decision(records: list[Record], shipped: Path) -> None:
    """A back-test's decision has the bytes of `decide` on the same application, facts and release."""
    trial, release = release_of(None, shipped), models.champion(shipped)
    for record in records:
        ours = Terms.of(trial, record.facts.as_of.date()).decide(record)
        assert ours.canonical() == decide(record.application, record.facts, release).canonical()


def test_a_record_and_the_decision_are_seen_alike(export: Path, records: list[Record], shipped: Path) -> None:
    """What is compared is the same, read from the record or taken from the decision."""
    trial = release_of(None, shipped)
    for line, record in zip(lines(export), records, strict=True):
        decision = Terms.of(trial, record.facts.as_of.date()).decide(record)
        assert seen_in(json.loads(canonical_bytes(line["decision"]))) == seen_of(decision) == record.recorded


def test_a_condensed_export_decides_to_the_byte(
    export: Path, records: list[Record], shipped: Path, tmp_path: Path
) -> None:
    """Without transactions or orders, the same bytes under the champion, at less than half the size."""
    kept = tmp_path / "condensed.jsonl"
    assert write_condensed(export, kept, jobs=1) == 200
    assert kept.stat().st_size < export.stat().st_size / 2
    assert not any(word in kept.read_text() for word in ('"posted_day":[1', '"placed_day":[1'))
    trial, source = release_of(None, shipped), Export(kept)
    again = [r for part in source.parts() for r in source.read(part, b"\1" * len(source.index(part)))]
    for one, other in zip(again, records, strict=True):
        terms = Terms.of(trial, other.facts.as_of.date())
        assert terms.decide(one).canonical() == terms.decide(other).canonical()
        assert one.recorded == other.recorded


def test_a_condensed_export_of_another_engine_is_refused(export: Path, shipped: Path, tmp_path: Path) -> None:
    """Sums of another engine are not decided on; the error names the line and the remedy."""
    kept = tmp_path / "condensed.jsonl"
    write_condensed(export, kept, jobs=1)
    kept.write_text(kept.read_text().replace(f'"condensed":{{"engine_digest":"{models.engine_digest()}"',
                                             '"condensed":{"engine_digest":"other"'))  # fmt: skip
    with pytest.raises(ValueError, match=r"line 1 cannot be read by this engine: .*condense the export again"):
        tally(Export(kept), Wanted(shipped))


def test_processes_do_not_show(export: Path, shipped: Path, changed: Changed, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process over one part and two over many give the same counts, examples included."""
    policy = changed(("least_trading_months = 6", "least_trading_months = 24"))
    one = tally(Export(export), Wanted(shipped, policy=policy))
    monkeypatch.setattr("training.backtest.records.PART_BYTES", 100_000)
    assert len(Export(export).parts()) > 40
    assert tally(Export(export), Wanted(shipped, policy=policy), jobs=2) == one
    assert one.changed > 20


def test_a_market_is_compared_with_the_champion(market: Path, export: Path, shipped: Path, changed: Changed) -> None:
    """The market's own decisions under a changed policy move as the export's do; what became of them is known."""
    policy = changed(("most_dishonours = 8", "most_dishonours = 2"))
    ours = tally(Market(market), Wanted(shipped, policy=policy), against=Wanted(shipped))
    theirs = tally(Export(export), Wanted(shipped, policy=policy))
    assert ours.changed == theirs.changed > 0
    assert ours.causes == theirs.causes
    assert ours.whole.before.known > 0 == theirs.whole.before.known
    assert {
        name: sum(group.applications for group in by.values()) for name, by in ours.segments.items()
    } == dict.fromkeys(("region", "industry", "turnover", "staff", "score"), 200)


def test_what_begins_later_moves_nothing_then(export: Path, shipped: Path, tmp_path: Path) -> None:
    """Terms of each decision's own day leave a later amendment out; the newest terms try it."""
    policy = tmp_path / "later.toml"
    policy.write_text(
        POLICY.read_text() + '\n[[amendments]]\neffective_from = 2027-01-01\nwhy = "Later."\n[amendments.set]\n'
        '"screening.least_trading_months" = 24\n'
    )
    assert tally(Export(export), Wanted(shipped, policy=policy)).changed == 0
    assert tally(Export(export), Wanted(shipped, policy=policy), terms="newest").changed > 20


def test_money_is_bounded_where_nothing_is_known(export: Path, shipped: Path) -> None:
    """Expected profit lies between all paid and none paid; dollars are the sum of the recorded lines."""
    side = tally(Export(export), Wanted(shipped)).whole.after
    offered = [line["decision"]["offer"] for line in lines(export)]
    assert side.approved_cents == sum(offer["limit_cents"] for offer in offered if offer)
    assert side.unknown_if_bad_cents < side.expected_cents < side.unknown_if_good_cents


def test_the_last_decision_of_an_application_counts(export: Path, shipped: Path, tmp_path: Path) -> None:
    """Two decisions on one application are two decisions and one application; an erased one is neither."""
    records = lines(export)[:4]
    records[1]["application_id"] = records[0]["application_id"]
    records[3]["facts"] = None
    path = tmp_path / "few.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = tally(Export(path), Wanted(shipped))
    assert (found.decisions, found.whole.applications) == (3, 2)
    assert found.left_out == {"followed by another": 1, "erased": 1}


def test_people_overturn_referrals() -> None:
    """A referral left aside and approved is overturned; one declined is settled; one still open is not counted."""
    trail = [
        ("a", ("overdue_tax", "gst_expected"), False, False), ("b", ("overdue_tax",), False, False),
        ("c", ("overdue_tax",), False, False), ("a", ("overdue_tax",), True, True), ("b", (), True, False),
    ]  # fmt: skip
    assert settled(trail) == {"overdue_tax": Settled(2, 1), "gst_expected": Settled(1, 0)}


def test_a_referral_in_the_record_is_followed(export: Path, shipped: Path, tmp_path: Path) -> None:
    """A recorded referral, and the approval after an officer left its rule aside, count as one overturned."""
    first = next(line for line in lines(export) if [f["rule"] for f in line["decision"]["findings"]] == ["overdue_tax"]
                 and line["decision"]["outcome"] == "refer")  # fmt: skip
    second = json.loads(json.dumps(first))
    second["decision_id"] = "dec_second"
    as_of = second["facts"]["as_of"]
    second["facts"]["review"] = {"source": "console", "fetched_at": as_of, "status": "present", "value": {
        "most_cents": None, "reason": None, "set_aside": ["overdue_tax"]}, "digest": None, "failure": None}  # fmt: skip
    second["decision"]["outcome"] = "approve"
    path = tmp_path / "settled.jsonl"
    path.write_text(json.dumps(first) + "\n" + json.dumps(second) + "\n")
    found = tally(Export(path), Wanted(shipped), terms="then").referrals
    assert settled(found.trail) == {"overdue_tax": Settled(1, 1)}
    assert found.after.alone == {"overdue_tax": 1}
    assert load(found.after, found.days, 0).above == 1


def test_a_replay_set_is_chosen_the_same_way_always(export: Path, tmp_path: Path) -> None:
    """The same decisions in another order give the same bytes, and every outcome and rule is in the set."""
    backwards = tmp_path / "backwards.jsonl"
    backwards.write_text("".join(reversed(export.read_text().splitlines(keepends=True))))
    one = write_replay_set(export, tmp_path / "one", 30, jobs=1)
    assert one == write_replay_set(backwards, tmp_path / "two", 30, jobs=1)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def rules(path: Path) -> set[str]:
        return {finding["rule"] for line in lines(path) for finding in line["decision"]["findings"]}

    assert rules(tmp_path / "one") == rules(export)
    assert 30 <= one.decisions < 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json\n", "line 1 is not an exported decision"),
        ('{"decision_id": "x"}\n', "line 1 is not an exported decision"),
        ("", "holds no decision"),
    ],
)
def test_what_is_no_export_is_named(text: str, said: str, shipped: Path, tmp_path: Path) -> None:
    """A file that is no export ends the command with its line, and nothing is printed as a result."""
    path = tmp_path / "no.jsonl"
    path.write_text(text)
    done = CliRunner().invoke(main, ["backtest", "--export", str(path), "--root", str(shipped), "--jobs", "1"])
    assert done.exit_code == 1
    assert said in done.output
    assert "decided again" not in done.output


def test_the_command_says_what_moved_and_keeps_it(
    export: Path, shipped: Path, changed: Changed, tmp_path: Path
) -> None:
    """`backtest` and `policy impact` print the tables and keep the record; an existing record is not replaced."""
    policy = changed(("least_trading_months = 6", "least_trading_months = 24"))
    record = tmp_path / "record.json"
    common = ["--export", str(export), "--root", str(shipped), "--jobs", "1"]
    done = CliRunner().invoke(main, ["backtest", *common, "--policy", str(policy), "--json", str(record)])
    assert done.exit_code == 0, done.output
    kept = json.loads(record.read_text())
    assert kept["changed"] > 20
    assert f"{kept['changed']:,} (" in done.output
    assert "rule abn_too_young" in kept["causes"]
    again = CliRunner().invoke(main, ["backtest", *common, "--json", str(record)])
    assert again.exit_code == 1
    assert "exists: give another name" in again.output
    impact = CliRunner().invoke(main, ["policy", "impact", str(policy), *common, "--referral-budget", "1"])
    assert impact.exit_code == 0, impact.output
    assert "6 months -> 24 months" in impact.output
    assert "within the budget of 1 referrals a day" in impact.output


def test_a_model_alone_can_be_tried(export: Path, shipped: Path, tmp_path: Path) -> None:
    """Another model in place of the champion's moves lines and rates, and each change is put down to it."""
    from training.scorecard import write_scorecard_draft  # noqa: PLC0415 - loads what fitting loads

    write_scorecard_draft(tmp_path / "card", POLICY.parent / "scorecards" / "example.toml")
    found = tally(Export(export), Wanted(shipped, model=tmp_path / "card"))
    assert {cause.kind for cause in found.causes} == {"data"}  # it learnt from nothing, the champion from a market
    assert found.causes.total() == found.changed > 50
    side = found.whole.after
    assert side.expected_cents != side.expected_by_new_cents


def test_a_span_is_a_span(export: Path, shipped: Path) -> None:
    """Days outside the span are left out and counted; a span without decisions is an error."""
    plan = Plan(Export(export), Wanted(shipped), start=date(2025, 1, 1), end=date(2025, 6, 30))
    span = indexed(plan)
    days = [str(line["decided_at"])[:10] for line in lines(export)]
    assert span.decisions == sum("2025-01-01" <= day <= "2025-06-30" for day in days) > 0
    common = ["--export", str(export), "--root", str(shipped), "--jobs", "1"]
    done = CliRunner().invoke(main, ["backtest", *common, "--from", "2031-01-01"])
    assert done.exit_code == 1
    assert "no decision lies within the span" in done.output


def test_decisions_of_a_release_that_is_gone_have_no_cause(
    export: Path, shipped: Path, changed: Changed, tmp_path: Path
) -> None:
    """Where the release that decided is not here the changes are counted, and it is said that causes are not known."""
    policy = changed(("least_trading_months = 6", "least_trading_months = 24"))
    root = tmp_path / "other"
    shutil.copytree(shipped, root)
    gone = export.read_text().replace(str(models.champion(shipped).digest), "0" * 64)
    path = tmp_path / "gone.jsonl"
    path.write_text(gone)
    found = tally(Export(path), Wanted(root, SHIPPED, policy=policy))
    assert found.not_attributed == found.changed > 20
    assert not found.causes


def test_nothing_moves_without_a_difference(records: list[Record], shipped: Path) -> None:
    """A decision compared with itself has nothing that moved."""
    seen = [Terms.of(release_of(None, shipped), record.facts.as_of.date()).see(record) for record in records[:20]]
    assert not any(moved(one, one) for one in seen)
