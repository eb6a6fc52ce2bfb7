"""The alert rules: Prometheus accepts them, they name what the service exposes, and each fires when it should."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import generate_latest

from api.metrics import REGISTRY
from tests.ops.conftest import Promtool
from tests.ops.queries import faults

OPS = Path(__file__).parents[2] / "ops"
RULES = OPS / "prometheus" / "alerts.yml"
TESTS = (OPS / "prometheus" / "alerts_test.yml", OPS / "prometheus" / "alerts_days_test.yml")


def rules() -> list[dict[str, Any]]:
    """Every rule of the file, recorded or alerting."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """Every alerting rule by its name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def headings() -> set[str]:
    """The third-level headings of ops/README.md."""
    return set(re.findall(r"^### (\S+)$", (OPS / "README.md").read_text(), re.MULTILINE))


def test_prometheus_accepts_the_rules(promtool: Promtool) -> None:
    """`promtool check rules` finds nothing wrong, templates included."""
    result = promtool("check", "rules", str(RULES))
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(rules())} rules found" in result.stdout


def test_prometheus_accepts_what_is_exposed(promtool: Promtool) -> None:
    """`promtool check metrics` finds the exposition well formed, and named as Prometheus advises."""
    result = promtool("check", "metrics", stdin=generate_latest(REGISTRY).decode())
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should(promtool: Promtool, file: Path) -> None:
    """`promtool test rules` agrees with every expectation on made-up series, a clean week's silence among them."""
    result = promtool("test", "rules", str(file))
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_made_up_series_can_find_a_fault(promtool: Promtool, tmp_path: Path) -> None:
    """With one threshold moved, the tests of the rules fail and name the alert."""
    text = RULES.read_text()
    moved = text.replace("creditline_follow_ups_waiting > 50", "creditline_follow_ups_waiting > 5000")
    assert moved != text
    (tmp_path / "alerts.yml").write_text(moved)
    (tmp_path / "test.yml").write_text(TESTS[0].read_text())
    result = promtool("test", "rules", str(tmp_path / "test.yml"))
    assert result.returncode != 0
    assert "CreditlineFollowUpsPilingUp" in result.stdout + result.stderr


def test_every_alert_is_seen_firing() -> None:
    """No alert is without made-up series on which it fires, and the tests expect no alert that does not exist."""
    fired = {
        name
        for file in TESTS
        for case in yaml.safe_load(file.read_text())["tests"]
        for check in case["promql_expr_test"]
        for sample in check["exp_samples"]
        for name in re.findall(r'alertname="(\w+)"', sample["labels"])
    }
    assert fired == set(alerts())


def test_every_alert_says_what_it_is_and_what_to_do() -> None:
    """Each has a severity, a summary, a description and its own section in ops/README.md; no section is left over."""
    for name, alert in alerts().items():
        assert alert["labels"]["severity"] in {"page", "ticket"}, name
        told = alert["annotations"]
        assert told.keys() == {"summary", "description", "runbook"}, name
        assert all(told.values()), name
        assert told["runbook"] == f"ops/README.md#{name.lower()}"
    assert headings() == set(alerts())


def test_rules_name_what_the_service_exposes() -> None:
    """Every series, label, stage and bucket in a rule exists in api.metrics, or is recorded by another rule."""
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    wrong = {rule.get("alert") or rule["record"]: faults(rule["expr"], recorded) for rule in rules()}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("rate(creditline_decisions[5m])", "no series creditline_decisions"),
        ('creditline_decisions_total{result="approve"}', "creditline_decisions_total has no label result"),
        ("sum by (source) (creditline_decisions_total)", "grouped by source, which nothing here has"),
        ('creditline_stage_seconds_bucket{le="0.2"}', "creditline_stage_seconds_bucket is never le=0.2"),
        ('creditline_source_failures_total{why="angry"}', "creditline_source_failures_total is never why=angry"),
    ],
)
def test_a_name_that_does_not_exist_is_found(expression: str, fault: str) -> None:
    """A wrong series, label, grouping, bucket or word is each told apart."""
    assert faults(expression) == [fault]
