"""The lender's file of contacts: read strictly, placeholders marked and refused outside development."""

from pathlib import Path

import pytest

from api.advice.contacts import PLACEHOLDERS, ContactsRefused, load_contacts

WHOLE = """
[complaints]
scheme_member = true
scheme_number = "12345"
[complaints.desk]
name = "Complaints"
email = "complaints@lender.example"
[complaints.scheme]
name = "Sample Scheme"
[bureau]
name = "Sample Bureau"
[marketplace]
name = "Sample Market"
"""


def written(tmp_path: Path, text: str) -> Path:
    """A file with this text."""
    path = tmp_path / "contacts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    """Desk, scheme, bureau and marketplace are as the lender wrote them."""
    found = load_contacts(written(tmp_path, WHOLE), development=False)
    assert found.complaints.scheme_member
    assert found.complaints.desk.email == "complaints@lender.example"
    assert found.bureau.name == "Sample Bureau"


@pytest.mark.parametrize(
    "wrong",
    [
        WHOLE.replace("scheme_number", "other_number"), WHOLE.replace('"12345"', "12345"),
        WHOLE.replace("scheme_number = \"12345\"", ""), WHOLE.replace("Sample Bureau", "[name]"),
        WHOLE.replace("[bureau]", "[other]"), "complaints = ", "\x00",
    ],
)  # fmt: skip
def test_what_cannot_be_relied_on_is_refused(tmp_path: Path, wrong: str) -> None:
    """Unknown and missing fields, a membership without its number, placeholders, and what is no TOML at all."""
    with pytest.raises(ContactsRefused) as refused:
        load_contacts(written(tmp_path, wrong), development=False)
    assert "complaints@lender.example" not in str(refused.value)


def test_development_may_do_without(tmp_path: Path) -> None:
    """There the contacts are placeholders in brackets and no scheme is named; elsewhere the file is needed."""
    assert load_contacts(None, development=True) is PLACEHOLDERS
    assert not PLACEHOLDERS.complaints.scheme_member
    unfinished = load_contacts(written(tmp_path, WHOLE.replace("Sample Bureau", "[name]")), development=True)
    assert unfinished.bureau.name == "[name]"
    for path in (None, tmp_path / "missing.toml"):
        with pytest.raises(ContactsRefused):
            load_contacts(path, development=False)
