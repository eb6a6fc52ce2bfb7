"""What the report says: of champions and challengers, of few bads, of missing parts, and of who signed."""

import hashlib
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import models
from engine.policy import PolicyBook
from engine.release import Replay
from tests.training.report.conftest import HOUSE, Desk, asked, draft, examples, labels
from training.evaluation.swaps import known_under, safest
from training.publishing import publish_draft
from training.report import Examples, Report, gather, read_subject, render
from training.report.sections import sections
from training.scorecard import write_scorecard_draft
from training.signing import new_key, read_key, sign

EXAMPLE = HOUSE / "scorecards" / "example.toml"


def said(report: Report, topic: str) -> str:
    """The sentences of the summary on a topic."""
    return " ".join(each.says for each in report.summary if each.topic == topic)


def words(report: Report) -> str:
    """Everything in the sections but the pictures."""
    return str(sections(report))


def standing(report: Report, topic: str) -> set[str]:
    """How the sentences on a topic are marked."""
    return {each.standing for each in report.summary if each.topic == topic}


# -- figures -------------------------------------------------------------------------------------------------


def test_a_draft_is_judged_as_fit_judged_it(desk: Desk) -> None:
    """Without dates the judged span is the draft's test span, and figures and intervals are those that `fit` kept."""
    kept, told = read_subject(desk.model).judgement, desk.report.judgement
    assert kept is not None
    assert told is not None
    assert told.figures == kept.figures
    assert told.bands == kept.bands
    assert told.rivals == kept.rivals
    assert [rival.name for rival in told.rivals] == ["WoE scorecard", "logistic regression"]
    assert desk.report.data.same is True
    assert [span.name for span in desk.report.data.spans] == ["train", "validation", "test"]


def test_the_embargo_and_what_the_source_left_out_are_counted(desk: Desk) -> None:
    """Every example of the source is in a span or counted as left out."""
    spans, left = sum(span.rows for span in desk.report.data.spans), {e.why: e.rows for e in desk.report.data.left_out}
    assert left["in the embargo of 5 days between the spans"] == len(desk.data.y) - spans > 0
    assert 5 in left.values()


def test_a_span_of_ones_own_choice_tells_when_it_taught(desk: Desk) -> None:
    """Judged from a day inside the training span, the summary stops the reader; challengers are not told."""
    shown = gather(
        read_subject(desk.model), None, Examples(desk.data), replace(asked(), start=date(2024, 6, 1))
    )  # fmt: skip
    assert "figures are too good" in said(shown, "Data")
    assert shown.judgement is not None
    assert shown.judgement.rivals == ()
    assert any(each.part == "challengers" for each in shown.absent)


def test_other_examples_than_those_fitted_on_are_told(desk: Desk) -> None:
    """Another source is judged after the days that taught, marked as another, with what is older to compare with."""
    other = replace(examples(seed=2), source_sha256="6" * 64)
    shown = gather(read_subject(desk.model), None, Examples(other), asked())
    assert shown.data.same is False
    assert "are not those that the draft was fitted on" in said(shown, "Data")
    assert shown.judgement is not None
    assert shown.judgement.span[0] == "2024-09-16"
    assert "older examples of the same source" in shown.baseline
    assert shown.judgement.rivals == ()


def test_examples_without_an_input_are_refused(desk: Desk) -> None:
    """The error names the model and what is lacking."""
    lacking = replace(desk.data, names=("debts", "turnover", "noise", "trade"))
    with pytest.raises(ValueError, match=r"new <b>model needs inputs that these examples do not have: sales"):
        gather(read_subject(desk.model), None, Examples(lacking), asked())


# -- the champion --------------------------------------------------------------------------------------------


def test_what_changed_since_the_champion(desk: Desk) -> None:
    """The added input, the changed parameter and seed, both sets of figures, and the sentence that follows."""
    change = desk.report.change
    assert change is not None
    assert (change.inputs_added, change.inputs_removed) == (("sales",), ())
    differs = {each.name: (each.champion, each.model) for each in change.fit}
    assert differs["inputs"] == ("3", "4")
    assert differs["num_leaves"] == ("3", "4")
    assert differs["seed"] == ("3", "7")
    assert change.rival is not None
    assert change.rival.contest.verdict == "better"
    assert "beats champion old" in said(desk.report, "Champion")
    assert standing(desk.report, "Champion") == {"good"}


def test_a_champion_that_is_not_beaten_is_told_with_the_power(desk: Desk) -> None:
    """Against itself nothing differs: the summary says so, with the difference that would show, and marks it."""
    shown = gather(read_subject(desk.model), read_subject(desk.model), Examples(desk.data), asked())
    told = said(shown, "Champion")
    assert "cannot be told apart" in told
    assert "would show (80 % power, 5 %)" in told
    assert "does NOT beat" in told
    assert standing(shown, "Champion") == {"caution"}
    assert said(shown, "Swap") == "At the same approval rate both approve the same applicants."
    assert shown.change is not None
    assert shown.change.fit == ()
    assert "nothing differs" in words(shown)


def test_the_swap_is_told_as_a_lender_would_know_it(desk: Desk) -> None:
    """No outcome of whom the champion turns down is known: the bounds go from all good to all bad."""
    change = desk.report.change
    assert change is not None
    assert change.rival is not None
    assert change.rival.swap is not None
    assert change.rival.swap.bounds is not None
    seen, known = change.rival.swap, change.known
    assert known is not None
    assert known.bounds is not None
    assert (known.swap_in.known, known.neither.known) == (0, 0)
    assert known.swap_out.known == known.swap_out.rows == seen.swap_out.rows
    assert (known.bounds.unknown_share, known.bounds.best_bad_rate, known.bounds.worst_bad_rate) == (1, 0, 1)
    assert seen.bounds is not None
    assert seen.bounds.unknown_share == 0
    assert known.bounds.best_cents > known.bounds.estimate_cents > known.bounds.worst_cents


def test_only_outcomes_of_the_approved_are_known() -> None:
    """Exactly the safest share keeps its outcome."""
    pd, weight = np.linspace(0.9, 0.1, 10), np.ones(10)
    known = known_under(np.ones(10), pd, weight, 0.3)
    assert np.isfinite(known).tolist() == safest(pd, weight, 0.3).tolist() == [False] * 7 + [True] * 3


def test_a_champion_with_an_input_that_is_not_there_is_told(desk: Desk) -> None:
    """Figures side by side are missing, and why; what changed is told all the same."""
    lacking = replace(desk.data, names=("debts", "turnover", "noise", "trade"))
    small = desk.model.parent / "small"
    if not small.exists():
        draft(small, lacking)
    shown = gather(read_subject(small), read_subject(desk.model), Examples(lacking), asked())
    assert shown.change is not None
    assert (shown.change.inputs_added, shown.change.inputs_removed) == (("turnover",), ("sales",))
    assert shown.change.rival is None
    assert [each.why for each in shown.absent if "side by side" in each.part] == [
        "new <b>model needs inputs that these examples do not have: sales"
    ]
    assert "do not have: sales" in words(shown)


def test_the_policy_is_compared_in_words(tmp_path: Path) -> None:
    """A release beside a policy with one changed number: the sentence of `policy diff`, and nothing else."""
    text = (models.ROOT / "synthetic-2026-11" / "policy.toml").read_text()
    assert "most_dishonours = 8\n" in text
    changed = replace(asked(), policy=PolicyBook.parse(text.replace("most_dishonours = 8\n", "most_dishonours = 6\n")))
    write_scorecard_draft(tmp_path / "card", EXAMPLE)
    shown = gather(read_subject(tmp_path / "card"), read_subject(models.ROOT / "synthetic-2026-11"), None, changed)
    assert shown.change is not None
    assert len(shown.change.policy) == 1
    assert "Most dishonoured payments in 90 days" in shown.change.policy[0]
    assert shown.change.policy[0] in words(shown)


# -- what is not there ---------------------------------------------------------------------------------------


def test_few_bads_are_said_before_anything_good(tmp_path: Path) -> None:
    """A handful of bads: the report says that so few cannot show much, and every part of it can still be made."""
    data = examples(rows=700, seed=4, base=4.0)
    place = draft(tmp_path / "few", data, labels(data))
    shown = gather(read_subject(place), None, Examples(data, labels(data)), asked())
    assert shown.judgement is not None
    assert 0 < shown.judgement.figures.bads < 30
    assert standing(shown, "Few bads") == {"caution"}
    assert "read the intervals" in said(shown, "Few bads")
    topics = [each.topic for each in shown.summary]
    assert topics.index("Few bads") < topics.index("Rank")
    assert "does NOT beat" in said(shown, "Challengers")
    assert "Few bads" in render(shown)


def test_a_draft_without_performance_says_so(tmp_path: Path) -> None:
    """An expert scorecard has no figures: the summary stops there, and no section makes any up."""
    write_scorecard_draft(tmp_path / "card", EXAMPLE)
    shown = gather(read_subject(tmp_path / "card"), None, None, asked())
    assert shown.judgement is None
    assert shown.identity.synthetic
    assert standing(shown, "Performance") == {"alarm"}
    assert shown.absent[0].part == "figures of performance"
    page = render(shown)
    assert page.count("Not told: there are no figures of performance.") == 6
    assert "<svg" not in page
    assert "SYNTHETIC DATA" in page


def test_a_draft_alone_tells_what_its_folder_keeps(desk: Desk) -> None:
    """Without examples: the figures of `fit` and their pictures, and that curves need the examples."""
    shown = gather(read_subject(desk.model), None, None, asked())
    assert shown.judgement == read_subject(desk.model).judgement
    assert shown.walk is None
    assert any("curves" in each.part for each in shown.absent)
    assert "Reliability" in words(shown)


# -- who stands for it ---------------------------------------------------------------------------------------


def test_the_shipped_release_is_plainly_unsigned_and_synthetic() -> None:
    """Its report says both before anything else, and quotes the figures of its making as such."""
    shown = gather(read_subject(models.ROOT / "synthetic-2026-11"), None, None, asked())
    assert shown.identity.kind == "release"
    assert shown.identity.manifest_sha256 == models.load("synthetic-2026-11").digest
    assert [each.standing for each in shown.summary][:2] == ["alarm", "alarm"]
    assert "Unsigned" in said(shown, "Approval")
    assert "When the model was made its test span gave AUC 0.7893" in said(shown, "Performance")
    assert shown.card.startswith("# synthetic-2026-11")


def test_signatures_are_told_once_they_stand(tmp_path: Path) -> None:
    """Published to be signed: not approved. Signed by two: they and the validator are named. Changed since: refused."""
    root, place = tmp_path / "releases", tmp_path / "draft"
    root.mkdir()
    keys = {name: new_key(tmp_path / f"{name}.pem") for name in ("Ada", "Ben")}
    roles, days = {"Ada": ("trainer",), "Ben": ("approver",)}, {"valid_from": "2020-01-01", "valid_to": "2099-12-31"}
    listed = tuple(
        models.TrustedKey.model_validate({"public": public, "person": name, "roles": roles[name], **days})
        for name, public in keys.items()
    )  # fmt: skip
    (root / models.TRUST_NAME).write_bytes(models.first_root(models.TrustRoot(version=1, keys=listed)))
    write_scorecard_draft(place, EXAMPLE)
    model = hashlib.sha256((place / "model.txt").read_bytes()).hexdigest()
    (tmp_path / "validation.toml").write_text(
        'validated_by = "Vera"\ntrained_by = "Ada"\nvalidated_on = 2026-11-20\nreview_on = 2099-05-20\n'
        f'model_sha256 = "{model}"\nexamined = "Points."\nconclusion = "fit for use within the limits"\n'
        'limits = ["No performance data yet."]\n'
    )
    publish_draft(
        place, HOUSE / "policy.toml", "card-1", date(2026, 11, 24), root, synthetic=True,
        validation=tmp_path / "validation.toml",
    )  # fmt: skip
    waiting = read_subject(root / "card-1").governance
    assert not waiting.signed
    assert waiting.state.startswith("Not approved: 0 signatures")
    trust = models.read_trust(root / models.TRUST_NAME)
    for name in keys:
        _, envelope = models.waiting_envelope("card-1", root)
        signature = sign(read_key(tmp_path / f"{name}.pem"), envelope, envelope.payload_type)
        models.add_signature("card-1", root, signature, trust)
    shown = gather(read_subject(root / "card-1"), None, None, asked())
    assert [(each.person, each.role) for each in shown.governance.signatures] == [
        ("Ada", "trainer"),
        ("Ben", "approver"),
    ]
    assert standing(shown, "Approval") == {"good"}
    assert "Validated by Vera on 2026-11-20" in said(shown, "Approval")
    assert "No performance data yet." in shown.limits
    assert "approver" in words(shown)
    (root / "card-1" / "card.md").write_text("another")
    with pytest.raises(ValueError, match="digest"):
        read_subject(root / "card-1")


def test_the_release_gate_is_told(desk: Desk) -> None:
    """How many recorded decisions moved, and each declared cause with its allowance."""
    cause = {"kind": "rule", "rule": "most_dishonours", "why": "Losses rose.", "most": 40, "moved": 33}
    found = Replay.model_validate({
        "set_sha256": "1" * 64, "decisions": 4_321, "against": "old-1", "against_digest": "2" * 64,
        "engine_digest": "3" * 64, "changed": 34, "causes": (cause,),
    })  # fmt: skip
    told = desk.report.governance.model_copy(update={"replay": found})
    shown = words(desk.report.model_copy(update={"governance": told}))
    assert all(
        figure in shown for figure in ("'4,321'", "'34'", "('rule', 'most_dishonours', 'Losses rose.', '40', '33')")
    )


# -- on real loans -------------------------------------------------------------------------------------------


@pytest.mark.skipif("CREDITLINE_CREDIT_DATA" not in os.environ, reason="CREDITLINE_CREDIT_DATA is not set")
def test_a_report_on_real_loans(tmp_path: Path) -> None:
    """On sba30k the commands give a draft and its report: audited, moved since training, better than plain models."""
    from click.testing import CliRunner  # noqa: PLC0415 - here alone

    from training.cli import main  # noqa: PLC0415 - here alone

    table = Path(os.environ["CREDITLINE_CREDIT_DATA"]) / "sba30k" / "sba30k_dev_approved_to_2004.parquet"
    source = ["--described-by", str(HOUSE / "tables" / "sba30k.toml"), "--table", str(table), "--segment", "new_exist"]
    spans = ["--train-from=1990-01-01", "--train-to=2001-12-31", "--validate-to=2002-12-31", "--test-to=2004-12-31"]
    out = tmp_path / "sba"
    for words in (
        ["fit", *source, *spans, "--threads", "1", "--out", str(out)],
        ["report", str(out), *source, "--out", str(tmp_path / "r.html"), "--json", str(tmp_path / "r.json")],
    ):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
    shown = Report.model_validate_json((tmp_path / "r.json").read_bytes())
    assert render(shown) == (tmp_path / "r.html").read_text()
    assert shown.judgement is not None
    assert {rival.contest.verdict for rival in shown.judgement.rivals} == {"better"}
    assert shown.audit is not None
    assert "betray the outcome; the model uses none of them" in said(shown, "Audit")
    assert "moved" in said(shown, "Stability")
    assert not shown.identity.synthetic
