"""The book of stories: each decides as it says, can be applied for as it stands, and keeps its number for ever."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import BaseModel
from stdnum.au import acn as stdnum_acn

import models
from api.cli import main
from api.sandbox import Ask
from api.sandbox.stories import Story, book, by_number, page, story_of, submission_of
from api.wire import Submission
from engine.application import Application
from engine.decision import decide
from engine.facts import Fact, Facts, RegisterRecord, Status
from engine.features.statement import summarise
from engine.release import Release
from engine.values import is_synthetic_abn, parse_abn, parse_acn

DAYS = [date(2026, 11, 24), date(2027, 2, 28), date(2028, 2, 29)]
TODAY = DAYS[0]
DOCS = Path(__file__).parents[3] / "docs" / "sandbox.md"

# Written out, so that no edit of the book can change an ABN that somebody has noted down.
FIRST, LAST = ("clean", "36999000010"), ("late_bureau", "82999000707")


@pytest.fixture(scope="module")
def champion() -> Release:
    """The shipped champion."""
    return models.champion()


def as_gathered(story: Story, today: date) -> Facts:
    """The facts that a service gets of the story: uploads in their place, and failed where a source fails."""
    facts = story.facts(today) or unheard_of(story, today)
    changed = {name: stamped(facts.as_of, "failed") for name in story.fails}
    if (statement := story.statement(today)) is not None:
        changed["bank"] = stamped(facts.as_of, "present", statement)
    return facts.model_copy(update=changed)


def unheard_of(story: Story, today: date) -> Facts:
    """What there is of a business that no source knows: the register's word that it has none."""
    facts = book()["clean"].facts(today)
    assert facts is not None
    nothing = RegisterRecord(
        abn=story.abn, found=False, abn_active=False, abn_active_from=today, entity_name="NOT FOUND",
        entity_type_code="OIE",
    )  # fmt: skip
    changed = {name: stamped(facts.as_of, "absent") for name in ("marketplace", "bank", "bureau")}
    return facts.model_copy(update={**changed, "registry": stamped(facts.as_of, "present", nothing)})


def stamped(at: datetime, status: Status, value: BaseModel | None = None) -> Fact[Any]:
    """A fact of the sandbox."""
    return Fact[Any](source="synthetic/sandbox/test", fetched_at=at, status=status, value=value)


@pytest.mark.parametrize("today", DAYS, ids=str)
@pytest.mark.parametrize("name", book())
def test_a_story_ends_as_it_says(name: str, today: date, champion: Release) -> None:
    """The shipped release decides each story as the book states, whatever the day."""
    story = book()[name]
    decision = decide(story.application(today), as_gathered(story, today), champion)
    deciding = {"decline": "knock_out", "refer": "referral"}.get(decision.outcome)
    assert decision.outcome == story.expects.outcome
    assert tuple(found.rule for found in decision.findings if found.kind == deciding) == story.expects.findings
    assert tuple(reason.code for reason in decision.reasons) == story.expects.reasons


def test_the_late_story_ends_well_when_its_fact_has_come(champion: Release) -> None:
    """Decided again with every fact, the story of the late bureau is approved, as the book says."""
    story = book()["late_bureau"]
    facts = story.facts(TODAY)
    assert facts is not None
    assert story.then.startswith(decide(story.application(TODAY), facts, champion).outcome)


def test_every_outcome_and_every_source_occurs() -> None:
    """The book has all three outcomes, and a failing story for each source that is asked about an ABN."""
    assert {story.expects.outcome for story in book().values()} == {"approve", "refer", "decline"}
    assert {name for story in book().values() for name in story.fails} == {"registry", "marketplace", "bank", "bureau"}


@pytest.mark.parametrize("name", book())
def test_a_story_can_be_applied_for_as_it_stands(name: str) -> None:
    """The printed body is accepted by the API's own reading, and is the application of the story."""
    story = book()[name]
    body = submission_of(name, TODAY)
    submission = Submission.model_validate_json(json.dumps(body), context={"today": TODAY})
    application = story.application(TODAY)
    for part in ("business", "request", "finances", "consents", "bank_connection"):
        assert getattr(submission, part) == getattr(application, part)
    assert [person.reference(ref.ref) for person, ref in zip(submission.people, application.people, strict=True)] == [
        *application.people
    ]
    uploaded, statement = submission.bank_fact("declared"), story.statement(TODAY)
    assert (uploaded and summarise(uploaded)) == (statement and summarise(statement))


def test_numbers_are_valid_synthetic_and_distinct() -> None:
    """Every ABN is valid, synthetic and used once; a company's ends in its ACN, another's in no ACN at all."""
    stories = book().values()
    assert len({story.abn for story in stories}) == len(stories) == len({story.number for story in stories})
    for story in stories:
        assert parse_abn(story.abn) == story.abn
        assert is_synthetic_abn(story.abn)
        if story.acn is None:
            assert not stdnum_acn.is_valid(story.abn[2:])
        else:
            assert parse_acn(story.acn) == story.abn[2:]


def test_numbers_are_kept() -> None:
    """The first and the last story have the ABNs that they were published with."""
    assert [(name, book()[name].abn) for name in (FIRST[0], LAST[0])] == [FIRST, LAST]


@pytest.mark.parametrize(
    "ask",
    [
        Ask("GET", "/v1/buyers/{abn}/orders"),
        Ask("GET", "/", {"abn": "{abn}"}),
        Ask("GET", "/", {"filters": '{"ACN":"{acn}"}'}),
        Ask("GET", "/", headers={"x-arrangement": "sandbox-{abn}"}),
        Ask("POST", "/", body=b'{"abn":"{abn}"}'),
    ],
)
def test_a_story_is_known_by_its_number_wherever_it_stands(ask: Ask) -> None:
    """An ABN or ACN of the book in path, query, header or body tells which story is asked about."""
    story = book()["lying_register"]
    assert story.acn is not None

    def put(text: str) -> str:
        return text.replace("{abn}", story.abn).replace("{acn}", story.acn or "")

    filled = Ask(
        ask.method, put(ask.path), {key: put(text) for key, text in ask.query.items()},
        {key: put(text) for key, text in ask.headers.items()}, put(ask.body.decode()).encode(),
    )  # fmt: skip
    assert story_of(filled) is story


@pytest.mark.parametrize("text", ["", "36999000011", "136999000010", "36999000010 1"[1:]])
def test_other_numbers_are_no_story(text: str) -> None:
    """A number that is not in the book, or only a part of a longer one, is no story."""
    assert story_of(Ask("GET", "/", {"abn": text})) is None


def test_numbers_in_the_book_lead_to_their_story() -> None:
    """ABNs and ACNs are looked up in one table that confuses nobody."""
    for story in book().values():
        assert by_number()[story.abn] is story
        assert story.acn is None or by_number()[story.acn] is story


def test_the_page_holds_the_book() -> None:
    """The table in docs/sandbox.md is what `creditline sandbox --list` prints."""
    assert CliRunner().invoke(main, ["sandbox", "--list"]).output == page()
    table = re.search(r"<!-- stories -->\n(.*?)<!-- /stories -->", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert table is not None
    assert table[1] == page()


def test_the_command_prints_a_body() -> None:
    """`creditline sandbox --application` prints a body that the API reads; an unknown story is one line."""
    printed = CliRunner().invoke(main, ["sandbox", "--application", "clean"])
    assert Submission.model_validate_json(printed.output).business.abn == FIRST[1]
    refused = CliRunner().invoke(main, ["sandbox", "--application", "nobody"])
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: there is no story of that name")


def test_people_of_the_book_cannot_be_real() -> None:
    """Every telephone number is one kept for films, every address one kept for examples."""
    for name in book():
        for person in submission_of(name, TODAY)["people"]:
            assert person["mobile"].startswith("0491 570 ")
            assert person["email"].endswith(".example")


def test_an_application_is_well_formed_on_any_day() -> None:
    """No date of any application lies in the future of its day."""
    for story in book().values():
        for today in DAYS:
            body = story.application(today).canonical()
            assert Application.model_validate_json(body, context={"today": today}).business.abn == story.abn
