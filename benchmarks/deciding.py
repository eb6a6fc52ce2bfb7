"""decide() in process: the whole, its stages, and what stands beside it.

It does: time the pure function and the public functions it is made of, in turn. It does not: look inside decide():
what the stages do not account for is given as the rest. The rule it keeps: stages are those that a decision
with an offer and reasons runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from api.store.queries import FactSet
from benchmarks.samples import Task, Timing, interleave
from benchmarks.subject import Subject, subject
from engine.decision import decide
from engine.facts import Facts
from engine.features import BY_NAME, Evidence, row_of
from engine.limits import assign
from engine.pricing import disclose, price
from engine.reasons import adverse_codes, choose
from engine.screening import Case, screen

WHOLE = "decide()"
_REASON_OF = {name: feature.reason for name, feature in BY_NAME.items()}


@dataclass(frozen=True, slots=True)
class Deciding:
    """Timings of decide(), its stages, what is done beside it, and the model through LightGBM's own package."""

    story: str
    facts_bytes: int
    stored_bytes: int
    whole: Timing
    stages: Mapping[str, Timing]
    beside: Mapping[str, Timing]
    peers: Mapping[str, Timing]

    @property
    def rest_ms(self) -> float:
        """What the medians of the stages leave of the median of the whole."""
        return self.whole.p50_ms - sum(timing.p50_ms for timing in self.stages.values())


def measure(rounds: int) -> Deciding:
    """Time all of it in turn, `rounds` times."""
    chosen = subject()
    raw = chosen.facts.canonical()
    stages, beside, peers = stage_tasks(chosen), beside_tasks(chosen), _peer_tasks(chosen)
    found = interleave({WHOLE: whole_task(chosen), **stages, **beside, **peers}, rounds)
    return Deciding(
        story=chosen.story,
        facts_bytes=len(raw),
        stored_bytes=len(FactSet.of(raw).body),
        whole=found[WHOLE],
        stages={name: found[name] for name in stages},
        beside={name: found[name] for name in beside},
        peers={name: found[name] for name in peers},
    )


def unseen(facts: Facts) -> Facts:
    """The same facts in objects of their own, whose summaries nobody remembers, as those of a new application.

    Some microseconds of it count as the decision's.
    """
    bank, market = facts.bank.value, facts.marketplace.value
    if bank is None or market is None:
        raise ValueError("both bank and marketplace must be present")
    return facts.model_copy(
        update={
            "bank": facts.bank.model_copy(update={"value": bank.model_copy()}),
            "marketplace": facts.marketplace.model_copy(update={"value": market.model_copy()}),
        }
    )


def whole_task(chosen: Subject) -> Task:
    """The decision itself."""
    return lambda: decide(chosen.application, unseen(chosen.facts), chosen.release)


def stage_tasks(chosen: Subject) -> dict[str, Task]:
    """Each stage on the values that decide() hands it; the last ones only where the subject gets that far."""
    application, facts, release = chosen.application, chosen.facts, chosen.release
    evidence = Evidence.of(application, facts)
    policy = release.policy.on(facts.as_of.date())
    case, row, score, offer = (
        Case(application, facts, evidence, policy),
        row_of(evidence),
        chosen.decision.score,
        chosen.decision.offer,
    )
    tasks: dict[str, Task] = {
        "features: summaries": lambda: Evidence.of(application, unseen(facts)),
        "features: row": lambda: row_of(evidence),
        "screening": lambda: screen(case),
        "scoring": lambda: release.scorer.raw(row),
        "contributions": lambda: release.scorer.contributions(row),
    }
    if score is None or score.grade is None:
        return tasks
    grade, pd, contributions = score.grade, score.pd, score.contributions
    tasks["limits"] = lambda: assign(case, grade, pd)
    if offer is not None:
        limit, pricing, terms = offer.limit_cents, policy.pricing, policy.offer
        draw = limit * terms.worked_draw_bps // 10_000

        def priced() -> object:
            rate = price(pricing, grade, limit)
            return disclose(draw, limit, rate, terms.worked_months, pricing.fees)

        tasks["pricing"] = priced
    tasks["explanation"] = lambda: choose(adverse_codes(contributions, _REASON_OF))
    return tasks


def beside_tasks(chosen: Subject) -> dict[str, Task]:
    """What the service does to a decision's facts and record besides deciding."""
    facts, decision = chosen.facts, chosen.decision
    raw = facts.canonical()
    return {
        "facts parsed from JSON": lambda: Facts.model_validate_json(raw),
        "facts to canonical bytes": facts.canonical,
        "facts digested and compressed": lambda: FactSet.of(raw),
        "decision to canonical bytes": decision.canonical,
    }


def _peer_tasks(chosen: Subject) -> dict[str, Task]:
    """The same model through LightGBM's Python package, as one would use it by default, on one thread."""
    import lightgbm  # noqa: PLC0415 - slow to import, and only wanted for the comparison

    scorer = chosen.release.scorer
    booster: Any = lightgbm.Booster(model_str=scorer.ensemble.lightgbm_text())
    rows = np.array([row_of(Evidence.of(chosen.application, chosen.facts))])
    return {
        "scoring with the lightgbm package": lambda: booster.predict(rows, raw_score=True, num_threads=1),
        "contributions with the lightgbm package": lambda: booster.predict(rows, pred_contrib=True, num_threads=1),
    }
