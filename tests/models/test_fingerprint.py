"""The engine's digest: the same for the same code wherever it lies, another for any change of it."""

from pathlib import Path

from models import engine_digest


def _tree(root: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return engine_digest(root)


def test_the_engines_digest_is_64_hex_digits_and_kept() -> None:
    """Two calls give the one answer."""
    assert len(engine_digest()) == 64
    assert engine_digest() is engine_digest()


def test_place_line_ends_and_other_files_do_not_count(tmp_path: Path) -> None:
    """A Windows checkout, another folder, compiled files and data give the same digest."""
    plain = _tree(tmp_path / "a", {"x.py": b"a = 1\n", "sub/y.py": b"b = 2\n"})
    other = _tree(
        tmp_path / "b" / "engine",
        {"sub/y.py": b"b = 2\r\n", "x.py": b"a = 1\r\n", "__pycache__/x.pyc": b"z", "notes.txt": b"n", "k.so": b"z"},
    )
    assert plain == other


def test_any_change_of_code_counts(tmp_path: Path) -> None:
    """A byte, a name, a new empty file, or bytes moved from one file to the next each change the digest."""
    trees: list[dict[str, bytes]] = [
        {"x.py": b"a = 1\n", "y.py": b"b = 2\n"},
        {"x.py": b"a = 2\n", "y.py": b"b = 2\n"},
        {"z.py": b"a = 1\n", "y.py": b"b = 2\n"},
        {"x.py": b"a = 1\n", "y.py": b"b = 2\n", "empty.py": b""},
        {"x.py": b"a = 1\n", "y.py": b"b = 2\n", "kernel.c": b"int a;"},
        {"x.py": b"a = 1\nb", "y.py": b" = 2\n"},
    ]
    digests = [_tree(tmp_path / str(number), files) for number, files in enumerate(trees)]
    assert len(set(digests)) == len(trees)
