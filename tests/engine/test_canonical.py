"""One byte form: the RFC 8785 form of every record, checked against a reference library."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from engine.canonical import canonical_bytes, digest
from engine.decision import Decision, decide
from engine.facts import Facts
from tests.support.businesses import business
from tests.support.releases import fake_release
from tests.support.stories import stories

RELEASE = fake_release()

numbers = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(-1e9, 1e9).map(lambda x: round(x, 4)),
    st.sampled_from([0.0, -0.0, 1.0, 12.0, 0.0001, -0.0001, 1e6]),
)
texts = st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(texts, inner, max_size=5)),
    max_leaves=20,
)


@given(values)
def test_bytes_are_those_of_the_reference_library(value: Any) -> None:
    """Keys sorted, no spaces, the shortest digits, 12.0 written 12, control characters escaped the same way."""
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values)
def test_the_value_survives(value: Any) -> None:
    """Reading the bytes back gives an equal value, and writing that again the same bytes."""
    again = json.loads(canonical_bytes(value))
    assert again == value
    assert canonical_bytes(again) == canonical_bytes(value)


@settings(max_examples=40)
@given(stories())
def test_records_are_in_the_reference_form(told: dict[str, Any]) -> None:
    """Application, facts and decision of any story are byte for byte what the reference library writes."""
    application, facts = business(told)
    for record in (application, facts, decide(application, facts, RELEASE)):
        assert record.canonical() == rfc8785.dumps(record.model_dump(mode="json"))


@settings(max_examples=40)
@given(stories())
def test_records_survive_their_bytes(told: dict[str, Any]) -> None:
    """Facts and decision, read from their bytes, are equal to themselves and have the same bytes again."""
    application, facts = business(told)
    decision = decide(application, facts, RELEASE)
    facts_again = Facts.model_validate_json(facts.canonical())
    decision_again = Decision.model_validate_json(decision.canonical())
    assert (facts_again, decision_again) == (facts, decision)
    assert facts_again.canonical() == facts.canonical()
    assert decision_again.canonical() == decision.canonical()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("-inf")], {"a": {"b": float("nan")}}])
def test_what_has_no_byte_form_is_refused(value: object) -> None:
    """NaN and infinity are refused however deep they lie."""
    with pytest.raises(ValueError, match="no NaN"):
        canonical_bytes(value)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_beyond_the_reference_form_keep_their_bytes(number: float) -> None:
    """No record holds such numbers, but what was once written of one is written again alike."""
    whole = abs(number) < 2**53 and number == int(number)
    assert canonical_bytes({"x": [number]}) == to_json({"x": [int(number) if whole else number]})


def test_bytes_that_have_the_form_are_taken_as_they_are() -> None:
    """A raw part stands where it stands, in lists and objects alike."""
    raw = msgspec.Raw(b'{"b":[1,2]}')
    assert canonical_bytes({"z": raw, "a": [raw, 1.0]}) == b'{"a":[{"b":[1,2]},1],"z":{"b":[1,2]}}'


def test_other_values_are_written_as_ever() -> None:
    """Models keep the bytes that they always had; keys that are no texts have none."""
    exposure = business()[1].exposure
    assert canonical_bytes({"fact": exposure}) == to_json({"fact": exposure})
    with pytest.raises(TypeError, match="str keys"):
        canonical_bytes({10: "a", 2: "b"})


def test_order_of_writing_does_not_matter() -> None:
    """Two dictionaries of the same content have one byte form; tuples are lists."""
    assert canonical_bytes({"b": (1, 2), "a": "é"}) == canonical_bytes({"a": "é", "b": [1, 2]})
    assert canonical_bytes({"b": (1, 2), "a": "é"}) == '{"a":"é","b":[1,2]}'.encode()


def test_a_value_is_not_changed_by_writing_it() -> None:
    """The caller's own value keeps its floats."""
    value = {"a": [1.0, {"b": -0.0}]}
    canonical_bytes(value)
    assert repr(value) == "{'a': [1.0, {'b': -0.0}]}"


def test_a_digest_is_over_the_bytes() -> None:
    """SHA-256 in hex of bytes themselves, or of the byte form of anything else."""
    assert digest(b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert digest({"a": 1}) == digest(b'{"a":1}') == hashlib.sha256(b'{"a":1}').hexdigest()
