"""What every test shares: how hypothesis runs, where files go, what the collector of garbage walks.

Fixtures of one house live beside that house's tests.
"""

import gc
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

# No deadline: a time limit a single example fails on busy machines without saying anything about the code.
settings.register_profile("creditline", deadline=None, print_blob=True)
settings.load_profile("creditline")

# Temporary files go to memory where there is plenty: nearly every test commits, and waits for the disk each time. The
# calls are the same ones; what a disk adds (losing its cache with the power) no test here could show anyway.
_MEMORY, _PLENTY = Path("/dev/shm"), 4 << 30
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _PLENTY:
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def pytest_collection_finish() -> None:
    """What was imported stays: no full collection of garbage need walk it again, nor be quick to begin."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
