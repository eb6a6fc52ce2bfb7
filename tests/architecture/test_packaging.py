"""What is shipped and installed: every package named, every requirement hashed, no address in a lock file."""

import fnmatch
import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

NOT_SHIPPED = {"benchmarks", "tests"}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}$")
PINNED = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]+\])?==[^\s;]+(\s*;.*)?$")
ADDRESS = re.compile(r"://|^-|--(index-url|extra-index-url|find-links|trusted-host)|@\s*\S+:|(^|[\s=])(/|file:|~/)")


def unnamed_packages(root: Path) -> list[str]:
    """Top-level packages that the wheel would lack, and names in pyproject.toml without a folder."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {file.parent.name for file in root.glob("*/__init__.py")} - NOT_SHIPPED
    missing = [f"{name}: not named" for name in packages if not _matches(name, patterns)]
    empty = [f"{pattern}: names no package" for pattern in patterns if not fnmatch.filter(packages, pattern)]
    unwanted = [f"{name}: shipped by mistake" for name in NOT_SHIPPED if _matches(name, patterns)]
    return sorted(missing + empty + unwanted)


def lock_faults(text: str) -> list[str]:
    """Requirements of a lock file that are not pinned with a hash, and any address or path in it."""
    logical = text.replace("\\\n", " ").splitlines()
    requirements = [line.strip() for line in logical if line.strip() and not line.lstrip().startswith("#")]
    faults = [f"no exact version: {line}" for line in requirements if not PINNED.match(_without_hashes(line))]
    faults += [f"no hash: {line}" for line in requirements if not HASH.search(line)]
    # Comments too: a resolver writes the address it read there.
    faults += [f"address or path: {line}" for line in map(_without_hashes, logical) if ADDRESS.search(line)]
    return faults if requirements else ["empty"]


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _without_hashes(line: str) -> str:
    return re.sub(r"\s+--hash=\S+", "", line).strip()


def test_every_top_level_package_is_shipped() -> None:
    """pyproject.toml names the four houses, and nothing that is not one."""
    assert unnamed_packages(ROOT) == []


@pytest.mark.parametrize("name", ["bootstrap", "compiler", "runtime", "development"])
def test_lock_files_are_exact_and_hold_no_address(name: str) -> None:
    """Each requirement has an exact version and a hash; no address or path is written down."""
    assert lock_faults((ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")) == []


def test_every_lock_file_is_looked_at() -> None:
    """A lock file added later cannot escape the test above."""
    names = {file.stem for file in (ROOT / "requirements").glob("*.txt")}
    assert names == {"bootstrap", "compiler", "runtime", "development"}


def test_development_is_the_runtime_and_more() -> None:
    """The tests run on the very versions that are served."""
    locked = {name: _pins((ROOT / f"requirements/{name}.txt").read_text()) for name in ("runtime", "development")}
    assert locked["runtime"] < locked["development"]


def _pins(text: str) -> set[str]:
    return {line.split(" \\")[0] for line in text.splitlines() if PINNED.match(line.split(" \\")[0])}


@pytest.mark.parametrize(
    ("folders", "include", "fault"),
    [
        (["engine", "ledger"], ["engine*"], "ledger: not named"),
        (["engine"], ["engine*", "api*"], "api*: names no package"),
        (["engine", "tests"], ["engine*", "tests*"], "tests: shipped by mistake"),
    ],
)
def test_a_package_left_out_is_found(tmp_path: Path, folders: list[str], include: list[str], fault: str) -> None:
    """A new house that pyproject.toml does not name is found, and so is a name without a house."""
    for folder in folders:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.setuptools.packages.find]\ninclude = {include}\n", encoding="utf-8"
    )
    assert fault in unnamed_packages(tmp_path)


GOOD = f"""\
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:{"a" * 64}
    # via creditline (pyproject.toml)
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "numpy==2.4.6\n",
        GOOD.replace("==2.4.6", ">=2.4"),
        GOOD.replace("sha256:" + "a" * 64, "md5:" + "a" * 32),
        GOOD + "rich==15.0.0\n    # via creditline\n",
        "--index-url https://packages.example.org/simple\n" + GOOD,
        "--find-links wheels\n" + GOOD,
        "--extra-index-url packages\n" + GOOD,
        "# from https://packages.example.org/simple\n" + GOOD,
        GOOD.replace("numpy==2.4.6", "numpy @ https://packages.example.org/numpy.whl"),
        GOOD.replace("numpy==2.4.6", "numpy @ file:///srv/numpy.whl"),
        GOOD.replace("(pyproject.toml)", "(/srv/creditline/pyproject.toml)").replace("(/", "( /"),
        GOOD + "    # via -r /srv/build.in\n",
        "-e .\n" + GOOD,
    ],
)
def test_a_loose_lock_file_is_found(text: str) -> None:
    """Each way of loosening a lock file, or of writing this machine into it, is a fault."""
    assert lock_faults(text)


def test_a_good_lock_file_passes() -> None:
    """What the resolver writes today is no fault."""
    assert lock_faults(GOOD) == []
