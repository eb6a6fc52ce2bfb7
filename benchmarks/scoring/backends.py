"""Our scorer by each back end of this machine.

It does: make them, named for a table. It does not: choose one: the service takes the first.
"""

from pathlib import Path

from benchmarks.peers.suites.given import model_file, names
from engine.scoring import Scorer, backends

NATIVE, PORTABLE = "creditline, compiled kernel", "creditline, NumPy alone"
_NAMES = {"native": NATIVE, "portable": PORTABLE}


def scorers(folder: Path) -> dict[str, Scorer]:
    """One scorer a back end, for the model in a contest's folder."""
    text, features = model_file(folder).read_text(), names(folder)
    return {_NAMES[backend]: Scorer(text, features, backend) for backend in backends()}
