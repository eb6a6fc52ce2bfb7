"""From a model, a champion and examples to the report's record.

It does: put together what subject, judging and changing tell, with explanation and spans. It does not: draw. The rule
it keeps: what cannot be had is named with what would give it.
"""

from datetime import date

import numpy as np

import models
from engine.features import BY_NAME
from training.data import Dataset
from training.evaluation import Prices
from training.evaluation.curves import walk
from training.evaluation.explaining import Explained, dependence, importance
from training.evaluation.judgement import Slice, slices
from training.fitting import Split
from training.report.changing import EXAMPLES, changed
from training.report.content import Absent, DataTold, Definition, Fit, Input, LeftOut, Price, Report, Span
from training.report.judging import Asked, Examples, Judged, fitted_on, judge_model, seen_by, split_of, training_of
from training.report.making import commands, environment
from training.report.subject import Subject
from training.report.summary import limits, purpose, summarised

MOVED_ALONE = 8  # the strongest inputs, whose dependence is shown


def gather(subject: Subject, champion: Subject | None, examples: Examples | None, asked: Asked) -> Report:
    """The record; ValueError where the examples lack the model's inputs or one outcome."""
    policy = subject.policy or asked.policy
    prices = Prices.of(policy.on(date.max))
    judged = None if examples is None else judge_model(subject, examples, asked, prices)
    explained = Explained(subject.scorer, subject.calibration)
    strongest = () if judged is None else importance(explained, judged.part)
    change, missing = (
        (None, None) if champion is None else changed(subject, champion, policy, examples, judged, prices, asked)
    )
    draft = Report(
        dated=asked.dated, identity=subject.identity, governance=subject.governance, purpose=purpose(subject),
        limits=limits(subject), summary=(), data=_data(subject, examples, judged), audit=subject.audit,
        fit=_fit(subject), inputs=_inputs(subject, examples),
        metrics=tuple(sorted(training_of(subject)["metrics"].items())),
        judgement=judged.judgement if judged else subject.judgement, baseline=_baseline(subject, judged),
        walk=walk(judged.part.y, judged.pd, judged.part.weight) if judged else None,
        grades=_grades(judged, prices) if judged else (), prices=_prices(prices), importance=strongest,
        dependence=tuple(
            dependence(explained, judged.part, each.name, judged.pd)
            for each in strongest[:MOVED_ALONE] if judged and each.mean_points > 0
        ),
        change=change, card=subject.card,
        commands=commands(subject, examples.options if examples else "", asked.options),
        environment=environment(), absent=_absent(subject, judged, champion, missing),
    )  # fmt: skip
    return draft.model_copy(update={"summary": summarised(draft)})


def _grades(judged: Judged, prices: Prices) -> tuple[Slice, ...]:
    """The figures of each grade, best first, and of those beyond the last."""
    place = np.searchsorted(prices.pd_most, np.round(judged.pd, 4), side="left")
    names = (*prices.grades, "no grade")
    part = judged.part
    found = {s.value: s for s in slices("grade", np.array(names)[place], part.y, judged.pd, part.weight)}
    return tuple(found[name] for name in names if name in found)


def _prices(prices: Prices) -> tuple[Price, ...]:
    cells = zip(prices.grades, prices.pd_most, prices.good_cents, prices.bad_cents, strict=True)
    return tuple(Price(grade=g, pd_most=p, good_cents=good, bad_cents=bad) for g, p, good, bad in cells)


# -- what is known of the making -------------------------------------------------------------------------------


def _fit(subject: Subject) -> Fit:
    scored = "scorecard" in subject.identity.kind or training_of(subject)["rows"] == 0
    method = "expert scorecard, written as trees of one input each" if scored else "gradient-boosted trees (LightGBM)"
    return Fit(
        method=method, trees=len(subject.scorer.ensemble.trees), seed=training_of(subject)["seed"],
        calibration_slope=subject.calibration.slope, calibration_intercept=subject.calibration.intercept,
        parameters=subject.parameters, claim=models.certificate.CLAIM,
    )  # fmt: skip


def _inputs(subject: Subject, examples: Examples | None) -> tuple[Input, ...]:
    """Every input with its direction, proved anew from the trees."""
    given = seen_by(subject, examples.data).directions if examples else None
    directions = subject.directions(given)
    findings = {finding.feature: finding for finding in models.certify(subject.scorer.ensemble, directions)}
    gain = subject.told.get("gain", {})
    rows = []
    for name, direction in zip(subject.features, directions, strict=True):
        declared, finding = BY_NAME.get(name) if subject.decides else None, findings.get(name)
        rows.append(Input(
            name=name, group=declared.group if declared else "", unit=declared.unit if declared else "",
            meaning=declared.meaning if declared else "", missing_means=declared.missing if declared else "",
            direction=1 if direction > 0 else -1 if direction < 0 else 0,
            proved=finding.by if finding else "none declared", cuts=finding.cuts if finding else 0,
            gain=gain.get(name),
        ))  # fmt: skip
    return tuple(rows)


def _data(subject: Subject, examples: Examples | None, judged: Judged | None) -> DataTold:
    told, data = training_of(subject), examples.data if examples else None
    same = None if data is None else fitted_on(subject, data)
    split = split_of(subject) if same else None
    also = examples.left_out.items() if examples else ()
    return DataTold(
        description=told["data_description"], sha256=told["data_sha256"],
        judged_description=data.description if data else "", judged_sha256=data.source_sha256 if data else "",
        same=same, spans=_spans(subject, judged, split, data),
        left_out=(*_left_out(split, data), *(LeftOut(why=why, rows=rows) for why, rows in also)),
        definitions=tuple(Definition(term=t, meaning=m) for t, m in (examples.definitions if examples else {}).items()),
    )  # fmt: skip


_USES = {"train": "taught the trees", "validation": "stopped the growing of trees and set the calibration line",
    "test": "judged, out of time"}  # fmt: skip


def _spans(subject: Subject, judged: Judged | None, split: Split | None, data: Dataset | None) -> tuple[Span, ...]:
    """The draft's own spans, with weighted bad rates where the split is given; and the judged one if another."""
    parts: dict[str, Dataset] = {}
    if split is not None and data is not None:
        parts = dict(zip(_USES, split.parts(data), strict=True))
    spans = [
        Span(name=name, use=use, start=start, end=end, rows=rows, bads=bads, bad_rate=_rate(parts.get(name)))
        for name, use in _USES.items()
        if (told := subject.told.get("spans", {}).get(name))
        for start, end, rows, bads in (told,)
    ]
    if judged is not None:
        part = judged.part
        start, end = str(part.time.min()), str(part.time.max())
        if not any((s.start, s.end, s.rows) == (start, end, len(part.y)) for s in spans):
            spans.append(Span(name="judged", use="judged for this report", start=start, end=end, rows=len(part.y),
                bads=part.bads, bad_rate=_rate(part)))  # fmt: skip
    return tuple(spans)


def _rate(part: Dataset | None) -> float | None:
    return None if part is None else float((part.weight * part.y).sum() / part.weight.sum())


def _left_out(split: Split | None, data: Dataset | None) -> tuple[LeftOut, ...]:
    """Examples with an outcome that the split leaves to no span."""
    if split is None or data is None:
        return ()
    kept = sum(len(part.y) for part in split.parts(data))
    older = 0 if split.train_from is None else int((data.time < np.datetime64(split.train_from)).sum())
    newer = 0 if split.test_to is None else int((data.time > np.datetime64(split.test_to)).sum())
    found = {
        "decided before the training span begins": older,
        f"in the embargo of {split.embargo_days} days between the spans": len(data.y) - kept - older - newer,
        "decided after the test span ends": newer,
    }
    return tuple(LeftOut(why=why, rows=rows) for why, rows in found.items() if rows)


def _baseline(subject: Subject, judged: Judged | None) -> str:
    if judged is None:
        return "the training span" if subject.judgement and subject.judgement.feature_drift else ""
    if judged.before is None:
        return ""
    if split_of(subject) is not None and fitted_on(subject, judged.part):
        return "the training span"
    return (
        f"the {len(judged.before.y):,} older examples of the same source, which need not be those that taught the model"
    )


def _absent(subject: Subject, judged: Judged | None, champion: Subject | None, why: str | None) -> tuple[Absent, ...]:
    found: list[Absent] = []

    def lacks(part: str, because: str) -> None:
        found.append(Absent(part=part, why=because))

    if judged is None and subject.judgement is None:
        lacks("figures of performance", f"the folder keeps none; {EXAMPLES}")
    elif judged is None:
        lacks("curves, grades, explanation", f"they need the examples themselves; {EXAMPLES}")
    told = judged.judgement if judged else subject.judgement
    if told is not None and not told.rivals:
        lacks(
            "challengers",
            "none was judged on these very examples: `fit` judges them beside its draft, on its test span",
        )
    if told is not None and not told.segments:
        lacks("segments and fairness", "no labels to judge by were named (--segment), or the source brings none")
    if judged is not None and judged.before is None:
        lacks("stability", "there are no older examples to compare with: say where the judged span begins (--from)")
    if subject.audit is None:
        lacks("audit", "the folder keeps no audit: one is made of described tables alone")
    if champion is None:
        lacks("the champion beside it", "no champion was named (--against)")
    elif why is not None:
        lacks("figures side by side with the champion", why)
    if subject.identity.kind == "release":
        lacks("training span", "a manifest does not say which days taught the model")
    return tuple(found)
