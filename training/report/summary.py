"""The report in sentences: what it is for, what it is not for, and what the committee should pause at.

It does: make each sentence from figures of the record, with their intervals. It does not: recommend. The rules it
keeps: a difference is told with what so many bads could have shown; few bads, pretend data and missing signatures are
said before anything good is.
"""

from collections.abc import Iterator

from training.evaluation.contest import Contest
from training.evaluation.fairness import LEAST_ROWS
from training.evaluation.judgement import Judgement
from training.report.content import Change, Report, Standing, Statement
from training.report.formats import cents, count, interval, listed, number, percent
from training.report.subject import Subject

FEW_BADS = 100
_SLOPE_LEAST, _SLOPE_MOST = 0.8, 1.25
_MOST_OUTSIDE = 2  # of ten bands, by 95 % intervals, half a band is expected outside by chance
_COIN = 0.5


def purpose(subject: Subject) -> tuple[str, ...]:
    """What the model is for."""
    if not subject.decides:
        return (
            "A study on a described table. Its inputs are not the decision engine's features, so it cannot decide "
            "about anybody and cannot be published as a release.",
        )
    return (
        "Estimates the probability that a small business in Australia that asks for a credit line of AU$5,000 to "
        "AU$300,000 turns bad within twelve months (PD).",
        "The PD sets a grade; the grade sets price and bounds the limit. The policy's rules stand beside it: they "
        "can decline or refer whatever the PD says, and people decide on what is referred.",
    )


def limits(subject: Subject) -> tuple[str, ...]:
    """What it is not for, and what nobody knows of it."""
    found = []
    if subject.identity.synthetic:
        found.append("Made from synthetic data: it knows nothing of real businesses, and production refuses it.")
    if subject.decides:
        found.append(
            "Not for consumers, businesses outside Australia, lines above AU$300,000, or any use but this one."
        )
    found += [
        "Figures are of businesses whose outcome is known. Nobody knows how those who were turned down would have "
        "paid.",
        "Figures are of the past. A change of market, product or applicants changes them; they are to be watched.",
        "Contributions and dependence tell how the model computes, not what causes a business to go bad.",
    ]
    if subject.identity.kind != "release" and subject.decides:
        found.append("A draft: it decides nothing until it is published, signed and promoted.")
    return (*found, *(subject.governance.validation.limits if subject.governance.validation else ()))


def summarised(report: Report) -> tuple[Statement, ...]:
    """The executive summary."""
    return tuple(Statement(topic=topic, standing=standing, says=says) for topic, standing, says in _all(report))


_Said = tuple[str, Standing, str]


def _all(report: Report) -> Iterator[_Said]:
    if report.identity.synthetic:
        yield (
            "Data", "alarm",
            "Synthetic: made from pretend data, or an example. Its figures show that the machinery works and say "
            "nothing about real businesses.",
        )  # fmt: skip
    yield _governance(report)
    yield from _examples(report)
    if (told := report.judgement) is not None:
        yield from _performance(told)
        for rival in told.rivals:
            yield _contest("Challengers", report.identity.name, rival.name, rival.contest, "prefer the simpler model")
    else:
        yield _unjudged(dict(report.metrics))
    if report.change is not None:
        yield from _champion(report, report.change)
    if told is not None:
        yield from _stability(report, told)
        yield from _fairness(told)
    yield _directions(report)
    yield from _audit(report)


def _unjudged(kept: dict[str, float]) -> _Said:
    if (area := kept.get("test.auc")) is None:
        return (
            "Performance", "alarm",
            "There are no figures of performance: nothing here says how well the model ranks or how right its PDs are.",
        )  # fmt: skip
    return (
        "Performance", "caution",
        f"Nothing was judged for this report. When the model was made its test span gave AUC {number(area)} (95 % "
        f"interval {interval(kept.get('test.auc_low'), kept.get('test.auc_high'))}); the section on the model has "
        "the rest.",
    )  # fmt: skip


def _governance(report: Report) -> _Said:
    record = report.governance.validation
    validated = f" Validated by {record.validated_by} on {record.validated_on}: {record.conclusion}." if record else ""
    return "Approval", "good" if report.governance.signed else "alarm", report.governance.state + validated


def _examples(report: Report) -> Iterator[_Said]:
    taught = next((span for span in report.data.spans if span.name == "train"), None)
    made = f"{report.fit.method}: {count(report.fit.trees)} trees on {count(len(report.inputs))} inputs"
    if taught is not None:
        yield (
            "Model", "plain",
            f"{made}, taught by {count(taught.rows)} examples of {taught.start} to {taught.end}, "
            f"{count(taught.bads)} of them bad.",
        )  # fmt: skip
    else:
        yield "Model", "plain", f"{made}. Which days taught it is not on record here."
    if report.data.same is False and report.identity.kind != "release":
        yield (
            "Data", "alarm",
            "The examples read for this report are not those that the draft was fitted on (their digests differ): "
            "its spans may hold examples that taught it.",
        )  # fmt: skip
    told, taught_to = (
        report.judgement,
        max((s.end for s in report.data.spans if s.name in {"train", "validation"}), default=""),
    )
    if told is not None and told.span[0] <= taught_to:
        yield (
            "Data", "alarm",
            f"The judged examples begin on {told.span[0]}, before the model had done learning ({taught_to}): figures "
            "are too good.",
        )  # fmt: skip


def _performance(told: Judgement) -> Iterator[_Said]:
    f = told.figures
    where = f"On {count(f.rows)} examples of {told.span[0]} to {told.span[1]}, {count(f.bads)} of which went bad,"
    if f.bads < FEW_BADS:
        yield (
            "Few bads", "caution",
            f"Only {count(f.bads)} bads were seen. Intervals are wide, small differences cannot show, and a single "
            "account moves the figures: read the intervals, not the figures.",
        )  # fmt: skip
    if f.auc is not None and f.auc_low is not None and f.auc_high is not None:
        useless = f.auc_low <= _COIN
        yield (
            "Rank", "caution" if useless else "plain",
            f"{where} a bad one had the higher PD in {percent(f.auc, 1)} of all pairs of a bad and a good one (AUC "
            f"{number(f.auc, 3)}, 95 % interval {number(f.auc_low, 3)} to {number(f.auc_high, 3)}; Gini "
            f"{number(f.gini, 3)}, KS {number(f.ks, 3)})."
            + (" The interval does not exclude a coin." if useless else ""),
        )  # fmt: skip
    inside = [band for band in told.bands if band.bad_rate_low <= band.mean_pd <= band.bad_rate_high]
    slope = f.calibration_slope
    bent = slope is not None and not _SLOPE_LEAST <= slope <= _SLOPE_MOST
    rest = len(told.bands) - len(inside)
    low = sum(band.mean_pd < band.bad_rate_low for band in told.bands)
    sides = (("too low", low), ("too high", rest - low))
    wrong = "".join(f" In {n} the PDs were {side}." for side, n in sides if n)
    yield (
        "Level", "caution" if bent or rest > _MOST_OUTSIDE else "plain",
        f"The PDs said {percent(f.mean_pd)} on average and {percent(f.bad_rate)} went bad. In {len(inside)} of "
        f"{len(told.bands)} bands the PD lies inside the 95 % interval of what happened.{wrong} The calibration "
        f"slope is {number(slope, 2)} (1 is right).",
    )  # fmt: skip
    if (p := told.profit) is not None:
        if p.bad_rate_approved is None:
            yield "Money", "caution", f"Under the prices of {p.policy} no example would have been approved."
        else:
            yield (
                "Money", "plain" if p.realised_cents > 0 else "alarm",
                f"Under the prices of {p.policy} {percent(p.approval_rate, 1)} would be approved, of whom "
                f"{percent(p.bad_rate_approved)} went bad; a year of the reference line would have brought "
                f"{cents(p.realised_cents)} an applicant before tax, against {cents(p.expected_cents)} expected.",
            )  # fmt: skip


def _contest(topic: str, name: str, against: str, told: Contest, otherwise: str) -> _Said:
    standing: Standing = "good" if told.verdict == "better" else "alarm" if told.verdict == "worse" else "caution"
    says = f"{name} {told.sentence}."
    return topic, standing, says if standing == "good" else f"{says} It does NOT beat the {against}: {otherwise}."


def _champion(report: Report, change: Change) -> Iterator[_Said]:
    if change.rival is None:
        return
    yield _contest(
        "Champion",
        report.identity.name,
        change.rival.name,
        change.rival.contest,
        "keep the champion, or give another reason",
    )
    swap = change.known
    if swap is None or swap.bounds is None:
        yield "Swap", "plain", "At the same approval rate both approve the same applicants."
        return
    b, seen = swap.bounds, change.rival.swap
    times = b.break_even_multiple
    worse = seen is not None and (seen.bad_rate_change or 0) > 0
    yield (
        "Swap", "caution" if worse else "plain",
        f"At an approval rate of {percent(swap.approval_rate, 1)} it would take in {count(swap.swap_in.rows)} whom "
        "the champion turns down, and leave out as many by weight. "
        + (f"Of those taken in {percent(seen.swap_in.bad_rate)} went bad in these data, of those left out "
           f"{percent(seen.swap_out.bad_rate)}. " if seen is not None else "")
        + "In service nobody would know how those taken in would have paid: the swap stops paying where more than "
        f"{percent(b.break_even_bad_rate)} of them go bad"
        + ("." if times is None else f", {number(times, 2)} times what its own PDs say."),
    )  # fmt: skip


def _stability(report: Report, told: Judgement) -> Iterator[_Said]:
    drifts = [*filter(None, (told.score_drift,)), *told.feature_drift]
    if not drifts:
        return
    moved = [d.name for d in drifts if d.reading == "moved"]
    stirred = sum(d.reading == "stirred" for d in drifts)
    score = f" PSI of the score {number(told.score_drift.psi, 3)}." if told.score_drift else ""
    yield (
        "Stability", "caution" if moved else "plain",
        f"Against {report.baseline} "
        f"{f'{listed(moved)} moved (PSI 0.25 or more)' if moved else 'nothing moved (PSI 0.25 or more)'}"
        f", {stirred} of {len(drifts)} stirred (0.1 or more).{score}",
    )  # fmt: skip


def _fairness(told: Judgement) -> Iterator[_Said]:
    if not told.fairness:
        return
    alarms = [
        f"{f.attribute} {g.group} ({number(g.impact_ratio, 2)})" for f in told.fairness for g in f.groups if g.alarm
    ]
    if alarms:
        yield (
            "Fairness", "caution",
            f"{len(alarms)} {'group' if len(alarms) == 1 else 'groups'} of {LEAST_ROWS} examples and more approved "
            "less than four fifths as often as the group of the same attribute that is approved most often: "
            f"{listed(alarms)}.",
        )  # fmt: skip
    else:
        yield (
            "Fairness",
            "plain",
            f"No group of {LEAST_ROWS} examples and more is approved less than four fifths as often as another of "
            "the same attribute.",
        )


def _directions(report: Report) -> _Said:
    declared = [each for each in report.inputs if each.direction]
    failed = [each.name for each in declared if each.proved in {"broken", "open"}]
    if failed:
        return (
            "Directions",
            "alarm",
            f"{len(failed)} of {len(declared)} declared directions are NOT proved: {listed(failed)}.",
        )
    if not declared:
        return (
            "Directions",
            "caution",
            "No direction is declared of any input: nothing says which way one may move the PD.",
        )
    return (
        "Directions",
        "good",
        f"All {len(declared)} declared directions are proved from the trees, for every row there can be.",
    )


def _audit(report: Report) -> Iterator[_Said]:
    if report.audit is None:
        return
    found, waived = report.audit.report, report.audit.waivers
    used = {each.name for each in report.inputs}
    barred = [name for name in found.betraying if name in used]
    says = f"Of {len(found.columns)} columns looked at {len(found.betraying)} betray the outcome; the model uses "
    if barred:
        yield (
            "Audit",
            "caution",
            f"{says}{listed(barred)}, for which {listed([w.name for w in waived]) or 'nobody'} signed.",
        )
    else:
        yield "Audit", "good", f"{says}none of them."
