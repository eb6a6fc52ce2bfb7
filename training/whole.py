"""Folders and files that appear whole or not at all.

It does: write under a temporary name beside the place, bring it to disk, then rename. It does not: merge with what was
there. The rule it keeps: after a full disk or a kill the place holds what it held before.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a folder of their own, in place of any before it; ValueError names the cause and the remedy."""
    partial: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
        partial.chmod(0o755)
        for name, content in files.items():
            _write(partial / name, (content,))
        if folder.exists():
            before = partial.with_suffix(".before")
            folder.rename(before)
            partial.rename(folder)
            shutil.rmtree(before)
        else:
            partial.rename(folder)
    except OSError as error:
        raise _refused(folder, error) from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def write_file(path: Path, content: bytes) -> None:
    """Put one file in place; ValueError names the cause and the remedy."""
    write_pieces(path, (content,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Put one file in place, piece by piece; ValueError names the cause and the remedy."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(partial, pieces)
        partial.replace(path)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        partial.unlink(missing_ok=True)


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _refused(place: Path, error: OSError) -> ValueError:
    return ValueError(
        f"{place} was not written ({error.strerror or error}) and is as it was: "
        "free space or choose another place, then run the same command again"
    )
