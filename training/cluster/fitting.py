"""A fit on a cluster: the table looked through once, then attempts until one ends with all its workers.

It does: have the workers cut and check the table, and begin anew on those that are left when one is lost. It does not:
read the table, or write. The rule it keeps: after three attempts it ends with the reason, and nothing is half done.
"""

import time
from collections.abc import Callable, Sequence
from uuid import uuid4

from training.cluster.attempt import Fit, Made, Seen, Told, attempt
from training.cluster.growing import at_rest
from training.cluster.parts import Part, cut
from training.cluster.survey import Looked, look, require_sound
from training.cluster.waiting import RETURN_SECONDS, Cluster, ClusterFault, WorkerLost
from training.data.tables import file_sha256, folder_sha256

MOST_ATTEMPTS = 3
_ANSWER_SECONDS = 15


def fit_on(cluster: Cluster, fit: Fit, told: Told = lambda doing, done, of: None) -> Made:
    """Fit a described Parquet table on a cluster.

    ValueError and TableFaults say what is wrong with table or spans, ClusterFault what is wrong with the cluster.
    """
    [parts] = cluster.each(cut, [(fit.table,)])
    looked = _looked(cluster, fit, parts, told)
    whole = require_sound(fit.table.name, fit.described, looked)
    files = list(dict.fromkeys(part.file for part in parts))
    digests = list(cluster.each(file_sha256, [(file,) for file in files]))
    seen = Seen(parts, looked, whole, digests[0] if files == [fit.table] else folder_sha256(digests))
    workers, key = cluster.alive, uuid4().hex
    for number in range(1, MOST_ATTEMPTS):
        try:
            return attempt(cluster, workers, key, fit, seen, told)
        except WorkerLost as lost:
            told(f"{lost}: begins anew", number, MOST_ATTEMPTS)
        workers = _recovered(cluster, key, len(workers))
    try:
        return attempt(cluster, workers, key, fit, seen, told)
    except WorkerLost as lost:
        raise ClusterFault(
            f"{lost}, for the {MOST_ATTEMPTS}rd time; nothing was written: look at the workers' logs and memory, then "
            "run the same command again"
        ) from None


def _looked(cluster: Cluster, fit: Fit, parts: Sequence[Part], told: Told) -> list[Looked]:
    found = []
    for looked in cluster.each(look, [(part, fit.described, fit.split, fit.today) for part in parts]):
        found.append(looked)
        told("looking through", len(found), len(parts))
    return found


def _recovered(cluster: Cluster, key: str, wanted: int) -> tuple[str, ...]:
    """The workers to go on with: those that answer, those restarted because they did not, and who comes back.

    LightGBM can wait for ever for a peer that has gone; nothing but the end of the process helps then.
    """
    asked = [cluster.on(worker, at_rest, key) for worker in cluster.alive]
    _until(_ANSWER_SECONDS, lambda: all(task.future.status != "pending" for task in asked))
    stuck = [task.worker for task in asked if task.future.status == "pending" and task.worker in cluster.alive]
    if stuck:
        try:
            cluster.client.restart_workers(stuck, timeout=RETURN_SECONDS, raise_for_error=False)
        except ValueError:
            raise ClusterFault(f"worker {', '.join(stuck)} hangs and has no nanny: restart it by hand") from None
    _until(RETURN_SECONDS, lambda: len(cluster.alive) >= wanted)
    if not (alive := cluster.alive):
        raise ClusterFault("no worker is left; nothing was written: start workers, then run the same command again")
    return alive[:wanted]


def _until(seconds: float, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.2)
