"""What the service shows of the monitor's file: figures and a page; whatever is wrong with the file fails nothing."""

import math
from datetime import date, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import models
from api.cases import approving
from api.commands import exported
from api.watching import NOT_SET, Watching
from engine.features import FEATURE_NAMES
from models.watching import FILE, KINDS, Watch
from tests.support.console_samples.floor import floor as opened_floor
from tests.support.console_samples.watching import RECORD
from tests.support.deskwork import ABEL, Office
from tests.support.monitoring import Decided, lines, write
from tests.support.service import Service, body_of
from training.monitor import from_decisions


def figures(service: Service) -> dict[tuple[str, ...], float]:
    """Every figure of the monitor at /metrics, by name and label."""
    reply = service.ask("GET", "/metrics")
    assert reply.status_code == 200
    return {
        (sample.name.removeprefix("creditline_monitor_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
        if sample.name.startswith("creditline_monitor_")
    }


@pytest.fixture
def watched(lone_service: Service, tmp_path: Path) -> Service:
    """A service whose settings name a folder, with nothing in it yet."""
    lone_service.state.watching = Watching(tmp_path)
    return lone_service


def test_the_record_is_exposed(watched: Service, tmp_path: Path) -> None:
    """The newest telling period's figures, standing alarms by kind, when it was made; every label from the start."""
    (tmp_path / FILE).write_bytes(RECORD.to_bytes())
    found, newest = figures(watched), RECORD.periods[-1]
    assert newest.outcomes is not None
    assert found["file_fault",] == 0
    assert found["timestamp_seconds",] == RECORD.made_at.timestamp()
    assert found["decisions",] == newest.decisions
    assert found["psi", "score"] == newest.score.psi
    assert found["psi", "bureau_score"] == newest.features[0].psi
    assert math.isnan(found["psi", "abn_age_months"])  # not in the record
    assert found["rate", "approved"] == newest.outcomes.approved.share
    assert found["limit_dollars",] == (newest.outcomes.limit_mean_cents or 0) / 100
    assert found["calibration_ratio",] == RECORD.periods[6].calibration.ratio  # type: ignore[union-attr]
    assert {kind: found["alarms", kind] for kind in KINDS if found["alarms", kind]} == {"score": 1, "approval": 1}
    assert {label[0] for name, *label in found if name == "psi"} >= {"score", *FEATURE_NAMES}


@pytest.mark.parametrize(
    ("content", "fault", "says"),
    [
        (None, 1, "There is no monitor.json yet"),
        (b"", 2, "damaged"),
        (RECORD.to_bytes()[:-40], 2, "damaged"),
        (RECORD.model_copy(update={"periods": ()}).to_bytes(), 2, "holds no period"),
        (b"[" * 100_000, 2, "damaged"),
        (b'{"release": NaN}', 2, "damaged"),
    ],
)
def test_a_bad_file_is_a_figure_and_a_message(
    watched: Service, tmp_path: Path, content: bytes | None, fault: int, says: str
) -> None:
    """After a good file a missing or damaged one leaves no old figure; decisions go on; the page says what is wrong."""
    (tmp_path / FILE).write_bytes(RECORD.to_bytes())
    assert figures(watched)["psi", "score"] > 0
    (tmp_path / FILE).unlink()
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    found = figures(watched)
    assert found.pop(("file_fault",)) == fault
    assert all(math.isnan(value) for value in found.values())
    assert watched.apply(body_of()).status_code == 201
    with opened_floor(watched) as floor:
        assert says in floor.hire("risk").see("/console/watching")


def test_a_folder_in_place_of_the_file_is_damaged(watched: Service, tmp_path: Path) -> None:
    """What cannot be read for another reason is told in the system's own words."""
    (tmp_path / FILE).mkdir()
    assert figures(watched)["file_fault",] == 2


def test_nobody_need_watch(lone_service: Service) -> None:
    """Without a setting nothing is told, nothing is at fault, and the page says which variable is not set."""
    assert lone_service.state.watching.look() == NOT_SET
    found = figures(lone_service)
    assert found.pop(("file_fault",)) == 0
    assert all(math.isnan(value) for value in found.values())
    with opened_floor(lone_service) as floor:
        assert "CREDITLINE_MONITOR names no folder" in floor.hire("auditor").see("/console/watching")


def test_the_file_is_read_when_it_changed_and_only_then(tmp_path: Path) -> None:
    """The same file gives the very same record; a new one is seen at the next look."""
    watching = Watching(tmp_path)
    (tmp_path / FILE).write_bytes(RECORD.to_bytes())
    first = watching.look()
    assert isinstance(first, Watch)
    assert watching.look() is first
    later = RECORD.model_copy(update={"made_at": RECORD.made_at + timedelta(days=1), "decisions": 12_999})
    (tmp_path / FILE).write_bytes(later.to_bytes())
    assert watching.look() == later


def test_the_page_tells_alarms_in_words(watched: Service, tmp_path: Path) -> None:
    """Risk and auditors read sentences, tables and drawings; a record of another release is called one."""
    (tmp_path / FILE).write_bytes(RECORD.model_copy(update={"release": "another-release"}).to_bytes())
    with opened_floor(watched) as floor:
        text = floor.hire("risk").see("/console/watching")
    for alarm in RECORD.alarms:
        assert alarm.sentence in text.replace("&#39;", "'")
    assert "what is shown here is of another" in text
    assert text.count("<svg") == 6
    for segment in RECORD.segments:
        assert segment.value in text


def test_the_export_tells_what_the_monitor_reads(lone_service: Service, tmp_path: Path) -> None:
    """The made-up lines of the monitor's tests have the fields of the real export; a declined case is told by it."""
    office = Office.of(lone_service)
    case = office.take(office.verified(), "approve", ABEL)
    office.do(approving.decline(office.desk, case.id, ABEL, office.verdict(case, reason="R20")))
    [*_, record] = exported(lone_service.state.settings.database_url, 0)
    assert record["case_state"] == "rejected"
    release = models.champion()
    [line] = lines([(date(2025, 1, 1), Decided({}, {}, {}, None))], release)
    assert set(line) == set(record)
    path = write(tmp_path / "export.jsonl", [record | {"release_digest": release.digest}])
    rows = from_decisions(path, release)
    assert rows.overridden is not None
    assert rows.overridden.tolist() == [True]
