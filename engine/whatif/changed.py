"""An application with one thing changed: the amount asked for, or finances.

It does: build a whole new application, checked like any other. It does not: decide. The rule it keeps: a change that
no applicant could state is a ValueError.
"""

from engine.application import Application, Finances, Request


def asking(application: Application, amount_cents: int) -> Application:
    """The same application for another amount."""
    request = Request.model_validate({**application.request.model_dump(), "amount_cents": amount_cents})
    return application.model_copy(update={"request": request})


def with_finances(application: Application, **values: object) -> Application:
    """The same application with other finances."""
    finances = Finances.model_validate({**application.finances.model_dump(), **values})
    return application.model_copy(update={"finances": finances})
