"""What moves the score, the card, how to make it all again, and what the words mean."""

from training.evaluation.explaining import Dependence
from training.report import figures
from training.report.blocks import Block, Code, Document, Figure, Heading, Prose, Section, table
from training.report.content import Report
from training.report.figures import value_of
from training.report.formats import cents, count, number, percent, percents
from training.report.sections.making import directed
from training.report.sections.performance import cut_offs, earning

_MOST_BARS = 20
_WORDS = (
    ("adverse-impact ratio", "A group's approval rate over that of the group approved most often."),
    ("AUC", "The share of all pairs of a bad and a good example in which the bad one has the higher PD."),
    ("band", "Examples of neighbouring PDs, a tenth of the weight each."),
    ("bad", "An example that turned bad within its window, as the definitions of the data say; good is the rest."),
    ("Brier score", "The mean of (PD − outcome) squared; lower is better."),
    ("calibration slope", "Of the outcome's log-odds on the model's: 1 is right, below 1 the PDs are too far apart."),
    ("champion", "The model that decides, or would be replaced."),
    ("contribution", "How far one input moved a score: the exact Shapley value over the trees, in points."),
    ("EMP", "Expected maximum profit (Verbraken and others, 2014): of a dollar of exposure, over lending to all."),
    ("Gini", "2 × AUC − 1; also the accuracy ratio of the gains curve."),
    ("grade", "A range of PDs in the policy, with its price and limits."),
    ("indeterminate", "Neither good nor bad by the definitions: it neither teaches nor judges."),
    ("KS", "The largest gap between the shares of bads and of goods that one cut-off rejects."),
    ("out of time", "Judged on examples younger than all that taught."),
    ("partial dependence", "The mean PD of all examples, had one input this value and all others their own."),
    ("PD", "Probability of default: of turning bad within the window."),
    ("points", "The score: 600 at odds of 30 good to 1 bad, 20 more double the odds."),
    ("PSI", "Population stability index: how far shares of bins have moved since the older examples."),
    ("reject inference", "Saying how those who were turned down would have paid; here told as bounds."),
    ("swap set", "Those whom one model approves and the other turns down, at one approval rate."),
    ("vintage", "Examples decided in the same month or quarter."),
    ("weight", "How many of the population an example stands for."),
)
# What guidance on models asks for, in general words; it claims no compliance.
_GUIDANCE = (
    ("purpose, use and limits are stated", "purpose"), ("who made, validated and approved the model", "governance"),
    ("data: source, quality, exclusions, definitions", "data"), ("data: what could not have been known", "audit"),
    ("soundness of method, inputs and their directions", "model"), ("outcome analysis: rank", "discrimination"),
    ("outcome analysis: level", "calibration"), ("outcome analysis by part and over time", "parts"),
    ("ongoing monitoring: stability", "stability"), ("benchmarking against other models", "challengers"),
    ("model change, and its effect", "champion"), ("treatment of groups of applicants", "fairness"),
    ("sensitivity and explanation", "explanation"), ("reproduction by another party", "reproduction"),
)  # fmt: skip


def explanation(report: Report) -> Section:
    """Importance by exact contributions, and dependence."""
    if not report.importance:
        return Section(
            "explanation", "Explanation", (Prose(("Not told: contributions and dependence need the examples.",)),)
        )
    moving = tuple(each for each in report.importance if each.mean_points > 0)
    shown = moving[:_MOST_BARS]
    blocks: list[Block] = [
        Prose((
            "Contributions are exact Shapley values over the trees, in score points, the very ones that decisions "
            "are explained by. Their mean size says how far an input moves scores, up or down. They tell how the "
            "model computes, not what causes a bad.",
        )),
    ]  # fmt: skip
    if shown:
        blocks.append(Figure(
            f"Importance, the {len(shown)} strongest of {len(report.importance)} inputs",
            f"Bars of mean size of contributions; the strongest is {shown[0].name} with "
            f"{number(shown[0].mean_points, 2)} points.",
            figures.weights_of, shown,
        ))  # fmt: skip
    if report.dependence:
        blocks += [
            Figure(
                f"Sensitivity: the {len(report.dependence)} strongest inputs moved alone",
                "For each input a panel: the mean PD were all examples in one bin, and the bad rate of those who "
                "were. The tables below hold every point.",
                figures.answers, report.dependence,
            ),
            table(
                "Sensitivity: how far one input alone moves the mean PD",
                    "input|lowest mean PD|highest mean PD|swing, percentage points|where missing", "tnnnn",
                [_swing(each) for each in report.dependence],
            ),
        ]  # fmt: skip
    return Section("explanation", "Explanation and sensitivity", tuple(blocks))


def _swing(told: Dependence) -> tuple[str, ...]:
    there = [s.answer for s in told.steps if s.value is not None]
    missing = next((s.answer for s in told.steps if s.value is None), None)
    low, high = (min(there), max(there)) if there else (None, None)
    return (
        told.name, percent(low), percent(high), number(None if low is None or high is None else 100 * (high - low), 2),
            percent(missing),
    )  # fmt: skip


def card(report: Report) -> Section:
    """The model in one table, and the release's own card."""
    told, identity = report.judgement, report.identity
    figures_told = "none" if told is None else (
        f"AUC {number(told.figures.auc, 3)}, KS {number(told.figures.ks, 3)}, Brier {number(told.figures.brier)} on "
        f"{count(told.figures.rows)} examples of {told.span[0]} to {told.span[1]}"
    )  # fmt: skip
    groups = ", ".join(each.attribute for each in told.fairness) if told else ""
    alarms = [s.topic for s in report.summary if s.standing in {"alarm", "caution"}]
    blocks: list[Block] = [
        table("Model card", "|", "tt", [
            ("model", f"{identity.name} ({identity.kind})"),
            ("method", f"{report.fit.method}, {count(report.fit.trees)} trees, {count(len(report.inputs))} inputs"),
            ("intended use", report.purpose[0]), ("limits", " ".join(report.limits)),
            ("trained on", report.data.description), ("figures", figures_told),
            ("judged by groups of", groups or "none"),
            ("synthetic", "yes" if identity.synthetic else "not marked as synthetic"),
            ("approval", report.governance.state), ("to settle", ", ".join(dict.fromkeys(alarms)) or "nothing marked"),
        ]),
    ]  # fmt: skip
    if report.card:
        blocks += [Heading("The card that the manifest names, as it was published"), Document(report.card)]
    return Section("card", "Model card", tuple(blocks))


def reproduction(report: Report) -> Section:
    """Commands and environment."""
    blocks: tuple[Block, ...] = (
        Prose((
            "The same data, seed, machine and versions give the same bytes of model and report. Files are named "
            "without their place. A draft does not tell whether its parameters were searched for; the section on "
            "the model tells what they were.",
        )),
        Code(report.commands),
        table("This report was made with", "|version", "tt", report.environment),
    )  # fmt: skip
    return Section("reproduction", "Reproduction", blocks)


def guidance(report: Report) -> Section:
    """Where the topics of model-risk guidance are found."""
    return Section("guidance", "Where a supervisor's questions are answered", (
        Prose((
            "The topics are those that guidance on the risk of models names in general: for authorised "
            "deposit-taking institutions in Australia within APRA's APS 220 (credit risk management), in the United "
            "States within SR 26-2, which replaced SR 11-7. This list helps to find; it claims no compliance and is "
            "no legal advice.",
        )),
        table("Topics", "topic|section", "tl", [(topic, place) for topic, place in _GUIDANCE]),
    ))  # fmt: skip


def words(report: Report) -> Section:
    """The glossary; what the data define goes before the usual meaning."""
    own = {each.term: each.meaning for each in report.data.definitions}
    told = {word: own.get(word, meaning) for word, meaning in _WORDS}
    rows = sorted(told.items(), key=lambda row: row[0].casefold())
    return Section("words", "Words", (table("Glossary", "word|meaning", "tt", rows),))


def inputs(report: Report) -> Section:
    """Appendix: every input, its direction, proof and meaning."""
    blocks: list[Block] = [directed(report)]
    if any(each.meaning for each in report.inputs):
        rows = [(each.name, each.group, each.meaning, each.unit, each.missing_means) for each in report.inputs]
        blocks.append(table("Every input: what it is", "input|group|meaning|unit|missing where", "ttttt", rows))
    return Section("inputs", "Appendix: every input", tuple(blocks))


def points(report: Report) -> Section:
    """Appendix: the points of the curves."""
    blocks: list[Block] = [cut_offs(report.walk)] if report.walk else []
    if money := earning(report):
        rates = [rate for rate, _ in money[0][1].curve]
        cells = [[cents(value) for _, value in earned.curve] for _, earned in money]
        blocks.append(table(
            "Realised profit an applicant by approval rate", "|".join(("approval rate",
                *(name.replace("|", "/") for name, _ in money))),
            "n" * (1 + len(money)), [(percent(rate, 1), *row) for rate, *row in zip(rates, *cells, strict=True)],
            "Equal scores are approved together, so other models may lie a little beside the rate in the first column.",
        ))  # fmt: skip
    for each in report.dependence:
        blocks.append(table(
            f"{each.name}: moved alone, and what was seen" + (" (codes of the category)" if each.category else ""),
            "middle of the bin|examples|share|mean PD were all there|mean PD of those there|bad rate|95 % interval",
                "nnnnnnn",
            [
                (value_of(s.value), count(s.rows), percent(s.share, 1), percent(s.answer), percent(s.mean_pd),
                    percent(s.bad_rate),
                 percents(s.bad_rate_low, s.bad_rate_high))
                for s in each.steps
            ],
        ))  # fmt: skip
    return Section("points", "Appendix: the points of the curves", tuple(blocks) or (Prose(("There are no curves.",)),))
