"""Where the data come from, what was found in them, and how the model was made."""

from training.audit.findings import MEANINGS
from training.report.blocks import Block, Heading, Prose, Section, Table, table
from training.report.content import Report
from training.report.formats import NOT_KNOWN, count, interval, number, percent, signed

_WAYS = {1: "raises", -1: "lowers", 0: "either way"}
_PROOFS = {
    "trees": "each tree", "sum": "sum of trees", "unused": "not used",
    "broken": "BROKEN", "open": "NOT PROVED", "none declared": "",
}  # fmt: skip
_COUNTS = {"rows", "bads", "resamples"}


def data(report: Report) -> Section:
    """Source, spans, exclusions, definitions."""
    told = report.data
    same = {None: "the examples were not read", True: "the same as it was fitted on, by digest",
        False: "others than it was fitted on"}[told.same]  # fmt: skip
    blocks: list[Block] = [
        table("Source", "|", "tt", [
            ("fitted on", told.description),
            ("judged on", told.judged_description or NOT_KNOWN), ("judged examples are", same),
        ]),
    ]  # fmt: skip
    if told.spans:
        blocks.append(table(
            "Spans, by the day of the decision", "span|used for|from|to|examples|bad|bad rate, weighted", "ttwwnnn",
            [(s.name, s.use, s.start, s.end, count(s.rows), count(s.bads), percent(s.bad_rate)) for s in told.spans],
            "Spans go by time and never by chance: what judges is younger than what taught.",
        ))  # fmt: skip
    else:
        blocks.append(Prose(("Which examples taught it is not on record here.",)))
    if told.left_out:
        rows = [(each.why, count(each.rows)) for each in told.left_out]
        blocks.append(table("Left out: examples that neither taught nor judged", "why|examples", "tn", rows))
    else:
        blocks.append(Prose(("No exclusion is on record here.",)))
    if told.definitions:
        rows = [(each.term, each.meaning) for each in told.definitions]
        blocks.append(table("Definitions", "term|meaning", "tt", rows))
    return Section("data", "Data, spans and definitions", tuple(blocks))


def audit(report: Report) -> Section:
    """Findings before anything was fitted, and waivers."""
    if report.audit is None:
        return Section("audit", "Audit of the data", (Prose((
            "No audit is kept with this model. Described tables are audited before anything is fitted; a simulated "
            "market and the service's own export derive each input as it was known at the decision.",
        )),))  # fmt: skip
    found, waivers = report.audit.report, report.audit.waivers
    used = {each.name for each in report.inputs}
    barred = [finding for finding in found.findings if finding.betrays]
    noted = [finding for finding in found.findings if not finding.betrays]
    looked = [
        (c.name, "input" if c.name in used else "", c.kind, percent(c.missing, 1), count(c.distinct), number(c.auc, 3),
         "barred" if c.name in found.betraying else "")
        for c in found.columns
    ]  # fmt: skip
    blocks: list[Block] = [
        Prose((
            f"{count(len(found.columns))} columns of {found.table} were looked at with nothing but target, time and "
            f"weight named: {count(found.rows_looked_at)} of {count(found.rows)} rows, older "
            f"({count(found.older.rows)} rows, {count(found.older.bads)} bad) against newer "
            f"({count(found.newer.rows)} rows, {count(found.newer.bads)} bad). All clean columns together reach AUC "
            f"{number(found.reach, 3)} in the newer span.",
            f"SHA-256 of the table: {found.sha256}",
        )),
        table("Columns that betray the outcome: barred from any model without a signature", "column|found|in words",
            "ttt",
            [(f.column, MEANINGS[f.kind], f.sentence) for f in barred] or [("none", "", "")]),
        table("Waivers: inputs that betray the outcome, and who signed for them", "column|signed by|on|reason", "ttwt",
            [(w.column, w.name, w.date.isoformat(), w.reason) for w in waivers])
        if waivers else Prose(("No input of the model is among them, so no waiver was needed.",)),
    ]  # fmt: skip
    if noted:
        rows = [(f.column or "(table)", MEANINGS[f.kind], f.sentence) for f in noted]
        blocks.append(table("Noted, without being barred", "column|found|in words", "ttt", rows))
    blocks.append(table(
        "Every column that was looked at", "column||kind|missing|distinct|AUC alone, newer|", "tttnnnt", looked,
        marked=[i for i, row in enumerate(looked) if row[-1]],
    ))  # fmt: skip
    return Section("audit", "Audit of the data", tuple(blocks))


def model(report: Report) -> Section:
    """Method, parameters, calibration, directions in sum."""
    fit, inputs = report.fit, report.inputs
    counts = {proof: sum(each.proved == proof for each in inputs) for proof in _PROOFS}
    directed = len(inputs) - counts["none declared"]
    rows = [
        ("method", fit.method), ("trees", count(fit.trees)), ("inputs", count(len(inputs))), ("seed", str(fit.seed)),
        ("calibration", f"log-odds of bad = {fit.calibration_slope} × raw score "
            f"{signed(fit.calibration_intercept, 6)}"),
        ("parameters", "; ".join(f"{name} {value}" for name, value in fit.parameters) or "none: it was not grown"),
    ]  # fmt: skip
    blocks: list[Block] = [
        table("How it was made", "|", "tt", rows,
            "The calibration is one rising line, so it never changes the order of applicants."),
        Heading("Directions, proved"),
        table("Certificate of monotonicity", "|inputs", "tn", [
            ("direction declared", count(directed)), ("proved, every tree alone", count(counts["trees"])),
            ("proved, the sum of trees", count(counts["sum"])), ("not used by any tree", count(counts["unused"])),
            ("broken, or not proved", count(counts["broken"] + counts["open"])),
            ("no direction declared", count(counts["none declared"])),
        ]),
        Prose((fit.claim, "Each input's direction and proof stands in the appendix.")),
    ]  # fmt: skip
    if report.metrics:
        blocks.append(_kept(report))
    return Section("model", "The model", tuple(blocks))


def _kept(report: Report) -> Table:
    """The figures that draft or manifest keeps, a column a span."""
    kept = {tuple(name.split(".", 1)): value for name, value in report.metrics if "." in name}
    spans = sorted({span for span, _ in kept}, key=lambda span: (span == "test", span))
    names = dict.fromkeys(name for _, name in kept if not name.endswith(("_low", "_high")))

    def cell(span: str, name: str) -> str:
        value, low, high = (kept.get((span, name + end)) for end in ("", "_low", "_high"))
        text = NOT_KNOWN if value is None else number(value, 0 if value == int(value) and name in _COUNTS else 4)
        return text if low is None else f"{text} ({interval(low, high)})"

    return table(
        "Figures kept when the model was made, with 95 % intervals", "|".join(("figure", *spans)),
            "t" + "n" * len(spans),
        [(name.replace("_", " "), *(cell(span, name) for span in spans)) for name in names],
    )  # fmt: skip


def directed(report: Report) -> Table:
    """A row an input: direction, proof, what it moves, how far it moved."""
    points = {each.name: each.mean_points for each in report.importance}
    drifts = {each.name: each for each in report.judgement.feature_drift} if report.judgement else {}
    rows = []
    for each in report.inputs:
        d = drifts.get(each.name)
        moved = [number(d.psi, 3), percent(d.missing_before, 1), percent(d.missing_after, 1)] if d else [NOT_KNOWN] * 3
        rows.append((
            each.name, _WAYS[each.direction], _PROOFS[each.proved], count(each.cuts), percent(each.gain, 1),
            number(points.get(each.name), 2), *moved,
        ))  # fmt: skip
    return table(
        "Every input: direction and proof, what it moves, and how far it has moved itself",
        "input|a higher value|proof|steps looked at|share of gain|points|PSI|missing then|missing now", "twwnnnnnn",
            rows,
        "Raises, lowers: a higher value never does the other to the PD. Proved of each tree alone, or of their sum; "
        "an input that no tree uses moves nothing. Points: mean size of its exact contributions. PSI and missing: "
        "against the older examples, as in the section on stability.",
        [i for i, each in enumerate(report.inputs) if each.proved in {"broken", "open"}],
    )  # fmt: skip
