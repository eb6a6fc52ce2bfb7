"""An act becomes one message a person and one for the webhook, of ids and codes alone, told once."""

import json

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from api.contracts.templating import TemplateRefused
from api.notices.letters import FOLDER, Letters
from api.notices.messages import MAIL, TOPICS, WEBHOOK, Notice, Posted, Topic, contacts_of, notice_messages
from api.store.database import Database
from engine.application import Application
from engine.canonical import canonical_bytes
from tests.support.contracting import CANARIES, an_application, approve
from tests.support.noticing import CODES, WORDING, a_notice, letters, outbox, put
from tests.support.service import Clock

IDS = {"application_id": "app_1", "case_id": "case_1", "object_id": "doc_1", "version": 3}


def test_each_person_gets_a_message_and_the_webhook_one() -> None:
    """The dedupe of each names the act and the receiver; without a webhook there is none for it."""
    notice = Notice.model_validate({"topic": "contract.ready", "to": ("per_1", "per_2"), **IDS})
    messages = notice_messages(notice, webhook=True)
    assert [(each.topic, each.dedupe) for each in messages] == [
        (MAIL, "notice.mail:contract.ready:doc_1:3:per_1"),
        (MAIL, "notice.mail:contract.ready:doc_1:3:per_2"),
        (WEBHOOK, "notice.webhook:contract.ready:doc_1:3"),
    ]
    assert {each.object_id for each in messages} == {"doc_1"}
    assert notice_messages(notice, webhook=False) == messages[:2]


@pytest.mark.parametrize("topic", list(TOPICS))
def test_a_message_gives_back_its_notice(topic: Topic) -> None:
    """What is written into the outbox is read again as the same notice, and for whom."""
    to = () if TOPICS[topic].audience == "staff" else ("per_1",)
    notice = Notice.model_validate({"topic": topic, "to": to, **IDS, **CODES.get(topic, {})})
    read = [Posted.model_validate_json(each.body) for each in notice_messages(notice, webhook=True)]
    assert read == [Posted(notice=notice, to=to[0] if to else "staff"), Posted(notice=notice)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "approved"}, {"topic": "case.warning", "hours": 12, "to": ("per_1",)}, {"topic": "case.warning"},
        {"topic": "document.returned", "to": ("per_1",), "document_kinds": ("identity",)},
        {"topic": "approved", "to": ("per_1",), "reason": "BLURRY"}, {"topic": "unheard.of", "to": ("per_1",)},
        {"topic": "document.returned", "to": ("per_1",), "document_kinds": ("identity",), "reason": "Dear Ann, see"},
        {"topic": "approved", "to": ("per_1",) * 21}, {"topic": "approved", "to": ("ann@example.com",)},
        {"topic": "approved", "to": ("per_1",), "version": 0}, {"topic": "approved", "to": ("per_1",), "name": "Ann"},
    ],
)  # fmt: skip
def test_a_notice_that_its_topic_does_not_carry_cannot_be_built(wrong: dict[str, object]) -> None:
    """Nobody or the wrong ones to tell, missing or unasked codes, free words, addresses, unknown fields and topics."""
    with pytest.raises(ValidationError):
        Notice.model_validate({**IDS, **wrong})


def test_one_act_cannot_be_told_as_two(database: Database, clock: Clock) -> None:
    """The same act written again is refused, another act on the same object is not."""
    approved = approve(database)
    put(database, clock, a_notice(approved, version=2), a_notice(approved, version=3), webhook=True)
    with pytest.raises(IntegrityError):
        put(database, clock, a_notice(approved, version=3))
    assert len(outbox(database)) == 4


def test_the_outbox_holds_no_personal_data(lone: Database, clock: Clock) -> None:
    """Every topic's rows, of people with marked names, addresses and a business: none of it is there."""
    approved = approve(lone)
    put(lone, clock, *(a_notice(approved, topic) for topic in TOPICS), webhook=True)
    rows = json.dumps(outbox(lone), default=str)
    assert [canary for canary in CANARIES if canary in rows] == []


def test_contacts_are_told() -> None:
    """Those who are stated as contacts, by reference."""
    people = {"per_1": ("director",), "per_2": ("owner", "contact"), "per_3": ("contact",)}
    application = Application.model_validate_json(canonical_bytes(an_application(people)))
    assert contacts_of(application) == ("per_2", "per_3")


@pytest.mark.parametrize("topic", list(TOPICS))
def test_every_topic_has_its_letter(topic: Topic) -> None:
    """A subject of one short line and a text: to a person with the name, the lender and where to go; no figures."""
    to = () if TOPICS[topic].audience == "staff" else ("per_1",)
    notice = Notice.model_validate({"topic": topic, "to": to, **IDS, **CODES.get(topic, {})})
    subject, text = letters().write(notice, "Ann")
    assert subject
    assert "\n" not in subject
    assert len(subject) < 100
    assert "$" not in text
    if topic == "review.requested":
        assert ("app_1" in text, "five business days" in text.replace("\n", " "), "Hello" in text) == (
            True,
            True,
            False,
        )
    elif topic == "case.warning":
        assert ("12 hours" in subject, "case_1" in text, "Hello" in text) == (True, True, False)
    else:
        assert text.startswith("Hello Ann,\n")
        assert all(told in text for told in ("app_1", "https://apply.lender.example", "Sample Lender"))


def test_a_letter_says_codes_in_words() -> None:
    """What a returned document was, what was wrong with it and what to send, as full approval words it."""
    notice = Notice.model_validate(
        {"topic": "document.returned", "to": ("per_1",), **IDS, **CODES["document.returned"]}
    )
    _, text = letters(page=None).write(notice, "Ann")
    assert "  - Driver licence or passport\n" in text
    assert "What was wrong: It could not be read.\nWhat to send: A sharp picture of the whole page.\n" in text
    assert "Please go to the page where you applied." in text


def test_a_decline_and_a_referral_are_told_in_the_same_words_whatever_their_reason() -> None:
    """A letter knows no reason of a decision, so none can be read out of it."""
    notice = Notice.model_validate({"topic": "declined", "to": ("per_1",), **IDS})
    assert letters().write(notice, "Ann") == letters().write(notice.model_copy(update={"version": 9}), "Ann")


@pytest.mark.parametrize(
    "content", ["Hello\n\nText\n", "Subject: x\nText\n", "Subject: x\n\n \n", "Subject: x\n\n{{ pd }}\n"]
)
def test_a_letter_that_is_none_is_refused(tmp_path, content: str) -> None:  # type: ignore[no-untyped-def]
    """No subject, no text, or a placeholder that is not known: found when they are loaded."""
    for topic in TOPICS:
        (tmp_path / f"{topic}.txt").write_bytes((FOLDER / f"{topic}.txt").read_bytes())
    (tmp_path / "approved.txt").write_text(content)
    with pytest.raises(TemplateRefused, match=r"^approved\.txt"):
        Letters.load("Sample Lender", None, WORDING, tmp_path)
