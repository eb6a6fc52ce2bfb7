"""`python -m benchmarks.starting`: start the unguarded service as `creditline serve --development` starts the service.

It does: read the settings and run, with as many workers as the environment says. It does not: import what serves, which
is loaded where the service loads it, so that memory and start are the service's own.
"""

import os

from api.serving import run
from api.settings import Settings

WORKERS = "CREDITLINE_BENCHMARK_WORKERS"

if __name__ == "__main__":
    os.environ["CREDITLINE_DEVELOPMENT"] = "1"  # the worker reads its settings in a process of its own
    run(Settings.from_environment(), int(os.environ.get(WORKERS, "1")), "benchmarks.unguarded:create")
