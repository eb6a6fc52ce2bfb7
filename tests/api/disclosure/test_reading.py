"""Everything that can reach a decision is declared, field by field and reader by reader, as the engine's text tells."""

import ast
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from api.checks.values import Expectation
from api.disclosure.kinds import KINDS, NOT_READ, OF_EXPECTATION, OF_SIGNAL, Kind, kinds_of
from api.disclosure.notice import (
    PARTS_BEFORE,
    PARTS_OF_GROUP,
    PARTS_OF_LIMIT,
    PARTS_OF_REQUIREMENTS,
    PARTS_OF_RULE,
    READ_BY_CHECKS,
)
from api.store.queries.signals import SignalKind
from engine.application import Application, PersonRef
from engine.facts import Facts
from engine.facts.columns import Block
from engine.features import FEATURES
from engine.people import Person
from engine.policy import GuardTerms
from engine.screening import SOURCE_OF_RULE, knock_outs, referrals
from tests.support.reading import UNKNOWN, functions, parts_read, text_of

ROOT = Path(__file__).parents[3]
DECIDING = ("engine/screening", "engine/limits.py", "engine/decision.py", "engine/features", "engine/verified.py")
KNOWN = functions(*DECIDING) | {"failed_sources": []}  # it asks each source's fact whether it failed, and no more
RULES = {name: getattr(knock_outs, name, None) or getattr(referrals, name) for name in SOURCE_OF_RULE}


# -- every field that can reach a decision is in one kind ------------------------------------------------------


def fields_of(model: Any) -> set[str]:
    """The names of all fields of a model, of the models inside it, and of the columns of its blocks."""
    if isinstance(model, type) and issubclass(model, Block):
        return set(model.columns)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return set().union(*({name} | fields_of(field.annotation) for name, field in model.model_fields.items()))
    return set().union(*map(fields_of, get_args(model)))


def parts() -> dict[str, set[str]]:
    """Each part that can reach a decision, with its fields as the engine declares them."""
    stated = {
        f"application.{name}": fields_of(field.annotation) or {name} for name, field in Application.model_fields.items()
    }
    facts = {
        name: fields_of(field.annotation) - {"source", "fetched_at", "status", "value", "digest", "failure"}
        for name, field in Facts.model_fields.items()
        if name != "as_of"
    }
    return {**stated, **facts, "people": fields_of(Person) - fields_of(PersonRef) - set(NOT_READ)}


def unclassified(kinds: tuple[Kind, ...]) -> set[tuple[str, str]]:
    """Fields in no kind or in two of a part, and fields of kinds that are nowhere."""
    wrong = set()
    for part, fields in parts().items():
        told = [field for kind in kinds if kind.part == part for field in kind.fields]
        wrong |= {(part, field) for field in fields ^ set(told)} | {(part, f) for f in told if told.count(f) > 1}
    return wrong


def test_every_field_of_every_input_is_in_exactly_one_kind() -> None:
    """Application, people and facts as the engine declares them: a new field needs a line in the table."""
    assert unclassified(KINDS) == set()
    assert len({kind.id for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("place", range(len(KINDS)))
def test_a_kind_that_is_left_out_is_found(place: int) -> None:
    """Without any one kind the fields of its part are told as missing; those of no model are told by name alone."""
    left = KINDS[place]
    missing = unclassified(KINDS[:place] + KINDS[place + 1 :])
    if left.part in parts():
        assert {field for part, field in missing if part == left.part} >= set(left.fields)
    else:
        assert left.id in {"device", "files", "progress"}


def test_signals_and_expectations_are_in_kinds_too() -> None:
    """What blind indexes are made of, and what a document is held against, is named; a new one has to be."""
    ids = {kind.id for kind in KINDS}
    assert set(OF_SIGNAL) == set(get_args(SignalKind))
    about_nobody = {"kind", "today", "most_days_old", "covers_from", "covers_to", "compare_pictures", "seconds"}
    assert set(OF_EXPECTATION) == set(Expectation.model_fields) - about_nobody
    assert {each for named in OF_SIGNAL.values() for each in named} | set(OF_EXPECTATION.values()) <= ids
    assert {kind.id for kind in kinds_of(READ_BY_CHECKS)} >= set(OF_EXPECTATION.values())
    assert {kind.part for kind in KINDS if kind.id in {"names", "director_id", "contact_details", "device"}} <= set(
        PARTS_BEFORE
    )


def test_nothing_that_decides_reads_a_home_address() -> None:
    """Of people, the fields that are called unread are read nowhere in the engine, the guards, sources and checks."""
    files = [
        file for house in ("engine", "api/sources", "api/checks", "api/cases") for file in (ROOT / house).rglob("*.py")
    ]
    read = {
        node.attr
        for file in (*files, ROOT / "api" / "guards.py", ROOT / "api" / "intake.py", ROOT / "api" / "flow.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert read & {"home_address", "line1", "line2", "suburb", "postcode"} == set()


def test_guards_are_policys_own_numbers() -> None:
    """What switches a kind on is a number of the policy."""
    assert {name for kind in KINDS for name in kind.guards} <= set(GuardTerms.model_fields)


# -- every reader is known by what it reads --------------------------------------------------------------------


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_reads_what_its_group_is_said_to_read(feature: Any) -> None:
    """Told from its text; and a feature that reads anything says that it uses personal information."""
    read = parts_read(text_of(feature.compute), KNOWN)
    assert read
    assert read <= set(PARTS_OF_GROUP[feature.group])
    assert feature.personal


@pytest.mark.parametrize("name", RULES)
def test_a_rule_reads_what_is_stated_and_its_own_source(name: str) -> None:
    """Told from its text: the application, and at most the one source that the rule declares."""
    assert parts_read(text_of(RULES[name]), KNOWN) <= set(PARTS_OF_RULE[SOURCE_OF_RULE[name]])


def test_the_limit_and_the_documents_read_what_is_said() -> None:
    """The caps together, and the list of documents that are wanted, each exactly."""
    [assign], wanted = KNOWN["assign"], functions("engine/verification/requirements.py")
    assert parts_read(assign, KNOWN) == set(PARTS_OF_LIMIT)
    [required] = wanted["required"]
    assert parts_read(required, wanted) == set(PARTS_OF_REQUIREMENTS)


def test_deciding_reads_nothing_else() -> None:
    """The whole of `decide` with every rule and feature reads exactly what rules, features and limit are said to."""
    [decide] = KNOWN["decide"]
    read = parts_read(decide, KNOWN).union(*(parts_read(text_of(rule), KNOWN) for rule in RULES.values()))
    assert UNKNOWN not in read
    assert read == {*PARTS_OF_LIMIT}.union(*PARTS_OF_RULE.values(), *PARTS_OF_GROUP.values())
    assert read.isdisjoint({"application.people", "application.consents", "application.bank_connection"})


def test_verified_figures_go_where_stated_finances_go() -> None:
    """Where finances are read documents are too, since their figures take their place before anything reads them."""
    [verified] = KNOWN["as_verified"]
    assert parts_read(verified, KNOWN) == {"application.finances", "documents"}


def test_no_function_can_hide_what_it_reads() -> None:
    """Every function on the way can be followed, and none takes an application or facts under another type."""
    for name, each in ((name, each) for name, found in KNOWN.items() for each in found):
        if name not in {"screen", "decide", "knocked_out"}:
            assert UNKNOWN not in parts_read(each, KNOWN), name
        for argument in (*each.args.args, *each.args.kwonlyargs):
            words = ast.unparse(argument.annotation) if argument.annotation else ""
            if words not in WHOLE and not words.startswith("Callable["):
                assert not re.search(rf"\b({'|'.join(WHOLE)})\b", words), (name, words)


WHOLE = ("Application", "Facts", "Evidence", "Case")
PLANTED = {
    "def f(case: Case):\n    return case.application.people": {"application.people"},
    "def f(case: Case):\n    stated = case.application\n    return stated.consents": {"application.consents"},
    "def f(e: Evidence):\n    a, b = e.application, e.as_of\n    return a.business.state": {"application.business"},
    "def f(case: Case):\n    return revenue_year(case)": {"bank"},
    "def f(case: Case):\n    return vars(case.facts)": {UNKNOWN},
    "def f(case: Case):\n    return getattr(case.application, 'people')": {UNKNOWN},
    "def f(case: Case):\n    return [case]": {UNKNOWN},
    "def f(application: Application):\n    return application.model_dump()": {UNKNOWN},
    "def f(facts: Facts):\n    return facts.bank.status": set(),
}


@pytest.mark.parametrize("text", PLANTED)
def test_the_reader_finds_what_is_planted(text: str) -> None:
    """Names taken, renamed, handed on, and ways that cannot be followed."""
    assert parts_read(text_of(text), KNOWN) == PLANTED[text]
