"""Releases: loaded with every check, drafted, published and listed.

It does: decide whether a release folder may serve. It does not: know which one is the champion
(models.promotion does). The rule it keeps: nothing is believed before its digest, its structure and its
golden rows agree; the first failure ends a load with its stage, and whatever was loaded before goes on
serving.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from engine.features import FEATURE_NAMES, FEATURES, contract_digest
from engine.policy import PolicyBook
from engine.release import MANIFEST_NAME, FileDigest, Files, Manifest, Release, ReleaseFacts, Signer
from engine.scoring import Ensemble
from models.candidate import checked_scorer, try_confined
from models.certificate import NotProved, prove
from models.folder import (
    check_names,
    check_sizes,
    folder_names,
    locked,
    read_folder,
    read_manifest,
    write_folder,
)
from models.rejection import ReleaseRejected
from models.signing import ENVELOPE_NAME, MANIFEST_TYPE, Envelope
from models.trust import TRUST_NAME, TrustRoot, read_trust

ROOT: Final = Path(__file__).resolve().parent  # the shipped release travels in the wheel, beside this file

ReadPolicy = Callable[[str], PolicyBook]

# By manifest digest, which stands for every byte of a release, and by who reads its policy.
_READY: Final[dict[tuple[str, ReadPolicy], Release]] = {}


@dataclass(frozen=True, slots=True)
class Contract:
    """The feature contract a release must be made for: names in order, digest of their declarations, directions."""

    features: tuple[str, ...]
    sha256: str
    directions: tuple[int, ...] = ()  # empty: none is declared


@dataclass(frozen=True, slots=True)
class Listed:
    """One release as listed: only its manifest was read; `problem` says why it could not be."""

    name: str
    digest: str | None
    manifest: Manifest | None
    problem: str | None


def engine_contract() -> Contract:
    """The contract of the engine in this process."""
    return Contract(FEATURE_NAMES, contract_digest(), tuple(feature.direction for feature in FEATURES))


def load(
    name: str,
    root: Path = ROOT,
    *,
    digest: str | None = None,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
    trust: TrustRoot | None = None,
) -> Release:
    """The release in root/name after every check, in order; raises ReleaseRejected with the failed stage.

    Stages: name, size, manifest, digest (every file, no other file, no link), trust, signature and validation (of a
    release that says it is signed), contract, model, golden, certificate, policy.
    `digest` is the SHA-256 the manifest must have, as the champion's line states it; a contract left out is the
    engine's own; a trust root left out is the one in root.
    """
    files = read_folder(name, root)
    manifest = parsed_manifest(files[MANIFEST_NAME], name, digest)
    check_digests(manifest, files)
    signers = _signers(manifest, files, trust, root)
    return _release(manifest, files, contract or engine_contract(), read_policy, signers)


def keep_ready(release: Release, read_policy: ReadPolicy = PolicyBook.parse) -> None:
    """Let every later load of the very same bytes, here or in a process forked from here, take what this load made.

    A hint and no more: files, digests, trust, signatures and contract are checked at each load. What the bytes mean is
    not worked out again, and processes share the memory it takes. Any other release loads as ever.
    """
    _READY[release.digest, read_policy] = release


def draft(facts: ReleaseFacts, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The five files of a release: the four given, and the manifest that states facts and digests."""
    digests = {name: FileDigest(sha256=_sha256(data), length=len(data)) for name, data in files.items()}
    stated = facts.model_dump() | {"files": Files.model_validate(digests)}
    return {MANIFEST_NAME: Manifest.model_validate(stated).to_bytes(), **files}


def publish(
    files: Mapping[str, bytes],
    root: Path = ROOT,
    *,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
) -> str:
    """Write a drafted release as a new folder and return its name.

    Raises ReleaseRejected and leaves nothing behind. The draft passes every check of load() before a byte
    is written, but for signatures, which come after: one that says it is signed does not load until it is. Its model
    is read in a confined process first. Its name must be new and its sequence above every release present. The folder
    appears whole, by one rename, flushed to disk.
    """
    check_names(files)
    check_sizes(files)
    manifest = parsed_manifest(files[MANIFEST_NAME])
    if ENVELOPE_NAME in files:
        raise ReleaseRejected("signature", "a release is signed where it lies, once it is published")
    check_digests(manifest, files)
    try_confined(files["model.txt"], files["golden.jsonl"], manifest)
    _release(manifest, files, contract or engine_contract(), read_policy, ())
    with locked(root):
        _check_new(manifest, root)
        write_folder(files, root / manifest.name)
    return manifest.name


def releases(root: Path = ROOT) -> tuple[Listed, ...]:
    """Every release folder by rising sequence, damaged ones last; reads and checks manifests alone."""
    listed = [_listed(name, root) for name in folder_names(root)]
    return tuple(sorted(listed, key=lambda one: one.manifest.sequence if one.manifest else math.inf))


def _release(
    manifest: Manifest,
    files: Mapping[str, bytes],
    contract: Contract,
    read_policy: ReadPolicy,
    signers: tuple[Signer, ...],
) -> Release:
    """The checks of what the files say, one stage after another."""
    if manifest.features != contract.features:
        raise ReleaseRejected("contract", "the release is for other features, or for another order of them")
    if manifest.contract_sha256 != contract.sha256:
        raise ReleaseRejected("contract", "the release is for features of the same names that are declared otherwise")
    digest = _sha256(files[MANIFEST_NAME])
    if (ready := _READY.get((digest, read_policy))) is not None:
        return replace(ready, signers=signers)
    scorer = checked_scorer(files["model.txt"], files["golden.jsonl"], manifest)
    _check_certificate(manifest, scorer.ensemble, contract)
    return Release(
        name=manifest.name,
        digest=digest,
        manifest=manifest,
        policy=_policy(files["policy.toml"], read_policy),
        scorer=scorer,
        model_sha256=manifest.files.model.sha256,
        policy_sha256=manifest.files.policy.sha256,
        signers=signers,
    )


def check_digests(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Every file is the one that the manifest names."""
    for file, stated in manifest.files.named().items():
        if (len(files[file]), _sha256(files[file])) != (stated.length, stated.sha256):
            raise ReleaseRejected("digest", f"{file} is not the file that the manifest names")


def _signers(manifest: Manifest, files: Mapping[str, bytes], trust: TrustRoot | None, root: Path) -> tuple[Signer, ...]:
    """Who signed a release that says it is signed; nobody for one that says it is not."""
    if not manifest.signed:
        if ENVELOPE_NAME in files:
            raise ReleaseRejected("signature", "signatures lie beside a manifest that says it has none")
        return ()
    if ENVELOPE_NAME not in files:
        raise ReleaseRejected("signature", "the release says it is signed, and nobody has signed it yet")
    trust = trust or read_trust(root / TRUST_NAME)
    envelope = read_envelope(files[ENVELOPE_NAME], files[MANIFEST_NAME])
    signers = trust.signers(envelope, (date.fromisoformat(manifest.created_on),))
    check_validation(manifest, {signer.person for signer in signers if signer.role == "trainer"})
    return signers


def read_envelope(data: bytes, manifest: bytes) -> Envelope:
    """The envelope of a manifest's signatures; raises ReleaseRejected (signature) where it is another's."""
    try:
        envelope = Envelope.parse(data)
        content = envelope.content(MANIFEST_TYPE)
    except ValueError as error:
        raise ReleaseRejected("signature", f"{ENVELOPE_NAME} is malformed") from error
    if content != manifest:
        raise ReleaseRejected("signature", "the signatures are over another manifest")
    return envelope


def check_validation(manifest: Manifest, trainers: Collection[str]) -> None:
    """The record is of this very model, by somebody other than those who sign as its trainers."""
    record = manifest.validation
    if record is None or record.model_sha256 != manifest.files.model.sha256:
        raise ReleaseRejected("validation", "the validation record is not of this model")
    names = {person.casefold() for person in trainers}
    if record.trained_by.casefold() not in names:
        raise ReleaseRejected("validation", f"{record.trained_by} trained the model and has not signed as trainer")
    if record.validated_by.casefold() in names:
        raise ReleaseRejected("validation", f"{record.validated_by} signs as trainer and cannot validate")


def parsed_manifest(data: bytes, name: str | None = None, digest: str | None = None) -> Manifest:
    """The manifest under the digest and the name it must have."""
    if digest is not None and _sha256(data) != digest:
        raise ReleaseRejected("manifest", "the manifest is not the one that was promoted")
    try:
        manifest = Manifest.parse(data)
    except ValueError as error:
        raise ReleaseRejected("manifest", str(error)) from error
    if name is not None and manifest.name != name:
        raise ReleaseRejected("manifest", f"the manifest in {name} names another release")
    return manifest


def _check_certificate(manifest: Manifest, ensemble: Ensemble, contract: Contract) -> None:
    """A certificate that is stated is proved anew (40 ms for 250 trees); one that is not claims nothing."""
    if manifest.certificate is None:
        return
    directions = contract.directions or (0,) * len(contract.features)
    try:
        proved = prove(ensemble, directions)
    except NotProved as broken:
        raise ReleaseRejected("certificate", str(broken)) from broken
    if proved != manifest.certificate:
        raise ReleaseRejected("certificate", "the certificate states another proof than the trees give")


def _policy(data: bytes, read_policy: ReadPolicy) -> PolicyBook:
    try:
        return read_policy(data.decode("utf-8"))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ReleaseRejected("policy", str(error)) from error


def _check_new(manifest: Manifest, root: Path) -> None:
    """The name is free and the sequence the highest; a damaged neighbour, of unknown sequence, blocks."""
    if (root / manifest.name).exists():
        raise ReleaseRejected("name", f"{manifest.name} exists already: a release is never written twice")
    for other in releases(root):
        if other.manifest is None:
            raise ReleaseRejected("sequence", f"{other.name} is damaged, so its sequence is unknown: {other.problem}")
        if other.manifest.sequence >= manifest.sequence:
            raise ReleaseRejected("sequence", f"{other.name} has the sequence {other.manifest.sequence} already")


def _listed(name: str, root: Path) -> Listed:
    try:
        data = read_manifest(name, root)
        return Listed(name, _sha256(data), parsed_manifest(data, name), None)
    except ReleaseRejected as refusal:
        return Listed(name, None, None, str(refusal))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
