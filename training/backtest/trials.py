"""What decides in a back-test: a policy and a model, from a release, a draft or a file, on trial together.

It does: read and parse them, and decide a record under terms of a stated day by the engine's own code. It does not:
check signatures (models does, before anything serves). The rule it keeps: a model is scored once a record, however
often the record is decided again.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

import models
from engine.decision import Decision, decide_case
from engine.features import FEATURE_NAMES, contract_digest
from engine.policy import Policy, PolicyBook
from engine.release import MANIFEST_NAME, Calibration
from engine.scoring import Scorer
from engine.scoring.scorer import Row
from models.folder import read_folder
from models.store import check_digests, parsed_manifest
from training.backtest.records import Record
from training.backtest.seen import Seen, seen_of
from training.folder import told_in

Floats = NDArray[np.float64]


class Remembering:
    """A scorer that answers again for the row it was asked last."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._row: Row | None = None
        self._raw, self._shares = 0.0, np.empty(0)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names in model order."""
        return self._scorer.feature_names

    def raw(self, row: Row) -> float:
        """One row's raw score."""
        self._ask(row)
        return self._raw

    def contributions(self, row: Row) -> Floats:
        """One row's contributions, the base last."""
        self._ask(row)
        return self._shares

    def raw_many(self, rows: Floats) -> Floats:
        """Raw scores of a block of rows."""
        return self._scorer.raw_many(rows)

    def _ask(self, row: Row) -> None:
        if row is not self._row:
            self._raw, self._shares, self._row = self._scorer.raw(row), self._scorer.contributions(row), row


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it scores, by its digests."""

    scorer: Remembering
    calibration: Calibration
    sha256: str  # of its text and calibration
    data_sha256: str  # of what it learnt from


@dataclass(frozen=True, slots=True)
class Trial:
    """A release, or what would be one: what `decide` needs, and what it is called."""

    name: str
    digest: str
    policy: PolicyBook
    model: Model
    synthetic: bool = True

    def with_policy(self, book: PolicyBook, name: str) -> "Trial":
        """The same model under another policy."""
        return replace(self, name=name, digest="", policy=book)

    def with_model(self, model: Model) -> "Trial":
        """The same policy with another model."""
        return replace(self, digest="", model=model)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which trial, in words that travel between processes: a release by name, or parts in its place."""

    root: Path
    release: str | None = None  # None: the champion
    policy: Path | None = None
    model: Path | None = None  # a draft's or a release's folder

    def opened(self) -> Trial:
        """The trial; ValueError or ReleaseRejected say what is wrong."""
        trial = release_of(self.release, self.root)
        if self.policy is not None:
            trial = trial.with_policy(read_policy(self.policy), self.policy.name)
        if self.model is not None:
            folder = self.model if self.model.is_dir() else self.root / self.model
            trial = trial.with_model(model_in(folder))
            trial = replace(trial, name=f"{trial.name} with {folder.name}")
        return trial


def release_of(name: str | None, root: Path) -> Trial:
    """A release's policy and model, every file the one its manifest names; None: the champion."""
    line = models.champion_line(root) if name is None else models.Line(name, "")
    if line is None:
        raise models.ReleaseRejected("champion", f"no release of {root} has been promoted: name one")
    files = read_folder(line.name, root)
    manifest = parsed_manifest(files[MANIFEST_NAME], line.name, line.digest or None)
    check_digests(manifest, files)
    if manifest.features != FEATURE_NAMES or manifest.contract_sha256 != contract_digest():
        raise models.ReleaseRejected("contract", f"{line.name} was made for other features than this engine derives")
    return Trial(
        name=line.name, digest=hashlib.sha256(files[MANIFEST_NAME]).hexdigest(),
        policy=PolicyBook.parse(files["policy.toml"].decode()), synthetic=manifest.synthetic,
        model=as_model(files["model.txt"], manifest.calibration, manifest.training.data_sha256),
    )  # fmt: skip


def release_by_digest(digest: str, root: Path) -> Trial | None:
    """The release of a manifest's digest; None where it does not lie in root, or this engine cannot run it."""
    name = next((listed.name for listed in models.releases(root) if listed.digest == digest), None)
    if name is None:
        return None
    try:
        return release_of(name, root)
    except models.ReleaseRejected as refusal:
        if refusal.stage == "contract":
            return None
        raise


def model_in(folder: Path) -> Model:
    """The model of a draft's or a release's folder; ValueError where it is neither, or has other inputs."""
    facts = told_in(folder)
    if tuple(facts["features"]) != FEATURE_NAMES:
        raise ValueError(f"{folder.name} was fitted on other inputs than the engine's features: it cannot decide")
    calibration = Calibration.model_validate(facts["calibration"])
    return as_model((folder / "model.txt").read_bytes(), calibration, facts["training"]["data_sha256"])


def read_policy(path: Path) -> PolicyBook:
    """The policy in a file; ValueError names the file and what is wrong in it."""
    try:
        return PolicyBook.parse(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not a policy: {error}") from None


def as_model(text: bytes, calibration: Calibration, data_sha256: str) -> Model:
    """A model's text and calibration, ready to score; ModelRejected where the strict parser refuses it."""
    scorer = Remembering(Scorer(text.decode("ascii"), FEATURE_NAMES))
    digest = hashlib.sha256(text + calibration.canonical()).hexdigest()
    return Model(scorer, calibration, digest, data_sha256)


@dataclass(frozen=True, slots=True)
class Terms:
    """A trial with the policy terms of one day: what is swapped part by part, and what decides a record."""

    trial: Trial
    terms: Policy
    model: Model

    @classmethod
    def of(cls, trial: Trial, day: date) -> Self:
        """A trial's terms on a day."""
        return cls(trial, trial.policy.on(day), trial.model)

    @property
    def name(self) -> str:
        """The trial's."""
        return self.trial.name

    @property
    def digest(self) -> str:
        """The trial's."""
        return self.trial.digest

    @property
    def policy(self) -> PolicyBook:
        """The trial's whole book; what decides is `terms`."""
        return self.trial.policy

    @property
    def scorer(self) -> Remembering:
        """The model's."""
        return self.model.scorer

    @property
    def calibration(self) -> Calibration:
        """The model's."""
        return self.model.calibration

    def decide(self, record: Record) -> Decision:
        """The engine's own decision of a record."""
        return decide_case(record.case(self.terms), record.row, self)

    def see(self, record: Record) -> Seen:
        """The same as it is compared."""
        return seen_of(self.decide(record))
