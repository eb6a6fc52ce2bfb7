"""How the model stands to others and to groups of applicants: challengers, champion, fairness."""

from training.evaluation.fairness import Fairness
from training.evaluation.judgement import Rival
from training.evaluation.swaps import Swap
from training.report import figures
from training.report.blocks import Block, Bullets, Figure, Heading, Prose, Section, Table, table
from training.report.content import Change, Report, Setting
from training.report.formats import cents, count, interval, listed, number, percent, percents, signed
from training.report.sections.performance import NO_FIGURES, named

_LEAST_P = 0.0001  # the last digit that is shown


def challengers(report: Report) -> Section:
    """The plain models that it must beat."""
    told = report.judgement
    if told is None or not told.rivals:
        why = next(
            (each.why for each in report.absent if each.part == "challengers"), "there are no figures of performance"
        )
        return Section("challengers", "Challengers", (Prose((f"Not told: {why}.",)),))
    blocks: tuple[Block, ...] = (
        Prose(
            (
                "Plain models fitted on the same rows and weights. A model that nobody can read must beat them, or "
                "say so.",
            )
        ),
        *_duel(report, told.rivals),
    )
    return Section("challengers", "Challengers", blocks)


def _duel(report: Report, rivals: tuple[Rival, ...]) -> tuple[Block, ...]:
    assert report.judgement is not None
    mine = report.judgement.figures
    rows = [
        (name, number(f.auc), interval(f.auc_low, f.auc_high), number(f.ks), number(f.h_measure), number(f.brier),
         number(f.log_loss), number(f.calibration_slope, 2))
        for name, f in ((report.identity.name, mine), *((rival.name, rival.figures) for rival in rivals))
    ]  # fmt: skip
    contests = [
        (rival.name, signed(c.difference), f"{signed(c.low)} to {signed(c.high)}", _p(c.p_value),
         "–" if c.bootstrap_low is None or c.bootstrap_high is None else f"{signed(c.bootstrap_low)} to "
         f"{signed(c.bootstrap_high)}",
         number(c.detectable), signed(c.brier_difference), c.verdict)
        for rival in rivals for c in (rival.contest,)
    ]  # fmt: skip
    worst = ", ".join(f"{rival.name}: {rival.contest.verdict}" for rival in rivals)
    return (
        table("Side by side, on the same examples", "model|AUC|95 % interval|KS|H|Brier|log loss|slope", "tnnnnnnn",
            rows),
        Figure(
            "Difference in AUC", "Difference to each, with its 95 % interval and the least true difference that so "
            f"many bads show. {worst}.",
            figures.contests, rivals,
        ),
        table(
            "Comparison (DeLong, paired, two-sided 5 %)",
            "against|difference in AUC|95 % interval|p|bootstrap|would show|difference in Brier|verdict", "tnnnnnnw",
                contests,
            "“Would show”: the least true difference that this many bads show four times in five. A negative "
            "difference in Brier is better.",
            [i for i, rival in enumerate(rivals) if rival.contest.verdict != "better"],
        ),
    )  # fmt: skip


def _p(value: float) -> str:
    return "< 0.0001" if value < _LEAST_P else number(value)


def champion(report: Report) -> Section:
    """What changed, figures side by side, whom it swaps."""
    told = report.change
    title = "What changed since the champion"
    if told is None:
        return Section("champion", title, (Prose(("Not told: no champion was named.",)),))
    blocks: list[Block] = [
        table("The champion", "|", "tt", [
            ("name", told.champion.name), ("model.txt, SHA-256", told.champion.model_sha256),
            ("manifest.json, SHA-256", told.champion.manifest_sha256 or "none: a draft"),
            ("inputs added", ", ".join(told.inputs_added) or "none"),
                ("inputs removed", ", ".join(told.inputs_removed) or "none"),
        ]),
        _differs(told.fit),
        *_terms(told),
    ]  # fmt: skip
    if told.rival is None:
        why = next(
            (each.why for each in report.absent if "side by side" in each.part), "the champion cannot be judged on them"
        )
        blocks.append(Prose((f"Figures side by side are not told: {why}.",)))
    else:
        blocks += [Heading("Figures side by side"), *_duel(report, (told.rival,)), *_swaps(told)]
    return Section("champion", title, tuple(blocks))


def _differs(found: tuple[Setting, ...]) -> Block:
    if not found:
        return Prose(("The fit: nothing differs.",))
    rows = [(each.name, each.champion or "–", each.model or "–") for each in found]
    return table("The fit: what differs", "|champion|this model", "ttt", rows)


def _terms(told: Change) -> tuple[Block, ...]:
    whose = "The policy of this model is its release's own, or the one that the report was given."
    if told.champion.kind != "release":
        return (Prose(("The champion is a draft, which has no policy to compare.",)),)
    if not told.policy:
        return (Prose((f"The policy: nothing differs. {whose}",)),)
    return Heading("The policy: what differs"), Prose((whose,)), Bullets(told.policy)


def _swaps(told: Change) -> list[Block]:
    assert told.rival is not None
    swap, known = told.rival.swap, told.known
    if swap is None or known is None:
        return []
    return [
        Heading("Swap set"),
        Prose((
            f"Each approves its safest {percent(swap.approval_rate, 1)} of applicants. In these data the outcome of "
            "all is known. In service it would not be: nobody knows how those whom the champion turns down would "
            "have paid. So the second table hides them, and tells what they may do as bounds, all good to all bad, "
            "and as the bad rate at which taking them in stops paying. The estimate is by the model's own PDs: "
            "there it judges itself.",
        )),
        Figure(
            "Who is swapped",
            f"Shares of applicants: both approve {percent(swap.both.share, 1)}, swapped in "
            f"{percent(swap.swap_in.share, 1)}, swapped out {percent(swap.swap_out.share, 1)}, neither "
            f"{percent(swap.neither.share, 1)}.",
            figures.swap_set, swap,
        ),
        _groups(f"Swap set at {percent(swap.approval_rate, 1)} approved, every outcome known", swap),
        _groups(f"Swap set at {percent(known.approval_rate, 1)} approved, as a lender would know it", known),
        _bounds(swap, known),
    ]  # fmt: skip


def _groups(caption: str, swap: Swap) -> Table:
    groups = (("both approve", swap.both), ("swapped in", swap.swap_in), ("swapped out", swap.swap_out),
        ("neither", swap.neither))  # fmt: skip
    change = ""
    if swap.bad_rate_change is not None:
        points = f"{signed(100 * swap.bad_rate_change, 2)} percentage points"
        change = f"The bad rate of those approved moves by {points}."
        if swap.swap_in.known < swap.swap_in.rows:
            change = (
                f"Of those whose outcome is known the bad rate moves by {points}: the swapped-in are not among them."
            )
    return table(
        caption, "group|examples|share|outcome known|bad|bad rate|PD, champion|PD, this model", "tnnnnnnn",
        [
            (name, count(g.rows), percent(g.share, 1), count(g.known), count(g.bads), percent(g.bad_rate),
                percent(g.champion_pd), percent(g.challenger_pd))
            for name, g in groups
        ], change,
    )  # fmt: skip


def _bounds(swap: Swap, known: Swap) -> Table:
    rows = [
        (name, count(b.rows), percent(b.unknown_share, 0), percents(b.best_bad_rate, b.worst_bad_rate),
            percent(b.estimate_bad_rate),
         f"{cents(b.best_cents)} to {cents(b.worst_cents)}", cents(b.estimate_cents), percent(b.break_even_bad_rate),
             number(b.break_even_multiple, 2))
        for name, b in (("every outcome known", swap.bounds),
            ("as a lender would know it", known.bounds)) if b is not None
    ]  # fmt: skip
    return table(
        "What the swapped-in may do: bounds first",
        "|examples|not known|bad rate, best to worst|estimate|profit a line, best to worst|estimate|stops paying "
        "at|times its PD", "tnnnnnnnn",
        rows or [("nobody is swapped in", *[""] * 8)],
        "“Times its PD”: how wrong the model's own PDs of them may be before taking them in stops paying.",
    )  # fmt: skip


def fairness(report: Report) -> Section:
    """Approval and level by group."""
    told = report.judgement
    if told is None:
        return Section("fairness", "Fairness", (NO_FIGURES,))
    if not told.fairness:
        return Section("fairness", "Fairness", (Prose(("Not told: no labels of groups were given.",)),))
    names = {each.name for each in report.inputs}
    own = [each.attribute for each in told.fairness if each.attribute in names]
    blocks: list[Block] = [Prose((
        "Approval rate of each group over that of the group approved most often (of those of 30 examples and more): "
        "the adverse-impact ratio. Below four fifths it raises an alarm, which is a question and not a finding: a "
        "group that goes bad more often is approved less often by any model that is right. “Seen over said” above "
        "1: the PDs are too kind to the group; below 1, too hard.",
        f"Of all applicants {percent(told.approval_rate, 1)} are approved. "
        + (f"Inputs of the model themselves: {listed(own)}." if own else "None of these labels is itself an input."),
    ))]  # fmt: skip
    for each in map(_in_order, told.fairness):
        alarms = [group.group for group in each.groups if group.alarm]
        blocks += [
            Heading(f"By {each.attribute}"),
            Figure(
                f"Adverse-impact ratio by {each.attribute}",
                f"Ratio of each of {len(each.groups)} groups with its interval, against four fifths; below it: "
                f"{', '.join(alarms) or 'none'}.",
                figures.impact, each,
            ),
            table(
                f"Fairness by {each.attribute}",
                "group|examples|share|approved|impact ratio|95 % interval|mean PD|bad rate|seen over said|AUC|",
                    "tnnnnnnnnnw",
                [
                    (named(each.attribute, g.group), count(g.rows), percent(g.share, 1), percent(g.approval_rate, 1),
                        number(g.impact_ratio, 2), interval(g.impact_low, g.impact_high, 2),
                     percent(g.mean_pd), percent(g.bad_rate), number(g.observed_to_predicted, 2), number(g.auc, 3),
                         "below 4/5" if g.alarm else "")
                    for g in each.groups
                ],
                marked=[i for i, g in enumerate(each.groups) if g.alarm],
            ),
        ]  # fmt: skip
    return Section("fairness", "Fairness", tuple(blocks))


def _in_order(told: Fairness) -> Fairness:
    """Bands that are numbered go by their numbers; all other groups stay as they are, the largest first."""
    if not all(group.group[:1].isdigit() and ": " in group.group for group in told.groups):
        return told
    return told.model_copy(update={"groups": tuple(sorted(told.groups, key=lambda group: group.group))})
