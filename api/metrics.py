"""What the service counts, for Prometheus; labels never hold personal data.

It does: declare every metric in one place, and write them down for a reader. It does not: count requests (api.app
does, from outside the framework) or serve the figures (the operations routes do). The rule it keeps: with several
workers, whichever is asked answers for all of them, the dead ones included: through files in a folder that
`creditline serve` names to the library before its first import.
"""

import os
from pathlib import Path
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from api.sources import OUTSIDE, Why
from engine.facts.standing import BrakeKind

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, open files, processor time, start: read when somebody asks
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

DECISIONS = Counter("creditline_decisions", "Decisions recorded, by outcome.", ["outcome"], registry=REGISTRY)
STAGES = Histogram(
    "creditline_stage_seconds",
    "Time spent in each stage of a decision.",
    ["stage"],
    registry=REGISTRY,
    buckets=_FAST,
)
REQUESTS = Histogram(
    "creditline_request_seconds", "Time to answer, by route and status.", ["route", "status"], registry=REGISTRY,
    buckets=_FAST,
)  # fmt: skip
_REMOTE = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
SOURCE_SECONDS = Histogram(
    "creditline_source_seconds",
    "Time of one whole conversation with a source, by how it ended: present, absent or failed.",
    ["source", "status"],
    registry=REGISTRY,
    buckets=_REMOTE,
)
SOURCE_FAILURES = Counter(
    "creditline_source_failures", "Failed facts, by source and reason.", ["source", "why"], registry=REGISTRY
)
SOURCE_RETRIES = Counter(
    "creditline_source_retries",
    "Requests that were sent a second time, by address asked.",
    ["source"],
    registry=REGISTRY,
)
BREAKER = Gauge(
    "creditline_source_breaker",
    "State of the circuit breaker of each address asked: 0 closed, 1 half open, 2 open.",
    ["source"],
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
DEGRADED = Counter(
    "creditline_degraded_decisions",
    "Decisions by outcome and the set of sources that had failed ('none', or names joined by +).",
    ["outcome", "missing"],
    registry=REGISTRY,
)
DEADLINES = Counter(
    "creditline_deadlines_exceeded", "Requests answered 504 because their time ran out.", registry=REGISTRY
)
FOLLOW_UPS = Counter(
    "creditline_follow_ups",
    "Decisions looked at again for a missing fact, by how it ended: superseded, settled, still_missing, given_up.",
    ["result"],
    registry=REGISTRY,
)
FOLLOW_UPS_WAITING = Gauge(
    "creditline_follow_ups_waiting",
    "Decisions that wait to be looked at again because a fact was missing.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",  # counted in the database by whoever is asked
)
PROBLEMS = Counter("creditline_problems", "Error replies, by slug (docs/problems.md).", ["slug"], registry=REGISTRY)
SANCTIONS_LIST = Gauge(
    "creditline_sanctions_list_timestamp_seconds",
    "When the sanctions list in use was last had from its publisher, Unix time; 0 before the first.",
    registry=REGISTRY,
    multiprocess_mode="livemin",
)
BRAKES = Gauge(
    "creditline_brakes_in_force", "The lender's brakes in force, by kind.", ["kind"], registry=REGISTRY,
    multiprocess_mode="mostrecent",
)  # fmt: skip
RELEASE = Gauge(
    "creditline_release_info",
    "The release in force: 1; 0 for one that was in force before in this process.",
    ["release", "digest", "engine"],
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
RELEASE_REFUSED = Counter(
    "creditline_release_refused",
    "Changes in the folder of releases that the service did not take up, by the stage of the check that refused them.",
    ["stage"],
    registry=REGISTRY,
)
ARM_DECISIONS = Counter(
    "creditline_arm_decisions", "Decisions made in a roll-out, by arm and outcome.", ["arm", "outcome"],
    registry=REGISTRY,
)  # fmt: skip
ARM_SECONDS = Histogram(
    "creditline_arm_decide_seconds",
    "Processor time of a decision in a roll-out, by arm: of both on the same facts, for one decision in four.",
    ["arm"],
    registry=REGISTRY,
    buckets=(0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064),
)
SHADOW = Counter(
    "creditline_shadow_decisions",
    "What the other release said beside a decision: same, terms (another limit or rate), outcome, error; or dropped.",
    ["agreement"],
    registry=REGISTRY,
)
WALKS = Counter(
    "creditline_score_walks",
    "Scores of a challenger that the independent walk worked out again: same or differs.",
    ["result"],
    registry=REGISTRY,
)
ROLLOUT_SHARE = Gauge(
    "creditline_rollout_share",
    "Share of businesses that the challenger decides, 0 to 1; 0 in shadow, -1 without a challenger in service.",
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
ROLLED_BACK = Gauge(
    "creditline_rollout_rolled_back",
    "1 while the roll-out that people allow is one that the service took out by itself.",
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
DOCUMENTS = Counter(
    "creditline_documents", "Documents that machines looked at, by verdict: checked or rejected.", ["verdict"],
    registry=REGISTRY,
)  # fmt: skip
STRAIGHT_THROUGH = Counter(
    "creditline_straight_through",
    "Complete cases by what machines made of them: approved, approver (less is offered), sampled or people.",
    ["result"],
    registry=REGISTRY,
)
QUALITY = Counter(
    "creditline_quality_control",
    "Cases drawn for people after machines found them clean, by what people found: upheld or overturned.",
    ["result"],
    registry=REGISTRY,
)
CASES = Gauge(
    "creditline_cases", "Cases that are not closed, by state.", ["state"], registry=REGISTRY,
    multiprocess_mode="mostrecent",
)  # fmt: skip
CASES_PAST = Gauge(
    "creditline_cases_past",
    "Cases that are not closed and whose clock has passed so many hours, a paused clock standing where it stopped.",
    ["hours"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
REFERRALS_LATE = Gauge(
    "creditline_referrals_late",
    "Referrals and requests for a person that wait past what their applicants were promised.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
MESSAGES_DEAD = Gauge(
    "creditline_messages_dead", "Messages to applicants, staff and marketplace that were given up.", registry=REGISTRY,
    multiprocess_mode="mostrecent",
)  # fmt: skip
MONITOR_FILE = Gauge(
    "creditline_monitor_file_fault", "The monitor's file: 0 read, or no folder is set; 1 missing; 2 damaged.",
    registry=REGISTRY, multiprocess_mode="mostrecent",
)  # fmt: skip
# The figures of the monitor's newest period that tells anything; what its file does not tell is not a number.
_MONITORED: Any = {"registry": REGISTRY, "multiprocess_mode": "mostrecent"}
MONITOR_TIME = Gauge(
    "creditline_monitor_timestamp_seconds", "When the monitor's file was made, Unix time.", **_MONITORED
)
MONITOR_DECISIONS = Gauge("creditline_monitor_decisions", "Decisions in the newest period watched.", **_MONITORED)
MONITOR_PSI = Gauge("creditline_monitor_psi", "PSI of score and features in that period.", ["of"], **_MONITORED)
MONITOR_RATE = Gauge("creditline_monitor_rate", "Shares of that period's decisions.", ["of"], **_MONITORED)
MONITOR_LIMIT = Gauge("creditline_monitor_limit_dollars", "The average limit of that period.", **_MONITORED)
MONITOR_CALIBRATION = Gauge(
    "creditline_monitor_calibration_ratio", "Bads over expected in the newest period with closed windows.",
    **_MONITORED,
)  # fmt: skip
MONITOR_ALARMS = Gauge("creditline_monitor_alarms", "The monitor's alarms that stand, by kind.", ["kind"], **_MONITORED)
# A series that is first seen at 1 has not risen in Prometheus' eyes: whatever an alert waits for begins at 0.
for _stage in ("receive", "enrich", "decide", "record"):
    STAGES.labels(_stage)
for _outcome in ("approve", "refer", "decline"):
    DECISIONS.labels(_outcome)
    DEGRADED.labels(_outcome, "none")
for _status in ("201", "422", "500", "503", "504"):
    REQUESTS.labels("/v1/applications", _status)
for _source in OUTSIDE:
    for _why in get_args(Why):
        SOURCE_FAILURES.labels(_source, _why)
for _result in ("superseded", "settled", "still_missing", "given_up"):
    FOLLOW_UPS.labels(_result)
for _kind in get_args(BrakeKind):
    BRAKES.labels(_kind)
for _verdict in ("checked", "rejected"):
    DOCUMENTS.labels(_verdict)
for _result in ("approved", "approver", "sampled", "people"):
    STRAIGHT_THROUGH.labels(_result)
for _result in ("upheld", "overturned"):
    QUALITY.labels(_result)
for _arm in ("champion", "challenger"):
    ARM_SECONDS.labels(_arm)
    for _outcome in ("approve", "refer", "decline"):
        ARM_DECISIONS.labels(_arm, _outcome)
for _agreement in ("same", "terms", "outcome", "error", "dropped"):
    SHADOW.labels(_agreement)
for _result in ("same", "differs"):
    WALKS.labels(_result)
ROLLOUT_SHARE.set(-1)
PROBLEMS.labels("internal")


def exposition() -> bytes:
    """Every figure as Prometheus reads it: this process's, or where several serve, all of theirs added up.

    What only a living worker can say (its breakers, its release) goes with it; nobody else tells that it has died.
    Memory and processor time are a process's own and told only by a service of one.
    """
    folder = os.environ.get(FOLDER)
    if folder is None:
        return generate_latest(REGISTRY)
    for each in Path(folder).glob("gauge_live*_*.db"):
        pid = int(each.stem.rpartition("_")[2])
        if not _lives(pid):
            mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # asks, and does nothing
    except ProcessLookupError:
        return False
    return True


def forget_this_process() -> None:
    """Take back what this process says as if it were a worker; for the one that only starts them."""
    if (folder := os.environ.get(FOLDER)) is not None:
        mark_process_dead(os.getpid(), folder)  # type: ignore[no-untyped-call]
