"""Compiles the scoring kernel when the project is installed or built; all else is in pyproject.toml.

It does: run one C compiler on one file: zig where its package is installed, else the machine's own. It does not: need
one, for without the kernel the engine scores in NumPy and says so. The rule it keeps: no contraction of operations and
no reordering, so that every compiler gives the same bits; the kernel itself picks wider registers when it runs.
"""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

FLAGS = ("-std=gnu11", "-O3", "-ffp-contract=off", "-fno-fast-math", "-fPIC", "-shared", "-s", "-Wno-psabi")
OLDEST_GLIBC = "2.17"


def compiler() -> list[str]:
    """The command that compiles C here; raises CompileError where there is none."""
    if importlib.util.find_spec("ziglang") is not None:
        zig = [sys.executable, "-m", "ziglang", "cc"]
        on = f"{platform.machine()}-linux-gnu.{OLDEST_GLIBC}"
        return [*zig, "-target", on] if sys.platform == "linux" else zig
    for name in (os.environ.get("CC", "").split() or ["cc"], ["gcc"], ["clang"]):
        if shutil.which(name[0]) is not None:
            return name
    raise CompileError("no C compiler: the engine will score in NumPy, more slowly")


class BuildKernel(build_ext):
    """Builds the kernel as a plain shared library, which needs neither Python's headers nor a C library's."""

    def build_extension(self, ext: Extension) -> None:
        """Compile one source into the place where the package looks for it."""
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run([*compiler(), *FLAGS, "-o", str(target), *ext.sources], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise CompileError(f"the scoring kernel did not compile: {error}") from error


setup(
    ext_modules=[Extension("engine.scoring.kernel", ["engine/scoring/kernel.c"], optional=True)],
    cmdclass={"build_ext": BuildKernel},
)
