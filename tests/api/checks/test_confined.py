"""The checks in the process that the service starts: its limits, its answer's form, with and without a reader."""

import asyncio
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from api.cases.checking import LIMITS, MODULE
from api.documents.confinement import ChildFailed, Limits
from api.documents.inspector import Inspector
from tests.support.papers import Paper, paper

ROOT = Path(__file__).parents[3]


def told(document: Paper, limits: Limits = LIMITS) -> dict[str, Any]:
    """What the process answers about a paper."""
    header = {"media_type": document.media_type, "expectation": document.subject.model_dump(mode="json")}
    answer, rest = asyncio.run(Inspector().run(MODULE, header, document.data, limits))
    assert rest == b""
    return answer


def verdicts(answer: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["verdict"] for each in answer["results"]}


def test_a_clean_statement_passes_whole_in_the_confined_process() -> None:
    """Ten pages under the real limits: every check passes, and values travel as the case reads them."""
    answer = told(paper("bank_statement", rows=260))
    assert set(verdicts(answer).values()) == {"pass"}
    assert (answer["electronic"], answer["pages"], answer["reader"]) == (True, 10, "text")
    found = {each["field"]: each for result in answer["results"] for each in result["found"]}
    assert int(found["closing_cents"]["value"]) > 0
    assert len(found["closing_cents"]["box"]) == 4


def test_redactions_are_boxes_as_pages_are_painted_with_them() -> None:
    """Each is page, left, top, right and bottom, whole thousandths: what the console hands to whoever renders."""
    document = paper("tax_account", "tax_number")
    answer = told(document)
    assert answer["redactions"]
    for box in answer["redactions"]:
        page, left, top, right, bottom = box
        assert page == 1
        assert 0 <= left < right <= 1000
        assert 0 <= top < bottom <= 1000
    picture = asyncio.run(Inspector().render(document.data, 1, [tuple(box) for box in answer["redactions"]], 300))
    plain = asyncio.run(Inspector().render(document.data, 1, (), 300))
    assert picture != plain


@pytest.mark.skipif(not find_spec("rapidocr"), reason="rapidocr is not installed")
def test_models_that_ship_in_a_package_read_a_scan_under_the_limits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without tesseract on the path the package reads, inside memory and time."""
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = told(paper("rates_notice", "scanned", seed=3))
    assert (answer["reader"], answer["electronic"]) == ("rapidocr", False)
    assert verdicts(answer)["totals"] == "pass"


@pytest.mark.skipif(not shutil.which("tesseract"), reason="tesseract is not installed")
def test_tesseract_reads_a_scan_under_the_limits() -> None:
    """A program that is started from the confined process reads, though neither may write a file."""
    answer = told(paper("rates_notice", "scanned", seed=3))
    assert (answer["reader"], answer["electronic"]) == ("tesseract", False)
    assert verdicts(answer)["kind"] == "pass"


def test_a_file_that_takes_too_much_ends_its_own_process_alone() -> None:
    """With hardly any memory the process ends, and the caller is told that it was the limit."""
    with pytest.raises(ChildFailed):
        told(paper("bank_statement"), Limits(cpu_seconds=5, wall_seconds=30, memory_mb=64, files=64))


def test_the_service_loads_no_reader_of_files() -> None:
    """What the service imports of the checks brings in neither a PDF library, nor pictures, nor models."""
    code = (
        "import sys, api.cases.checking, api.checks;"
        "print(*sorted({name.split('.')[0] for name in sys.modules} & {'pypdfium2', 'PIL', 'rapidocr', 'onnxruntime'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == []
