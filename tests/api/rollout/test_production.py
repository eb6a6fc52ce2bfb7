"""`creditline serve` outside development: a signed release serves, a signed one is tried; nothing pretended is."""

import shutil
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import models
from api.contracts import rendering
from engine.release import Release, Validation
from models import rollout as rollouts
from models.signing import MANIFEST_TYPE, ROLLOUT_TYPE
from tests.api.advice.test_contacts import WHOLE
from tests.models.test_signing import key, trusted
from tests.support.rollouts import PLAN, facts_of, files
from tests.support.server import environment, serving
from tests.support.service import market_bodies
from training.signing import sign

TODAY = datetime.now(UTC).date()
DAYS = {"start": (TODAY - timedelta(days=300)).isoformat(), "end": (TODAY + timedelta(days=300)).isoformat()}
TRUST = models.TrustRoot(version=1, keys=(trusted("ada", "trainer", **DAYS), trusted("ben", "approver", **DAYS)))
SERVE = ("-m", "api.cli", "serve")


def signed(root: Path, name: str, sequence: int, shift: float) -> None:
    """A release of the lender's own, trained by Ada, validated by Vera, signed by Ada and Ben."""
    record = {
        "validated_by": "vera", "trained_by": "ada", "validated_on": (TODAY - timedelta(days=9)).isoformat(),
        "review_on": (TODAY + timedelta(days=99)).isoformat(), "examined": "the whole of it",
        "model_sha256": facts_model(), "conclusion": "fit for use within the limits", "limits": ("a test",),
    }  # fmt: skip
    proved = models.prove(models.load("synthetic-2026-11").scorer.ensemble, models.engine_contract().directions)
    facts = facts_of(
        name, sequence, shift, synthetic=False, signed=True, created_on=TODAY.isoformat(), certificate=proved,
        validation=Validation.model_validate(record),
    )  # fmt: skip
    models.publish(models.draft(facts, files()), root)
    for person in ("ada", "ben"):
        _, envelope = models.waiting_envelope(name, root)
        models.add_signature(name, root, sign(key(person), envelope, MANIFEST_TYPE), TRUST)


def facts_model() -> str:
    """The digest of the shipped model."""
    release: Release = models.load("synthetic-2026-11")
    return release.model_sha256


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that production needs, as files: releases, trust root, contract, contacts."""
    folder = tmp_path_factory.mktemp("lender")
    (folder / "releases").mkdir()
    (folder / "checkpoints").mkdir()
    for sequence, (name, shift) in enumerate((("own", 0.0), ("own-strict", 1.5)), start=1):
        signed(folder / "releases", name, sequence, shift)
    models.promote("own", folder / "releases", trust=TRUST)
    shutil.copytree(models.ROOT / "synthetic-2026-11", folder / "releases" / "synthetic-2026-11")
    (folder / "trust.json").write_bytes(models.first_root(TRUST))
    (folder / "contacts.toml").write_text(WHOLE)
    shutil.copytree(Path(rendering.__file__).parent / "template", folder / "contract")
    for text in (folder / "contract").iterdir():
        text.write_text(text.read_text().removeprefix(rendering.MARK).lstrip())
    return folder


def settings(lender: Path) -> dict[str, str]:
    """The environment of production, without any source: nobody is asked, so everybody is referred."""
    thirty_two = b64encode(bytes(range(32))).decode()
    return {
        "CREDITLINE_DEVELOPMENT": "0", "CREDITLINE_RELEASES": str(lender / "releases"),
        "CREDITLINE_TRUST": str(lender / "trust.json"), "CREDITLINE_INDEX_KEY": "i" * 32,
        "CREDITLINE_SEAL_KEYS": f"new:{thirty_two}", "CREDITLINE_ORIGIN": "https://credit.example",
        "CREDITLINE_LENDER_NAME": "Sample Lender Pty Ltd", "CREDITLINE_CONTRACT_TEMPLATE": str(lender / "contract"),
        "CREDITLINE_CONTACTS": str(lender / "contacts.toml"), "CREDITLINE_SMTP": "smtps://127.0.0.1:9",
        "CREDITLINE_MAIL_FROM": "credit@lender.example", "CREDITLINE_STAFF_MAIL": "team@lender.example",
        "CREDITLINE_CHECKPOINTS": str(lender / "checkpoints"), "CREDITLINE_CHECKPOINT_KEY": thirty_two,
        "CREDITLINE_RECEIPT_KEY": thirty_two, "CREDITLINE_PAGE_URL": "https://apply.lender.example",
    }  # fmt: skip


def eventually(found: Callable[[], Any]) -> Any:
    """What comes within some seconds."""
    give_up = time.monotonic() + 20
    while not (value := found()):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return value


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in the file."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        return connection.execute(query).fetchall()


def test_a_signed_release_serves_and_a_signed_challenger_is_tried(
    sqlite_url: str, tmp_path: Path, lender: Path, market: Path
) -> None:
    """It gets ready, decides under the lender's own release, shadows once two people signed, and takes the next up."""
    releases = lender / "releases"
    with serving(sqlite_url, tmp_path, None, SERVE, settings(lender)) as server:
        assert server.ask("GET", "/ready", secret=None).json() == {"status": "ready", "release": "own"}
        assert "development" not in server.log.lower()
        bodies = market_bodies(market)
        first = server.apply(bodies[0])
        assert (first.status_code, first.json()["outcome"]) == (201, "refer")  # there is no source to ask

        stated = PLAN | {"stages": (10_000,), "up_to": 10_000, "stated_on": TODAY.isoformat()}
        champion, challenger = (models.load(name, releases, trust=TRUST) for name in ("own", "own-strict"))
        assert not rollouts.start(rollouts.new_plan(champion, challenger, **stated), releases, trust=TRUST)
        for person in ("ada", "ben"):
            envelope, _ = rollouts.waiting_plan(releases)
            rollouts.add_rollout_signature(sign(key(person), envelope, ROLLOUT_TYPE), releases, TRUST)
        (told,) = eventually(lambda: rows(sqlite_url, "SELECT body FROM audit WHERE body LIKE '%rollout_stage%'"))
        assert trusted("ben", "approver").key_id in told[0]  # whoever checked it stands in the chain
        second = server.apply(bodies[1])
        assert second.status_code == 201
        (beside,) = eventually(lambda: rows(sqlite_url, "SELECT release_name, arm FROM shadow"))
        assert beside == ("own-strict", "challenger")

        models.promote("own-strict", releases, trust=TRUST)
        eventually(lambda: server.ask("GET", "/ready", secret=None).json()["release"] == "own-strict")
        for decided in (first, second):
            replayed = server.ask("GET", f"/v1/decisions/{decided.json()['decision_id']}/replay").json()
            assert (replayed["match"], replayed["release"]) == (True, "own")

        # Somebody who can write the folder points it at what was never signed: it is not taken up.
        line = (releases / "CHAMPION").read_text()
        synthetic = models.load("synthetic-2026-11", releases)
        (releases / "CHAMPION").write_text(f"{synthetic.name} {synthetic.digest}\n")
        eventually(lambda: '"release_refused"' in server.log)
        assert server.ask("GET", "/ready", secret=None).json()["release"] == "own-strict"
        (releases / "CHAMPION").write_text(line)
    assert "Traceback" not in server.log


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"CREDITLINE_RELEASE": "synthetic-2026-11"}, "is synthetic or unsigned"),
        ({"CREDITLINE_TRUST": "/nowhere/trust.json"}, "cannot be read"),
        ({"CREDITLINE_MARKET": "market"}, "made-up sources may only be served in development"),
    ],
)
def test_the_pretended_is_refused_before_anything_is_served(
    sqlite_url: str, tmp_path: Path, lender: Path, market: Path, change: dict[str, str], told: str
) -> None:
    """A synthetic release, no trust root, a market instead of sources: one line, and a process that ends."""
    change = {name: str(market) if value == "market" else value for name, value in change.items()}
    variables = environment(sqlite_url, **(settings(lender) | change))
    ended = subprocess.run(
        [sys.executable, *SERVE], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
