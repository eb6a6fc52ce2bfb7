"""The public credit sets as examples, read from the folder that CREDITLINE_CREDIT_DATA names.

It does: read columns that were known at application and turn texts into codes. It does not: copy a row anywhere. The
rule it keeps: what anti-discrimination law forbids (sex, marriage, age, foreign worker and their like) is never an
input, in the champion and in what it is compared with alike.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from training.data import Dataset, checked, from_table

VARIABLE = "CREDITLINE_CREDIT_DATA"
SBA = Path(__file__).parents[2] / "training" / "tables" / "sba30k.toml"
PRINTED_ONLY = frozenset({"gmsc", "heloc"})  # their terms: figures stay out of the repository


class NoData(RuntimeError):
    """The folder of the public sets is not known or not there."""


def folder() -> Path:
    """Where the sets lie; NoData says what to set."""
    named = os.environ.get(VARIABLE)
    if not named or not Path(named).is_dir():
        raise NoData(f"set {VARIABLE} to the folder that holds sba30k, gmsc, uci_default, heloc, german, australian")
    return Path(named)


def sba30k() -> Dataset:
    """U.S. Small Business Administration loans, with time and weight."""
    return from_table(SBA, folder() / "sba30k" / "sba30k_dev_approved_to_2004.parquet")


def _examples(name: str, frame: pd.DataFrame, bad: "pd.Series[bool]", categories: tuple[str, ...] = ()) -> Dataset:
    columns = [
        pd.Categorical(frame[c].astype(str)).codes if c in categories else frame[c].to_numpy(dtype=float) for c in frame
    ]
    return checked(
        Dataset(
            names=tuple(frame.columns), x=np.column_stack(columns).astype(float), y=bad.to_numpy().astype(np.float64),
            weight=np.ones(len(frame)), time=np.zeros(len(frame), dtype="datetime64[D]"),
            directions=(0,) * frame.shape[1],
            categorical=tuple(i for i, c in enumerate(frame.columns) if c in categories),
            description=name, source_sha256="0" * 64,
        )
    )  # fmt: skip


def gmsc() -> Dataset:
    """Give Me Some Credit, without age."""
    frame = pd.read_parquet(folder() / "gmsc" / "gmsc_dev60.parquet")
    inputs = frame.drop(columns=["row_id", "SeriousDlqin2yrs", "age"])
    return _examples("gmsc", inputs, frame["SeriousDlqin2yrs"] == 1)


def uci_default() -> Dataset:
    """Credit card clients in Taiwan, without sex, marriage and age."""
    frame = pd.read_parquet(folder() / "uci_default" / "uci_default.parquet")
    inputs = frame.drop(columns=["ID", "class", "SEX", "MARRIAGE", "AGE"])
    return _examples("uci_default", inputs, frame["class"] == 1)


def heloc() -> Dataset:
    """Home equity lines, without the rows that hold no record at all."""
    frame = pd.read_parquet(folder() / "heloc" / "heloc.parquet")
    inputs = frame.drop(columns="RiskFlag")
    there = ~(inputs == -9).all(axis=1)
    return _examples("heloc", inputs[there], frame["RiskFlag"][there] == "Bad")


def german() -> Dataset:
    """Statlog German credit, without sex and marital status, age and foreign worker."""
    frame = pd.read_parquet(folder() / "german" / "german.parquet")
    inputs = frame.drop(columns=["class_2bad", "personal_sex", "age", "foreign"])
    texts = tuple(str(c) for c in inputs if not pd.api.types.is_numeric_dtype(inputs[c]))
    return _examples("german", inputs, frame["class_2bad"] == 2, texts)


def australian() -> Dataset:
    """Statlog Australian credit approval; what its columns mean is not known."""
    frame = pd.read_parquet(folder() / "australian" / "australian.parquet")
    return _examples("australian", frame.drop(columns="class"), frame["class"] == 1, ("A4", "A5", "A6", "A12"))


FOLDED: dict[str, Callable[[], Dataset]] = {
    "gmsc": gmsc, "uci_default": uci_default, "heloc": heloc, "german": german, "australian": australian,
}  # fmt: skip
