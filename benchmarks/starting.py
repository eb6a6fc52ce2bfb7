"""`python -m benchmarks.starting`: start the unguarded service as `creditline serve --development` starts the service.

It does: read the settings and run, with as many workers as the environment says; with `--alone` each worker loads the
release by itself. It does not: import what serves, which is loaded where the service loads it, so that memory and start
are the service's own.
"""

import os
import sys

from api import serving
from api.settings import Settings

WORKERS = "CREDITLINE_BENCHMARK_WORKERS"
ALONE = "--alone"

if __name__ == "__main__":
    os.environ["CREDITLINE_DEVELOPMENT"] = "1"  # the worker reads its settings in a process of its own
    if ALONE in sys.argv:
        serving._load_ahead = lambda settings: None
    serving.run(Settings.from_environment(), int(os.environ.get(WORKERS, "1")), "benchmarks.unguarded:create")
