"""What a member of staff is told when a page or an act cannot be had, in plain words: one table by slug.

The rule: whose fault it is and what to do next are said; what the member may not know (who exists, what was found) is
not. A slug that is not here has the page of `internal`.
"""

from collections.abc import Mapping
from typing import Final

from api.console.views import Choice, MessageView

_BOARD = Choice("/console", "To the board")
_ACCOUNT = Choice("/console/me", "My account")
_SIGN_IN = Choice("/console/sign-in", "Sign in")

_AGAIN = "Nothing of yours was done: look again first."
_UNCHANGED = "Nothing was changed."

MESSAGES: Final[Mapping[str, MessageView]] = {
    "unauthenticated": MessageView(
        401, "You are signed out", "Your session is over. Sign in to go on; what was sent last was not kept.",
        (_SIGN_IN,),
    ),
    "forbidden": MessageView(
        403, "That is not yours to do", f"Your role does not allow it. {_UNCHANGED}", (_BOARD, _ACCOUNT)
    ),
    "separation-of-duties": MessageView(
        403, "That takes somebody else",
        f"Who verified, proposed or decided it, or approved it already, is not who agrees to it. {_UNCHANGED}",
    ),
    "csrf-failed": MessageView(
        403, "Please send that again", f"The page was too old to be trusted. {_UNCHANGED} Load it again first."
    ),
    "not-found": MessageView(404, "There is nothing here", "It does not exist, or it is not for your eyes."),
    "gone": MessageView(
        410, "This is no longer kept", "It was erased, as it had to be. What was decided on it stays on record."
    ),
    "stale-version": MessageView(
        409, "Somebody was quicker", f"It changed while you were looking at it. {_AGAIN}"
    ),
    "not-held": MessageView(
        409, "You do not hold this case",
        f"Somebody else took it, or your time with it ran out. {_AGAIN} You can take it again if it is free.",
    ),
    "not-now": MessageView(
        409, "Not as things stand", f"It is in a state in which that cannot be done. {_UNCHANGED}"
    ),
    "no-offer": MessageView(
        409, "Nothing is offered",
        "On what was verified, no line is offered. Decline it, or send it back to verification.",
    ),
    "contract-not-drawn": MessageView(
        409, "There is no contract to sign", "Nobody can be named who signs for this business, so it was not approved."
    ),
    "payload-too-large": MessageView(
        413, "That was too much text", f"Shorten it and send it again. {_UNCHANGED}"
    ),
    "malformed-request": MessageView(
        400, "That could not be read", f"Load the page again and send it once more. {_UNCHANGED}"
    ),
    "rate-limited": MessageView(429, "One moment", "That was asked for too often. Try again in a few seconds."),
    "unavailable": MessageView(
        503, "Not at the moment", f"The service cannot reach what it needs. {_UNCHANGED} Try again shortly."
    ),
    "outcome-unknown": MessageView(
        503, "We do not know whether that was kept", "Look at the case before you do it again."
    ),
    "internal": MessageView(
        500, "That went wrong", "The fault is ours, and it was noted. Look at the case before you go on."
    ),
}  # fmt: skip


def message_for(slug: str, status: int, back: Choice | None = None) -> MessageView:
    """What to tell for a problem's slug; `back` is a link that comes first, to the case that it was about."""
    found = MESSAGES.get(slug) or MESSAGES["unavailable" if status == 503 else "internal"]  # noqa: PLR2004 - HTTP's own
    links = found.next if back is None else (back, *found.next)
    return MessageView(status, found.title, found.words, links)
