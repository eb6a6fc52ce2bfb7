"""Verified figures in the place of declared ones: the one place where a document's word goes before the applicant's.

It does: put the figures of accepted documents into an application. It does not: judge by how much they differ. The rule
it keeps: a figure that no document gave stays as declared, and nothing but finances is ever replaced.
"""

from engine.application import Application, Finances
from engine.facts import Facts

FIGURES = ("turnover_12m_cents", "overdue_tax_cents", "tax_plan")  # of VerifiedDocuments, named as in Finances


def as_verified(application: Application, facts: Facts) -> Application:
    """The application with what its documents say in place of what was declared; as it was where they say nothing."""
    documents = facts.documents.value if facts.documents else None
    if documents is None:
        return application
    finances = application.finances.model_dump()
    if documents.turnover_12m_cents is not None:
        finances["turnover_12m_cents"] = documents.turnover_12m_cents
    if documents.overdue_tax_cents is not None:
        overdue = documents.overdue_tax_cents
        finances.update(overdue_tax_cents=overdue, tax_plan=bool(documents.tax_plan) if overdue else None)
    return application.model_copy(update={"finances": Finances.model_validate(finances)})


def restated(application: Application, facts: Facts) -> tuple[Application, Facts]:
    """The same case with the verified figures moved into the application: decided alike, and free to be varied."""
    if facts.documents is None or facts.documents.value is None:
        return application, facts
    bare = facts.documents.value.model_copy(update=dict.fromkeys(FIGURES))
    fact = facts.documents.model_copy(update={"value": bare})
    return as_verified(application, facts), facts.model_copy(update={"documents": fact})
