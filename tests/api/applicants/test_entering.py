"""Coming back: links and one-time codes, what each is good for, and that they tell nobody who is known."""

import statistics
import time
from datetime import timedelta
from typing import Any

import pytest

from api.applicants import drafts, entering
from api.applicants.drafts import LASTS
from api.applicants.entering import CODE_LASTS, CODE_TRIES, CODES_AN_HOUR, MOST_LINKS, OTHERS_LAST, Words
from api.applicants.limits import CODES_ASKED, CODES_SHOWN, LETTERS, LINKS_ASKED
from api.applicants.visits import Opened, visit_of
from api.security import sha256_of
from api.store.queries import applicants as kept
from tests.support.lobbying import ADDRESS, EMAIL, Foyer

CODE = Words("Your code is {code}", "{code} is the code")
LINK = Words("A link", "here {link}")
PAGE = "https://apply.lender.example/x"
STRANGER = "stranger@x.example"


def ask(place: Foyer, email: str = EMAIL, address: str = ADDRESS) -> str | None:
    """Ask for a code; what is told."""
    return place.run(entering.send_code(place.lobby, email, address, CODE))


def code(place: Foyer, email: str = EMAIL) -> str:
    """The code of the newest letter."""
    return place.letters(email)[-1]["text"].split()[0]


def show(place: Foyer, told: str, email: str = EMAIL, address: str = ADDRESS) -> Opened | str:
    """Show a code."""
    return place.run(entering.enter(place.lobby, email, told, address, None))


def wrong(told: str) -> str:
    """Another code than this."""
    return f"{(int(told) + 1) % 1_000_000:06}"


def begun(place: Foyer) -> str:
    """A draft's id."""
    found = place.run(drafts.begin(place.lobby, {"abn": "37955501005"}, None, ADDRESS))
    assert found is not None
    return found[0].id


def link_to(place: Foyer, draft_id: str, email: str = EMAIL) -> str:
    """Send a link to a draft; its token."""
    place.run(entering.send_resume_link(place.lobby, draft_id, email, PAGE, LINK, ADDRESS))
    return place.letters(email)[-1]["text"].rpartition("/")[2]


# -- one-time codes ------------------------------------------------------------------------------------------


def test_a_code_lets_in_once(either: Foyer) -> None:
    """Who shows it is the applicant; the second time it is nothing, from wherever."""
    application_id = either.applicant()
    assert ask(either) is None
    told = code(either)
    found = show(either, f" {told[:3]} {told[3:]} ")
    assert isinstance(found, Opened)
    visit = either.run(visit_of(either.lobby, found.token))
    assert visit is not None
    assert visit.applicant_id is not None
    held = either.look(lambda connection: kept.applications_held(connection, visit.applicant_id or ""))
    assert held == (application_id,)
    assert show(either, told) == "wrong"


def test_case_and_spaces_of_an_address_do_not_matter(either: Foyer) -> None:
    """The mailbox is the same, however it is written."""
    either.applicant("Ann@Banksia.example ")
    ask(either, "ann@BANKSIA.example")
    assert isinstance(show(either, code(either, "ann@BANKSIA.example"), " ANN@BANKSIA.example "), Opened)


def test_a_code_is_over_after_a_quarter_of_an_hour(either: Foyer) -> None:
    """A second before it works, at the moment it does not."""
    either.applicant()
    ask(either)
    told = code(either)
    either.clock.advance(CODE_LASTS.total_seconds())
    assert show(either, told) == "wrong"
    either.clock.advance(-1)
    assert isinstance(show(either, told), Opened)


def test_a_code_bears_five_tries(either: Foyer) -> None:
    """Four mistakes are forgiven; after the fifth even the right code is nothing."""
    either.applicant()
    ask(either)
    told = code(either)
    assert [show(either, wrong(told)) for _ in range(CODE_TRIES - 1)] == ["wrong"] * (CODE_TRIES - 1)
    assert isinstance(show(either, told), Opened)
    ask(either)
    told = code(either)
    assert [show(either, wrong(told)) for _ in range(CODE_TRIES)] == ["wrong"] * CODE_TRIES
    assert show(either, told) == "wrong"


def test_the_newest_code_alone_works(either: Foyer) -> None:
    """Whoever asks again is sent another, and the one before is over."""
    either.applicant()
    ask(either)
    first = code(either)
    ask(either)
    second = code(either)
    assert first == second or show(either, first) == "wrong"
    assert isinstance(show(either, second), Opened)


def test_a_code_is_of_its_address(either: Foyer) -> None:
    """Somebody else's code opens nothing of mine."""
    either.applicant()
    either.applicant("ben@x.example")
    ask(either)
    ask(either, "ben@x.example")
    mine, his = code(either), code(either, "ben@x.example")
    assert mine == his or show(either, his) == "wrong"
    assert isinstance(show(either, mine), Opened)


@pytest.mark.parametrize("told", ["", "0", "000000000000", "abcdef", "１２３４５６", "\u0000", "null"])
def test_what_is_no_code_opens_nothing(lone: Foyer, told: str) -> None:
    """Whatever is typed in its place is a wrong code."""
    lone.applicant()
    assert show(lone, told) == "wrong"
    ask(lone)
    assert show(lone, told) == "wrong"


def test_an_address_is_sent_so_many_codes_an_hour(either: Foyer) -> None:
    """Beyond them the answer is the same, nothing is sent, and the last code still works."""
    either.applicant()
    assert [ask(either) for _ in range(CODES_AN_HOUR + 2)] == [None] * (CODES_AN_HOUR + 2)
    assert len(either.letters(EMAIL)) == CODES_AN_HOUR
    assert isinstance(show(either, code(either)), Opened)
    either.clock.advance(3_601)
    ask(either)
    assert either.count("letter") == CODES_AN_HOUR + 1


def test_a_network_asks_for_so_many_codes_an_hour(either: Foyer) -> None:
    """Whatever the addresses are; other networks are not harmed, and an hour later it may again."""
    assert [ask(either, f"p{n}@x.example") for n in range(CODES_ASKED.most)] == [None] * CODES_ASKED.most
    assert ask(either, "one-more@x.example") == "waiting"
    assert ask(either, "one-more@x.example", "198.51.100.7") is None
    either.clock.advance(3_601)
    assert ask(either, "one-more@x.example") is None


def test_a_network_shows_so_many_codes_an_hour(either: Foyer) -> None:
    """Guessing across addresses ends; the whole first half of a version 6 address is one network."""
    tries = [show(either, "000000", f"p{n}@x.example", f"2001:db8::{n:x}") for n in range(CODES_SHOWN.most)]
    assert tries == ["wrong"] * CODES_SHOWN.most
    assert show(either, "000000", "q@x.example", "2001:db8::ffff") == "waiting"
    assert show(either, "000000", "q@x.example", "2001:db8:0:1::1") == "wrong"


def test_nobody_is_locked_out_for_good(lone: Foyer) -> None:
    """A hundred and more wrong codes from elsewhere over days, and the true holder comes in with a new one at once."""
    lone.applicant()
    for day in range(3):
        for number in range(50):
            show(lone, "000000", EMAIL, f"198.51.100.{number}")
            if number % 10 == 0:
                ask(lone, EMAIL, f"203.0.113.{day}")
        lone.clock.advance(86_400)
    assert ask(lone) is None
    assert isinstance(show(lone, code(lone)), Opened)


# -- nobody learns who is known ------------------------------------------------------------------------------


def test_known_and_unknown_addresses_cost_the_same(either: Foyer) -> None:
    """Answer and writes are alike for both: a code, a letter and a message, of which one goes to nobody."""
    either.applicant()
    tables = ("entry_code", "letter", "outbox", "sign_in", "applicant", "visit")

    def grown(email: str) -> list[int]:
        before = [either.count(table) for table in tables]
        assert ask(either, email) is None
        return [either.count(table) - was for table, was in zip(tables, before, strict=True)]

    assert grown(EMAIL) == grown(STRANGER) == [1, 1, 1, 1, 0, 0]
    assert len(either.letters(EMAIL)) == 1
    assert either.letters(STRANGER) == []
    assert {} in either.letters()


def test_a_stranger_s_code_is_wrong_even_when_it_is_right(lone: Foyer) -> None:
    """An address that never applied has a code as well, which nobody was told: it lets nobody in."""
    ask(lone, STRANGER)
    for number in range(CODE_TRIES):
        assert show(lone, f"{number:06}", STRANGER) == "wrong"
    assert lone.count("visit") == 0
    assert lone.count("applicant") == 0


def test_the_time_taken_tells_little(lone: Foyer, record_property: Any) -> None:
    """The median gap between known and unknown is reported; it decides nothing here, machines being what they are."""
    lone.applicant()
    spent: dict[str, list[float]] = {EMAIL: [], STRANGER: []}
    for number in range(24):
        for email, times in spent.items():
            lone.clock.advance(3_700)
            begins = time.perf_counter()
            ask(lone, email, f"192.0.2.{number}")
            times.append(time.perf_counter() - begins)
    gap = statistics.median(spent[EMAIL]) - statistics.median(spent[STRANGER])
    record_property("median_gap_ms", round(gap * 1000, 3))
    assert all(len(times) == 24 for times in spent.values())


def test_codes_and_addresses_are_kept_as_digests(lone: Foyer) -> None:
    """Neither stands in the open in any table, letters included."""
    lone.applicant()
    ask(lone)
    told = code(lone)
    for table in ("applicant", "entry_code", "letter", "outbox", "sign_in"):
        rows = lone.rows(table)
        assert EMAIL not in rows, table
        assert f"'{told}'" not in rows, table
        assert ADDRESS not in rows, table


# -- links to a draft ----------------------------------------------------------------------------------------


def test_a_link_leads_back_to_its_draft_for_a_week(either: Foyer) -> None:
    """As often as it is needed, on any device, each time as a visit of its own; after a week it is over."""
    draft_id = begun(either)
    token = link_to(either, draft_id)
    visits = [either.run(entering.resume(either.lobby, token, None)) for _ in range(2)]
    assert all(each is not None and each.row.draft_id == draft_id for each in visits)
    assert len({each.token for each in visits if each}) == 2
    either.clock.advance(LASTS.total_seconds() - 1)
    assert either.run(entering.resume(either.lobby, token, None)) is not None
    either.clock.advance(1)
    assert either.run(entering.resume(either.lobby, token, None)) is None


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "\u0000"])
def test_what_is_no_link_leads_nowhere(lone: Foyer, token: str) -> None:
    """Tokens of nobody's making, and a link's own digest, open nothing."""
    link_to(lone, begun(lone))
    assert lone.run(entering.resume(lone.lobby, token, None)) is None
    stored = lone.look(lambda connection: connection.exec_driver_sql("SELECT sha256 FROM entry_link").scalar())
    assert lone.run(entering.resume(lone.lobby, str(stored), None)) is None


def test_a_newer_link_ends_the_ones_before_it(either: Foyer) -> None:
    """Who corrects a mistyped address takes back what went to the wrong mailbox."""
    draft_id = begun(either)
    mistyped = link_to(either, draft_id, STRANGER)
    right = link_to(either, draft_id)
    assert either.run(entering.resume(either.lobby, mistyped, None)) is None
    assert either.run(entering.resume(either.lobby, right, None)) is not None


def test_a_link_to_a_draft_that_is_over_leads_nowhere(either: Foyer) -> None:
    """Once it became an application a code lets in, not an old mail."""
    draft_id, application_id = begun(either), either.application()
    token = link_to(either, draft_id)
    either.write(lambda connection: kept.finish_draft(connection, draft_id, application_id, either.clock()))
    assert either.run(entering.resume(either.lobby, token, None)) is None


def test_resuming_takes_the_place_of_the_visit(either: Foyer) -> None:
    """The browser's visit before is over."""
    first = either.run(drafts.begin(either.lobby, {}, None, ADDRESS))
    assert first is not None
    token = link_to(either, begun(either))
    assert either.run(entering.resume(either.lobby, token, first[1].row)) is not None
    assert either.run(visit_of(either.lobby, first[1].token)) is None


def test_nobody_is_flooded_with_links(lone: Foyer) -> None:
    """Of one draft, to one mailbox, and from one network, so many in an hour and no more; the answer is the same."""
    draft_id = begun(lone)
    for number in range(MOST_LINKS + 3):
        lone.run(entering.send_resume_link(lone.lobby, draft_id, f"p{number}@x.example", PAGE, LINK, ADDRESS))
    assert lone.count("letter") == MOST_LINKS
    for _ in range(LETTERS.most + 3):
        lone.run(entering.send_resume_link(lone.lobby, begun(lone), EMAIL, PAGE, LINK, ADDRESS))
    assert len(lone.letters(EMAIL)) == LETTERS.most
    for number in range(LINKS_ASKED.most):
        one = begun_from(lone, f"198.51.100.{number}")
        lone.run(entering.send_resume_link(lone.lobby, one, f"q{number}@x.example", PAGE, LINK, ADDRESS))
    assert lone.count("letter") == LINKS_ASKED.most - 3, "three were too many for their mailbox, and were asked for"


def begun_from(place: Foyer, address: str) -> str:
    """A draft begun elsewhere."""
    found = place.run(drafts.begin(place.lobby, {}, None, address))
    assert found is not None
    return found[0].id


# -- links to another person ---------------------------------------------------------------------------------


def personal(place: Foyer, purpose: kept.Purpose, application_id: str, ref: str = "per_2") -> str:
    """Send somebody a link of their own; its token."""
    place.write(
        lambda connection: entering.send_personal_link(
            place.lobby, connection, purpose, application_id, ref, "ben@x.example", PAGE, LINK
        )
    )
    return place.letters("ben@x.example")[-1]["text"].rpartition("/")[2]


def test_a_person_confirms_once(either: Foyer) -> None:
    """Looking confirms nothing; the first confirmation is kept with its moment, the second changes nothing."""
    application_id = either.application()
    token = personal(either, "confirm", application_id)
    link = either.run(entering.personal_link(either.lobby, "confirm", token))
    assert link is not None
    assert (link.application_id, link.person_ref, link.used_at) == (application_id, "per_2", None)
    assert either.look(lambda connection: kept.confirmed_people(connection, application_id)) == frozenset()
    assert (either.run(entering.confirm(either.lobby, link)), either.run(entering.confirm(either.lobby, link))) == (
        True, False,
    )  # fmt: skip
    assert either.look(lambda connection: kept.confirmed_people(connection, application_id)) == {"per_2"}


def test_a_personal_link_is_good_for_one_thing_for_a_week(either: Foyer) -> None:
    """A link to confirm signs nothing and opens no draft, and the other way round."""
    application_id = either.application()
    purposes: tuple[kept.Purpose, ...] = ("confirm", "sign")
    tokens = {purpose: personal(either, purpose, application_id) for purpose in purposes}
    tokens["resume"] = link_to(either, begun(either))
    for purpose, token in tokens.items():
        for asked in purposes:
            found = either.run(entering.personal_link(either.lobby, asked, token))
            assert (found is not None) == (purpose == asked)
        assert (either.run(entering.resume(either.lobby, token, None)) is not None) == (purpose == "resume")
    either.clock.advance(OTHERS_LAST.total_seconds())
    assert either.run(entering.personal_link(either.lobby, "confirm", tokens["confirm"])) is None
    assert either.look(lambda connection: kept.link_by_sha(connection, sha256_of(tokens["confirm"]))) is not None
    assert timedelta(days=7) == OTHERS_LAST
