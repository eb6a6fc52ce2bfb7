"""How to make model and report again: commands, and what they ran on.

It does: write the commands from what the draft tells, name versions. It does not: run anything. The rule it keeps:
files are named without their place, so that the same inputs give the same report wherever they lie.
"""

import platform
from importlib.metadata import version
from shlex import quote

import models
from training.report.subject import Subject

_PACKAGES = ("creditline", "lightgbm", "numpy", "scipy", "scikit-learn", "polars", "pydantic", "matplotlib", "jinja2")


def commands(subject: Subject, source: str, report: str) -> tuple[str, ...]:
    """The command that fits the draft again, where it tells its split, and the one that makes this report."""
    found = []
    split = subject.told.get("split")
    if split is not None:
        spans = " ".join(
            f"--{name.replace('_', '-')} {split[name]}"
            for name in ("train_from", "train_to", "validate_to", "test_to", "embargo_days")
            if split[name] not in {"None", "0"}
        )
        threads = dict(subject.parameters).get("num_threads", "1")
        given = source or "SOURCE"
        found.append(
            f"creditline-train fit {given} {spans} --seed {subject.told['training']['seed']} --threads {threads} "
            f"--out {quote(subject.identity.name)}"
        )
    made = (*found, f"creditline-train report {report}") if report else found
    return tuple(command.replace(" --", " \\\n    --") for command in made)


def environment() -> tuple[tuple[str, str], ...]:
    """What this report was made with."""
    return (
        ("Python", platform.python_version()),
        ("machine", platform.machine()),
        *((name, version(name)) for name in _PACKAGES),
        ("engine SHA-256", models.engine_digest()),
    )
