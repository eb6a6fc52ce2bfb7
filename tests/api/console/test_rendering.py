"""Every page over every sample: valid, named, escaped, and nothing of it from elsewhere."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from api.console.rendering import ASSETS, TEMPLATES, live_board, render, show
from api.console.views import BandView, BoardView, CaseView, ComparedField, Mark, View
from api.pages import wording
from tests.support.console_samples import SAMPLES
from tests.support.console_samples.boards import BOARD
from tests.support.console_samples.cases import APPROVING, CASE
from tests.support.console_samples.markup import addresses_in, faults_of
from tests.support.console_samples.shared import HOSTILE, SampleMember

READER = frozenset({"board.read", "case.read", "document.read", "audit.read", "session.own"})


def page(view: View, **more: Any) -> str:
    """A sample as the service renders it."""
    given: dict[str, Any] = {"member": SampleMember(), "csrf": "csrf-of-the-sample", "demo": True, **more}
    return show(view, **given).decode()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_is_valid_and_named(name: str) -> None:
    """Nothing inline, nothing from elsewhere, every id once, every input labelled, one main heading, nesting right."""
    assert faults_of(page(SAMPLES[name])) == []


@pytest.mark.parametrize("name", ["board", "case", "case-approving", "message-forbidden"])
def test_a_page_is_valid_for_who_may_only_read_and_for_nobody(name: str) -> None:
    """The same holds without a member, and for one who may do little; neither is offered the next case."""
    for member in (None, SampleMember(allowed=READER)):
        text = page(SAMPLES[name], member=member)
        assert faults_of(text) == []
        assert "next-form" not in text


def test_every_view_has_a_sample() -> None:
    """No kind of page is left out of these tests."""
    assert {type(view) for view in SAMPLES.values()} == set(TEMPLATES)


@pytest.mark.parametrize("name", [name for name in SAMPLES if "hostile" in name])
def test_what_others_typed_stays_text(name: str) -> None:
    """Tags, quotes and template signs come out as text, and characters that cannot be seen are shown as codes."""
    text = page(SAMPLES[name])
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "{{ 7 * 7 }}" in text
    assert "\u202e" not in text
    assert "\u200b" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "[U+202E]gnp.exe" in text


def test_names_stand_apart_from_the_words_around_them() -> None:
    """The business's name has a direction of its own on board and case, so that it cannot turn its row round."""
    for name in ("board-hostile", "case-hostile"):
        assert re.search(r"<bdi>&lt;script&gt;", page(SAMPLES[name]))


def test_nothing_typed_stands_in_an_address() -> None:
    """Addresses hold ids, states and versions; no name, ABN or words of a search."""
    for name in SAMPLES:
        for address in addresses_in(page(SAMPLES[name])):
            assert re.fullmatch(r"/[a-z0-9_./?=&%;A-Z-]*", address), address
            assert not re.search(r"(?<!\d)91\d{9}(?!\d)|alert|banksia|zebra", address, re.IGNORECASE), address


def test_a_name_that_a_page_was_not_given_is_an_error() -> None:
    """A template that asks for what is not there fails instead of showing a gap."""
    with pytest.raises(UndefinedError):
        render("message.html", view=SAMPLES["message-forbidden"], csrf="", demo=False)


def test_a_band_that_is_not_there_yet_is_said_to_be_on_its_way() -> None:
    """While bands are worked out a recorded value says so, instead of seeming to have none."""
    fields = tuple(replace(each, band=None) for each in CASE.fields)
    assert "being worked out" in page(replace(CASE, fields=fields, bands_pending=True))
    assert "being worked out" not in page(replace(CASE, fields=fields))


def test_what_cannot_be_done_is_not_on_the_page() -> None:
    """A case without actions has no form for one, whoever looks."""
    text = page(replace(CASE, actions=frozenset(), documents=(), fields=(), obstacles=()))
    posts = re.findall(r'action="(/console/cases/[^"]+)"', text)
    assert posts == []
    assert re.findall(r'action="(/console/cases/[^"]+)"', page(CASE)) != []


def test_a_form_names_the_version_that_was_seen() -> None:
    """Every form that changes a case carries the version of the page, but taking it, which has seen none."""
    text = page(SAMPLES["case-full"])
    forms = re.findall(r'<form method="post" action="(/console/(?:cases|documents)/[^"]+)".*?</form>', text, re.DOTALL)
    bodies = re.findall(r'<form method="post" action="/console/(?:cases|documents)/.*?</form>', text, re.DOTALL)
    assert len(forms) == len(bodies) > 40
    for place, body in zip(forms, bodies, strict=True):
        assert ('name="version" value="17"' in body) is not place.endswith("/claim"), place


def test_a_band_is_only_beside_a_recorded_value() -> None:
    """Who has not recorded what the document says cannot be shown how far it may differ: no such view can be made."""
    band = BandView(1, 2, low_open=False, high_open=False, inside=True)
    with pytest.raises(ValueError, match="only once"):
        ComparedField("doc_1", "sales", "Sales", "cents", declared=1, read=1, band=band)
    text = page(CASE)
    assert "once recorded" in text


def test_a_mark_lies_inside_its_page() -> None:
    """A box beyond the page, or turned round, is refused before it is drawn."""
    for box in ((0, 0, 1001, 10), (10, 0, 10, 5), (-1, 0, 5, 5)):
        with pytest.raises(ValueError, match="inside"):
            Mark("name", "Name", 1, box)


def test_the_outline_is_where_the_field_was_read() -> None:
    """The box of a finding is drawn over the picture of its page, in thousandths."""
    mark = CASE.documents[0].marks[0]
    left, top, right, bottom = mark.box
    drawn = f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
    assert f'<rect data-mark="{mark.field}" {drawn}>' in page(CASE)


def test_the_board_names_exactly_its_bytes() -> None:
    """The version changes with what is shown and with nothing else, and stands on the page that holds it."""
    first, again = live_board(BOARD, csrf="token"), live_board(BOARD, csrf="token")
    assert first == again
    assert live_board(replace(BOARD, more=13), csrf="token").version != first.version
    later = live_board(replace(BOARD, at=BOARD.at + timedelta(seconds=5)), csrf="token")
    assert later.version == first.version
    assert f'data-version="{first.version}"' in page(BOARD, csrf="token")
    assert faults_of(first.body.decode(), whole=False) == []


def test_every_key_is_told_and_every_told_key_works() -> None:
    """The list of keys, the script's table and the hints on the buttons name the same keys."""
    script = ASSETS.files["console.js"].body.decode()
    table = script[script.index("const KEYS = {") : script.index("const typing")]
    handled = set(re.findall(r'^    "(.)": ', table, re.MULTILINE))
    text = page(SAMPLES["case-full"])
    assert set(re.findall(r'data-key="(.)"', text)) == handled
    hinted = set(re.findall(r'aria-keyshortcuts="(.)"', text))
    assert {"n", "/", "a", "r", "v", "c"} <= hinted <= handled


def test_the_keys_of_the_handbook_are_those_of_the_page() -> None:
    """docs/console.md names every key and no other, in the order of the list on the page."""
    told = re.findall(r'data-key="(.)"', page(BOARD))
    handbook = (Path(__file__).parents[3] / "docs" / "console.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(.)` \|", handbook, re.MULTILINE) == told


def test_an_address_of_a_file_names_its_bytes() -> None:
    """Style, script and icon are asked for by a digest, and nothing is loaded but those."""
    loaded = [each for each in addresses_in(page(BOARD)) if each.startswith("/console/static/")]
    assert sorted(loaded) == sorted(ASSETS.address(name) for name in ASSETS.files)


def test_style_and_script_ask_for_nothing_elsewhere() -> None:
    """Neither names another host, imports anything, or runs text as code."""
    for name in ("console.css", "console.js"):
        text = ASSETS.files[name].body.decode()
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|\beval\b|innerHTML|new Function|document\.write", text)


def test_an_approver_sees_what_still_counts() -> None:
    """An approval of earlier content is struck and does not count; what is still missing is said."""
    text = page(APPROVING)
    assert 'class="struck"' in text
    assert "no longer counts" in text
    assert "<strong>one more</strong>" in text
    assert APPROVING.authority is not None
    assert f'name="content" value="{APPROVING.authority.content_sha256}"' in text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.money(1_234_567), "$12,345.67"), (wording.money(-50_000), "−$500"), (wording.money(None), "–"),
        (wording.percent(115), "1.15%"), (wording.percent(10_000), "100%"), (wording.points(-0.04), "+0.0"),
        (wording.points(-2.25), "−2.2"), (wording.duration(timedelta(hours=25, minutes=4)), "25 h 04 min"),
        (wording.duration(timedelta(seconds=59)), "0 min"), (wording.abn("37955501005"), "37 955 501 005"),
        (wording.abn("x"), "x"), (wording.size(999), "1 kB"), (wording.size(2_340_000), "2.3 MB"),
        (wording.visible("a\u202eb\u0000"), "a[U+202E]b[U+0000]"), (wording.visible("Ó\n"), "Ó\n"),
        (wording.shown(True, "flag"), "yes"), (wording.typed(1_250_000, "cents"), "12,500"),
        (wording.typed(None, "text"), ""), (wording.shown(None, "date"), "–"),
    ],
)  # fmt: skip
def test_values_are_written_for_people(written: str, expected: str) -> None:
    """Money to the cent with separators, shares, spans, numbers, sizes, and what cannot be seen."""
    assert written == expected


def test_moments_are_local_and_named_in_utc() -> None:
    """A moment is shown in the lender's zone with UTC beside it, on either side of daylight saving."""
    zone = timezone(timedelta(hours=10))
    moment = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert wording.local(moment, zone) == "Sun 4 Oct 01:30"
    assert wording.soon(moment, zone) == "Sun 01:30"
    assert wording.dated(moment, zone) == "4 Oct 2026 01:30"
    assert wording.utc(moment) == "2026-10-03 15:30:00 UTC"
    text = page(CASE)
    assert 'title="2026-11-24 ' in text
    assert 'datetime="2026-11-24T' in text


def test_the_view_refuses_a_field_that_cannot_be_written() -> None:
    """A field is open for writing only where its document may be recorded: no page offers what will be refused."""
    with pytest.raises(ValueError, match="recorded"):
        replace(CASE, documents=tuple(replace(each, actions=frozenset()) for each in CASE.documents))
    assert isinstance(SAMPLES["case"], CaseView)
    assert isinstance(SAMPLES["board"], BoardView)


def test_hostile_text_is_hostile() -> None:
    """The text that the tests above look for does hold what they look for."""
    assert all(each in HOSTILE for each in ("<script>alert(1)", "<img src=x", "\u202e", "\u200b", "{{ 7 * 7 }}"))
