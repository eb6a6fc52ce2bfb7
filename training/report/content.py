"""Everything the report says, as one record: plain JSON both ways, figures unrounded.

It does: hold. It does not: compute or lay out. The rules it keeps: no clock, no path and no row of anybody's data is
in it; what could not be had is empty, and `absent` says why.
"""

from typing import Literal

from engine.release import Replay, Validation
from engine.values import Frozen
from training.audit import Report as AuditReport
from training.audit import Waiver
from training.evaluation.curves import Walk
from training.evaluation.explaining import Dependence, Importance
from training.evaluation.judgement import Judgement, Rival, Slice
from training.evaluation.swaps import Swap

Standing = Literal["plain", "good", "caution", "alarm"]
Proved = Literal["trees", "sum", "unused", "broken", "open", "none declared"]


class Identity(Frozen):
    """Which model this is; a digest that does not exist is empty."""

    name: str
    kind: Literal["draft", "release", "expert scorecard draft"]
    model_sha256: str
    manifest_sha256: str
    policy: str
    policy_sha256: str
    created_on: str
    not_before: str
    sequence: int | None
    synthetic: bool
    notes: str


class Signature(Frozen):
    """Somebody whose signature over the manifest was checked against the trust root."""

    person: str
    role: str
    key_id: str


class Governance(Frozen):
    """Who stands for the model. `state` says it in words where nobody does, or not everybody yet."""

    state: str
    signed: bool
    signatures: tuple[Signature, ...]
    validation: Validation | None
    replay: Replay | None
    """What the gate found when it was published: recorded decisions decided again."""


class Span(Frozen):
    """A run of examples by the day of the decision, and what it was used for."""

    name: str
    use: str
    start: str
    end: str
    rows: int
    bads: int
    bad_rate: float | None
    """Weighted; not known where the examples were not given."""


class LeftOut(Frozen):
    """Examples that neither taught nor judged, and why."""

    why: str
    rows: int


class Definition(Frozen):
    """What a word means in these data."""

    term: str
    meaning: str


class DataTold(Frozen):
    """Where the examples come from; `same` says whether those read for this report are those that were fitted on."""

    description: str
    sha256: str
    judged_description: str
    judged_sha256: str
    same: bool | None
    spans: tuple[Span, ...]
    left_out: tuple[LeftOut, ...]
    definitions: tuple[Definition, ...]


class Audited(Frozen):
    """What the audit found before anything was fitted, and who signed for what."""

    report: AuditReport
    waivers: tuple[Waiver, ...]


class Input(Frozen):
    """One input: what it is, which way it may move the PD, and how that was proved."""

    name: str
    group: str
    unit: str
    meaning: str
    missing_means: str
    direction: Literal[-1, 0, 1]
    proved: Proved
    cuts: int
    gain: float | None
    """Its share of what all splits gained in training, where the draft tells it."""


class Fit(Frozen):
    """How the model was made."""

    method: str
    trees: int
    seed: int
    calibration_slope: float
    calibration_intercept: float
    parameters: tuple[tuple[str, str], ...]
    claim: str
    """What the certificate of directions says."""


class Price(Frozen):
    """One grade's price: what a good and a bad reference line leaves in a year."""

    grade: str
    pd_most: float
    good_cents: int
    bad_cents: int


class Setting(Frozen):
    """One thing that differs from the champion; empty where the side does not have it."""

    name: str
    champion: str
    model: str


class Change(Frozen):
    """What changed since the champion. `rival` and `known` are None where both cannot score the same examples."""

    champion: Identity
    inputs_added: tuple[str, ...]
    inputs_removed: tuple[str, ...]
    fit: tuple[Setting, ...]
    policy: tuple[str, ...]
    """A sentence for each difference; empty too where the champion is a draft, which has no policy."""
    rival: Rival | None
    known: Swap | None
    """The swap as a lender would know it: no outcome of those whom the champion turns down."""


class Statement(Frozen):
    """One sentence of the summary, and whether the committee should pause at it."""

    topic: str
    says: str
    standing: Standing


class Absent(Frozen):
    """A part of the report that could not be made, and what would make it."""

    part: str
    why: str


class Report(Frozen):
    """The whole report."""

    schema_version: Literal[1] = 1
    dated: str
    identity: Identity
    governance: Governance
    purpose: tuple[str, ...]
    limits: tuple[str, ...]
    summary: tuple[Statement, ...]
    data: DataTold
    audit: Audited | None
    fit: Fit
    inputs: tuple[Input, ...]
    metrics: tuple[tuple[str, float], ...]
    """The figures that were kept when the model was made, in draft or manifest (four decimals)."""
    judgement: Judgement | None
    baseline: str
    """What drift is measured against."""
    walk: Walk | None
    grades: tuple[Slice, ...]
    prices: tuple[Price, ...]
    importance: tuple[Importance, ...]
    dependence: tuple[Dependence, ...]
    change: Change | None
    card: str
    commands: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    absent: tuple[Absent, ...]
