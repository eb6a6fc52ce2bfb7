"""Which metrics and labels a PromQL expression names, against what api.metrics and api.staff.counts declare.

It looks at names, matchers and groupings, nothing else: whether the expression is PromQL at all is promtool's to say.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from prometheus_client.metrics import MetricWrapperBase

import api.metrics
import api.staff.counts
from api.metrics import REGISTRY

GIVEN_BY_SCRAPING = {"job", "instance"}
_NAME = re.compile(r"\b(?:creditline|process)[_:][a-zA-Z0-9_:]+")
_SELECTOR = re.compile(r"\b((?:creditline|process)[_:][a-zA-Z0-9_:]+)\{([^}]*)\}")
_MATCHER = re.compile(r'([a-zA-Z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_count", "_sum", "_bucket")}
_TEXT = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Series:
    """One name as it is exposed: its labels, and the values that each has from the start, where it has any."""

    labels: frozenset[str]
    values: dict[str, set[str]] = field(default_factory=dict)


@cache
def declared() -> dict[str, Series]:
    """Every series that the service may expose, by name."""
    found: dict[str, Series] = {}
    for metric in (*vars(api.metrics).values(), *vars(api.staff.counts).values()):
        if isinstance(metric, MetricWrapperBase):
            names = frozenset(metric._labelnames)
            for suffix in _SUFFIXES[metric._type or ""]:
                found[metric._name + suffix] = Series(names | ({"le"} if suffix == "_bucket" else set()))
    for family in REGISTRY.collect():
        for sample in family.samples:
            known = found.setdefault(sample.name, Series(frozenset(sample.labels)))
            for label, value in sample.labels.items():
                known.values.setdefault(label, set()).add(value)
    return found


def faults(expression: str, recorded: Iterable[str] = ()) -> list[str]:
    """What an expression names that does not exist: a series, a label of one, or a bucket or stage that never is."""
    known = declared()
    names = set(_NAME.findall(_TEXT.sub('""', expression))) - set(recorded)
    wrong = [f"no series {name}" for name in sorted(names - known.keys())]
    for name, matchers in _SELECTOR.findall(expression):
        if name not in known:
            continue
        series = known[name]
        for label, how, value in _MATCHER.findall(matchers):
            if label not in series.labels | GIVEN_BY_SCRAPING:
                wrong.append(f"{name} has no label {label}")
            elif label in {"le", "stage", "why", "slug", "route"} and how in {"=", "!="}:
                wrong += [] if value in series.values[label] else [f"{name} is never {label}={value}"]
    labels = GIVEN_BY_SCRAPING.union(*(known[name].labels for name in names & known.keys()))
    grouped = {label.strip() for inside in _GROUPING.findall(expression) for label in inside.split(",")} - {""}
    return wrong + [f"grouped by {label}, which nothing here has" for label in sorted(grouped - labels)]
