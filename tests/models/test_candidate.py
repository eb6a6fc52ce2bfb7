"""The child that reads a candidate first: the same verdict, its bounds, and no door open."""

import subprocess
import sys
from pathlib import Path

import pytest

import models
from engine.release import Manifest
from models import ReleaseRejected
from models.candidate import Limits, try_confined
from tests.models.conftest import CONTRACT, Draft, read_policy

ROOT = Path(__file__).parents[2]


def _try(files: dict[str, bytes], limits: Limits = Limits()) -> str:  # noqa: B008 - frozen
    """The stage that the child refuses with, or "accepted"."""
    try:
        try_confined(files["model.txt"], files["golden.jsonl"], Manifest.parse(files["manifest.json"]), limits)
    except ReleaseRejected as refusal:
        return refusal.stage
    return "accepted"


def test_the_child_says_what_this_process_would(trained: Draft) -> None:
    """A good model is accepted; a damaged model and a golden row that does not hold are refused with their stage."""
    text, golden = trained.files["model.txt"], trained.files["golden.jsonl"]
    assert _try(trained.named("first", 1)) == "accepted"
    assert _try(trained.with_file("model.txt", text.replace(b"num_class=1", b"num_class=2"))) == "model"
    assert _try(trained.with_file("model.txt", b"\xff")) == "model"
    assert _try(trained.with_file("golden.jsonl", golden.replace(b'"raw":"0x1.', b'"raw":"0x1.0', 1))) == "golden"


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(cpu_seconds=0), "processor time"),
        (Limits(memory_mb=64), "MB to check|ended with status"),
        (Limits(wall_seconds=0), "not read within"),
    ],
)
def test_its_bounds_end_it_and_not_the_publisher(limits: Limits, why: str, trained: Draft, tmp_path: Path) -> None:
    """Processor time, memory and the wall clock are each a refusal at the stage "child"."""
    files = trained.named("first", 1)
    with pytest.raises(ReleaseRejected, match=why) as refusal:
        try_confined(files["model.txt"], files["golden.jsonl"], Manifest.parse(files["manifest.json"]), limits)
    assert refusal.value.stage == "child"
    assert models.publish(files, tmp_path, contract=CONTRACT, read_policy=read_policy) == "first"


@pytest.mark.parametrize(
    "act",
    [
        "import socket; socket.socket()",
        "open('/etc/hostname')",
        "import os; os.pipe()",
        "import os; os.open('/tmp', os.O_RDONLY)",
    ],
)
def test_shut_in_it_opens_nothing(act: str) -> None:
    """After confinement no socket, no file and no pipe can be had: the kernel has no descriptor to give."""
    program = (
        "import socket, os\nfrom models.candidate import confine\nconfine(5, 2048)\n"
        f"try:\n    {act}\nexcept OSError as error:\n    print(error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], env={"PYTHONPATH": str(ROOT)}, cwd="/", capture_output=True, check=True
    )
    assert done.stdout == b"24\n"


def test_it_sees_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch, trained: Draft, tmp_path: Path) -> None:
    """Of the parent's variables it has the library path alone: a witness in place of Python says so."""
    witness, seen = tmp_path / "python", tmp_path / "seen"
    witness.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    witness.chmod(0o755)
    monkeypatch.setenv("CREDITLINE_SEAL_KEYS", "secret")
    monkeypatch.setattr(sys, "executable", str(witness))
    assert _try(trained.named("first", 1)) == "child"
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    assert names <= {
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PWD",
        "_",
        "SHLVL",
        "OLDPWD",
    }
