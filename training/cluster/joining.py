"""Find a cluster, or start a small one on this machine, and see that it can do the work.

It does: connect within a bounded time, with or without TLS, and compare versions. It does not: keep a cluster it did
not start, or end one. The rule it keeps: what it started ends with it.
"""

import logging
import platform
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster
from distributed.security import Security

from training.cluster.waiting import Cluster, ClusterFault

_CONNECT_SECONDS = 10
_LOCAL = re.compile(r"local:([1-9]\d?)")
_ADDRESS = re.compile(r"(tcp|tls)://\S+:\d+")
# What must be the same at both ends: what numbers come from, and what carries them.
_COMPARED = ("creditline", "lightgbm", "numpy", "polars", "pyarrow", "scikit-learn", "dask", "distributed")
_SECURITY = {"ca": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}


@contextmanager
def joined(where: str, security: Path | None = None, timeout_seconds: float = 1_800) -> Iterator[Cluster]:
    """A cluster at `tcp://host:port` or `tls://host:port`, or `local:N` processes on this machine's loopback.

    ClusterFault where none is reached, none of its workers is there, or one has other versions.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told by the error itself
    with ExitStack() as stack:
        if local := _LOCAL.fullmatch(where):
            client = stack.enter_context(Client(stack.enter_context(_started(int(local[1])))))
        elif _ADDRESS.fullmatch(where):
            client = stack.enter_context(_connected(where, read_security(security) if security else None))
        else:
            raise ClusterFault(f"{where!r} names no cluster: give tcp://host:port, tls://host:port, or local:2")
        if not (cluster := Cluster(client, timeout_seconds)).alive:
            raise ClusterFault(f"{where} has no workers: start some with `dask worker {where}`")
        require_same_versions(client.run(versions, on_error="return"), versions())
        yield cluster


def _started(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
        silence_logs=logging.CRITICAL, env={"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def _connected(where: str, security: Security | None) -> Client:
    try:
        return Client(where, security=security, timeout=_CONNECT_SECONDS)
    except (OSError, TypeError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClusterFault(
            f"no cluster is reached at {where} ({said}): is the scheduler running, and does it take "
            f"{'TLS: give --cluster-security' if where.startswith('tls') else 'connections without TLS'}?"
        ) from None


def read_security(file: Path) -> Security:
    """The TLS files that a small TOML file names: ca, cert and key, beside it unless absolute."""
    try:
        told = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ClusterFault(f"{file}: not TOML: {error}") from None
    if set(told) != set(_SECURITY) or not all(isinstance(value, str) for value in told.values()):
        raise ClusterFault(f"{file}: must name ca, cert and key, each the path of a PEM file, and nothing else")
    paths = {name: file.parent / value for name, value in told.items()}
    for name, path in paths.items():
        if not path.is_file():
            raise ClusterFault(f"{file}: there is no {name} at {path}")
    return Security(require_encryption=True, **{_SECURITY[name]: str(path) for name, path in paths.items()})


def versions() -> dict[str, str]:
    """What this process computes with."""
    return {"Python": ".".join(platform.python_version_tuple()[:2]), **{name: version(name) for name in _COMPARED}}


def require_same_versions(theirs: Mapping[str, Any], ours: Mapping[str, str]) -> None:
    """ClusterFault names every worker, and each thing it has in another version than this machine."""
    wrong = []
    for worker, told in sorted(theirs.items()):
        if isinstance(told, Exception):
            wrong.append(f"{worker} cannot say its versions ({told}): install creditline[training,distributed] there")
            continue
        other = [f"{name} {told.get(name)} (here {mine})" for name, mine in ours.items() if told.get(name) != mine]
        if other:
            wrong.append(f"{worker} has {', '.join(other)}")
    if wrong:
        lines = "\n  ".join(wrong)
        raise ClusterFault(f"the workers must run what this machine runs; build both from one lock file\n  {lines}")
