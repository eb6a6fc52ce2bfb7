"""What somebody has typed: sealed, changed by two tabs without loss, sent once as it stands, and forgotten in time."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from api.applicants import drafts
from api.applicants.drafts import KEPT_FOR, LASTS, MOST_BYTES, Draft
from api.applicants.limits import BEGUN
from api.applicants.visits import new_visit
from api.sealing import CannotOpen, Sealer
from api.store.queries import applicants as kept
from tests.support.casework import at_once
from tests.support.lobbying import ADDRESS, Foyer, foyer

SECRET = "quokka-secret-numbat"
ANSWERS = {"me-family": SECRET, "abn": "37955501005"}


def begun(place: Foyer, **answers: str) -> Draft:
    """A draft with these answers."""
    found = place.run(drafts.begin(place.lobby, answers or dict(ANSWERS), None, ADDRESS))
    assert found is not None
    return found[0]


def loaded(place: Foyer, draft: Draft) -> Draft:
    """The draft as it is now."""
    found = place.run(drafts.load(place.lobby, draft.id))
    assert found is not None
    return found


def amended(place: Foyer, draft: Draft, **changes: str) -> Draft:
    """The draft after a change that must succeed."""
    found = place.run(drafts.amend(place.lobby, draft, changes))
    assert found is not None
    return found


def sent(place: Foyer, draft: Draft) -> Draft:
    """The draft, sent."""
    found = place.run(drafts.send(place.lobby, draft))
    assert found is not None
    return found


def test_answers_come_back_as_they_were_typed(either: Foyer) -> None:
    """Every character, empty answers and other alphabets included, and nothing of an unknown draft."""
    typed = {"a": "  spaced  ", "b": "", "c": 'quote " \\ \n tab\t', "d": "李小龍 \u202e\u0000 🦘"}
    assert loaded(either, begun(either, **typed)).answers == typed
    assert either.run(drafts.load(either.lobby, "drf_unknown")) is None
    assert either.run(drafts.load(either.lobby, None)) is None


def test_nothing_typed_can_be_read_at_rest(lone: Foyer, tmp_path: Path) -> None:
    """Neither the database file nor its log of changes holds a word of it, and printing a draft shows none."""
    draft = amended(lone, begun(lone), other="bilby-secret")
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"drf_" in files
    assert SECRET.encode() not in files
    assert b"bilby-secret" not in files
    assert SECRET not in repr(draft)


def test_sealed_answers_are_bound_to_their_draft(lone: Foyer) -> None:
    """Answers copied into another draft's row, or opened by another key, are not opened."""
    mine, other = begun(lone), begun(lone, x="1")
    row = lone.look(lambda connection: kept.get_draft(connection, mine.id))
    assert row is not None
    assert row.sealed is not None
    copied = {"sealed": row.sealed, "id": other.id}
    lone.write(lambda connection: connection.execute(text("UPDATE draft SET sealed = :sealed WHERE id = :id"), copied))
    with pytest.raises(CannotOpen):
        lone.run(drafts.load(lone.lobby, other.id))
    with pytest.raises(CannotOpen):
        Sealer({"tests": bytes(32)}).open(row.sealed, f"draft/answers/{mine.id}")


def test_two_tabs_lose_nothing_of_each_other(either: Foyer) -> None:
    """Both began from the same page; each changes what it asked, and the later one of one answer stands."""
    seen = begun(either)
    amended(either, seen, amount="40,000")
    after = amended(either, seen, purpose="stock")
    assert after.answers == {**ANSWERS, "amount": "40,000", "purpose": "stock"}
    assert (after.version, loaded(either, seen).answers) == (3, after.answers)


def test_many_tabs_at_once_lose_nothing(url: str) -> None:
    """Eight changes at one moment from eight processes: all are there afterwards, or the tab was told."""
    with foyer(url) as place:
        draft = begun(place)

        def change(database: object, number: int) -> bool:
            with foyer(url) as other:
                return other.run(drafts.amend(other.lobby, draft, {f"box-{number}": "x"})) is not None

        told = at_once(url, 8, change)
        answers = loaded(place, draft).answers
        assert sum(name.startswith("box-") for name in answers) == sum(told)
        assert sum(told) >= 5


def test_a_draft_lasts_a_week_from_its_last_change(either: Foyer) -> None:
    """A change begins the week anew; when it is over nothing is given back, and then nothing is left."""
    draft = begun(either)
    either.clock.advance(LASTS.total_seconds() - 1)
    draft = amended(either, draft, amount="1")
    either.clock.advance(LASTS.total_seconds() - 1)
    assert loaded(either, draft).answers["amount"] == "1"
    either.clock.advance(1)
    assert either.run(drafts.load(either.lobby, draft.id)) is None
    assert either.run(drafts.forget_old(either.lobby)) == 1
    assert either.count("draft", "sealed IS NOT NULL") == 0
    assert either.run(drafts.forget_old(either.lobby)) == 0
    assert either.run(drafts.amend(either.lobby, draft, {"amount": "2"})) is None


def test_what_was_sent_is_not_changed_while_it_is_decided(either: Foyer) -> None:
    """Another tab's answers are refused from the moment of sending, and a second sending is none."""
    seen = begun(either)
    done = sent(either, seen)
    assert done.sent_key == f"web.{seen.id}.1"
    assert either.run(drafts.amend(either.lobby, seen, {"amount": "1"})) is None
    assert either.run(drafts.send(either.lobby, seen)) is None
    again = loaded(either, seen)
    assert (again.answers, again.sent_key, again.changed_at) == (ANSWERS, done.sent_key, either.clock())


def test_only_what_was_seen_is_sent(either: Foyer) -> None:
    """Where another tab changed an answer since, nothing is sent: it is looked at first."""
    seen = begun(either)
    amended(either, seen, amount="1")
    assert either.run(drafts.send(either.lobby, seen)) is None
    assert loaded(either, seen).sent is False


def test_of_many_who_send_at_once_one_does(url: str) -> None:
    """Six double clicks in six processes are one sending under one key."""
    with foyer(url) as place:
        draft = begun(place)

        def send(database: object, number: int) -> bool:
            with foyer(url) as other:
                return other.run(drafts.send(other.lobby, draft)) is not None

        assert sum(at_once(url, 6, send)) == 1


def test_a_refused_draft_is_changed_and_sent_under_another_key(either: Foyer) -> None:
    """After a recall it can be changed; the next key is new, and a late recall of the first key does nothing."""
    first = sent(either, begun(either))
    either.run(drafts.recall(either.lobby, first))
    again = amended(either, loaded(either, first), amount="1")
    second = sent(either, again)
    assert second.sent_key != first.sent_key
    either.run(drafts.recall(either.lobby, first))
    assert loaded(either, second).sent_key == second.sent_key


def test_a_draft_that_became_an_application_is_forgotten(either: Foyer) -> None:
    """Its answers go, once; it names what it became, is not sent or recalled again, and outlives its week."""
    draft, application_id = sent(either, begun(either)), either.application()

    def finish() -> bool:
        return either.write(lambda connection: kept.finish_draft(connection, draft.id, application_id, either.clock()))

    assert (finish(), finish()) == (True, False)
    either.run(drafts.recall(either.lobby, draft))
    either.clock.advance(30 * 86_400)
    after = loaded(either, draft)
    assert (after.answers, after.application_id, after.sent) == ({}, application_id, True)
    assert either.run(drafts.amend(either.lobby, draft, {"amount": "1"})) is None


def test_a_new_draft_takes_the_place_of_the_visit(either: Foyer) -> None:
    """The visit that began it is over, and the new one is of that draft."""
    visit = new_visit(either.clock())
    either.write(lambda connection: kept.open_visit(connection, visit.row))
    found = either.run(drafts.begin(either.lobby, {}, visit.row, ADDRESS))
    assert found is not None
    draft, opened = found
    assert opened.row.draft_id == draft.id
    ended = either.look(lambda connection: kept.visit_by_sha(connection, visit.row.sha256))
    assert ended is not None
    assert ended.ended_at == either.clock()


def test_one_network_begins_so_many_an_hour(either: Foyer) -> None:
    """Each beginning asks the register: beyond the limit none is kept, elsewhere and an hour later all is as before."""

    async def many() -> list[bool]:
        return [await drafts.begin(either.lobby, {}, None, ADDRESS) is not None for _ in range(BEGUN.most + 2)]

    assert sum(asyncio.run(many())) == BEGUN.most
    assert either.count("draft") == BEGUN.most
    assert either.run(drafts.begin(either.lobby, {}, None, "198.51.100.9")) is not None
    either.clock.advance(3_601)
    assert either.run(drafts.begin(either.lobby, {}, None, ADDRESS)) is not None


def test_two_megabytes_of_statements_fit(lone: Foyer) -> None:
    """The worst that two files may hold, every character of which is written in four, is kept; more is a mistake."""
    csv = '"' * 2_000_000
    draft = begun(lone, statements='[{"csv": "' + csv.replace('"', '\\"') + '"}]')
    assert len(loaded(lone, draft).answers["statements"]) > 4_000_000
    with pytest.raises(ValueError, match="bounded field by field"):
        lone.run(drafts.amend(lone.lobby, draft, {"more": "x" * MOST_BYTES}))


def test_what_led_in_is_removed_after_a_month(either: Foyer) -> None:
    """Visits, links and codes go thirty days after their end; who confirmed stays known."""
    begun(either)
    application_id = either.application()
    now = either.clock()
    ends = now + timedelta(days=7)
    links = (
        kept.LinkRow("0" * 64, "resume", begun(either).id, None, None, now, ends, None),
        kept.LinkRow("1" * 64, "confirm", None, application_id, "per_1", now, ends, None),
        kept.LinkRow("2" * 64, "confirm", None, application_id, "per_2", now, ends, now),
    )

    def keep(connection: Connection) -> None:
        for each in links:
            kept.add_link(connection, each)

    either.write(keep)
    either.write(lambda connection: kept.add_code(connection, "e" * 64, "c" * 64, now, now + timedelta(minutes=15)))
    either.clock.advance((KEPT_FOR + LASTS).total_seconds())
    either.run(drafts.forget_old(either.lobby))
    assert (either.count("visit"), either.count("entry_link"), either.count("entry_code")) == (2, 3, 0)
    either.clock.advance(1)
    either.run(drafts.forget_old(either.lobby))
    assert (either.count("visit"), either.count("entry_link"), either.count("entry_code")) == (0, 1, 0)
    confirmed = either.look(lambda connection: kept.confirmed_people(connection, application_id))
    assert confirmed == {"per_2"}
