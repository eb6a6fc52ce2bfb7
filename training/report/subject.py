"""A draft or a release as the report reads it: what it is, who stands for it, and the model itself.

It does: read a folder, a release with every check that loading runs. It does not: compute figures. The rule it keeps:
a release whose signatures are missing or cannot be checked is told as such; one that fails any other check is refused.
"""

import json
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import lightgbm

import models
from engine.features import FEATURE_NAMES, FEATURES
from engine.policy import PolicyBook
from engine.release import MANIFEST_NAME, Manifest
from engine.scoring import Calibration, ModelRejected, Scorer
from training.audit import Report as AuditReport
from training.audit import Waiver
from training.audit.kept import AUDIT_FILE
from training.evaluation.judgement import Judgement
from training.folder import DRAFT_FILE, neither
from training.publishing import JUDGEMENT_FILE
from training.report.content import Audited, Governance, Identity, Signature

_UNSIGNED = "Unsigned. Nobody has signed for this model as trainer, validator or approver."
_DRAFT = "Unsigned: a draft. Nobody has signed for it; signatures go on the release that it may become."
# What decides how a fit goes; the rest of LightGBM's parameters are its defaults or name the machine.
_PARAMETERS = (
    "boosting", "learning_rate", "num_leaves", "max_depth", "min_data_in_leaf", "min_sum_hessian_in_leaf", "lambda_l1",
    "lambda_l2", "min_gain_to_split", "feature_fraction", "bagging_fraction", "bagging_freq", "max_bin",
    "monotone_constraints_method", "path_smooth", "zero_as_missing", "seed", "num_threads", "deterministic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """One model and all that its folder tells."""

    identity: Identity
    governance: Governance
    features: tuple[str, ...]
    scorer: Scorer
    calibration: Calibration
    parameters: tuple[tuple[str, str], ...]
    told: dict[str, Any]
    """The draft's own file; of a release, its manifest."""
    policy: PolicyBook | None
    judgement: Judgement | None
    audit: Audited | None
    card: str

    @property
    def decides(self) -> bool:
        """Whether its inputs are the engine's features, so that it can decide."""
        return self.features == FEATURE_NAMES

    def directions(self, given: tuple[int, ...] | None) -> tuple[int, ...]:
        """The declared directions: the catalogue's, the examples', or else those the model was told to keep."""
        if self.decides:
            return tuple(feature.direction for feature in FEATURES)
        return given or self.scorer.ensemble.monotone or (0,) * len(self.features)


def read_subject(folder: Path, trust: Path | None = None) -> Subject:
    """The model of a draft's or a release's folder; ValueError where it is neither, or its files are not sound."""
    try:
        if (folder / MANIFEST_NAME).is_file():
            return _release(folder, trust)
        if (folder / DRAFT_FILE).is_file():
            return _draft(folder)
    except (ModelRejected, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder} cannot be read: {error}") from None
    raise neither(folder)


def _draft(folder: Path) -> Subject:
    told = json.loads((folder / DRAFT_FILE).read_bytes())
    text = (folder / "model.txt").read_text()
    scored = told.get("scorecard")
    kept = folder / JUDGEMENT_FILE
    made_up = "(synthetic)" in told["training"]["data_description"] or bool(scored and scored["example"])
    return _subject(
        text, told,
        identity=Identity(
            name=folder.resolve().name, kind="expert scorecard draft" if scored else "draft",
            model_sha256=sha256(text.encode()).hexdigest(), manifest_sha256="", policy="", policy_sha256="",
            created_on="", not_before="", sequence=None, synthetic=made_up, notes="",
        ),
        governance=Governance(state=_DRAFT, signed=False, signatures=(), validation=None, replay=None), policy=None,
        judgement=Judgement.model_validate_json(kept.read_bytes()) if kept.is_file() else None,
        audit=_audit(folder), card="",
    )  # fmt: skip


def _release(folder: Path, trust: Path | None) -> Subject:
    place = folder.resolve()
    governance, manifest = _standing(place, trust)
    book, files = PolicyBook.parse((place / "policy.toml").read_text()), manifest.files
    return _subject(
        (place / "model.txt").read_text(), manifest.model_dump(mode="json"),
        identity=Identity(
            name=manifest.name, kind="release", model_sha256=files.model.sha256,
            manifest_sha256=sha256(manifest.to_bytes()).hexdigest(), policy=book.on(date.max).name,
            policy_sha256=files.policy.sha256, created_on=manifest.created_on, not_before=manifest.not_before or "",
            sequence=manifest.sequence, synthetic=manifest.synthetic, notes=manifest.notes,
        ),
        governance=governance, policy=book, judgement=None, audit=None, card=(place / "card.md").read_text(),
    )  # fmt: skip


def _standing(place: Path, trust: Path | None) -> tuple[Governance, Manifest]:
    """Who stands for a release, and its manifest; signatures that are missing or not to be checked are told."""
    signatures: tuple[Signature, ...] = ()
    try:
        release = models.load(place.name, place.parent, trust=models.read_trust(trust) if trust else None)
    except models.ReleaseRejected as error:
        if error.stage not in {"signature", "trust"}:
            raise ValueError(str(error)) from None
        manifest, envelope = models.waiting_envelope(place.name, place.parent)
        state = f"Not approved: {len(envelope.signatures)} signatures lie beside the manifest, and {error.reason}."
    else:
        manifest = release.manifest
        signatures = tuple(Signature(person=s.person, role=s.role, key_id=s.key_id) for s in release.signers)
        state = "Signed by trainer and approver, checked against the trust root." if signatures else _UNSIGNED
    stands = Governance(
        state=state, signed=bool(signatures), signatures=signatures, validation=manifest.validation,
        replay=manifest.replay,
    )  # fmt: skip
    return stands, manifest


def _subject(text: str, told: dict[str, Any], **rest: Any) -> Subject:
    features = tuple(told["features"])
    return Subject(
        features=features, scorer=Scorer(text, features), calibration=Calibration.model_validate(told["calibration"]),
        parameters=_parameters(text), told=told, **rest,
    )  # fmt: skip


def _parameters(text: str) -> tuple[tuple[str, str], ...]:
    """What the model's own text says it was grown with; a scorecard, which was compiled, says nothing."""
    said = lightgbm.Booster(model_str=text).params or {}
    return tuple((name, str(said[name])) for name in _PARAMETERS if name in said)


def _audit(folder: Path) -> Audited | None:
    file = folder / AUDIT_FILE
    if not file.is_file():
        return None
    told = json.loads(file.read_bytes())
    return Audited(
        report=AuditReport.model_validate_json(json.dumps(told["report"])),
        waivers=tuple(Waiver.model_validate_json(json.dumps(waiver)) for waiver in told["waivers"]),
    )
