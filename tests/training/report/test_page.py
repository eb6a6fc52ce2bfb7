"""The page: the same bytes, made from the record alone, self-contained, escaped, and readable by everybody."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types

from tests.support.browser import chromium, visit
from tests.training.report.conftest import HOSTILE, Desk
from training.report import Report, render
from training.report.formats import count, interval, number, percent, percents
from training.report.sections import sections

ROOT = Path(__file__).parents[3]
VOID = {"meta", "br", "hr", "img", "link", "input"}
AXE = """async () => (await axe.run(document, { runOnly: { type: 'tag', values:
  ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] } })).violations
  .map((each) => [each.id, ...each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160))])"""
WIDER = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Read(HTMLParser):
    """Elements with their attributes, and tables as captions, heads and rows of text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.unclosed: list[str] = []
        self._rows: list[list[str]] = []
        self._text: list[str] | None = None
        self._caption = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.unclosed.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th", "caption"}:
            self._text = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag
        text = "".join(self._text or []).strip()
        if tag == "caption":
            self._caption = re.sub(r"^Table \d+\. ", "", text)
        elif tag in {"td", "th"}:
            self._rows[-1].append(text)
        elif tag == "table":
            self.tables.setdefault(self._caption, self._rows)
        if tag in {"td", "th", "caption"}:
            self._text = None


@pytest.fixture(scope="module")
def page(desk: Desk) -> str:
    """The page of the report."""
    return render(desk.report)


# -- bytes and content ---------------------------------------------------------------------------------------


def test_the_page_is_made_from_the_json_alone(desk: Desk, page: str) -> None:
    """Written as JSON, read again and rendered, the record gives the page to its last byte."""
    assert render(Report.model_validate_json(desk.report.model_dump_json())) == page


def test_another_process_writes_the_same_bytes(desk: Desk, page: str, tmp_path: Path) -> None:
    """Neither the process nor the order of its hashes shows in the page."""
    (tmp_path / "record.json").write_text(desk.report.model_dump_json())
    script = (
        "import sys; from pathlib import Path; from training.report import Report, render\n"
        "sys.stdout.buffer.write(render(Report.model_validate_json(Path(sys.argv[1]).read_bytes())).encode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "record.json")], capture_output=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.decode() == page


def test_tables_hold_the_figures_of_the_json(desk: Desk, page: str) -> None:
    """Bands, vintages, segments, drift, fairness and rank, cell by cell, by the record read as plain JSON."""
    told, tables = json.loads(desk.report.model_dump_json())["judgement"], Read(page).tables
    bands = tables["Score bands, safest first"]
    assert [row[3:9] for row in bands[1:]] == [
        [count(b["rows"]), count(b["bads"]), percent(b["share"], 1), percent(b["mean_pd"]), percent(b["bad_rate"]),
         percents(b["bad_rate_low"], b["bad_rate_high"])]
        for b in told["bands"]
    ]  # fmt: skip
    for by, slices in (("vintage", told["vintages"]), ("size", [s for s in told["segments"] if s["by"] == "size"])):
        assert [(row[0], row[7], row[8]) for row in tables[f"By {by}"][1:]] == [
            (s["value"], number(s["auc"], 3), interval(s["auc_low"], s["auc_high"], 3)) for s in slices
        ]
    assert tables["Rank"][1][:3] == [
        "AUC", number(told["figures"]["auc"]), interval(told["figures"]["auc_low"], told["figures"]["auc_high"])
    ]  # fmt: skip
    drifts = {d["name"]: number(d["psi"], 4) for d in (told["score_drift"], *told["feature_drift"])}
    assert {row[0]: row[1] for row in tables["PSI of score and inputs"][1:]} == drifts
    groups = next(f for f in told["fairness"] if f["attribute"] == "region")["groups"]
    assert {row[0]: row[4] for row in tables["Fairness by region"][1:]} == {
        g["group"]: number(g["impact_ratio"], 2) for g in groups
    }


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], float]]:
    """Every number of a JSON record with the way to it."""
    if isinstance(value, dict | list):
        each = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, child in each for leaf in leaves(child, (*path, key))]
    number_there = isinstance(value, int | float) and not isinstance(value, bool)
    return [(path, value)] if number_there else []


def changed(record: Any, path: tuple[str | int, ...], to: float) -> Any:
    """The record with one number replaced."""
    if not path:
        return to
    copied = dict(record) if isinstance(record, dict) else list(record)
    copied[path[0]] = changed(record[path[0]], path[1:], to)  # type: ignore[index]
    return copied


def test_no_figure_of_the_record_is_left_out_of_the_page(desk: Desk) -> None:
    """Changing any number of the record, each of its kind once, changes a table or what a picture is drawn from."""
    record = json.loads(desk.report.model_dump_json())
    before, kinds = sections(desk.report), dict[tuple[str, ...], tuple[tuple[str | int, ...], float]]()
    for path, value in leaves(record):
        kinds.setdefault(tuple(str(key) for key in path if isinstance(key, str)), (path, value))
    silent = []
    for kind, (path, value) in kinds.items():
        if kind == ("schema_version",):
            continue
        to = value + 1 if isinstance(value, int) else value * 1.5 + 0.1
        to = -to % 2 if kind == ("inputs", "direction") else to  # 1 to 0
        if sections(Report.model_validate_json(json.dumps(changed(record, path, to)))) == before:
            silent.append(".".join(kind))
    assert silent == []


# -- alone, and safe -----------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else(page: str) -> None:
    """No script, no address, nothing loaded: every href stays inside, and the policy forbids the rest."""
    found = Read(page)
    assert found.unclosed == []
    for tag, attributes in found.elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "image", "base", "form"}
        assert not {"src", "srcset", "action", "data", "style:background"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    assert re.findall(r"url\((?!#)", page) == []
    assert "@import" not in page
    assert "://" not in page
    assert "default-src 'none'" in page


def test_hostile_names_are_names(desk: Desk, page: str) -> None:
    """Markup in a folder's name, a label, a definition or a description is shown as text, everywhere."""
    assert "<script" not in page
    assert "<b>" not in page
    found = Read(page)
    assert [row[0] for row in found.tables["Fairness by region"] if "script" in row[0]] == [HOSTILE]
    assert ["bad", f"late {HOSTILE}"] in found.tables["Definitions"]
    assert "new <b>model" in found.tables["Side by side, on the same examples"][1]


def test_a_card_cannot_reach_out(desk: Desk) -> None:
    """Links, pictures and markup in a release's card become text; its tables and headings stay what they are."""
    card = (
        "# Name\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[x](javascript:alert(1)) ![y](http:z) <img src=x> <http://a.b>\n"
    )
    shown = render(desk.report.model_copy(update={"card": card}))
    assert "<h4>Name</h4>" in shown
    assert "<td>1</td>" in shown
    tags = {tag for tag, _ in Read(shown).elements}
    assert not {"img", "script"} & tags
    assert all((at.get("href") or "#").startswith("#") for _, at in Read(shown).elements)


# -- for everybody -------------------------------------------------------------------------------------------


def test_places_pictures_and_tables_are_named(page: str) -> None:
    """Ids are the only ones of their kind, links lead somewhere, pictures have words, tables captions and heads."""
    found = Read(page)
    ids = [str(attributes["id"]) for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in found.elements:
        assert (attributes.get("href") or "#summary")[1:] in ids
        assert (attributes.get("aria-labelledby") or "summary") in ids
        if tag == "svg":
            assert attributes["aria-hidden"] == "true"
        if tag in {"th"}:
            assert attributes["scope"] in {"col", "row"}
    pictures = [attributes for _, attributes in found.elements if attributes.get("role") == "img"]
    assert len(pictures) == page.count("<figcaption") > 10
    assert all(len(attributes["aria-label"] or "") > 40 for attributes in pictures)
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert page.count("<table") == page.count("<caption")


def test_a_browser_finds_no_fault(page: str, tmp_path: Path) -> None:
    """No violation that axe knows, nothing blocked or fetched, no sideways scrolling on a desk or a phone."""
    (tmp_path / "report.html").write_text(page)
    with chromium() as browser:
        for size in ((1280, 900), (390, 844)):
            with visit(browser, (tmp_path / "report.html").as_uri(), size) as (shown, complaints):
                assert complaints == []
                assert shown.evaluate("performance.getEntriesByType('resource').length") == 0
                assert not shown.evaluate(WIDER)
                shown.evaluate(str(Axe().axe_script))
                assert shown.evaluate(AXE) == []


def test_it_prints_with_numbered_pages(page: str, tmp_path: Path) -> None:
    """As a PDF every page but none is empty, and the last says of how many it is the last."""
    import pypdfium2  # noqa: PLC0415 - slow to import

    (tmp_path / "report.html").write_text(page)
    with chromium() as browser, visit(browser, (tmp_path / "report.html").as_uri()) as (shown, _):
        shown.pdf(path=str(tmp_path / "report.pdf"), prefer_css_page_size=True, print_background=True)
    with pypdfium2.PdfDocument(tmp_path / "report.pdf") as printed:
        texts = [each.get_textpage().get_text_range() for each in printed]
        assert printed[0].get_width() == pytest.approx(595, abs=1)
    assert f"Page {len(texts)} of {len(texts)}" in texts[-1]
    assert min(map(len, texts)) > 100
