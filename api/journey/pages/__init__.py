"""The applicant's routes, one file a part of the way; HANDLERS is what the application joins.

The rules: a page shows what is kept, a form is kept and leads on (303); authority is what the visit may see.
"""

from api.journey.pages import contract, decision, documents, entry, form, papers, start, statements

HANDLERS = (
    *start.HANDLERS, *statements.HANDLERS, *form.HANDLERS, *entry.HANDLERS, *decision.HANDLERS,
    *documents.HANDLERS, *contract.HANDLERS, *papers.HANDLERS,
)  # fmt: skip

__all__ = ["HANDLERS"]
