"""The files of a roll-out: a plan, an operator's line, signatures where the release has them."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import models
from models import ReleaseRejected, rollout
from models.signing import ENVELOPE_NAME, ROLLOUT_TYPE
from tests.models.conftest import CONTRACT, Draft, read_policy
from tests.models.test_signing import TODAY, TRUST, add, key, publish, signed_draft
from training.signing import sign

READING: dict[str, Any] = {"contract": CONTRACT, "read_policy": read_policy}
STATED: dict[str, Any] = {
    "stages": (100, 2_500, 10_000), "up_to": 2_500, "alpha": 500, "expected": 0, "margin": 500, "most_differing": 1_500,
    "least_compared": 500, "least_made": 20, "why": "a test", "stated_on": TODAY.isoformat(),
}  # fmt: skip


@pytest.fixture
def root(trained: Draft, tmp_path: Path) -> Path:
    """A champion and a challenger, both unsigned."""
    for sequence, name in enumerate(("first", "second", "third"), start=1):
        models.publish(trained.named(name, sequence), tmp_path, **READING)
    models.promote("first", tmp_path, **READING)
    return tmp_path


def plan_of(root: Path, name: str = "second", against: str = "first", **stated: Any) -> models.Plan:
    """A plan to try a release."""
    trust = TRUST if (root / name / ENVELOPE_NAME).exists() else None
    champion, challenger = (models.load(each, root, trust=trust, **READING) for each in (against, name))
    return rollout.new_plan(champion, challenger, **(STATED | stated))


def begin(root: Path, **stated: Any) -> models.Plan:
    """A plan that is under way, in shadow."""
    plan = plan_of(root, **stated)
    assert rollout.start(plan, root, **READING)
    return plan


def allowed(root: Path) -> int | None:
    """How far the operator's line goes."""
    found = rollout.read_rollout(root, None)
    assert found is not None
    return found.allowed


def refused(act: Any) -> str:
    """The reason of a refusal at the stage of roll-outs."""
    with pytest.raises(ReleaseRejected) as refusal:
        act()
    assert refusal.value.stage == "rollout"
    return refusal.value.reason


def test_it_begins_in_shadow_and_goes_up_stage_by_stage_to_what_the_plan_allows(root: Path) -> None:
    """One step at a time or several at once, never back, never beyond, never to a share that is no stage."""
    assert rollout.read_rollout(root, None) is None
    plan = begin(root)
    assert allowed(root) == 0
    assert rollout.advance(root).allowed == 100
    assert "next shares are [2500, 10000]" in refused(lambda: rollout.advance(root, 150))
    assert rollout.advance(root, 2_500).allowed == 2_500
    assert "next shares" in refused(lambda: rollout.advance(root, 100))
    assert "goes up to 2500" in refused(lambda: rollout.advance(root))
    found = rollout.read_rollout(root, None)
    assert found is not None
    assert (found.plan, found.allowed, found.signers) == (plan, 2_500, ())
    assert rollout.challenger(found, root, **READING).name == "second"


def test_one_at_a_time(root: Path) -> None:
    """Another begins once the first is stopped, or its champion is another; what was stopped does not go on."""
    plan = begin(root)
    assert "stop it first" in refused(lambda: begin(root, name="third"))
    assert rollout.stop(root) == plan.id
    assert allowed(root) is None
    assert "no roll-out is under way" in refused(lambda: rollout.advance(root))
    assert begin(root, name="third").id != plan.id
    models.promote("second", root, **READING)
    found = rollout.read_rollout(root, None)
    assert found is not None
    assert "not the champion" in refused(lambda: rollout.challenger(found, root, **READING))
    begin(root, name="third", against="second")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ROLLOUT", b""), ("ROLLOUT", b"rol_"), ("ROLLOUT", b"\xff" * 300), ("ROLLOUT.json", b"{}"),
        ("ROLLOUT.json", b"[" * 50_000), ("ROLLOUT.json", b"\xff"), ("ROLLOUT.json", None),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_by_name(root: Path, name: str, change: bytes | None) -> None:
    """Emptied, cut, binary, without its plan: a reason in words, and never a share."""
    begin(root)
    path = root / name
    path.unlink() if change is None else path.write_bytes(change)
    assert refused(lambda: rollout.read_rollout(root, None))


def test_a_plan_and_a_line_belong_together(root: Path) -> None:
    """A line over another plan, or one that goes beyond its plan, is refused."""
    begin(root)
    line = (root / "ROLLOUT").read_text()
    (root / "ROLLOUT").write_text(line.replace(" 0\n", " 10000\n"))
    assert "does not go to 10000" in refused(lambda: rollout.read_rollout(root, None))
    (root / "ROLLOUT").write_text(line)
    rollout.stop(root)
    begin(root)
    (root / "ROLLOUT").write_text(line)
    assert "names another plan" in refused(lambda: rollout.read_rollout(root, None))


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"stages": ()}, "at least 1 item"), ({"stages": (500, 100)}, "rising"), ({"stages": (100, 100)}, "rising"),
        ({"stages": (0, 100)}, "greater than or equal to 1"), ({"stages": (20_000,)}, "less than or equal to 10000"),
        ({"up_to": 150}, "one of its stages"), ({"alpha": 0}, "greater than or equal to 1"), ({"why": ""}, "character"),
        ({"stated_on": "2026-2-1"}, "YYYY-MM-DD|Invalid"), ({"least_compared": 0}, "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_a_plan_that_makes_no_sense_cannot_be_made(root: Path, stated: dict[str, Any], told: str) -> None:
    """Each is refused with what is wrong, and nothing is written."""
    with pytest.raises(ValidationError, match=told):
        plan_of(root, **stated)
    assert not (root / "ROLLOUT.json").exists()


def test_a_release_is_not_tried_against_itself(root: Path) -> None:
    """Nor is one that does not exist."""
    with pytest.raises(ValidationError, match="against itself"):
        plan_of(root, "first")


@pytest.fixture
def signed_root(trained: Draft, tmp_path: Path) -> Path:
    """A signed champion and a signed challenger."""
    for sequence, name in enumerate(("first", "second"), start=1):
        publish(tmp_path, signed_draft(trained, name, sequence))
        add(tmp_path, name, "ada", "ben")
    models.promote("first", tmp_path, trust=TRUST, day=TODAY, **READING)
    return tmp_path


def sign_plan(root: Path, person: str, day: date = TODAY) -> str | None:
    """One person signs the plan in place; what is missing then."""
    envelope, _ = rollout.waiting_plan(root)
    return rollout.add_rollout_signature(sign(key(person), envelope, ROLLOUT_TYPE), root, TRUST, day)[1]


def test_the_plan_of_a_signed_release_takes_two_people(signed_root: Path) -> None:
    """Nothing begins before a trainer and an approver have signed this very plan; then it is in shadow."""
    plan = plan_of(signed_root)
    assert not rollout.start(plan, signed_root, trust=TRUST, day=TODAY, **READING)
    assert rollout.read_rollout(signed_root, TRUST) is None
    assert sign_plan(signed_root, "ada") == "no approver in the trust root has signed"
    assert rollout.read_rollout(signed_root, TRUST) is None
    assert sign_plan(signed_root, "ben") is None
    found = rollout.read_rollout(signed_root, TRUST)
    assert found is not None
    assert (found.allowed, {each.person for each in found.signers}) == (0, {"ada", "ben"})
    assert rollout.challenger(found, signed_root, trust=TRUST, **READING).name == "second"
    rollout.advance(signed_root, 2_500, TRUST)
    sign_plan(signed_root, "cy")  # once more: it undoes no step
    found = rollout.read_rollout(signed_root, TRUST)
    assert found is not None
    assert found.allowed == 2_500


def test_one_person_or_a_stranger_or_an_expired_key_starts_nothing(signed_root: Path) -> None:
    """A person with both roles alone, a key the root does not know, a key outside its days."""
    rollout.start(plan_of(signed_root), signed_root, trust=TRUST, day=TODAY, **READING)
    assert sign_plan(signed_root, "cy") == "trainer and approver are one person: two must sign"
    assert "does not know this key" in refused(lambda: sign_plan(signed_root, "dee"))
    assert "does not know this key" in refused(lambda: sign_plan(signed_root, "ada", date(2029, 1, 1)))
    assert not (signed_root / "ROLLOUT").exists()


def test_a_plan_stripped_of_its_signatures_is_not_believed(signed_root: Path) -> None:
    """Whoever can write the folder can take them away, and the challenger is then refused."""
    rollout.start(plan_of(signed_root), signed_root, trust=TRUST, day=TODAY, **READING)
    sign_plan(signed_root, "ada")
    sign_plan(signed_root, "ben")
    envelope, _ = rollout.waiting_plan(signed_root)
    (signed_root / "ROLLOUT.json").write_bytes(envelope.model_copy(update={"signatures": ()}).to_bytes())
    found = rollout.read_rollout(signed_root, TRUST)
    assert found is not None
    assert refused(lambda: rollout.challenger(found, signed_root, trust=TRUST, **READING)) == (
        "the release is signed, and its plan is not"
    )
    one = envelope.model_copy(update={"signatures": envelope.signatures[:1]})
    (signed_root / "ROLLOUT.json").write_bytes(one.to_bytes())
    assert "has signed" in refused(lambda: rollout.read_rollout(signed_root, TRUST))
