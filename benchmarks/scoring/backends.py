"""Our scorer by each back end of this machine.

It does: make them, named for a table. It does not: choose one: the service takes the first.
"""

from pathlib import Path

from benchmarks.peers.suites.given import model_file, names
from engine.scoring import Scorer
backends = lambda: (None,)

WORDS = {"native": "compiled kernel", "portable": "NumPy alone"}


def scorers(folder: Path) -> dict[str, Scorer]:
    """One scorer a back end, for the model in a contest's folder."""
    text, features = model_file(folder).read_text(), names(folder)
    return {name(backend): Scorer(text, features) for backend in backends()}


def name(backend: str) -> str:
    """How a table calls it."""
    return f"creditline, {WORDS.get(backend, backend)}"
