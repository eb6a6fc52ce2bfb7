"""The engine's own digest: the code is the fourth argument of every decision.

It does: hash engine/ as it lies on this machine. It does not: import or run any of it. The rule it keeps:
only what can change a decision counts, so line ends and compiled files do not; what they are compiled from does.
"""

import hashlib
from functools import cache
from pathlib import Path

import engine

_SOURCES = frozenset({".py", ".c"})


@cache
def engine_digest(folder: Path | None = None) -> str:
    """SHA-256 over every .py and .c file under engine/, sorted by relative name; kept after the first call.

    Each file counts as its name, its length and its bytes, so that no two trees share a digest by shifted
    borders.
    """
    root = Path(engine.__path__[0]) if folder is None else folder
    whole = hashlib.sha256()
    names = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.suffix in _SOURCES}
    for name in sorted(names):
        content = names[name].read_bytes().replace(b"\r\n", b"\n")
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()
