"""The letters by which applicants come in; `{link}` or `{code}` stands where the secret goes.

The rule: a letter names no figure and no business, and says what to do if it was not expected.
"""

from typing import Final

from api.applicants.entering import Words

RESUME: Final = Words(
    "Your application, to be continued",
    "Your answers are kept for 7 days. Continue here, on any device:\n\n{link}\n\n"
    "Keep this link to yourself: it opens what you typed.\n\nIf you did not start an application, do nothing.\n",
)
CONFIRM: Final = Words(
    "Please confirm that you take part in an application",
    "Somebody named you as director, partner, trustee or owner in an application for a business line of credit. "
    "Please look at what was said of you and confirm it, or tell us that it is wrong:\n\n{link}\n\n"
    "The link works for 7 days. If you know nothing of it, say so there.\n",
)
DECIDED: Final = Words(
    "Your application is decided",
    "It took longer than usual, and now it is there. See it with a one-time code:\n\n{link}\n",
)
SIGN: Final = Words(
    "A contract waits for your signature",
    "The contract for the line of credit that you were named in is ready, and needs your signature. "
    "Read it and sign it here, for yourself:\n\n{link}\n\n"
    "The link works for 7 days. Keep it to yourself. If you know nothing of it, sign nothing and tell us.\n",
)
CODE: Final = Words(
    "Your code is {code}",
    "{code}\n\nType it on the page that asked for it. It works once, for 15 minutes.\n\n"
    "Nobody from us will ever ask you for it. If you did not ask for a code, do nothing.\n",
)
