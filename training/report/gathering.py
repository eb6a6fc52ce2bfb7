"""From a model, a champion and examples to the report's record.

It does: split the examples as the draft says, judge with training.evaluation, lay the champion beside. It does not:
draw, or judge by rules of its own. The rules it keeps: challengers fitted beside a draft are told only where they were
judged on these very examples; what cannot be had is named with what would give it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

import models
from engine.features import BY_NAME
from engine.policy import Policy
from training.data import Dataset, checked
from training.evaluation import Beside, Judgement, Prices, judge, swap
from training.evaluation.curves import walk
from training.evaluation.explaining import Explained, dependence, importance
from training.evaluation.judgement import Slice, slices
from training.evaluation.segments import Segments
from training.evaluation.swaps import known_under
from training.fitting import Split, span
from training.report.changing import settings
from training.report.content import (
    Absent,
    Change,
    DataTold,
    Definition,
    Fit,
    Input,
    LeftOut,
    Price,
    Report,
    Span,
)
from training.report.making import commands, environment
from training.report.subject import Subject
from training.report.summary import limits, purpose, summarised

Floats = NDArray[np.float64]
MOVED_ALONE = 8  # the strongest inputs, whose dependence is shown
_DAY = timedelta(days=1)
_EXAMPLES = "give the examples: --market, --described-by or --export"


@dataclass(frozen=True, slots=True)
class Examples:
    """What the model is judged on, and what is told of it; `options` name it on a command line, without its place."""

    data: Dataset
    segments: Segments = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    options: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever makes the report chooses; `policy` sets prices where the model brings no policy of its own."""

    policy: Policy
    start: date | None = None
    end: date | None = None
    dated: str = ""
    seed: int | None = None
    """Of the bootstrap; None: the model's own, so that a draft's intervals are those that `fit` gave."""
    resamples: int = 200
    options: str = ""
    """Of the command that makes this report."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """Everything that only examples give."""

    part: Dataset
    pd: Floats
    before: Dataset | None
    segments: Segments
    judgement: Judgement


def gather(subject: Subject, champion: Subject | None, examples: Examples | None, asked: Asked) -> Report:
    """The record; ValueError where the examples lack the model's inputs or one outcome."""
    policy = subject.policy or asked.policy
    prices = Prices.of(policy)
    judged = None if examples is None else _judged(subject, examples, asked, prices)
    explained = Explained(subject.scorer, subject.calibration)
    strongest = () if judged is None else importance(explained, judged.part)
    change, missing = (
        (None, None) if champion is None else _change(subject, champion, policy, examples, judged, prices, asked)
    )
    draft = Report(
        dated=asked.dated, identity=subject.identity, governance=subject.governance, purpose=purpose(subject),
        limits=limits(subject), summary=(), data=_data(subject, examples, judged), audit=subject.audit,
        fit=_fit(subject), inputs=_inputs(subject, examples),
            metrics=tuple(sorted(_training(subject)["metrics"].items())),
        judgement=judged.judgement if judged else subject.judgement, baseline=_baseline(subject, judged),
        walk=walk(judged.part.y, judged.pd, judged.part.weight) if judged else None,
        grades=_grades(judged, prices) if judged else (), prices=_prices(prices), importance=strongest,
        dependence=tuple(
            dependence(explained, judged.part, each.name, judged.pd)
            for each in strongest[:MOVED_ALONE] if judged and each.mean_points > 0
        ),
        change=change, card=subject.card, commands=commands(subject, examples.options if examples else "",
            asked.options),
        environment=environment(), absent=_absent(subject, judged, champion, missing),
    )  # fmt: skip
    return draft.model_copy(update={"summary": summarised(draft)})


# -- judging -------------------------------------------------------------------------------------------------


def _judged(subject: Subject, examples: Examples, asked: Asked, prices: Prices) -> _Judged:
    data = seen_by(subject, examples.data)
    before, part = _parted(data, subject, asked)
    low = int(data.time.searchsorted(part.time[0], side="left"))
    segments = {name: labels[low : low + len(part.y)] for name, labels in examples.segments.items()}
    model = Explained(subject.scorer, subject.calibration)
    pd = model.pd(part.x)
    beside = Beside(
        segments=segments, prices=prices, before=before, before_pd=None if before is None else model.pd(before.x)
    )  # fmt: skip
    told = judge(part, pd, subject.identity.name, beside, _seed(subject, asked), asked.resamples)
    if (kept := subject.judgement) and _same_examples(kept, told):
        told = told.model_copy(update={"rivals": kept.rivals})
    return _Judged(part, pd, before, segments, told)


def _seed(subject: Subject, asked: Asked) -> int:
    return int(_training(subject)["seed"]) if asked.seed is None else asked.seed


def seen_by(subject: Subject, data: Dataset) -> Dataset:
    """The examples with the model's inputs alone, in its order; ValueError where they lack one."""
    lacking = [name for name in subject.features if name not in data.names]
    if lacking:
        raise ValueError(
            f"{subject.identity.name} needs inputs that these examples do not have: {', '.join(lacking[:8])}"
        )
    if subject.features == data.names:
        return data
    places = [data.names.index(name) for name in subject.features]
    return replace(
        data, names=subject.features, x=data.x[:, places], directions=tuple(data.directions[i] for i in places),
        categorical=tuple(new for new, old in enumerate(places) if old in data.categorical),
    )  # fmt: skip


def fitted_on(subject: Subject, data: Dataset) -> bool:
    """Whether these are the examples that the model was fitted on, by digest."""
    return data.source_sha256 == str(_training(subject)["data_sha256"])


def split_of(subject: Subject) -> Split | None:
    """The split of the draft; None of a release or a scorecard, which tell none."""
    told = subject.told.get("split")
    if told is None:
        return None
    days: dict[str, Any] = {
        key: None if value == "None" else date.fromisoformat(value)
        for key, value in told.items()
        if key != "embargo_days"
    }
    return Split(**days, embargo_days=int(told["embargo_days"]))


def _parted(data: Dataset, subject: Subject, asked: Asked) -> tuple[Dataset | None, Dataset]:
    """What drift is measured against, if there is anything, and what is judged."""
    split, start = split_of(subject), asked.start
    if split is not None and fitted_on(subject, data):
        taught, _, test = split.parts(data)
        return taught, checked(test if start is None and asked.end is None else span(data, start, asked.end))
    if split is not None and start is None:  # other examples than it was fitted on: yet none of the days that taught
        start = split.validate_to + _DAY
    older = None if start is None else span(data, None, start - _DAY)
    return (None if older is None or not len(older.y) else older), checked(span(data, start, asked.end))


def _same_examples(kept: Judgement, told: Judgement) -> bool:
    """Whether a record was made of the very examples and PDs of another."""
    same = (kept.span, kept.figures.rows, kept.figures.bads) == (told.span, told.figures.rows, told.figures.bads)
    return same and kept.figures.auc == told.figures.auc and kept.figures.brier == told.figures.brier


def _grades(judged: _Judged, prices: Prices) -> tuple[Slice, ...]:
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


def _training(subject: Subject) -> dict[str, Any]:
    return dict(subject.told["training"])


def _fit(subject: Subject) -> Fit:
    scored = "scorecard" in subject.identity.kind or _training(subject)["rows"] == 0
    method = "expert scorecard, written as trees of one input each" if scored else "gradient-boosted trees (LightGBM)"
    return Fit(
        method=method, trees=len(subject.scorer.ensemble.trees), seed=_training(subject)["seed"],
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
            direction=direction, proved=finding.by if finding else "none declared", cuts=finding.cuts if finding else 0,
            gain=gain.get(name),
        ))  # fmt: skip
    return tuple(rows)


def _data(subject: Subject, examples: Examples | None, judged: _Judged | None) -> DataTold:
    told, data = _training(subject), examples.data if examples else None
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


def _spans(subject: Subject, judged: _Judged | None, split: Split | None, data: Dataset | None) -> tuple[Span, ...]:
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


def _baseline(subject: Subject, judged: _Judged | None) -> str:
    if judged is None:
        return "the training span" if subject.judgement and subject.judgement.feature_drift else ""
    if judged.before is None:
        return ""
    if split_of(subject) is not None:
        return "the training span"
    return (
        f"the {len(judged.before.y):,} older examples of the same source, which need not be those that taught the model"
    )


# -- the champion ------------------------------------------------------------------------------------------------


def _change(
    subject: Subject, champion: Subject, policy: Policy, examples: Examples | None, judged: _Judged | None,
    prices: Prices, asked: Asked,
) -> tuple[Change, str | None]:  # fmt: skip
    """What changed since the champion, and why figures side by side are missing, if they are."""
    rival, known, why = None, None, None
    if examples is None or judged is None:
        why = _EXAMPLES
    else:
        try:
            part = seen_by(champion, checked(_rows(examples.data, judged.part)))
        except ValueError as error:
            why = str(error)
        else:
            old, now = Explained(champion.scorer, champion.calibration).pd(part.x), judged.pd
            y, w, rate = part.y, part.weight, judged.judgement.approval_rate
            name = f"champion {champion.identity.name}"
            beside = Beside(rivals={name: old}, prices=prices, approval_rate=rate)
            rival = judge(part, now, subject.identity.name, beside, _seed(subject, asked), asked.resamples).rivals[0]
            known = swap(known_under(y, old, w, rate), old, now, w, rate, prices)
    change = Change(
        champion=champion.identity,
        inputs_added=tuple(name for name in subject.features if name not in champion.features),
        inputs_removed=tuple(name for name in champion.features if name not in subject.features),
        fit=settings(_made(champion), _made(subject)),
        policy=settings(_terms(champion.policy), _terms(policy)) if champion.policy else (),
        rival=rival, known=known,
    )  # fmt: skip
    return change, why


def _rows(data: Dataset, part: Dataset) -> Dataset:
    """The rows of a part with all the columns of the whole."""
    low = int(data.time.searchsorted(part.time[0], side="left"))
    return data.where((np.arange(len(data.y)) >= low) & (np.arange(len(data.y)) < low + len(part.y)))


def _made(subject: Subject) -> dict[str, Any]:
    told = _training(subject)
    return {
        "trees": len(subject.scorer.ensemble.trees), "inputs": len(subject.features), **dict(subject.parameters),
        "seed": told["seed"],
        "calibration slope": subject.calibration.slope, "calibration intercept": subject.calibration.intercept,
        "trained on": told["data_description"], "training data SHA-256": told["data_sha256"],
        "training examples": told["rows"], "training bads": told["bads"],
    }  # fmt: skip


def _terms(policy: Policy | None) -> dict[str, Any]:
    return {} if policy is None else policy.model_dump(mode="json")


def _absent(subject: Subject, judged: _Judged | None, champion: Subject | None, why: str | None) -> tuple[Absent, ...]:
    found: list[Absent] = []

    def lacks(part: str, because: str) -> None:
        found.append(Absent(part=part, why=because))

    if judged is None and subject.judgement is None:
        lacks("figures of performance", f"the folder keeps none; {_EXAMPLES}")
    elif judged is None:
        lacks("curves, grades, explanation", f"they need the examples themselves; {_EXAMPLES}")
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
