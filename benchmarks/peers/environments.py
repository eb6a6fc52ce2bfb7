"""Where the peers' environments are, and what is said where one could not be made.

It does: find the Python of each family that `make peers` made, and ask it for versions. It does not: install. The
rule it keeps: a family that is not there is named in the report with its reason, never left out silently.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import ROOT

# What is measured of each family, and so named in the report.
FAMILIES = {
    "libraries": ("lightgbm", "lleaves", "onnxruntime", "treelite", "zen-engine"),
    "explainers": ("shap", "shapiq", "lightgbm"),
    "fastapi": ("fastapi", "uvicorn", "uvloop", "lightgbm"),
    "bentoml": ("bentoml", "lightgbm"),
    "mlserver": ("mlserver", "mlserver-lightgbm", "lightgbm"),
}
PLACE = ROOT / "var" / "peers"
_ASK_SECONDS = 60
_ASK = (
    "import json, sys, importlib.metadata as m;"
    "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Environment:
    """One family's interpreter; `why` says what went wrong where there is none."""

    family: str
    python: Path
    why: str = ""

    @property
    def there(self) -> bool:
        """Whether it can be used."""
        return not self.why

    def versions(self, *packages: str) -> dict[str, str]:
        """The installed versions."""
        done = subprocess.run(
            (str(self.python), "-c", _ASK, *packages),
            capture_output=True, text=True, check=True, timeout=_ASK_SECONDS,
        )  # fmt: skip
        found: dict[str, str] = json.loads(done.stdout)
        return found


OURS = Environment("ours", Path(sys.executable))


def environment(family: str, place: Path = PLACE) -> Environment:
    """The family's environment as `make peers` left it."""
    folder = place / family
    python, log = folder / "bin" / "python", folder.with_suffix(".log")
    if (folder / "ok").exists():
        return Environment(family, python)
    said = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
    return Environment(family, python, " ".join(said) or "it was not made: run `make peers`")


def described(place: Path = PLACE) -> dict[str, str]:
    """Versions by family, or why a family is not there."""
    found = {}
    for family, packages in FAMILIES.items():
        here = environment(family, place)
        versions = here.versions(*packages) if here.there else {}
        found[family] = ", ".join(f"{name} {version}" for name, version in versions.items()) or f"none: {here.why}"
    return found
