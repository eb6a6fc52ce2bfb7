"""A fit or a back-test on more machines than one: a Dask cluster whose workers read the table themselves.

joining finds a cluster or starts a small one, waiting sees to it that nothing waits for a worker that is gone; parts
and survey cut a Parquet table and look it through, growing grows trees on the workers, line calibrates, attempt is one
fit and fitting begins it anew where a worker is lost; deciding decides a market, or recorded decisions again. Only
sums, trees, figures and a bounded sample leave the worker that read a row.
"""

from training.cluster.attempt import Fit, Made
from training.cluster.deciding import decide_market_on, run_on
from training.cluster.fitting import fit_on
from training.cluster.joining import joined
from training.cluster.waiting import Cluster, ClusterFault

__all__ = ["Cluster", "ClusterFault", "Fit", "Made", "decide_market_on", "fit_on", "joined", "run_on"]
