"""The manifest as a value: frozen all through, and the same bytes again after a reading."""

import pytest

from engine.release import FILE_NAMES, Manifest
from tests.models.conftest import Draft


def test_a_manifest_reads_back_to_the_same_value_and_bytes(trained: Draft) -> None:
    """Floats keep every bit, the four files stand under their own names."""
    manifest = Manifest.parse(trained.named("first", 1)["manifest.json"])
    again = Manifest.parse(manifest.to_bytes())
    assert again == manifest
    assert again.calibration == trained.facts.calibration
    assert tuple(again.files.named()) == FILE_NAMES
    assert again.files.named()["model.txt"].length == len(trained.files["model.txt"])


def test_nothing_in_a_manifest_can_be_changed(trained: Draft) -> None:
    """Neither a field nor a metric: what was checked is what is used."""
    manifest = Manifest.parse(trained.named("first", 1)["manifest.json"])
    with pytest.raises(ValueError, match="frozen"):
        manifest.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        manifest.training.metrics["auc"] = 1.0  # type: ignore[index]


def test_more_bads_than_rows_cannot_be_stated(trained: Draft) -> None:
    """Training facts contradicting themselves are refused when they are built."""
    stated = trained.facts.training.model_dump() | {"bads": trained.facts.training.rows + 1}
    with pytest.raises(ValueError, match="more bads than rows"):
        type(trained.facts.training)(**stated)
