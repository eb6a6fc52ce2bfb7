"""What a folder in models/ means: the manifest that names all that is in it, and the release it makes.

It does: hold and check the values. It does not: read files or judge a model (models/ does both). The rule
it keeps: a manifest has one byte form, so its digest names the release and all that its files hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, model_validator

from engine.canonical import canonical_bytes
from engine.policy import PolicyBook
from engine.scoring import Calibration, Scorer
from engine.values import Frozen, problem

__all__ = [
    "FILE_NAMES",
    "MANIFEST_NAME",
    "Baseline",
    "Baselines",
    "Calibration",
    "Certificate",
    "ClaimedCause",
    "FileDigest",
    "Files",
    "Manifest",
    "Proof",
    "Release",
    "ReleaseFacts",
    "Replay",
    "Signer",
    "TrainingFacts",
    "Validation",
]

MANIFEST_NAME: Final = "manifest.json"
FILE_NAMES: Final = ("model.txt", "policy.toml", "golden.jsonl", "card.md")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ReleaseName = Annotated[str, Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$", max_length=64)]
FeatureName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=80)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=4_000)]
Metrics = Annotated[
    Mapping[Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,80}$")], Finite],
    Field(max_length=200),
    AfterValidator(lambda metrics: MappingProxyType(dict(metrics))),  # frozen like all the rest
    PlainSerializer(dict, return_type=dict[str, float]),
]


Line = Annotated[str, Field(min_length=1, max_length=400, pattern=r"^\S([^\n\r]*\S)?$")]


def _a_date(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise problem("date_form", "A date is written YYYY-MM-DD")
    return text


Day = Annotated[str, AfterValidator(_a_date)]


class FileDigest(Frozen):
    """What a file's bytes must be."""

    sha256: Sha256
    length: Annotated[int, Field(ge=0)]


class Files(Frozen):
    """The files of a release beside the manifest: exactly these four, under their own names."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    model: Annotated[FileDigest, Field(alias="model.txt")]
    policy: Annotated[FileDigest, Field(alias="policy.toml")]
    golden: Annotated[FileDigest, Field(alias="golden.jsonl")]
    card: Annotated[FileDigest, Field(alias="card.md")]

    def named(self) -> dict[str, FileDigest]:
        """File name to digest."""
        digests = (self.model, self.policy, self.golden, self.card)
        return dict(zip(FILE_NAMES, digests, strict=True))


class TrainingFacts(Frozen):
    """Where the model comes from; enough to train it again."""

    data_description: Text
    data_sha256: Sha256
    seed: int
    rows: Annotated[int, Field(ge=0)]  # 0: an expert scorecard, which learnt from nobody
    bads: Annotated[int, Field(ge=0)]
    metrics: Metrics

    @model_validator(mode="after")
    def _some_are_good(self) -> Self:
        if self.bads > self.rows:
            raise problem("bads", "There cannot be more bads than rows")
        return self


class Proof(Frozen):
    """One declared direction, and how it was proved: `cuts` are the steps of the feature at which any tree moves.

    `trees`: each tree alone never goes against it, so the served sum does not either, to the last bit. `sum`: single
    trees do, their sum never but for rounding in its last digits. `unused`: no tree asks the feature.
    """

    feature: FeatureName
    direction: Literal[-1, 1]
    by: Literal["trees", "sum", "unused"]
    cuts: Annotated[int, Field(ge=0)]


class Certificate(Frozen):
    """Every direction the contract declares, proved from the trees (models.certificate); loading proves it again."""

    method: Literal["cells-1"] = "cells-1"
    claim: Text
    proofs: Annotated[tuple[Proof, ...], Field(max_length=512, strict=False)]


class Validation(Frozen):
    """What somebody who did not train the model found of it, and until when that is good."""

    validated_by: Line
    trained_by: Line
    validated_on: Day
    review_on: Day
    model_sha256: Sha256  # of the model.txt that was looked at
    examined: Text  # what was done, on which data
    conclusion: Literal["fit for use", "fit for use within the limits"]
    limits: Annotated[tuple[Line, ...], Field(min_length=1, max_length=40, strict=False)]  # known; none is an answer

    @model_validator(mode="after")
    def _independent_and_dated(self) -> Self:
        if self.validated_by.casefold() == self.trained_by.casefold():
            raise problem("validation_person", "Whoever trained a model does not validate it")
        if self.review_on <= self.validated_on:
            raise problem("validation_review", "The review comes after the validation")
        return self


CauseKind = Literal["rule", "grade", "limit", "price", "offer", "model", "data", "code"]


class ClaimedCause(Frozen):
    """A cause by which decisions of the replay set moved, as somebody declared it before publication."""

    kind: CauseKind
    rule: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.]{1,80}$")] | None = None  # of kind "rule": its name, or a code
    why: Line
    most: Annotated[int, Field(ge=1)]
    moved: Annotated[int, Field(ge=0)]


class Replay(Frozen):
    """What the fixed set of recorded decisions became under this release, beside the champion of that day."""

    set_sha256: Sha256
    decisions: Annotated[int, Field(ge=1)]
    against: ReleaseName | None = None  # None: there was no champion, so nothing was compared
    against_digest: Sha256 | None = None
    engine_digest: Sha256
    changed: Annotated[int, Field(ge=0)]
    causes: Annotated[tuple[ClaimedCause, ...], Field(max_length=100, strict=False)] = ()
    new_set: Line | None = None  # why the set is another than the champion's


class Baseline(Frozen):
    """How one column lay in training: the share in each bin, up to and including its edge.

    After the bins of the edges come what lies above all of them, or is a category unseen in training, and what is
    missing. The edges of a category are the codes of its labels.
    """

    name: Line
    edges: Annotated[tuple[Finite, ...], Field(max_length=400, strict=False)]
    shares: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(max_length=402, strict=False)]
    labels: Annotated[tuple[str, ...], Field(max_length=400, strict=False)] | None = None

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        if len(self.shares) != len(self.edges) + 2 or list(self.edges) != sorted(set(self.edges)):
            raise problem(
                "baseline", "A baseline has rising edges, and a share for each bin, for above and for missing"
            )
        if self.labels is not None and len(self.labels) != len(self.edges):
            raise problem("baseline_labels", "A baseline of a category has a label for each edge")
        return self


class Baselines(Frozen):
    """What a model's training looked like: what new applications are held against."""

    rows: Annotated[int, Field(ge=1)]  # weighted examples count as the number that says as much
    population: Literal["applicants", "approved"]  # whose outcomes were known, and so who taught
    score: Baseline  # of the PD
    features: Annotated[tuple[Baseline, ...], Field(max_length=512, strict=False)]
    approved_to_pd: Finite | None = None  # the highest PD that the price grid of that day took
    approval_rate: Annotated[float, Field(ge=0, le=1)] | None = None  # the share of training below it


class ReleaseFacts(Frozen):
    """All a manifest says except its files' digests: what whoever makes a release states."""

    schema_version: Literal[1] = 1
    name: ReleaseName
    sequence: Annotated[int, Field(ge=1)]  # rises strictly from release to release
    created_on: Day
    synthetic: bool  # made from pretend data: production refuses it
    signed: bool = False  # signatures lie beside the manifest, and loading demands them
    lightgbm_version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+){1,3}$")]
    objective: Annotated[str, Field(min_length=1, max_length=80)]
    features: Annotated[tuple[FeatureName, ...], Field(min_length=1, max_length=512, strict=False)]
    contract_sha256: Sha256
    calibration: Calibration
    training: TrainingFacts
    notes: Text = ""
    certificate: Certificate | None = None
    validation: Validation | None = None
    not_before: Day | None = None  # it does not serve before this day
    replay: Replay | None = None
    baselines: Baselines | None = None  # none in older releases, and where nobody taught

    @model_validator(mode="after")
    def _features_differ(self) -> Self:
        if len(set(self.features)) != len(self.features):
            raise problem("features", "A feature stands twice")
        return self

    @model_validator(mode="after")
    def _signed_for_something(self) -> Self:
        if self.signed and (self.certificate is None or self.validation is None):
            raise problem("signed", "What is signed carries a certificate of its directions and a validation record")
        return self


class Manifest(ReleaseFacts):
    """The whole manifest; manifest.json is to_bytes() and nothing else."""

    files: Files

    def to_bytes(self) -> bytes:
        """The one byte form: sorted keys, no spaces, UTF-8; what is not stated is left out."""
        return canonical_bytes(self.model_dump(mode="json", by_alias=True, exclude_none=True))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read manifest.json; raises ValueError unless valid and in the one byte form (so no key twice)."""
        manifest = cls.model_validate_json(data)
        if manifest.to_bytes() != data:
            raise ValueError("the manifest is not in its canonical form")
        return manifest


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose signature over the manifest was checked against the trust root."""

    person: str
    role: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Release:
    """The third argument of decide(): policy and scorer, with the names and digests that a record keeps.

    `digest` is the SHA-256 of manifest.json and so covers every file; only models/ builds one, after all
    its checks.
    """

    name: str
    digest: str
    manifest: Manifest
    policy: PolicyBook
    scorer: Scorer
    model_sha256: str
    policy_sha256: str
    signers: tuple[Signer, ...] = ()  # empty: unsigned, which production refuses

    @property
    def calibration(self) -> Calibration:
        """The line from raw score to log-odds of default."""
        return self.manifest.calibration
