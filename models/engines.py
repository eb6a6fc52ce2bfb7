"""Engines of the past: the program that made a decision, kept runnable in an environment of its own.

It does: find an engine by its digest, run it as a child, and be that child. It does not: build one (`make engine` does)
or install anything. The rule it keeps: what passes between two engines is a line of JSON with the record's own bytes in
it, so neither has to know the other's types; and a child says which engine it is before it is asked anything.

A folder holds one environment an engine, named by the engine's digest: `<digest>/bin/python`.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final

from pydantic import ValidationError

from engine.application import Application
from engine.decision import decide
from engine.facts import Facts
from engine.release import Release
from models.fingerprint import engine_digest
from models.rejection import ReleaseRejected
from models.store import ROOT, load
from models.trust import read_trust

_DIGITS: Final = 64
_CHILD: Final = (
    "import sys; from pathlib import Path; from models.engines import serve; serve(*map(Path, sys.argv[1:]))"
)


class EngineFailed(Exception):
    """An engine of the past could not be started, is another than its folder says, or ended."""


@dataclass(slots=True)
class PastEngine:
    """One engine of the past as a running child; ended by leaving the block."""

    digest: str
    python: Path
    root: Path
    trust: Path | None
    _child: "subprocess.Popen[bytes]" = field(init=False)

    def __enter__(self) -> "PastEngine":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        try:
            # -P: the folder it starts in may hold today's engine
            self._child = subprocess.Popen(
                [self.python, "-P", "-c", _CHILD, *filter(None, (self.root, self.trust))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
            )  # fmt: skip
        except OSError as error:
            raise EngineFailed(f"{self.python} does not start: {error.strerror}") from error
        if (found := self._answer().get("engine")) != self.digest:
            self.__exit__(None, None, None)
            raise EngineFailed(f"{self.python} runs another engine: {str(found)[:12]}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._child.kill()
        self._child.communicate()

    def decide(self, application: bytes, facts: bytes, release: str, release_digest: str) -> bytes | str:
        """The decision's canonical bytes, or in words why this engine makes none of the record."""
        asked = {
            "application": application.decode(), "facts": facts.decode(), "release": release, "digest": release_digest,
        }  # fmt: skip
        stdin = self._child.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(asked).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise EngineFailed(f"engine {self.digest[:12]} ended") from error
        told = self._answer()
        return told["decision"].encode() if "decision" in told else told["refused"]

    def _answer(self) -> dict[str, str]:
        stdout = self._child.stdout
        assert stdout is not None
        try:
            told: dict[str, str] = json.loads(stdout.readline())
        except ValueError as error:
            raise EngineFailed(f"engine {self.digest[:12]} gave no answer; is it whole?") from error
        return told


def past_engine(digest: str, folder: Path, root: Path = ROOT, trust: Path | None = None) -> PastEngine | None:
    """The engine of this digest, not yet started, deciding under the releases in `root`; None where it is not kept.

    `trust` is the file of the trust root that a service is given; without it the one in `root` counts.
    """
    python = folder / digest / "bin" / "python"
    if len(digest) != _DIGITS or not python.exists():
        return None
    return PastEngine(digest, python.absolute(), root.absolute(), trust and trust.absolute())


def serve(root: Path, trust_file: Path | None = None) -> None:
    """Be an engine of the past: say which, then decide line by line until there is none."""
    print(json.dumps({"engine": engine_digest()}), flush=True)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            release = _release(asked["release"], asked["digest"], root, trust_file)
            arguments = Application.model_validate_json(asked["application"]), Facts.model_validate_json(asked["facts"])
            told = {"decision": decide(*arguments, release).canonical().decode()}
        except ReleaseRejected as refusal:
            told = {"refused": f"release not held ({refusal.stage})"}
        except ValidationError:  # altered since, with its digest: this engine took it once
            told = {"refused": "record not readable"}
        print(json.dumps(told), flush=True)


@cache
def _release(name: str, digest: str, root: Path, trust_file: Path | None) -> Release:
    """A release as it is held today, else as it came with this engine."""
    trust = read_trust(trust_file) if trust_file else None
    try:
        return load(name, root, digest=digest, trust=trust)
    except ReleaseRejected:
        return load(name, ROOT, digest=digest, trust=trust)
