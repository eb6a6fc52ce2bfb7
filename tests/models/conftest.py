"""A small real release for the tests of models/, trained once a session on random data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.policy import PolicyBook
from engine.release import Calibration, ReleaseFacts, TrainingFacts
from engine.scoring import parse_model
from models import Contract, choose_rows, draft, golden_bytes

NAMES = tuple(f"feature_{index}" for index in range(8))
CONTRACT = Contract(NAMES, "c" * 64)


def read_policy(text: str) -> PolicyBook:
    """A policy book of any TOML table: what the book says is not these tests' matter."""
    return PolicyBook.model_construct(schema_version=1, effective_from=date(2026, 1, 1), base=tomllib.loads(text))


@dataclass(frozen=True)
class Draft:
    """The facts and files of a release that was not written yet, with the rows and booster it came from."""

    facts: ReleaseFacts
    files: Mapping[str, bytes]
    rows: NDArray[np.float64]
    booster: lightgbm.Booster

    def named(self, name: str, sequence: int) -> dict[str, bytes]:
        """All five files, under another name and sequence."""
        return draft(self.facts.model_copy(update={"name": name, "sequence": sequence}), self.files)

    def with_file(self, file: str, data: bytes) -> dict[str, bytes]:
        """All five files with one replaced and the manifest's digest of it made anew."""
        return draft(self.facts, {**self.files, file: data})

    def with_facts(self, **changes: object) -> dict[str, bytes]:
        """All five files with other facts in the manifest."""
        return draft(self.facts.model_copy(update=changes), self.files)


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Put files into a folder as they are, past every check that publish() makes."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (folder / file).write_bytes(data)


def watch(monkeypatch: pytest.MonkeyPatch, place: object, name: str, events: list[str]) -> None:
    """Let a function do its work and write its name down."""
    original = getattr(place, name)

    def noted(*arguments: object) -> object:
        events.append(name)
        return original(*arguments)

    monkeypatch.setattr(place, name, noted)


def make_draft(seed: int) -> Draft:
    """Train a model of 14 trees with missing values and a category, and draft its release."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(900, len(NAMES)))
    rows[:, 2] = rng.integers(0, 40, len(rows))
    rows[:, :2][rng.random((len(rows), 2)) < 0.2] = np.nan
    latent = np.nan_to_num(rows[:, 0]) + 2 * np.isin(rows[:, 2], [1, 5, 7, 11, 33]) + rows[:, 3] * rows[:, 4]
    outcome = (latent + rng.normal(size=len(rows)) > 1).astype(np.int64)
    parameters = {
        **{"objective": "binary", "num_leaves": 8, "verbose": -1, "num_threads": 1, "seed": seed},
        **{"min_data_per_group": 5, "cat_smooth": 1},
    }
    data = lightgbm.Dataset(rows, outcome, feature_name=list(NAMES), categorical_feature=[2])
    booster = lightgbm.train(parameters, data, 14)
    text = booster.model_to_string()
    chosen = choose_rows(parse_model(text), rows, least=60)
    golden = golden_bytes(
        chosen,
        np.asarray(booster.predict(chosen, raw_score=True, num_threads=1)),
        np.asarray(booster.predict(chosen, pred_contrib=True, num_threads=1)),
    )
    facts = ReleaseFacts(
        name="first",
        sequence=1,
        created_on="2026-11-20",
        synthetic=True,
        lightgbm_version=lightgbm.__version__,
        objective="binary sigmoid:1",
        features=NAMES,
        contract_sha256=CONTRACT.sha256,
        calibration=Calibration(slope=0.9, intercept=-0.1),
        training=TrainingFacts(
            data_description="random rows of a test",
            data_sha256="d" * 64,
            seed=seed,
            rows=len(rows),
            bads=int(outcome.sum()),
            metrics={"auc": 0.8125},
        ),
    )
    files = {
        "model.txt": text.encode(),
        "policy.toml": b'name = "test"\n',
        "golden.jsonl": golden,
        "card.md": "# First\n\nA model – on random data.\n".encode(),
    }
    return Draft(facts, files, rows, booster)


@pytest.fixture(scope="session")
def trained() -> Draft:
    """The draft of one release."""
    return make_draft(11)
