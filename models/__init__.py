"""Releases, and the only code that reads or writes them.

A release is one folder with one name: digests go out with it and are checked on the way in; one line in
CHAMPION says which one serves. Imports engine/, nothing else of ours. No pickle and nothing like it:
text, JSON and TOML alone.
"""

from models.approval import RollbackStatement, add_signature, highest, waiting_envelope
from models.certificate import Finding, NotProved, Witness, certify, prove
from models.engines import EngineFailed, PastEngine, past_engine
from models.fingerprint import engine_digest
from models.golden import choose_rows, golden_bytes
from models.promotion import Line, champion, champion_line, promote, rollback, serving
from models.rejection import ReleaseRejected, Stage
from models.rollout import Plan, Rollout
from models.signing import Envelope, Signature
from models.store import ROOT, Contract, Listed, draft, engine_contract, keep_ready, load, publish, releases
from models.trust import TRUST_NAME, TrustedKey, TrustRoot, check_successor, first_root, read_trust

__all__ = [
    "ROOT",
    "TRUST_NAME",
    "Contract",
    "EngineFailed",
    "Envelope",
    "Finding",
    "Line",
    "Listed",
    "NotProved",
    "PastEngine",
    "Plan",
    "ReleaseRejected",
    "RollbackStatement",
    "Rollout",
    "Signature",
    "Stage",
    "TrustRoot",
    "TrustedKey",
    "Witness",
    "add_signature",
    "certify",
    "champion",
    "champion_line",
    "check_successor",
    "choose_rows",
    "draft",
    "engine_contract",
    "engine_digest",
    "first_root",
    "golden_bytes",
    "highest",
    "keep_ready",
    "load",
    "past_engine",
    "promote",
    "prove",
    "publish",
    "read_trust",
    "releases",
    "rollback",
    "serving",
    "waiting_envelope",
]
