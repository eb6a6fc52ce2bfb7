"""Visits: whose a browser's cookie is, how long it holds, and what it may see."""

from datetime import timedelta

import pytest

from api.applicants import drafts, visits
from api.applicants.visits import (
    COOKIE,
    IDLE,
    LONGEST,
    SEEN_EVERY,
    SIGNED_IN,
    SIGNED_IN_IDLE,
    Opened,
    may_see,
    new_visit,
    visit_of,
)
from api.security import sha256_of
from api.store.queries import applicants as kept
from tests.support.applying import House
from tests.support.lobbying import ADDRESS, Foyer


def opened(place: Foyer, email: str | None = None) -> Opened:
    """A visit, of somebody who is signed in where an address is given."""
    applicant_id = None
    if email is not None:
        place.applicant(email)
        applicant_id = place.look(lambda connection: kept.known_applicant(connection, _key(place, email)))
    found = new_visit(place.clock(), applicant_id)
    place.write(lambda connection: kept.open_visit(connection, found.row))
    return found


def _key(place: Foyer, email: str) -> str:
    return place.lobby.index.of("applicant email", email)


def test_a_visit_is_found_by_its_token_alone(either: Foyer) -> None:
    """The token finds it; its digest, a token of nobody's and none at all do not, and nothing is kept of them."""
    visit = opened(either)
    assert either.run(visit_of(either.lobby, visit.token)) == visit.row
    for other in (None, "", "a token that nobody made", sha256_of(visit.token), visit.token[:-1]):
        assert either.run(visit_of(either.lobby, other)) is None
    assert either.count("visit") == 1


def test_tokens_are_kept_as_digests(lone: Foyer) -> None:
    """Nothing in the database opens a visit, and neither token is shown when a visit is printed."""
    visit = opened(lone)
    rows = lone.look(lambda connection: str([*connection.exec_driver_sql("SELECT * FROM visit")]))
    assert (visit.token in rows, sha256_of(visit.token) in rows) == (False, True)
    assert len(visit.token) >= 43
    assert visit.token not in repr(visit)
    assert visit.row.csrf not in repr(visit) + repr(visit.row)


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_visit_ends_when_nobody_uses_it(either: Foyer, signed_in: bool) -> None:
    """A day without use ends it, an hour where somebody is signed in; a second before that it holds."""
    visit, idle = opened(either, "a@x.example" if signed_in else None), SIGNED_IN_IDLE if signed_in else IDLE
    either.clock.advance(idle.total_seconds() - 1)
    assert either.run(visit_of(either.lobby, visit.token)) is not None
    either.clock.advance(idle.total_seconds())
    assert either.run(visit_of(either.lobby, visit.token)) is None


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_visit_ends_however_it_is_used(lone: Foyer, signed_in: bool) -> None:
    """After a week, or twelve hours of being signed in, it is over for good."""
    visit, longest = opened(lone, "a@x.example" if signed_in else None), SIGNED_IN if signed_in else LONGEST
    steps = int(longest / timedelta(minutes=30))
    for _ in range(steps - 1):
        lone.clock.advance(1_800)
        assert lone.run(visit_of(lone.lobby, visit.token)) is not None
    lone.clock.advance(1_800)
    assert lone.run(visit_of(lone.lobby, visit.token)) is None


def test_a_clock_set_back_ends_a_visit_for_good(either: Foyer) -> None:
    """A visit from the future is over, and is not back when the clock is; a minute's correction harms nobody."""
    visit = opened(either)
    either.clock.advance(-59)
    assert either.run(visit_of(either.lobby, visit.token)) is not None
    either.clock.advance(-120)
    assert either.run(visit_of(either.lobby, visit.token)) is None
    either.clock.advance(600)
    assert either.run(visit_of(either.lobby, visit.token)) is None


def test_use_is_noted_at_most_once_a_minute(lone: Foyer) -> None:
    """Looking at a page is no write, but for the first of a minute."""
    visit = opened(lone)
    lone.clock.advance(SEEN_EVERY.total_seconds() - 1)
    found = lone.run(visit_of(lone.lobby, visit.token))
    assert found is not None
    assert lone.look(lambda connection: kept.visit_by_sha(connection, visit.row.sha256)) == visit.row
    lone.clock.advance(1)
    lone.run(visit_of(lone.lobby, visit.token))
    again = lone.look(lambda connection: kept.visit_by_sha(connection, visit.row.sha256))
    assert again is not None
    assert again.seen_at == lone.clock()


def test_an_ended_visit_stays_ended(either: Foyer) -> None:
    """Signing out ends it here; the other browser's goes on."""
    one, other = opened(either), opened(either)
    either.run(visits.end(either.lobby, one.row))
    assert either.run(visit_of(either.lobby, one.token)) is None
    assert either.run(visit_of(either.lobby, other.token)) is not None


def test_a_visit_sees_what_was_sent_from_it_and_what_its_holder_holds(either: Foyer) -> None:
    """Its own draft's application, those of the address that was shown, and nobody else's."""
    mine, others = either.applicant("a@x.example"), either.applicant("b@x.example")
    applicant_id = either.look(lambda connection: kept.known_applicant(connection, _key(either, "a@x.example")))
    holder = new_visit(either.clock(), applicant_id).row
    stranger = new_visit(either.clock()).row
    begun = either.run(drafts.begin(either.lobby, {}, None, ADDRESS))
    assert begun is not None
    either.write(lambda connection: kept.finish_draft(connection, begun[0].id, others, either.clock()))

    def sees(visit: kept.VisitRow, application_id: str) -> bool:
        return either.look(lambda connection: may_see(connection, visit, application_id))

    assert (sees(holder, mine), sees(holder, others)) == (True, False)
    assert (sees(stranger, mine), sees(stranger, others)) == (False, False)
    assert (sees(begun[1].row, others), sees(begun[1].row, mine)) == (True, False)


def test_the_cookie_is_this_host_s_alone(pages: House) -> None:
    """It is bound to host and https, hidden from scripts, not sent along by other sites, and ends with the browser."""
    browser = pages.browser()
    reply = browser.send("POST", "/apply", data={"abn": "37955501005"})
    told = reply.headers["set-cookie"]
    name, _, rest = told.partition("=")
    assert name == COOKIE == "__Host-creditline-visit"
    flags = {part.strip().lower() for part in rest.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= flags
    assert not any(flag.startswith(("domain", "max-age", "expires")) for flag in flags)
    assert browser.token is not None
    assert len(browser.token) >= 43


def test_a_token_of_somebody_s_own_making_is_never_taken_on(pages: House) -> None:
    """Who plants a cookie gets another one as soon as there is something to keep."""
    browser = pages.browser()
    browser.cookies.set(COOKIE, "planted-by-somebody-else", domain="apply.lender.example", path="/")
    browser.fill_in()
    assert browser.token != "planted-by-somebody-else"
    assert pages.look(lambda connection: kept.visit_by_sha(connection, sha256_of("planted-by-somebody-else"))) is None


def test_signing_out_takes_the_cookie_and_ends_the_visit(pages: House) -> None:
    """The browser's cookie is taken away, and what was copied of it opens nothing."""
    browser = pages.browser()
    application_id = browser.apply()
    browser.sign_in()
    stolen = browser.token
    assert stolen is not None
    reply = browser.post_once("/sign-out")
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert browser.token is None
    thief = pages.browser()
    thief.cookies.set(COOKIE, stolen, domain="apply.lender.example", path="/")
    assert thief.get(f"/applications/{application_id}").status_code == 401


def test_two_browsers_of_one_person_are_two_visits(pages: House) -> None:
    """Each has a token of its own, sees the same, and signing one out leaves the other."""
    one, other = pages.browser(), pages.browser()
    application_id = one.apply()
    other.sign_in()
    assert one.token != other.token
    for each in (one, other):
        assert each.get(f"/applications/{application_id}").status_code == 200
    other.get("/my")
    other.post("/sign-out")
    assert other.get(f"/applications/{application_id}").status_code == 401
    assert one.get(f"/applications/{application_id}").status_code == 200


def test_signing_in_is_a_new_visit_that_keeps_what_was_typed(pages: House) -> None:
    """The token before it is over, and the form that was being filled in is still at hand."""
    pages.browser().apply()
    browser = pages.browser()
    browser.get("/apply")
    browser.answer("abn", abn="53 004 085 616")
    before = browser.token
    browser.sign_in()
    assert browser.token != before
    assert pages.run(visit_of(pages.lobby, before)) is None
    browser.get("/apply")
    assert browser.form("/apply").values["abn"] == "53 004 085 616" or "53004085616" in browser.shown


def test_beginning_a_draft_prolongs_no_sign_in(pages: House) -> None:
    """A visit that follows on another is over when that one would have been."""
    pages.browser().apply()
    browser = pages.browser()
    browser.sign_in()
    ends_at = browser.visit.ends_at
    pages.clock.advance(1_800)
    browser.get("/apply")
    browser.answer("abn", abn="53 004 085 616")
    visit = browser.visit
    assert visit.ends_at == ends_at
    assert visit.applicant_id is not None
