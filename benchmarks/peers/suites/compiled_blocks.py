"""The libraries that make trees quicker: a block of many rows on two threads; answers are every thousandth score."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.suites.compiled_scores import lleaves_model, onnx_session
from benchmarks.peers.suites.given import EVERY, THREADS, Floats, block
from benchmarks.peers.worker import Call

ROWS = 1
__all__ = ["ROWS", "tasks"]


def tasks(folder: Path) -> dict[str, Call]:
    """One task a library."""
    rows = block(folder)
    model = lleaves_model(folder)
    return {
        "lleaves, compiled": lambda _: model.predict(rows, n_jobs=THREADS)[::EVERY],
        "ONNX Runtime (float32, not exact)": _onnx(folder, rows),
    }


def _onnx(folder: Path, rows: Floats) -> Call:
    session = onnx_session(folder, rows.shape[1], THREADS)
    narrow, probabilities = rows.astype(np.float32), [session.get_outputs()[1].name]

    def call(_: int) -> Any:
        bad = session.run(probabilities, {"x": narrow})[0][::EVERY, 1]
        return np.log(bad / (1 - bad))

    return call
