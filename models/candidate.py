"""A candidate's model read for the first time: in a process of its own, bounded and shut in, before it is accepted.

It does: start a child that limits itself, shuts every door, and only then parses the model and holds it to its golden
rows; and make the same check in this process. It does not: believe the child's "yes" instead of its own check. The
rule it keeps: whatever a hostile text does, it does in a process with no secrets, no files, no network, five seconds
and two gigabytes; its end is a refusal that says so.
"""

import json
import os
import resource
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.release import Manifest
from engine.scoring import Backend, ModelRejected, Scorer, backends
from models.golden import check_golden, read_golden
from models.rejection import ReleaseRejected, Stage

_ROOT: Final = Path(__file__).resolve().parents[1]
_KEPT: Final = ("LD_LIBRARY_PATH",)  # of the environment: what finds libraries, and nothing else
_SIZES: Final = struct.Struct("!QQQ")
_OPEN_FILES: Final = 3  # in, out and error are all a child ever holds: with no number left no file or socket opens
_MOST_ANSWER: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take: processor seconds after its imports, address space, and seconds on the wall."""

    cpu_seconds: int = 5
    memory_mb: int = 2_048
    wall_seconds: int = 120  # a crowded machine is not the model's fault


def try_confined(model: bytes, golden: bytes, manifest: Manifest, limits: Limits = Limits()) -> None:
    """Let a child parse a model and score its golden rows; raises ReleaseRejected with its stage, or at "child"."""
    stated = manifest.to_bytes()
    told = json.dumps([limits.cpu_seconds, limits.memory_mb]).encode() + b"\n"
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        child = subprocess.run(
            # -P: no module is looked for where it happens to start
            [sys.executable, "-P", "-c", "from models.candidate import serve; serve()"],
            input=told + _SIZES.pack(len(stated), len(model), len(golden)) + stated + model + golden,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd="/", start_new_session=True,
            timeout=limits.wall_seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ReleaseRejected("child", f"the model was not read within {limits.wall_seconds} s") from None
    if child.returncode == -signal.SIGXCPU:
        raise ReleaseRejected("child", f"the model takes more than {limits.cpu_seconds} s of processor time to check")
    if child.returncode != 0:
        raise ReleaseRejected("child", f"the process that read the model ended with status {child.returncode}")
    _believe(child.stdout[:_MOST_ANSWER])


def _believe(answer: bytes) -> None:
    """Raise the child's refusal, or nothing where it accepted."""
    try:
        told = json.loads(answer)
        stage, reason = told["stage"], str(told["reason"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ReleaseRejected("child", "the process that read the model gave no answer") from None
    if stage != "accepted":
        known: Stage = stage if stage in ("model", "golden") else "child"
        raise ReleaseRejected(known, reason)


def checked_scorer(model: bytes, golden: bytes, manifest: Manifest) -> Scorer:
    """The model in the quickest back end that holds to the golden rows; a kernel that does not is passed over."""
    rows = None
    for backend in backends():
        scorer = _scorer(model, manifest, backend)
        rows = rows or read_golden(golden, len(manifest.features))
        try:
            check_golden(scorer, rows)
        except ReleaseRejected as refusal:
            refused = refusal
        else:
            return scorer
    raise refused


def _scorer(data: bytes, manifest: Manifest, backend: Backend) -> Scorer:
    """The model behind the strict parser, packed."""
    try:
        scorer = Scorer(data.decode("ascii"), manifest.features, backend)
    except UnicodeDecodeError:
        raise ReleaseRejected("model", "encoding: model.txt holds something other than ASCII") from None
    except ModelRejected as error:
        raise ReleaseRejected("model", str(error)) from error
    if scorer.ensemble.objective != manifest.objective:
        raise ReleaseRejected("model", "the model's objective is not the manifest's")
    return scorer


# -- in the child --------------------------------------------------------------------------------------------


def confine(cpu_seconds: int, memory_mb: int) -> None:
    """Bound this process for good, and leave it no descriptor but the three it has."""
    os.closerange(_OPEN_FILES, 1_024)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + cpu_seconds
    for what, soft, hard in (
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_AS, memory_mb * 1_048_576, memory_mb * 1_048_576),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
    ):
        resource.setrlimit(what, (soft, hard))


def serve() -> None:
    """Take limits and files from standard input, shut in, check, answer on standard output."""
    source = sys.stdin.buffer
    cpu_seconds, memory_mb = json.loads(source.readline())
    sizes = _SIZES.unpack(source.read(_SIZES.size))
    backends()  # loads the kernel, which takes a file
    confine(cpu_seconds, memory_mb)
    try:
        manifest, model, golden = (source.read(size) for size in sizes)
        checked_scorer(model, golden, Manifest.parse(manifest))
        answer = {"stage": "accepted", "reason": ""}
    except ReleaseRejected as refusal:
        answer = {"stage": refusal.stage, "reason": refusal.reason[:1_000]}
    except MemoryError:
        answer = {"stage": "child", "reason": f"the model takes more than {memory_mb} MB to check"}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
