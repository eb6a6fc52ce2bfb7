"""LightGBM behind FastAPI and uvicorn, as FastAPI's documentation says; run inside the peer's environment.

It does: check a body by its model, predict, reply. `async def`, since a plain one would go through a pool of threads
and be slower. It does not: log accesses, since ours does not.
"""

import os
from typing import Any

import lightgbm
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
booster = lightgbm.Booster({"num_threads": 1}, model_file=os.environ["BENCHMARK_MODEL"])


class Row(BaseModel):  # type: ignore[misc, unused-ignore]
    """One row in model order."""

    row: list[float | None]


async def score(body: Row) -> dict[str, float]:
    """The raw score."""
    return {"score": float(booster.predict(np.array([body.row], dtype=np.float64), raw_score=True, num_threads=1)[0])}


async def explain(body: Row) -> dict[str, Any]:
    """The raw score, and what each feature adds to it."""
    row = np.array([body.row], dtype=np.float64)
    raw = booster.predict(row, raw_score=True, num_threads=1)
    parts = booster.predict(row, pred_contrib=True, num_threads=1)
    return {"score": float(raw[0]), "contributions": parts[0].tolist()}


app.post("/score")(score)
app.post("/explain")(explain)
