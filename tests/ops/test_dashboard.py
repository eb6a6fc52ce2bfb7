"""The dashboard: Prometheus accepts every query in it, and every query names what the service exposes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ops.conftest import Promtool
from tests.ops.queries import declared, faults

FILE = Path(__file__).parents[2] / "ops" / "grafana" / "creditline.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
ROWS = [
    "Service",
    "Sources",
    "Decisions without a source, and what follows",
    "Brakes, lists and release",
    "Full approval",
    "Watching the release",
    "Champion and challenger",
]
# What Grafana puts in before it asks.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*", "$source": ".*"}


def queries() -> dict[str, str]:
    """Every query, by panel and letter, as Prometheus gets it."""
    found = {f"{p['title']} {t['refId']}": t["expr"] for p in PANELS for t in p.get("targets", ())}
    for name, value in VARIABLES.items():
        found = {place: expression.replace(name, value) for place, expression in found.items()}
    return found


def _data_sources(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if "datasource" in value:
            yield value["datasource"]
        for inside in value.values():
            yield from _data_sources(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _data_sources(inside)


def test_prometheus_accepts_every_query(promtool: Promtool, tmp_path: Path) -> None:
    """Each query, recorded as a rule, passes `promtool check rules`; a broken one beside them would not."""
    broken = {"a broken one": "sum(rate(creditline_decisions_total[5m])"}
    for name, expressions in {"good": queries(), "bad": {**queries(), **broken}}.items():
        recorded = [{"record": f"panel:{i}", "expr": text} for i, text in enumerate(expressions.values())]
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": recorded}]}))
        result = promtool("check", "rules", str(file))
        assert (result.returncode == 0) == (name == "good"), result.stdout + result.stderr


def test_queries_name_what_the_service_exposes() -> None:
    """Every series, label, stage and bucket in a query exists in api.metrics, and no variable is left unknown."""
    found = {place: faults(expression) for place, expression in queries().items()}
    assert {place: wrong for place, wrong in found.items() if wrong} == {}
    assert [place for place, expression in queries().items() if "$" in expression] == []


def test_every_metric_of_ours_is_shown() -> None:
    """No metric is declared that the dashboard does not show: each family stands in at least one query."""
    text = "\n".join(queries().values())
    families = {
        re.sub(r"_(total|count|sum|bucket)$", "", name) for name in declared() if name.startswith("creditline_")
    }
    assert [family for family in sorted(families) if not family.endswith("_created") and family not in text] == []


def test_no_data_source_is_written_down() -> None:
    """Every panel, query and variable asks whatever Prometheus the reader has chosen."""
    sources = list(_data_sources(DASHBOARD))
    assert len(sources) > len(PANELS) - len(ROWS)
    assert [s for s in sources if s != {"type": "prometheus", "uid": "${datasource}"}] == []
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"


def test_panels_are_laid_out_without_overlap() -> None:
    """Each has an id of its own, and no two cover one cell of the 24 columns."""
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


@pytest.mark.parametrize("row", ROWS)
def test_each_row_holds_panels_that_explain_themselves(row: str) -> None:
    """Below each row's title stand panels, each with a title and a sentence that says how to read it."""
    titles = [panel["title"] for panel in PANELS if panel["type"] == "row"]
    assert titles == ROWS
    start = next(i for i, panel in enumerate(PANELS) if panel["title"] == row)
    below = []
    for panel in PANELS[start + 1 :]:
        if panel["type"] == "row":
            break
        below.append(panel)
    assert len(below) >= 3
    assert all(panel["title"] and panel["description"].endswith(".") for panel in below)
