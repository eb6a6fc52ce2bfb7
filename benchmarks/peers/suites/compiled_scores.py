"""The libraries that make trees quicker: lleaves (LLVM), ONNX Runtime (float32) and treelite's interpreter; one thread.

It does: score. It does not: explain; none of them does.
"""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.suites.given import ROWS, Floats, model_file, singles
from benchmarks.peers.worker import Call

__all__ = ["ROWS", "lleaves_model", "onnx_session", "tasks"]


def tasks(folder: Path) -> dict[str, Call]:
    """One task a library; raw scores, so that answers can be compared."""
    rows = singles(folder)
    return {
        "lleaves, compiled": _lleaves(folder, rows),
        "ONNX Runtime (float32, not exact)": _onnx(folder, rows),
        "treelite GTIL": _treelite(folder, rows),
    }


def lleaves_model(folder: Path) -> Any:
    """The model compiled once and loaded."""
    import lleaves  # noqa: PLC0415 - each library is loaded where it is used

    model = lleaves.Model(model_file=str(model_file(folder)))
    model.compile(cache=str(folder / "lleaves.bin"), raw_score=True)
    return model


def _lleaves(folder: Path, rows: list[Floats]) -> Call:
    model = lleaves_model(folder)
    return lambda place: model.predict(rows[place], n_jobs=1)


def onnx_session(folder: Path, features: int, threads: int) -> Any:
    """The model converted once and loaded."""
    import onnxruntime  # noqa: PLC0415

    kept = folder / "model.onnx"
    if not kept.exists():
        import lightgbm  # noqa: PLC0415
        from onnxmltools.convert import convert_lightgbm  # noqa: PLC0415
        from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: PLC0415

        booster = lightgbm.Booster(model_file=str(model_file(folder)))
        given = [("x", FloatTensorType([None, features]))]
        kept.write_bytes(convert_lightgbm(booster, initial_types=given, zipmap=False).SerializeToString())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(kept), options, providers=["CPUExecutionProvider"])


def _onnx(folder: Path, rows: list[Floats]) -> Call:
    session = onnx_session(folder, rows[0].shape[1], 1)
    narrow = [row.astype(np.float32) for row in rows]
    probabilities = [session.get_outputs()[1].name]

    def call(place: int) -> Any:
        bad = session.run(probabilities, {"x": narrow[place]})[0][0, 1]
        return np.log(bad / (1 - bad))  # a microsecond: back to the raw score that the others give

    return call


def _treelite(folder: Path, rows: list[Floats]) -> Call:
    import treelite  # noqa: PLC0415

    model = treelite.frontend.load_lightgbm_model(str(model_file(folder)))
    predict = treelite.gtil.predict
    return lambda place: predict(model, rows[place], nthread=1, pred_margin=True)
