"""The automated-decision notice: nothing that the live release reads is missing, every decision is registered."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from api.disclosure import notice as notices
from api.disclosure.kinds import AFFECTED, kinds_of
from api.disclosure.notice import (
    NOT_DECISIONS,
    PARTS_OF_RULE,
    Notice,
    notice_of,
)
from api.disclosure.page import page
from api.guards import REFUSALS
from engine.application import Role
from engine.decision import Outcome
from engine.features import BY_NAME, FEATURES
from engine.policy import GuardTerms, PolicyBook
from engine.screening import SOURCE_OF_RULE
from engine.verification.states import CaseEvent
from tests.support.releases import policy_table
from tests.support.service import champion_once

ROOT = Path(__file__).parents[3]
CHAMPION = champion_once()


# -- the notice ------------------------------------------------------------------------------------------------


def untold(notice: Notice) -> set[str]:
    """Features and rules that use personal information and are not in a notice, or whose kinds are not."""
    listed = {(each.by, each.name): each for each in notice.inputs}
    ids = {kind.id for kind in notice.kinds}
    wanted = [
        ("model", feature.name)
        for feature in FEATURES
        if feature.personal and feature.name in CHAMPION.manifest.features
    ]
    missing = set()
    for key in (*wanted, *(("rule", name) for name in SOURCE_OF_RULE)):
        if key not in listed:
            missing.add(key[1])
            continue
        shown = {kind.id for kind in kinds_of(listed[key].reads) if kind.personal}
        missing |= {key[1]} if not shown <= ids else set()
    return missing


def test_nothing_that_the_live_release_reads_is_missing() -> None:
    """Every input of the champion's model and every rule is there, with every kind that it reads."""
    notice = notice_of(CHAMPION)
    assert untold(notice) == set()
    assert {each.name for each in notice.inputs if each.by == "model"} == set(CHAMPION.manifest.features)
    assert notice.inputs
    told = {kind.id for kind in notice.kinds}
    for decision in notice.decisions:
        assert set(decision.personal_info_kinds) <= told
        assert decision.affects
    assert {who for who, _ in notice.affects} == set(AFFECTED)
    assert set(get_args(Role)) <= set(AFFECTED)


@pytest.mark.parametrize(
    "kind", [kind.id for kind in notice_of(CHAMPION).kinds if "." in kind.part or kind.part in PARTS_OF_RULE]
)
def test_a_kind_missing_from_the_notice_is_found(kind: str) -> None:
    """A notice that leaves out a kind which features or rules read is told by their names; roles are no such kind."""
    notice = notice_of(CHAMPION)
    without = replace(notice, kinds=tuple(each for each in notice.kinds if each.id != kind))
    assert bool(untold(without)) == (kind not in {"roles", "consents", "bank_connection"})


def test_an_input_missing_from_the_notice_is_found() -> None:
    """So is a feature or a rule that is not listed."""
    notice = notice_of(CHAMPION)
    for name in ("enquiries_6m", "person_elsewhere"):
        without = replace(notice, inputs=tuple(each for each in notice.inputs if each.name != name))
        assert untold(without) == {name}


def _release(**changes: Any) -> Any:
    """The champion's model under another policy."""
    book = PolicyBook.model_validate(policy_table(changes))
    return SimpleNamespace(name="other", digest="0" * 64, manifest=CHAMPION.manifest, policy=book)


def test_what_policy_switches_off_is_not_told() -> None:
    """Without guards and straight-through neither their decisions nor their kinds are there; the rest stays."""
    off = {f"guards.{name}": 0 for name in GuardTerms.model_fields}
    notice = notice_of(_release(**off, **{"verification.straight_through_most_cents": 0}))
    whole = notice_of(CHAMPION)
    gone = {each.id for each in whole.decisions} - {each.id for each in notice.decisions}
    assert gone == {"refusal", "straight_through"}
    assert {each.id for each in whole.kinds} - {each.id for each in notice.kinds} == {
        "contact_details", "director_id", "device", "applications", "same_people", "same_account", "same_device",
        "same_contact",
    }  # fmt: skip


# -- the registry of decisions ---------------------------------------------------------------------------------


def machine_events() -> Iterator[str]:
    """The events that the program does on a case by itself, told from the calls in api/cases."""
    for file in (ROOT / "api" / "cases").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "act":
                event, actor = node.args[2], node.args[3]
                if isinstance(actor, ast.Name) and actor.id in {"MACHINE", "CLOCK"}:
                    assert isinstance(event, ast.Constant)
                    yield str(event.value)


def test_every_way_in_which_the_program_decides_is_registered() -> None:
    """Outcomes, refusals and what machine and clock do on a case: each is a registered decision, or said to be none."""
    made = [each for decision in notice_of(CHAMPION).decisions for each in decision.made_by]
    assert len(set(made)) == len(made)
    done = set(machine_events()) | {"approve_final"}  # by policy, where the machine has verified (api.cases.approving)
    assert done <= set(get_args(CaseEvent))
    events = {each.removeprefix("event:") for each in made if each.startswith("event:")}
    assert events | set(NOT_DECISIONS) == done
    assert events.isdisjoint(NOT_DECISIONS)
    assert {each.removeprefix("outcome:") for each in made if each.startswith("outcome:")} == set(get_args(Outcome))
    assert {each.removeprefix("refusal:") for each in made if each.startswith("refusal:")} == REFUSALS


def test_what_a_person_takes_part_in_is_not_called_automatic() -> None:
    """Referrals and full approval by people are the decisions that the program only bears on."""
    notice = notice_of(CHAMPION)
    assert {each.id for each in notice.with_a_person} == {"referral", "full_approval"}
    assert {each.id for each in notice.solely} == {"offer", "decline", "refusal", "straight_through", "lapse"}
    assert all(each.person for each in notice.decisions)


def test_a_share_for_people_is_told_only_where_policy_draws_one() -> None:
    """With no share drawn, straight-through does not say that there is one."""
    told = {
        share: next(
            each.person
            for each in notice_of(_release(**{"verification.sample_bps": share})).decisions
            if each.id == "straight_through"
        )
        for share in (0, 1_000)
    }
    assert ("at random" in told[0], "at random" in told[1_000]) == (False, True)


def test_the_page_marks_what_only_the_lender_knows_and_claims_nothing() -> None:
    """Placeholders are marked; no sentence says that a law is met; every kind and decision stands on the page."""
    text, notice = page(CHAMPION), notice_of(CHAMPION)
    assert text.count("[LENDER: ") >= 3
    assert not any(word in text.lower() for word in ("complies", "compliant", "satisfies", "legal advice"))
    for kind in notice.kinds:
        assert kind.words in text
    for name in (*CHAMPION.manifest.features, *SOURCE_OF_RULE):
        assert f"| `{name}` |" in text
    assert BY_NAME.keys() >= set(CHAMPION.manifest.features)
    assert notices.FROM in text
