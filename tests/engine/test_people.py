"""Personal details: form only, nothing that must not drive a decision, and nothing left in an error."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from engine.application import PersonRef
from engine.people import Person

ADDRESS = {"line1": "1 Test Street", "suburb": "Darwin", "state": "NT", "postcode": "0800"}
PERSON: dict[str, Any] = {
    "roles": ["owner", "contact"],
    "ownership_bps": 5_000,
    "given_names": "Ngaire Jane",
    "family_name": "O'Test",
    "date_of_birth": "1980-02-29",
    "mobile": "0491 570 006",
    "email": "ngaire@example.com.au",
    "director_id": "036123456789012",
    "home_address": ADDRESS,
}
CANARY = "CANARY7f3a"
TODAY = {"today": date(2026, 8, 3)}


def person(**changes: Any) -> Person:
    return Person.model_validate(
        {**PERSON, "roles": ("owner", "contact"), "date_of_birth": date(1980, 2, 29), **changes},
        context=TODAY,
    )


def test_a_person_survives_json() -> None:
    """Bytes, parsed and written again, are the same bytes."""
    first = person()
    again = Person.model_validate_json(first.canonical(), context=TODAY)
    assert again == first
    assert again.canonical() == first.canonical()


def test_a_postcode_is_text() -> None:
    """Darwin's 0800 keeps its zero; a number is refused, as are three or five digits."""
    home = person().home_address
    assert home is not None
    assert home.postcode == "0800"
    for wrong in (800, "800", "08000", "08 00", "080O", "０８００", "0800\n"):
        with pytest.raises(ValidationError):
            person(home_address={**ADDRESS, "postcode": wrong})


@pytest.mark.parametrize(
    "wrong",
    ["035123456789012", "03612345678901", "0361234567890123", "036 12345678901", "036123456789012\n", "", 36],
)
def test_a_director_id_has_its_form(wrong: object) -> None:
    """Fifteen digits from 036; the check digit's algorithm is not public, so nothing more is checked."""
    with pytest.raises(ValidationError):
        person(director_id=wrong)
    assert person(director_id="036000000000000").director_id == "036000000000000"
    assert person(director_id=None).director_id is None


@pytest.mark.parametrize(
    ("born", "adult"),
    [
        (date(2008, 8, 3), True),
        (date(2008, 8, 4), False),
        (date(2030, 1, 1), False),
        (date(1899, 12, 31), False),
    ],
)
def test_a_person_is_an_adult_on_the_day(born: date, adult: bool) -> None:
    """Eighteen on the birthday itself, refused the day before, in the future, or born before 1900."""
    if adult:
        assert person(date_of_birth=born).date_of_birth == born
    else:
        with pytest.raises(ValidationError):
            person(date_of_birth=born)


@pytest.mark.parametrize(
    "wrong",
    ["plain", "a@b", "a b@example.com", "a@b@example.com", "@example.com", "a@.com", "a@example.com\nBcc: x@y.z",
     "nul\x00@example.com", "del\x7f@example.com", f"{'a' * 65}@example.com", f"a@{'b' * 250}.com"],
)  # fmt: skip
def test_an_email_has_its_form(wrong: str) -> None:
    """One address, without spaces, line breaks or other control characters."""
    with pytest.raises(ValidationError):
        person(email=wrong)


def test_a_code_goes_to_a_mobile() -> None:
    """A fixed line cannot be a person's number; a mobile is stored in E.164."""
    assert person().mobile == "+61491570006"
    with pytest.raises(ValidationError, match="mobile"):
        person(mobile="(02) 5550 1234")


@pytest.mark.parametrize(
    "field",
    ["title", "gender", "sex", "marital_status", "nationality", "tax_file_number", "tfn", "dependants"],
)
def test_what_must_not_be_asked_has_no_field(field: str) -> None:
    """Fields that anti-discrimination or tax file number law keeps out are unknown fields."""
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        person(**{field: "x"})


def test_an_application_holds_a_person_by_reference() -> None:
    """The reference has roles and share, and not one personal detail."""
    reference = person().reference("per_1")
    assert reference == PersonRef(ref="per_1", roles=("owner", "contact"), ownership_bps=5_000)
    written = reference.canonical().decode()
    assert not any(part in written for part in ("Ngaire", "O'Test", "1980", "61491570006", "example", "036", "0800"))


@pytest.mark.parametrize("field", [*PERSON, *(f"home_address.{name}" for name in ADDRESS)])
def test_errors_hold_no_personal_detail(field: str) -> None:
    """Whatever field is wrong, the error names field and rule and not what was typed."""
    name, _, inner = field.partition(".")
    changed = {**ADDRESS, inner: f"{CANARY}\n"} if inner else f"{CANARY}\n"
    with pytest.raises(ValidationError) as caught:
        person(**{name: changed, "ownership_bps": -987_654})
    assert CANARY not in str(caught.value)
    assert "987" not in str(caught.value)
    assert name in str(caught.value)


def test_every_fault_is_reported_at_once() -> None:
    """A person wrong in five places gives five errors."""
    with pytest.raises(ValidationError) as caught:
        person(given_names="", mobile="1", email="x", director_id="1", home_address={**ADDRESS, "postcode": "1"})
    assert [".".join(map(str, e["loc"])) for e in caught.value.errors()] == [
        "given_names", "mobile", "email", "director_id", "home_address.postcode",
    ]  # fmt: skip
