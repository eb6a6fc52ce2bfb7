"""The form: its pages one by one, check your answers, sending, and coming back by a link.

The rules: what was typed is kept before it is judged; a page is left by GET, so that back and refresh do nothing twice;
a step can be looked at only when those before it are answered.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath

from api.applicants import drafts, entering, visits
from api.applicants.drafts import Draft
from api.errors import Problem
from api.journey.form import consents, questions
from api.journey.form.fields import MOST_TYPED, Field, Wrong, clean
from api.journey.form.questions import ABN, BY_SLUG, Faults, Step
from api.journey.form.summary import digest_of, summary
from api.journey.guarding import lobby_of, meant, require_ours, visit_here
from api.journey.prefilling import NAMES, OF_ANOTHER, looked_up
from api.journey.replies import ROUTE, page
from api.journey.sending import REFUSED, Desk, Outcome
from api.journey.wording import RESUME
from api.pages.forms import MOST_BYTES, read_form
from api.pages.replies import go_to
from api.requests import AnyRequest, address_of, settings_of
from api.store.queries.applicants import VisitRow

_POST = {**ROUTE, "request_max_body_size": MOST_BYTES}
_WAYS = {"connect": "/apply/connect", "upload": "/apply/statements"}
# One text for every reason: whether a business applied is not told in so many words to whoever knows its ABN.
_NOT_NOW = (
    "We cannot take this application now",
    "Nothing was asked of a credit reporting body, and your answers are kept for 7 days. If you applied for this "
    "business lately, come back to that application with a code. Otherwise ask us, and a person will look at it.",
)
_CHANGED = "Something has changed since this page was shown: look at it again, then tick and send"


def desk_of(request: AnyRequest) -> Desk:
    """What sends applications."""
    desk: Desk = request.app.state.sending
    return desk


async def _draft_of(request: AnyRequest, visit: VisitRow | None) -> Draft | None:
    return None if visit is None else await drafts.load(lobby_of(request), visit.draft_id)


def _place(slug: str) -> str:
    return "/apply" if slug == "abn" else f"/apply/{slug}"


def _today(request: AnyRequest) -> date:
    return lobby_of(request).clock().date()


def _away(visit: VisitRow | None) -> Response[bytes]:
    """Where there is no draft: to its beginning, for who has a visit; else to where one comes back."""
    if visit is None:
        raise Problem("unauthenticated")
    return go_to("/apply")


# -- the ABN begins it ---------------------------------------------------------------------------------------


@get("/apply", **ROUTE)
async def begin_page(request: AnyRequest) -> Response[bytes]:
    """The ABN: the first question, and all that is asked before anything is kept."""
    visit = await visit_here(request)
    draft = await _draft_of(request, visit)
    answers = draft.answers if draft is not None and not draft.sent else {}
    return _form(request, visit, BY_SLUG["abn"], answers, {})


@post("/apply", **_POST)
async def begin(request: AnyRequest) -> Response[bytes]:
    """Look the ABN up and begin a draft with what the register says; the same number again changes nothing."""
    require_ours(request)
    visit, form = await visit_here(request), await read_form(request)
    typed = {"abn": form.get("abn", "")[:MOST_TYPED]}
    try:
        abn = str(ABN.value(typed))
    except Wrong as wrong:
        return _form(request, visit, BY_SLUG["abn"], typed, {"abn": wrong.words})
    lobby, draft = lobby_of(request), await _draft_of(request, visit)
    open_draft = None if draft is None or draft.sent else draft
    before = {} if open_draft is None else open_draft.answers
    if before.get("abn") == abn and before.get("register") != "away":
        return go_to(_place(questions.first_open(before, _today(request)).slug))
    told = await looked_up(request.app.state.look_up, abn, lobby.clock())
    if told["register"] == "unknown":
        words = "No business has this ABN. Check it on an invoice or a tax document"
        return _form(request, visit, BY_SLUG["abn"], typed, {"abn": words})
    if open_draft is not None:
        forgotten = NAMES if before.get("abn") == abn else (*NAMES, *OF_ANOTHER)
        await drafts.amend(lobby, open_draft, {**dict.fromkeys(forgotten, ""), "abn": abn, **told})
        return go_to("/apply/business")
    begun = await drafts.begin(lobby, {"abn": abn, **told}, visit, address_of(request))
    if begun is None:
        raise Problem("rate-limited")
    return go_to("/apply/business", [visits.cookie(begun[1].token)])


# -- the steps -----------------------------------------------------------------------------------------------


@get("/apply/{slug:str}", **ROUTE)
async def step_page(request: AnyRequest, slug: FromPath[str]) -> Response[bytes]:
    """One step, with what was typed before; a step that is not reached yet leads to the first open one."""
    visit = await visit_here(request)
    draft = await _draft_of(request, visit)
    if slug not in BY_SLUG:
        raise Problem("not-found")
    if draft is None:
        return _away(visit)
    if draft.sent:
        return go_to(_decided(draft))
    open_step = questions.first_open(draft.answers, _today(request))
    steps = [each.slug for each in questions.path_of(draft.answers)]
    if slug not in steps or steps.index(slug) > steps.index(open_step.slug):
        return go_to(_place(open_step.slug))
    return _form(request, visit, BY_SLUG[slug], draft.answers, {}, request.query_params.get("then", ""))


@post("/apply/{slug:str}", **_POST)
async def step(request: AnyRequest, slug: FromPath[str]) -> Response[bytes]:
    """Keep what was typed on one step, then say what is wrong with it, or go on."""
    visit, form = await meant(request)
    draft = await _draft_of(request, visit)
    if slug not in BY_SLUG or slug == "abn":
        raise Problem("not-found")
    if draft is None:
        return _away(visit)
    if draft.sent:
        return go_to(_decided(draft))
    if slug == "check" and form.get("seen") != digest_of(draft.answers):
        unticked = {**draft.answers, **{each.name: "" for each in BY_SLUG[slug].fields(draft.answers)}}
        return _form(request, visit, BY_SLUG[slug], unticked, {"answers": _CHANGED})
    saved = await drafts.amend(lobby_of(request), draft, _typed(BY_SLUG[slug], draft, form))
    if saved is None:
        return go_to("/apply/deciding")
    if _leads_on(BY_SLUG[slug], draft, saved):
        return _form(request, visit, BY_SLUG[slug], saved.answers, {}, form.get("then", ""))
    return await _judged(request, visit, BY_SLUG[slug], saved, form)


def _decided(draft: Draft) -> str:
    """Where what was sent is, or comes to be."""
    return "/apply/deciding" if draft.application_id is None else f"/applications/{draft.application_id}"


def _leads_on(step: Step, before: Draft, after: Draft) -> bool:
    """Whether an answer led to more questions on its page that nobody was shown yet: they are asked, not missed."""
    shown = {field.name for field in step.asked(before.answers)}
    new = [box for field in step.asked(after.answers) if field.name not in shown for box in field.boxes]
    return bool(new) and not any(after.answers.get(box) for box in new)


def _typed(step: Step, draft: Draft, form: Mapping[str, str]) -> dict[str, str]:
    """What the boxes of a step hold now; a box that was not sent and is a tick is empty."""
    found = {}
    for field in step.fields({**draft.answers, **form}):
        for box in field.boxes:
            if box in form or field.kind == "tick":
                found[box] = form.get(box, "")[:MOST_TYPED]
    return found


async def _judged(
    request: AnyRequest, visit: VisitRow, step: Step, draft: Draft, form: Mapping[str, str]
) -> Response[bytes]:
    if step.slug == "bank" and (place := _WAYS.get(draft.answers.get("bank", ""))):
        return go_to(place)
    faults = step.faults(draft.answers, _today(request))
    if faults:
        return _form(request, visit, step, draft.answers, faults, form.get("then", ""))
    if step.slug == "you" and draft.answers.get("linked") != draft.answers["me-email"]:
        await _send_link(request, draft)
    if step.slug == "check":
        return await _send(request, visit, draft)
    if form.get("then") == "check":
        return go_to(_place(questions.first_open(draft.answers, _today(request)).slug))
    return go_to(_place(questions.after(step, draft.answers).slug))


async def _send_link(request: AnyRequest, draft: Draft) -> None:
    """As soon as an address is known, the way back is in its mailbox."""
    lobby, email = lobby_of(request), clean(draft.answers["me-email"])
    page_ = f"{desk_of(request).page}/apply/resume"
    await entering.send_resume_link(lobby, draft.id, email, page_, RESUME, address_of(request))
    await drafts.amend(lobby, draft, {"linked": draft.answers["me-email"]})


# -- sending -------------------------------------------------------------------------------------------------


async def _send(request: AnyRequest, visit: VisitRow, draft: Draft) -> Response[bytes]:
    open_step = questions.first_open(draft.answers, _today(request))
    if open_step.slug != "check":
        return go_to(_place(open_step.slug))
    sent = await drafts.send(lobby_of(request), draft)
    if sent is None:  # another tab changed it, or sent it: what stands now is looked at first
        return go_to("/apply/check")
    outcome = await desk_of(request).send(sent, request.scope["state"].get("request_id", ""))
    return await _told(request, visit, sent, outcome) or go_to("/apply/deciding")


async def _told(request: AnyRequest, visit: VisitRow, draft: Draft, outcome: Outcome) -> Response[bytes] | None:
    """The way to the decision, or why there is none; None while it is made."""
    if outcome.application_id is not None:
        return go_to(f"/applications/{outcome.application_id}")
    if outcome.problem is None:
        return None
    slug = outcome.problem.slug
    if slug not in REFUSED:
        raise outcome.problem
    await drafts.recall(lobby_of(request), draft)
    if slug in {"validation-failed", "malformed-json"}:
        told = dict.fromkeys(each.message for each in outcome.problem.errors)
        words = "; ".join(told) or "Something you typed cannot be sent: look at your answers again"
        return _form(request, visit, BY_SLUG["check"], draft.answers, {"answers": words})
    title, words = _NOT_NOW
    return page(request, "message", status=409, visit=visit, title=title, words=words, slug="duplicate-application")


@get("/apply/deciding", **ROUTE)
async def deciding(request: AnyRequest) -> Response[bytes]:
    """Progress while a decision is made, with an honest word on how long; on to the decision once it is there."""
    visit = await visit_here(request)
    draft = await _draft_of(request, visit)
    if visit is None or draft is None:
        return _away(visit)
    if not draft.sent:
        return go_to(_place(questions.first_open(draft.answers, _today(request)).slug))
    outcome = await desk_of(request).send(draft, request.scope["state"].get("request_id", ""), patience=0.3)
    if (told := await _told(request, visit, draft, outcome)) is not None:
        return told
    seconds = max(0, int((lobby_of(request).clock() - draft.changed_at).total_seconds()))
    return page(request, "deciding", visit=visit, seconds=seconds, email=draft.answers["me-email"])


# -- coming back ---------------------------------------------------------------------------------------------


@get("/apply/resume/{token:str}", **ROUTE)
async def resume_page(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """A link from a mail: a button, since mail programs open links by themselves."""
    return page(request, "resume", token=token[:100])


@post("/apply/resume", **_POST)
async def resume(request: AnyRequest) -> Response[bytes]:
    """Go on with a draft on this device."""
    require_ours(request)
    token = (await read_form(request)).get("token", "")[:100]
    opened = await entering.resume(lobby_of(request), token, await visit_here(request))
    if opened is None:
        title = "This link works no longer"
        words = "It is older than 7 days, a newer one was sent, or the application was sent."
        return page(request, "message", status=410, title=title, words=words, slug="unauthenticated")
    draft = await drafts.load(lobby_of(request), opened.row.draft_id)
    slug = questions.first_open(draft.answers if draft else {}, _today(request)).slug
    return go_to(_place(slug), [visits.cookie(opened.token)])


# -- one page of the form ------------------------------------------------------------------------------------


def _form(
    request: AnyRequest, visit: VisitRow | None, step: Step, answers: Mapping[str, str], faults: Faults, then: str = ""
) -> Response[bytes]:
    """A step as a page, its faults both at the top and beside the fields; `then` is where it leads, if not on."""
    path = [each.slug for each in questions.path_of(answers)]
    before = questions.before(step, answers)
    place = path.index(step.slug) + 1 if step.slug in path else 1
    return page(
        request, f"form/{step.slug}" if step.slug in {"abn", "business", "others", "bank", "check"} else "form/step",
        status=422 if faults else 200, visit=visit, step=step, answers=answers, faults=faults,
        fields=_offered(request, step, answers), asked={field.name for field in step.asked(answers)},
        place=place, places=len(path), back=None if before is None else _place(before.slug),
        then=then if then == "check" else "", parts=summary(answers) if step.slug == "check" else (),
        seen=digest_of(answers) if step.slug == "check" else "",
        consents=consents.asked(questions.entity(answers), answers.get("bank", "")),
        known=questions.known(answers), entity=questions.entity(answers),
    )  # fmt: skip


def _offered(request: AnyRequest, step: Step, answers: Mapping[str, str]) -> tuple[Field, ...]:
    """The questions with the choices that there are here: a bank is connected by the sandbox, in development alone."""
    fields = step.fields(answers)
    if step.slug != "bank" or settings_of(request).development:
        return fields
    return tuple(replace(each, choices=tuple(c for c in each.choices if c[0] != "connect")) for each in fields)


HANDLERS = (begin_page, begin, deciding, resume_page, resume, step_page, step)
