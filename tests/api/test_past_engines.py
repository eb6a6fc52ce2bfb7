"""A decision made before an upgrade of the engine is made again, to the byte, by the engine that made it."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import click
import pytest

import engine
import models
from api.commands import replay_many
from tests.support.rollouts import folder_of

HERE = Path(__file__).resolve().parents[2]
BEFORE = "points = round(score_points(pd), 1)"  # of the engine before: a digit less in every recorded score
NOW = "points = round(score_points(pd), 2)"
DECIDES = """
import sys
from pathlib import Path
from tests.support.businesses import story
from tests.support.service import Clock, StorySources, body_of, opened
import models
release = models.load("strict", Path(sys.argv[2])) if len(sys.argv) > 2 else None
with opened(sys.argv[1], sources=StorySources(story()), clock=Clock(), release=release) as service:
    print(service.apply(body_of()).json()["decision_id"])
"""


def _wheel_of_before(folder: Path) -> Path:
    """The project as it was: the same tree but for one figure in the engine, built as `make engine` builds it."""
    for name in ("engine", "models", "training", "api"):
        shutil.copytree(HERE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "var"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(HERE / name, folder)
    scale = folder / "engine" / "scoring" / "scale.py"
    assert scale.read_text().count(NOW) == 1
    scale.write_text(scale.read_text().replace(NOW, BEFORE))
    built = "import setuptools.build_meta as build; build.build_wheel('.')"
    subprocess.run([sys.executable, "-c", built], cwd=folder, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the engine of before in an environment of its own, its dependencies borrowed from this one."""
    tree, kept = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("engines")
    wheel = _wheel_of_before(tree)
    home = kept / models.engine_digest(tree / "engine")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True, timeout=60)
    site = next(home.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    models.engine_digest.cache_clear()
    return kept


def _decided_before(engines: Path, url: str, tests: Path, *releases: str) -> str:
    """A decision that the service of before made and recorded, by its id."""
    shutil.copytree(
        HERE / "tests" / "support", tests / "tests" / "support", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(HERE / "training" / "tables", tests / "training" / "tables")
    shutil.copy(HERE / "training" / "policy.toml", tests / "training")
    python = next(engines.glob("*/bin/python"))
    done = subprocess.run(
        [python, "-c", DECIDES, url, *releases], env={"PYTHONPATH": str(tests)}, check=True, capture_output=True,
        timeout=120, cwd=tests, text=True,
    )  # fmt: skip
    return done.stdout.split()[-1]


def test_a_decision_replays_on_the_engine_that_made_it(
    engines: Path, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Today's engine would give another score; the one before, kept as a wheel, gives every byte again."""
    decision_id = _decided_before(engines, sqlite_url, tmp_path)
    assert not replay_many(sqlite_url, decision_id, None, tmp_path / "none-kept")
    told = capsys.readouterr().out
    assert "differs: score" in told
    assert "which is not kept" in told
    assert replay_many(sqlite_url, decision_id, None, engines)
    assert "1 replayed (1 on an engine of the past), 1 equal to the byte" in capsys.readouterr().out


def test_a_past_engine_decides_by_the_releases_of_the_service(
    engines: Path, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It looks where CREDITLINE_RELEASES says, and believes whom CREDITLINE_TRUST names, as the service does."""
    releases = folder_of(tmp_path / "releases", strict=0.5)
    decision_id = _decided_before(engines, sqlite_url, tmp_path, str(releases))
    assert not replay_many(sqlite_url, decision_id, None, engines)
    assert "release not held (name)" in capsys.readouterr().out
    monkeypatch.setenv("CREDITLINE_RELEASES", str(releases))
    assert replay_many(sqlite_url, decision_id, None, engines)
    (tmp_path / "no-root.json").write_text("{}")
    monkeypatch.setenv("CREDITLINE_TRUST", str(tmp_path / "no-root.json"))
    assert not replay_many(sqlite_url, decision_id, None, engines)
    assert "release not held (trust)" in capsys.readouterr().out


def test_an_environment_with_another_engine_is_refused(engines: Path, sqlite_url: str, tmp_path: Path) -> None:
    """A folder named after one engine with another inside stops the replay; nothing is passed off as the old one."""
    decision_id = _decided_before(engines, sqlite_url, tmp_path)
    (home,) = engines.iterdir()
    wrong = tmp_path / "engines" / home.name / "bin"
    wrong.mkdir(parents=True)
    script = f'#!/bin/sh\nexport PYTHONPATH={Path(engine.__path__[0]).parent}\nexec {sys.executable} "$@"\n'
    (wrong / "python").write_text(script)
    (wrong / "python").chmod(0o755)
    with pytest.raises(click.ClickException, match="runs another engine"):
        replay_many(sqlite_url, decision_id, None, tmp_path / "engines")


@pytest.mark.parametrize(("script", "told"), [("exit 1", "gave no answer"), (None, "does not start")])
def test_a_broken_environment_is_told(tmp_path: Path, script: str | None, told: str) -> None:
    """An environment that does not run gives a plain sentence, not a difference."""
    python = tmp_path / ("ab" * 32) / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n" if script else "no program")
    python.chmod(0o755 if script else 0o644)
    past = models.past_engine("ab" * 32, tmp_path)
    assert past is not None
    with pytest.raises(models.EngineFailed, match=told), past:
        pass
