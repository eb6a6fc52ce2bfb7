"""Releases, and the only code that reads or writes them.

A release is one folder with one name: digests go out with it and are checked on the way in; one line in
CHAMPION says which one serves. Imports engine/, nothing else of ours. No pickle and nothing like it:
text, JSON and TOML alone.
"""

from models.certificate import Finding, NotProved, Witness, certify, prove
from models.fingerprint import engine_digest
from models.golden import choose_rows, golden_bytes
from models.promotion import Line, champion, champion_line, promote, rollback
from models.rejection import ReleaseRejected, Stage
from models.store import ROOT, Contract, Listed, draft, engine_contract, load, publish, releases

__all__ = [
    "ROOT",
    "Contract",
    "Finding",
    "Line",
    "Listed",
    "NotProved",
    "ReleaseRejected",
    "Stage",
    "Witness",
    "certify",
    "champion",
    "champion_line",
    "choose_rows",
    "draft",
    "engine_contract",
    "engine_digest",
    "golden_bytes",
    "load",
    "promote",
    "prove",
    "publish",
    "releases",
    "rollback",
]
