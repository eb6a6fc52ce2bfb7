"""Keys, trust root and signatures by the commands alone: from an empty folder to a release that loads, and back."""

import base64
import hashlib
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

import models
from training.cli import main
from training.scorecard import write_scorecard_draft
from training.signing import new_key, read_key, read_validation
from training.simulate import write_market

HOUSE = Path(__file__).parents[2] / "training"
POLICY, EXAMPLE = HOUSE / "policy.toml", HOUSE / "scorecards" / "example.toml"
VALIDATION = """
validated_by = "Vera"
trained_by = "Ada"
validated_on = 2026-11-20
review_on = 2099-05-20
model_sha256 = "{sha256}"
examined = "Points against their sources; golden rows recomputed by hand."
conclusion = "fit for use within the limits"
limits = ["No performance data yet."]
"""


def run(*words: object, ok: bool = True) -> str:
    """One command's output; its exit must be as said."""
    done = CliRunner().invoke(main, [str(word) for word in words], env={"CREDITLINE_KEY_PASSPHRASE": "long words"})
    assert (done.exit_code == 0) == ok, done.output
    return done.output.strip()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Two people's keys, a trust root of them beside the releases, a draft, and a validation record of it."""
    described = "version = 1\n"
    for person, role in (("Ada", "trainer"), ("Ben", "approver")):
        public = run("keys", "new", "--out", tmp_path / f"{person}.pem").splitlines()[-1]
        described += (
            f'[[keys]]\npublic = "{public}"\nperson = "{person}"\nroles = ["{role}"]\n'
            "valid_from = 2020-01-01\nvalid_to = 2099-12-31\n"
        )
    (tmp_path / "releases").mkdir()
    (tmp_path / "trust.toml").write_text(described)
    run("trust", "new", tmp_path / "trust.toml", "--out", tmp_path / "releases" / "TRUST.json")
    write_scorecard_draft(tmp_path / "draft", EXAMPLE)
    digest = hashlib.sha256((tmp_path / "draft" / "model.txt").read_bytes()).hexdigest()
    (tmp_path / "validation.toml").write_text(VALIDATION.format(sha256=digest))
    return tmp_path


def publish(desk: Path, name: str, source: Path, *more: object) -> None:
    """Published as a release that is to be signed, and signed by nobody yet."""
    run("publish", source, "--policy", POLICY, "--name", name, "--root", desk / "releases", *more)


def replay_set(desk: Path) -> Path:
    """The champion's decisions on a small made-up market, as the set that its successors are held to."""
    write_market(desk / "market.sqlite", count=40, seed=3, jobs=1)
    decided, chosen = desk / "decided.jsonl", desk / "set.jsonl"
    run("decide-market", "--market", desk / "market.sqlite", "--root", desk / "releases", "--out", decided, "--jobs", 1)
    run("replay-set", "--export", decided, "--count", 20, "--out", chosen, "--jobs", 1)
    return chosen


def sign(desk: Path, name: str, person: str) -> str:
    """That person signs."""
    return run("sign", name, "--key", desk / f"{person}.pem", "--root", desk / "releases")


def test_from_keys_to_a_signed_champion_and_back(desk: Path) -> None:
    """Published, signed twice, verified, promoted; back to the first only with a statement that both signed.

    The second has the first's model, which brings its validation along: a policy alone takes two people as well.
    """
    root = desk / "releases"
    for name in ("card-1", "card-2"):
        if name == "card-1":
            publish(desk, name, desk / "draft", "--validation", desk / "validation.toml")
        else:
            publish(desk, name, root / "card-1", "--replay-set", replay_set(desk))
        assert "nobody has signed it yet" in run("promote", name, "--root", root, ok=False)
        assert sign(desk, name, "Ada") == "signed; no approver in the trust root has signed"
        assert sign(desk, name, "Ben") == f"signed by Ada (trainer), Ben (approver): {name} loads"
        run("promote", name, "--root", root)
    told = run("verify", "card-2", "--root", root)
    assert "signed by Ada (trainer), Ben (approver)" in told
    assert "validated by Vera on 2026-11-20: fit for use within the limits" in told
    assert "directions proved: 59" in told
    assert "to be signed" in run("releases", "--root", root)

    assert "no signed rollback statement" in run("rollback", "--root", root, ok=False)
    statement = desk / "back.json"
    state = ("rollback-statement", "card-1", "--why", "errs on trusts", "--on", "2026-11-25", "--root", root)
    run(*state, "--key", desk / "Ada.pem", "--out", statement)
    assert "no approver" in run("rollback", "--statement", statement, "--root", root, ok=False)
    run(*state, "--key", desk / "Ben.pem", "--out", statement)
    assert run("rollback", "--statement", statement, "--root", root).startswith("champion: card-1 ")
    assert models.champion(root).name == "card-1"


def test_the_trust_root_changes_by_two_signatures(desk: Path) -> None:
    """A second version is accepted once both people of the first have signed it, and not before."""
    root, new = desk / "releases" / "TRUST.json", desk / "next.json"
    text = (desk / "trust.toml").read_text().replace("version = 1", "version = 2")
    (desk / "trust.toml").write_text(text.replace("2099-12-31", "2098-12-31"))
    run("trust", "new", desk / "trust.toml", "--out", new)
    assert "no trainer" in run("trust", "accept", new, "--root", root, ok=False)
    for person in ("Ada", "Ben"):
        run("trust", "sign", new, "--key", desk / f"{person}.pem")
    assert run("trust", "accept", new, "--root", root) == f"{root}: version 2"
    assert models.read_trust(root).version == 2
    assert "does not follow" in run("trust", "accept", new, "--root", root, ok=False)


def test_a_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    """Mode 0600, never written over, refused once others can read it, and under its passphrase."""
    place = tmp_path / "key.pem"
    public = new_key(place, "long words")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert b"ENCRYPTED" in place.read_bytes()
    with pytest.raises(FileExistsError):
        new_key(place)
    for wrong in ("", "other words"):
        with pytest.raises(ValueError, match="passphrase"):
            read_key(place, wrong)
    again = read_key(place, "long words").public_key().public_bytes_raw()
    assert base64.b64encode(again).decode() == public
    place.chmod(0o640)
    with pytest.raises(ValueError, match="can be read by others"):
        read_key(place, "long words")


def test_a_validation_of_another_model_is_refused_before_publication(desk: Path) -> None:
    """The message gives the digest that the record should hold."""
    with pytest.raises(ValueError, match=r"validates another model: this one's model.txt has sha256 0000"):
        read_validation(desk / "validation.toml", "0" * 64)


def test_no_key_lies_in_the_project() -> None:
    """Neither a private key nor a trust root of anybody is among the project's files."""
    project = Path(__file__).parents[2]
    for house in ("engine", "models", "training", "api", "docs", "tests", "benchmarks", "ops"):
        for path in (project / house).rglob("*"):
            if path.is_file() and path.suffix not in {".pyc", ".so"}:
                assert b"PRIVATE KEY-----\n" not in path.read_bytes(), path
    assert not (models.ROOT / models.TRUST_NAME).exists()
