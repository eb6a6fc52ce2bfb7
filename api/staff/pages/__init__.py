"""The pages of sign-in, enrolment and one's own account; HANDLERS is what the application joins."""

from api.staff.pages import account, enrolment, signing_in

HANDLERS = (*signing_in.HANDLERS, *enrolment.HANDLERS, *account.HANDLERS)

__all__ = ["HANDLERS"]
