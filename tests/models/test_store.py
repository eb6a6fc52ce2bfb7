"""Loading, publishing and listing releases: every stage of a load; a publication is whole or nothing."""

import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from engine.policy import PolicyBook
from engine.release import Manifest, Release
from engine.scoring import score
from models import Contract, ReleaseRejected, keep_ready, load, publish, releases
from models import store as store_module
from tests.models.conftest import CONTRACT, NAMES, Draft, read_policy, watch, write


def _load(root: Path, name: str = "first", digest: str | None = None, contract: Contract = CONTRACT) -> Release:
    return load(name, root, digest=digest, contract=contract, read_policy=read_policy)


def _publish(files: dict[str, bytes], root: Path) -> str:
    return publish(files, root, contract=CONTRACT, read_policy=read_policy)


def _refused(files: dict[str, bytes], root: Path) -> str:
    """The stage that refuses these files, put down past publish()."""
    write(files, root / "first")
    with pytest.raises(ReleaseRejected) as refusal:
        _load(root)
    return refusal.value.stage


def test_a_published_release_loads_with_all_it_says(trained: Draft, tmp_path: Path) -> None:
    """What was drafted comes back: names, digests, policy, and scores with the booster's own bits."""
    files = trained.named("first", 1)
    assert _publish(files, tmp_path) == "first"
    release = _load(tmp_path)
    assert (release.name, release.manifest.sequence, release.manifest.features) == ("first", 1, NAMES)
    assert release.digest == hashlib.sha256(files["manifest.json"]).hexdigest()
    assert release.model_sha256 == hashlib.sha256(files["model.txt"]).hexdigest()
    assert release.policy_sha256 == hashlib.sha256(files["policy.toml"]).hexdigest()
    assert release.policy.base == {"name": "test"}
    raws = np.asarray(trained.booster.predict(trained.rows, raw_score=True, num_threads=1))
    assert release.scorer.raw_many(trained.rows).tolist() == raws.tolist()
    found = score(trained.rows[0], release.scorer, release.calibration, (("A", 0.5), ("B", 1.0)))
    assert found.raw == raws[0]
    assert [name for name, _ in found.contributions] == list(NAMES)


def test_what_was_kept_ready_serves_the_same_bytes_and_nothing_else(
    trained: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later load of the same files takes the model as it is; a changed byte, another contract or release does not."""
    monkeypatch.setattr(store_module, "_READY", {})
    for name, sequence in (("first", 1), ("second", 2)):
        _publish(trained.named(name, sequence), tmp_path)
    kept = _load(tmp_path)
    keep_ready(kept, read_policy)
    again, other = _load(tmp_path), _load(tmp_path, "second")
    assert again == kept
    assert again.scorer is kept.scorer
    assert other.scorer is not kept.scorer
    assert other.scorer.raw(trained.rows[0]) == kept.scorer.raw(trained.rows[0])
    with pytest.raises(ReleaseRejected, match="declared otherwise"):
        _load(tmp_path, contract=Contract(CONTRACT.features, "0" * 64))
    model = tmp_path / "first" / "model.txt"
    model.chmod(0o600)
    model.write_bytes(model.read_bytes().replace(b"leaf_value=", b"leaf_value=-", 1))
    with pytest.raises(ReleaseRejected, match="is not the file that the manifest names"):
        _load(tmp_path)


def test_the_folder_holds_the_five_files_and_nothing_else(trained: Draft, tmp_path: Path) -> None:
    """After a publication no draft is left, and every byte is as drafted."""
    files = trained.named("first", 1)
    _publish(files, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["first"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()} == files


@pytest.mark.parametrize("file", ["model.txt", "policy.toml", "golden.jsonl", "card.md"])
def test_a_flipped_bit_in_any_file_is_refused_by_its_digest(file: str, trained: Draft, tmp_path: Path) -> None:
    """One bit in any of the four files, at either end or in the middle."""
    for place in (0, len(trained.files[file]) // 2, -1):
        files = trained.named("first", 1)
        data = bytearray(files[file])
        data[place] ^= 1
        assert _refused({**files, file: bytes(data)}, tmp_path) == "digest"


@pytest.mark.parametrize("file", ["model.txt", "policy.toml", "golden.jsonl", "card.md", "manifest.json"])
def test_a_missing_file_is_refused(file: str, trained: Draft, tmp_path: Path) -> None:
    """All five belong to a release, the card too."""
    files = trained.named("first", 1)
    del files[file]
    assert _refused(files, tmp_path) == "digest"
    with pytest.raises(ReleaseRejected):
        _publish(files, tmp_path / "first")


@pytest.mark.parametrize("kind", ["file", "hidden file", "folder", "link"])
def test_anything_beside_the_five_files_is_refused(kind: str, trained: Draft, tmp_path: Path) -> None:
    """A file, a folder or a link that the manifest does not name has no place in a release."""
    folder = tmp_path / "first"
    write(trained.named("first", 1), folder)
    if kind == "folder":
        (folder / "extra").mkdir()
    elif kind == "link":
        (folder / "extra").symlink_to(folder / "card.md")
    else:
        (folder / (".extra" if kind == "hidden file" else "extra.txt")).write_bytes(b"")
    with pytest.raises(ReleaseRejected, match="does not belong") as refusal:
        _load(tmp_path)
    assert refusal.value.stage == "digest"


def test_links_and_pipes_in_place_of_files_are_refused(trained: Draft, tmp_path: Path) -> None:
    """A link to the right bytes could point elsewhere tomorrow; a pipe would hold the loader for ever."""
    folder = tmp_path / "first"
    write(trained.named("first", 1), folder)
    (folder / "model.txt").rename(tmp_path / "elsewhere.txt")
    (folder / "model.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(ReleaseRejected, match="no plain file"):
        _load(tmp_path)
    (folder / "model.txt").unlink()
    os.mkfifo(folder / "model.txt")
    with pytest.raises(ReleaseRejected, match="no plain file"):
        _load(tmp_path)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../first", "first/", "/etc", "First", "a" * 65, "a b", "first\n", ".hidden"]
)
def test_a_name_that_could_leave_the_folder_is_refused(name: str, trained: Draft, tmp_path: Path) -> None:
    """Names are lower-case words; nothing else is even looked up."""
    write(trained.named("first", 1), tmp_path / "first")
    with pytest.raises(ReleaseRejected) as refusal:
        _load(tmp_path, name)
    assert refusal.value.stage == "name"


def test_an_unknown_name_and_a_linked_folder_are_refused(trained: Draft, tmp_path: Path) -> None:
    """A release is a real folder under its root."""
    write(trained.named("first", 1), tmp_path / "outside" / "first")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "first").symlink_to(tmp_path / "outside" / "first")
    for name in ("first", "second"):
        with pytest.raises(ReleaseRejected) as refusal:
            _load(tmp_path / "root", name)
        assert refusal.value.stage == "name"


def test_a_file_above_its_cap_is_refused_unread(trained: Draft, tmp_path: Path) -> None:
    """A sparse file of a gigabyte is refused for its size, whatever the digests say."""
    write(trained.named("first", 1), tmp_path / "first")
    os.truncate(tmp_path / "first" / "model.txt", 1 << 30)
    with pytest.raises(ReleaseRejected) as refusal:
        _load(tmp_path)
    assert refusal.value.stage == "size"


def _edited(data: bytes, **changes: object) -> bytes:
    stated = json.loads(data) | changes
    return json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "change",
    [
        *(
            {"name": "second"},
            {"name": "../first"},
            {"sequence": 0},
            {"sequence": "1"},
            {"schema_version": 2},
        ),
        *({"signed": True}, {"surprise": 1}, {"created_on": "2026-02-30"}, {"created_on": "20 Nov"}),
        *({"features": []}, {"features": ["a", "a"]}, {"features": ["a b"]}, {"contract_sha256": "x"}),
        *({"calibration": {"slope": -1.0, "intercept": 0.0}}, {"files": {}}, {"synthetic": "no"}),
    ],
)
def test_a_manifest_that_says_something_impossible_is_refused(
    change: dict[str, object], trained: Draft, tmp_path: Path
) -> None:
    """Wrong types, ranges, names, unknown fields and a claim to be signed never become a Manifest."""
    files = trained.named("first", 1)
    files["manifest.json"] = _edited(files["manifest.json"], **change)
    assert _refused(files, tmp_path) == "manifest"


def test_a_manifest_has_one_spelling(trained: Draft, tmp_path: Path) -> None:
    """Spaces, a key twice, a cut end, NaN or other bytes are refused: a digest names one text."""
    files = trained.named("first", 1)
    data = files["manifest.json"]
    assert Manifest.parse(data).to_bytes() == data
    others = [
        *(data + b"\n", b" " + data, data[:-1], b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000),
        data.replace(b'{"calibration"', b'{"name":"other","calibration"', 1),
        data.replace(b'"auc":0.8125', b'"auc":NaN'),
        data.replace(b'"auc":0.8125', b'"auc":0.81250'),
    ]
    for other in others:
        assert other != data
        assert _refused({**files, "manifest.json": other}, tmp_path) == "manifest"


def test_a_manifest_other_than_the_one_asked_for_is_refused(trained: Draft, tmp_path: Path) -> None:
    """With a digest given, a valid release under the same name is refused unless it is that very one."""
    write(trained.named("first", 1), tmp_path / "first")
    digest = _load(tmp_path).digest
    assert _load(tmp_path, digest=digest).digest == digest
    write(trained.with_facts(notes="rewritten"), tmp_path / "first")
    assert _load(tmp_path).manifest.notes == "rewritten"
    with pytest.raises(ReleaseRejected, match="promoted") as refusal:
        _load(tmp_path, digest=digest)
    assert refusal.value.stage == "manifest"


def test_a_release_for_other_features_is_refused(trained: Draft, tmp_path: Path) -> None:
    """Another order of features, or another declaration of the same ones, is another contract."""
    write(trained.named("first", 1), tmp_path / "first")
    swapped = (NAMES[1], NAMES[0], *NAMES[2:])
    for contract in (
        Contract(swapped, CONTRACT.sha256),
        Contract(NAMES, "e" * 64),
        Contract(NAMES[:-1], CONTRACT.sha256),
    ):
        with pytest.raises(ReleaseRejected) as refusal:
            _load(tmp_path, contract=contract)
        assert refusal.value.stage == "contract"


def test_the_contract_is_the_engines_own_where_none_is_given(trained: Draft, tmp_path: Path) -> None:
    """A release trained on other features than the engine's is refused without asking."""
    write(trained.named("first", 1), tmp_path / "first")
    with pytest.raises(ReleaseRejected) as refusal:
        load("first", tmp_path, read_policy=read_policy)
    assert refusal.value.stage == "contract"


def test_manifest_and_model_must_agree(trained: Draft, tmp_path: Path) -> None:
    """A model whose features or objective are not the manifest's is refused at the model stage."""
    text = trained.files["model.txt"]
    reordered = text.replace(b"feature_names=feature_0 feature_1", b"feature_names=feature_1 feature_0")
    assert _refused(trained.with_file("model.txt", reordered), tmp_path) == "model"
    assert _refused(trained.with_facts(objective="cross_entropy"), tmp_path) == "model"


def test_a_pickle_is_never_loaded(trained: Draft, tmp_path: Path) -> None:
    """A pickle under any of the names is refused as text that it is not, and runs nothing."""

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "run"),)

    trap = pickle.dumps(Trap())
    assert _refused(trained.with_file("model.txt", trap), tmp_path) == "model"
    assert _refused(trained.with_file("golden.jsonl", trap), tmp_path) == "golden"
    assert _refused(trained.with_file("policy.toml", trap), tmp_path) == "policy"
    assert _refused({**trained.named("first", 1), "manifest.json": trap}, tmp_path) == "manifest"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("policy", [b"name = ", b"\xff", b"a = 1\na = 2", b""])
def test_a_policy_that_cannot_be_read_is_refused(policy: bytes, trained: Draft, tmp_path: Path) -> None:
    """Broken TOML, other bytes, a key twice, or a book with nothing in it."""
    write(trained.with_file("policy.toml", policy), tmp_path / "first")
    with pytest.raises(ReleaseRejected) as refusal:
        load("first", tmp_path, contract=CONTRACT, read_policy=PolicyBook.parse)
    assert refusal.value.stage == "policy"


def test_a_name_or_sequence_is_used_once(trained: Draft, tmp_path: Path) -> None:
    """A name is never written twice, and each sequence lies above every one before it."""
    _publish(trained.named("first", 5), tmp_path)
    for name, sequence, stage in (("first", 6, "name"), ("second", 5, "sequence"), ("second", 4, "sequence")):
        with pytest.raises(ReleaseRejected) as refusal:
            _publish(trained.named(name, sequence), tmp_path)
        assert refusal.value.stage == stage
    assert _publish(trained.named("second", 6), tmp_path) == "second"
    assert [(one.name, one.problem) for one in releases(tmp_path)] == [("first", None), ("second", None)]


def test_a_damaged_neighbour_is_listed_and_blocks_publication(trained: Draft, tmp_path: Path) -> None:
    """Its sequence cannot be known, so no new one can be said to lie above it."""
    _publish(trained.named("first", 1), tmp_path)
    (tmp_path / "first" / "manifest.json").write_bytes(b"{}")
    [listed] = releases(tmp_path)
    assert (listed.name, listed.manifest, listed.digest) == ("first", None, None)
    assert listed.problem is not None
    assert listed.problem.startswith("manifest: ")
    with pytest.raises(ReleaseRejected, match="damaged") as refusal:
        _publish(trained.named("second", 2), tmp_path)
    assert refusal.value.stage == "sequence"


def test_releases_are_listed_by_sequence(trained: Draft, tmp_path: Path) -> None:
    """Other folders and files in the root are passed over."""
    for name, sequence in (("b", 1), ("c.1", 2), ("a-2", 3)):
        _publish(trained.named(name, sequence), tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    assert [one.name for one in releases(tmp_path)] == ["b", "c.1", "a-2"]


def test_a_bad_draft_leaves_nothing_behind(trained: Draft, tmp_path: Path) -> None:
    """publish() makes every check of a load before it writes."""
    bad = trained.files["golden.jsonl"].replace(b"0x1.", b"0x2.", 1)
    with pytest.raises(ReleaseRejected) as refusal:
        _publish(trained.with_file("golden.jsonl", bad), tmp_path)
    assert refusal.value.stage == "golden"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", ["write", "rename"])
def test_a_failing_disk_leaves_nothing_behind(
    moment: str, trained: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error while writing or renaming removes the draft; the next attempt succeeds."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(*((os, "fsync", fail) if moment == "write" else (Path, "rename", fail)))
        with pytest.raises(OSError, match="No space"):
            _publish(trained.named("first", 1), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert _publish(trained.named("first", 1), tmp_path) == "first"


def test_everything_is_flushed_before_and_after_the_rename(
    trained: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five files and their folder reach the disk, the name appears, the folder above reaches the disk."""
    events: list[str] = []
    watch(monkeypatch, os, "fsync", events)
    watch(monkeypatch, Path, "rename", events)
    _publish(trained.named("first", 1), tmp_path)
    assert events == ["fsync"] * 6 + ["rename", "fsync"]


def test_the_shipped_root_lies_beside_the_code() -> None:
    """By default releases are looked for in the models package itself, so that one travels in the wheel."""
    assert Path(store_module.__file__).parent == store_module.ROOT
