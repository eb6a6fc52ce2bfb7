"""Following the folder of releases: shadow, split, promotion, roll-back, and what is written of each."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import models
from api.metrics import REGISTRY
from api.rollout.arms import place_of
from api.rollout.choosing import choosing_again
from api.store import queries as store
from engine.application import Application
from engine.decision import decide
from engine.facts import Facts
from models import rollout as rollouts
from tests.api.rollout.conftest import House, housed
from tests.support.rollouts import SHIPPED, try_out


def entries(house: House, action: str) -> list[Mapping[str, Any]]:
    """The audit chain's entries of one kind, the first first, each with its actor in it."""
    with house.service.database.transaction(read_only=True) as connection:
        assert store.verify_audit(connection) is None
        told = [json.loads(each.body) for each in store.audit_tail(connection, 1_000)]
    return [each["details"] for each in reversed(told) if each["action"] == action]


def figure(name: str, **labels: str) -> float:
    """One figure of this process."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_in_shadow_the_champion_decides_and_the_challenger_is_recorded(house: House, releases: Path) -> None:
    """Each decision is the champion's, as the reply is; the challenger's stands beside, and nobody outside sees it."""
    plan = try_out(releases, "strict", allowed=0)
    house.tick()
    assert house.trial() is not None
    decided = house.apply(6)
    assert all(house.shadow(each) is None for each in decided)  # the reply did not wait for it
    house.tick()
    for each in decided:
        row, beside = house.row(each), house.shadow(each)
        assert (row.release_name, row.arm) == (SHIPPED, "champion")
        assert beside is not None
        assert (beside.rollout, beside.share, beside.arm, beside.release_name) == (plan.id, 0, "challenger", "strict")
        assert (beside.made_outcome, beside.error) == (row.outcome, None)
        assert "strict" not in json.dumps(each)
        assert plan.id not in json.dumps(each)
        again = house.service.ask("GET", f"/v1/decisions/{each['decision_id']}").json()
        assert again == each
    assert {each["arm"] for each in entries(house, "decide")} == {"champion"}


def test_the_challenger_says_beside_what_it_would_decide(house: House, releases: Path) -> None:
    """Outcome, limit, rate and PD are those of deciding the recorded application and facts under it."""
    try_out(releases, "strict", allowed=0)
    house.tick()
    decided = house.apply(8)
    house.tick()
    release = models.load("strict", releases)
    for each in decided:
        row, beside = house.row(each), house.shadow(each)
        with house.service.database.transaction(read_only=True) as connection:
            application = store.get_application(connection, row.application_id)
            facts = store.facts_body(connection, row.facts_sha256)
        assert application is not None
        assert facts is not None
        assert beside is not None
        said = decide(Application.model_validate_json(application.body), Facts.model_validate_json(facts), release)
        offer = said.offer
        assert (beside.outcome, beside.limit_cents, beside.monthly_rate_bps, beside.pd) == (
            said.outcome, offer and offer.limit_cents, offer and offer.monthly_rate_bps, said.score and said.score.pd
        )  # fmt: skip
        assert (beside.agreement == "outcome") == (said.outcome != row.outcome)


def split(house: House, releases: Path, share: int) -> models.Plan:
    """A roll-out whose stage has this share already."""
    plan = try_out(releases, "strict", allowed=share, stages=(share,), least_compared=1, least_made=1)
    house.tick()
    house.apply()
    house.tick(11)  # judged every fifth
    assert (trial := house.trial()) is not None
    assert trial.share == share
    return plan


def test_in_a_split_the_place_of_the_business_says_who_decides(house: House, releases: Path) -> None:
    """Below the share the challenger decides and the champion beside; the arm is kept and sworn, and both replay."""
    plan = split(house, releases, 5_000)
    index = house.service.state.shell.index
    decided = house.apply(12)
    house.tick()
    for each in decided:
        row, beside = house.row(each), house.shadow(each)
        challenged = place_of(index, plan.id, row.abn) < 5_000
        assert (row.arm, row.release_name) == (("challenger", "strict") if challenged else ("champion", SHIPPED))
        assert beside is not None
        assert beside.arm == ("champion" if challenged else "challenger")
        told = house.service.ask("GET", f"/v1/decisions/{each['decision_id']}/replay").json()
        assert told["match"], told
    assert {house.row(each).arm for each in decided} == {"champion", "challenger"}
    sworn = {(each["arm"], each["rollout"]) for each in entries(house, "decide")}
    assert sworn == {("champion", plan.id), ("challenger", plan.id)}


def test_a_stage_is_entered_only_where_the_rule_and_people_allow_it(house: House, releases: Path) -> None:
    """Enough was seen and nothing is allowed: shadow stays; allowed and not enough seen: it stays as well."""
    plan = try_out(releases, "strict", allowed=0, stages=(100, 10_000), least_compared=2, least_made=1)
    house.tick()
    house.apply(3)
    house.tick(10)
    assert [each.share for each in house.events(plan.id)] == [0]
    rollouts.advance(releases)
    house.tick(10)
    assert [each.share for each in house.events(plan.id)] == [0, 100]
    rollouts.advance(releases)
    house.tick(10)  # in this stage nothing was compared yet
    assert [each.share for each in house.events(plan.id)] == [0, 100]
    assert [(each["from_share"], each["share"], each["allowed"]) for each in entries(house, "rollout_stage")] == [
        (None, 0, 0), (0, 100, 100)
    ]  # fmt: skip


def test_promotion_is_taken_up_and_ends_the_roll_out(house: House, releases: Path) -> None:
    """The challenger becomes champion, new decisions are its own without an arm, and the chain names from and to."""
    plan = split(house, releases, 5_000)
    models.promote("strict", releases)
    house.tick()
    assert (house.lineup.champion.name, house.trial()) == ("strict", None)
    (decided,) = house.apply()
    assert (house.row(decided).release_name, house.row(decided).arm) == ("strict", None)
    assert [(each.kind, each.why) for each in house.events(plan.id)][-1] == ("ended", "promoted")
    assert [(each["from"], each["release"]) for each in entries(house, "serve_release")] == [(SHIPPED, "strict")]
    models.rollback(releases)
    house.tick()
    assert house.lineup.champion.name == SHIPPED
    assert entries(house, "serve_release")[-1]["from"] == "strict"
    assert figure("creditline_release_info", release="strict", **labels_of(house, releases, "strict")) == 0
    assert figure("creditline_release_info", release=SHIPPED, **labels_of(house, releases, SHIPPED)) == 1


def labels_of(house: House, releases: Path, name: str) -> dict[str, str]:
    """How the metric of the release in force calls one."""
    digest = models.load(name, releases).digest
    return {"digest": digest[:12], "engine": house.service.state.shell.engine_digest[:12]}


def test_a_release_that_does_not_load_leaves_the_old_one_and_is_told(house: House, releases: Path) -> None:
    """A byte changed in its model: the champion goes on serving, counted once, and mended it is taken up."""
    before = figure("creditline_release_refused_total", stage="digest")
    models.promote("strict", releases)
    path = releases / "strict" / "model.txt"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"leaf_value=", b"leaf_value= ", 1))
    house.tick(3)
    assert house.lineup.champion.name == SHIPPED
    assert house.apply()[0]["outcome"]
    assert figure("creditline_release_refused_total", stage="digest") == before + 1
    path.write_bytes(good)
    house.follower._try_again_at = 0.0  # half a minute later
    house.tick()
    assert house.lineup.champion.name == "strict"


@pytest.mark.parametrize("damage", [b"", b"rol_0 ", b"\xff" * 200])
def test_a_damaged_line_takes_the_challenger_out(house: House, releases: Path, damage: bytes) -> None:
    """Nothing says any more how far people let it go, so the champion decides alone; put right, it goes on."""
    split(house, releases, 5_000)
    path = releases / rollouts.LINE_NAME
    good = path.read_bytes()
    path.write_bytes(damage)
    house.tick()
    assert house.trial() is None
    path.write_bytes(good)
    house.tick()
    assert (trial := house.trial()) is not None
    assert trial.share == 5_000


def test_stopping_ends_it_at_once(house: House, releases: Path) -> None:
    """A person's stop leaves the champion alone, is written once, and nothing brings the roll-out back."""
    plan = split(house, releases, 5_000)
    assert rollouts.stop(releases) == plan.id
    house.tick(3)
    assert house.trial() is None
    assert [(each.kind, each.why) for each in house.events(plan.id)][-1] == ("ended", "stopped")
    assert len(entries(house, "rollout_ended")) == 1
    with pytest.raises(models.ReleaseRejected, match="no roll-out is under way"):
        rollouts.advance(releases)


class Breaking:
    """A scorer that does what a test wants, and else what the real one does."""

    def __init__(self, real: Any, raw: Any = None) -> None:
        self._real, self._raw = real, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def raw(self, row: Any) -> float:
        """The raw score, or what the test makes of it."""
        return float(self._raw(self._real.raw(row)))


def broken(house: House, raw: Any) -> None:
    """Let the challenger in service score by this from now on."""
    lineup = house.lineup
    assert lineup.trial is not None
    scorer: Any = Breaking(lineup.trial.challenger.scorer, raw)
    challenger = replace(lineup.trial.challenger, scorer=scorer)
    trial = replace(lineup.trial, challenger=challenger)
    house.service.state.shell.releases.lineup = replace(lineup, trial=trial)


def failing(_: float) -> float:
    """A score that cannot be had."""
    raise ZeroDivisionError


def is_out(house: House, plan: models.Plan, why: str) -> None:
    """The challenger is out, for this reason, in line-up, events, chain and metrics."""
    assert house.trial() is None
    assert [(each.kind, each.why) for each in house.events(plan.id)][-1] == ("rolled_back", why)
    (told,) = entries(house, "rollout_rolled_back")
    assert (told["why"], told["release"], told["champion"]) == (why, "strict", SHIPPED)
    assert figure("creditline_rollout_rolled_back") == 1
    assert figure("creditline_rollout_share") == -1


def test_a_challenger_that_fails_is_out_and_the_applicant_is_answered(
    house: House, releases: Path, market: Path, applicants: list[dict[str, Any]]
) -> None:
    """The champion steps in, at once and for good: after a restart, and on a worker that never saw the error."""
    plan = split(house, releases, 10_000)
    broken(house, failing)
    decided = house.apply(3)
    assert {(house.row(each).release_name) for each in decided} == {SHIPPED}
    assert house.trial() is None  # before any tick
    house.tick()
    is_out(house, plan, "errors")
    with housed(house.service.url, market, releases, applicants, house.sent) as restarted:
        restarted.tick(3)
        assert restarted.trial() is None
        assert house.row(restarted.apply()[0]).arm is None
    rollouts.stop(releases)
    try_out(releases, "strict", allowed=0)
    house.tick()
    assert house.trial() is not None  # a person acted
    assert figure("creditline_rollout_rolled_back") == 0


def test_an_error_beside_counts_as_well(house: House, releases: Path) -> None:
    """In shadow nobody sees it: the row says which kind of error it was, and the challenger is out."""
    plan = try_out(releases, "strict", allowed=0)
    house.tick()
    broken(house, failing)
    decided = house.apply(12)
    house.tick(2)
    is_out(house, plan, "errors")
    found = [each for each in map(house.shadow, decided) if each is not None and each.error]
    assert found
    assert {(each.agreement, each.error, each.outcome) for each in found} == {("error", "ZeroDivisionError", None)}


def test_one_bit_between_kernel_and_walk_takes_it_out(
    house: House, releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A score that the independent walk does not give to the last bit, once, on the share that is walked."""
    monkeypatch.setattr("api.rollout.beside.SAMPLED", 1)
    plan = try_out(releases, "strict", allowed=0)
    house.tick()
    house.apply(6)
    house.tick()
    assert house.trial() is not None  # the real one agrees
    broken(house, lambda raw: raw + abs(raw) * 2**-52)
    house.apply(8)
    house.tick(2)
    is_out(house, plan, "walk")


def test_a_challenger_twice_as_slow_is_out(house: House, releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once enough decisions of both were timed, by the processor's time that they take."""
    monkeypatch.setattr("api.rollout.readings.LEAST_TIMED", 12)
    monkeypatch.setattr("api.rollout.beside.SAMPLED", 1)

    def slow(raw: float) -> float:
        sum(number * number for number in range(150_000))  # some ten milliseconds of work
        return raw

    plan = try_out(releases, "strict", allowed=0)
    house.tick()
    broken(house, slow)
    house.apply(25)
    house.tick(2)
    is_out(house, plan, "slow")


def test_the_stopping_rule_takes_it_out(house: House, releases: Path) -> None:
    """A stricter challenger under a plan that tolerates next to nothing is stopped by its counts."""
    plan = try_out(releases, "strict", allowed=0, margin=0, alpha=2_000, stages=(100,))
    house.tick()
    house.apply(50)
    house.tick(6)
    is_out(house, plan, "approvals")


def test_a_decision_made_again_stays_with_its_release(house: House, releases: Path) -> None:
    """While both serve, the release that decided decides again, whatever the stage is by then."""
    plan = try_out(releases, "strict", allowed=0, stages=(10_000,), least_compared=1, least_made=1)
    house.tick()
    first = house.apply()[0]
    rollouts.advance(releases)
    house.tick(11)
    assert (trial := house.trial()) is not None
    assert trial.share == 10_000
    second = house.apply()[0]
    assert (house.row(first).arm, house.row(second).arm) == ("champion", "challenger")
    shell = house.service.state.shell

    def again(decided: dict[str, Any]) -> str:
        name: str = asyncio.run(choosing_again(shell, decided["decision_id"])).release.name
        return name

    assert (again(first), again(second)) == (SHIPPED, "strict")
    rollouts.stop(releases)
    house.tick()
    assert (again(first), again(second)) == (SHIPPED, SHIPPED)
    assert house.events(plan.id)[-1].kind == "ended"


def test_a_request_finishes_on_the_release_that_it_began_with(house: House, releases: Path) -> None:
    """What was chosen does not move when the champion is swapped; the next request has the new one."""
    shell = house.service.state.shell
    chosen = shell.choosing("93000000010")
    models.promote("strict", releases)
    house.tick()
    assert (chosen.release.name, shell.release.name, shell.choosing("93000000010").release.name) == (
        SHIPPED, "strict", "strict"
    )  # fmt: skip


def test_a_full_queue_drops_and_counts(house: House, releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is not decided beside: no reply waits, and the figure says how many."""
    monkeypatch.setattr("api.rollout.beside.MOST_WAITING", 2)
    try_out(releases, "strict", allowed=0)
    house.tick()
    before = figure("creditline_shadow_decisions_total", agreement="dropped")
    decided = house.apply(5)
    house.tick()
    assert sum(house.shadow(each) is not None for each in decided) == 2
    assert figure("creditline_shadow_decisions_total", agreement="dropped") == before + 3


def test_workers_write_each_step_once(house: House, releases: Path, market: Path, applicants: Any) -> None:
    """Two processes that follow one folder on one database leave one event and one entry of each step."""
    with housed(house.service.url, market, releases, applicants) as other:
        plan = try_out(releases, "strict", allowed=100, least_compared=1)
        for each in (house, other, house, other):
            each.tick()
        house.apply(2)
        for each in (house, other) * 6:
            each.tick()
        assert [each.share for each in house.events(plan.id)] == [0, 100]
        models.promote("strict", releases)
        for each in (house, other, house, other):
            each.tick()
        assert len(entries(house, "serve_release")) == len(entries(house, "rollout_ended")) == 1


def test_a_champion_promoted_while_nothing_ran_is_written_too(
    house: House, releases: Path, market: Path, applicants: Any
) -> None:
    """The next start finds that another made the last decision; without a decision before there is nothing to tell."""
    house.apply()
    models.promote("strict", releases)
    with housed(house.service.url, market, releases, applicants, house.sent) as next_start:
        next_start.tick()
        (told,) = entries(next_start, "serve_release")
        assert (told["from"], told["release"]) == (SHIPPED, "strict")
