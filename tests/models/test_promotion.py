"""The champion: one line that names a release beyond doubt, promoted and rolled back by one rename."""

import os
from pathlib import Path

import pytest

from engine.release import Release
from models import Line, ReleaseRejected, champion, champion_line, promote, publish, rollback
from tests.models.conftest import CONTRACT, Draft, read_policy, watch


@pytest.fixture
def root(trained: Draft, tmp_path: Path) -> Path:
    """A root with three published releases and no champion."""
    for sequence, name in enumerate(("first", "second", "third"), start=1):
        publish(trained.named(name, sequence), tmp_path, contract=CONTRACT, read_policy=read_policy)
    return tmp_path


def _champion(root: Path) -> Release:
    return champion(root, contract=CONTRACT, read_policy=read_policy)


def _promote(root: Path, name: str) -> Release:
    return promote(name, root, contract=CONTRACT, read_policy=read_policy)


def _rollback(root: Path) -> Release:
    return rollback(root, contract=CONTRACT, read_policy=read_policy)


def test_without_a_promotion_there_is_no_champion(root: Path) -> None:
    """Publishing makes nobody champion, and there is nothing to go back to."""
    assert champion_line(root) is None
    for act in (_champion, _rollback):
        with pytest.raises(ReleaseRejected) as refusal:
            act(root)
        assert refusal.value.stage == "champion"


def test_the_line_holds_name_and_manifest_digest(root: Path) -> None:
    """The first promotion writes one line."""
    release = _promote(root, "first")
    assert (root / "CHAMPION").read_text() == f"first {release.digest}\n"
    assert champion_line(root) == Line("first", release.digest)
    assert _champion(root).digest == release.digest


def test_rollback_changes_the_last_two_about(root: Path) -> None:
    """Going back restores the line before, going back again undoes that."""
    for name in ("first", "second", "third"):
        _promote(root, name)
    assert len((root / "CHAMPION").read_text().splitlines()) == 2
    assert _rollback(root).name == "second"
    assert _champion(root).name == "second"
    assert _rollback(root).name == "third"


def test_promoting_the_champion_again_keeps_the_way_back(root: Path) -> None:
    """It changes nothing, the remembered one included."""
    _promote(root, "first")
    _promote(root, "second")
    before = (root / "CHAMPION").read_bytes()
    _promote(root, "second")
    assert (root / "CHAMPION").read_bytes() == before


def test_a_manifest_changed_after_promotion_is_refused(root: Path, trained: Draft) -> None:
    """A flipped byte, and a manifest made anew with every digest right, are not what was promoted."""
    _promote(root, "first")
    path = root / "first" / "manifest.json"
    good = path.read_bytes()
    path.write_bytes(good.replace(b'"synthetic":true', b'"synthetic":fals'))
    with pytest.raises(ReleaseRejected, match="promoted"):
        _champion(root)
    path.write_bytes(trained.with_facts(synthetic=False)["manifest.json"])
    with pytest.raises(ReleaseRejected, match="promoted"):
        _champion(root)
    path.write_bytes(good)
    assert _champion(root).name == "first"


def test_a_bad_release_is_never_promoted(root: Path) -> None:
    """The old champion stays, its file untouched."""
    _promote(root, "first")
    before = (root / "CHAMPION").read_bytes()
    (root / "second" / "card.md").write_bytes(b"changed")
    for name, stage in (("second", "digest"), ("missing", "name")):
        with pytest.raises(ReleaseRejected) as refusal:
            _promote(root, name)
        assert refusal.value.stage == stage
    assert (root / "CHAMPION").read_bytes() == before


def test_a_release_damaged_since_is_not_gone_back_to(root: Path) -> None:
    """A rollback makes every check first, and leaves the champion where it fails."""
    _promote(root, "first")
    _promote(root, "second")
    (root / "first" / "model.txt").write_bytes(b"tree\n")
    with pytest.raises(ReleaseRejected) as refusal:
        _rollback(root)
    assert refusal.value.stage == "digest"
    assert _champion(root).name == "second"


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "first", "first abc\n", "first {0}", "first {0}\n\n", " first {0}\n"),
        *("first {0}\n" * 3, "../first {0}\n", "first {0}\r\n", "x" * 5000),
    ],
)
def test_a_damaged_line_is_refused(text: str, root: Path) -> None:
    """Nothing is guessed from a file that is not one or two whole lines."""
    (root / "CHAMPION").write_text(text.format("a" * 64), newline="")
    with pytest.raises(ReleaseRejected) as refusal:
        _champion(root)
    assert refusal.value.stage == "champion"


def test_a_crash_while_promoting_leaves_the_old_champion(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the rename nothing has changed; the draft left by a crash does not stop the next promotion."""
    _promote(root, "first")
    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _promote(root, "second")
    assert _champion(root).name == "first"
    assert _promote(root, "second").name == "second"
    assert _rollback(root).name == "first"


def test_the_line_is_flushed_before_and_after_it_appears(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new line reaches the disk, takes its place, and the folder reaches the disk."""
    events: list[str] = []
    watch(monkeypatch, os, "fsync", events)
    watch(monkeypatch, Path, "replace", events)
    _promote(root, "first")
    assert events == ["fsync", "replace", "fsync"]
