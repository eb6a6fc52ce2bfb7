"""The parts of the report in their order, each made of blocks from the record.

opening says what the model is and who stands for it; making how it was made; performance how good it is; beside how it
stands to others and to groups of applicants; closing explains it and says how to make it again.
"""

from training.report.blocks import Section
from training.report.content import Report
from training.report.sections import beside, closing, making, opening, performance


def sections(report: Report) -> tuple[Section, ...]:
    """Every section, in order."""
    return (
        opening.summary(report), opening.purpose(report), opening.governance(report),
        making.data(report), making.audit(report), making.model(report),
        performance.discrimination(report), performance.calibration(report), performance.parts(report),
        performance.stability(report), performance.profit(report),
        beside.challengers(report), beside.champion(report), beside.fairness(report),
        closing.explanation(report), closing.card(report), closing.reproduction(report), closing.guidance(report),
        closing.words(report), closing.inputs(report), closing.points(report),
    )  # fmt: skip
