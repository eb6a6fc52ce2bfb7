"""The console's pages and the forms on them, by topic; HANDLERS is what the application joins.

The rules: a page shows a view, a form is handed to the case service and leads on (303); a form names the version that
was seen; what was refused comes back with the words that were typed. Authority stands in each route's action.
"""

from api.console.pages import acts, audit, board, case, compliance, documents, referrals, search, verdicts, watching

HANDLERS = (
    *board.HANDLERS, *search.HANDLERS, *case.HANDLERS, *acts.HANDLERS, *verdicts.HANDLERS, *documents.HANDLERS,
    *compliance.HANDLERS, *referrals.HANDLERS, *audit.HANDLERS, *watching.HANDLERS,
)  # fmt: skip

__all__ = ["HANDLERS"]
