"""What the pages of the console show, and to whom; the board's versions; documents as pictures and as files."""

import re
from typing import Any

import pytest

from api.console.pages import HANDLERS
from api.staff.authority import may
from api.store import queries as store
from tests.support.businesses import story
from tests.support.console_samples.floor import LARGE, Floor, forms_in, said_by
from tests.support.console_samples.floor import floor as opened_floor
from tests.support.console_samples.markup import addresses_in
from tests.support.console_samples.shared import HOSTILE
from tests.support.papers import paper
from tests.support.service import body_of, telling

PAGES = {
    "/console": "board.read", "/console/search": "board.read", "/console/compliance": "compliance.read",
    "/console/audit": "audit.read", "/console/watching": "risk.read", "/console/me": "session.own",
}  # fmt: skip


@pytest.mark.parametrize("role", ["verifier", "approver", "compliance", "risk", "admin", "auditor"])
def test_each_role_sees_its_own_pages(floor: Floor, role: str) -> None:
    """Links are there for exactly the pages that open; the others say that they are not theirs."""
    who = floor.hire(role)
    case = floor.office.complete()
    linked = set(addresses_in(who.see("/console/me")))
    for path, action in PAGES.items():
        allowed = may({role}, action)
        if not allowed and path == "/console":
            assert who.browser.get(path).headers["location"] == "/console/me"  # where signing in ends for them
            continue
        text = who.see(path, 200 if allowed else 403)
        assert allowed or "not yours to do" in text
        if path != "/console/me":
            assert (path in linked) is allowed or path == "/console"
    who.see(floor.place(case), 200 if may({role}, "case.read") else 403)
    if may({role}, "case.read"):
        acts = {each.action.rpartition("/")[2] for each in forms_in(who.shown) if floor.place(case) in each.action}
        expected = {"verifier": {"claim", "note", "escalate"}, "compliance": {"note", "escalate"}}
        assert acts == expected.get(role, {"note", "escalate"} if role == "approver" else set())


def test_compliance_alone_sees_what_screening_found(floor: Floor) -> None:
    """A hit stands on the compliance page with its figures, and on no other page of anybody."""
    sources = floor.office.service.state.shell.sources
    sources.told = story({"compliance": {"sanctions_hits": 3}})
    reply = floor.office.service.apply(body_of()).json()
    assert reply["outcome"] == "refer"
    carla, vera, audrey = floor.hire("compliance"), floor.hire("verifier"), floor.hire("auditor")
    text = carla.see("/console/compliance")
    assert "sanctions_hit" in text
    assert "Possible matches: 3." in text
    for who, path in ((vera, "/console"), (audrey, "/console/audit"), (audrey, "/console"), (carla, "/console")):
        assert "sanction" not in who.see(path).lower()


def test_due_diligence_is_recorded_once_by_compliance(floor: Floor) -> None:
    """The line of a signed contract waits on compliance's page; recorded there it leaves it, and once is enough."""
    carla, vera, abel = floor.hire("compliance"), floor.hire("verifier"), floor.hire("approver")
    case = floor.office.approved(floor.office.verified(by=vera.actor), abel.actor)
    sign(floor, case)
    text = carla.see("/console/compliance")
    [form] = [each for each in forms_in(text) if each.action.endswith("/due-diligence")]
    line_id = form.action.split("/")[3]
    assert "Record due diligence complete" not in vera.see(floor.place(case))
    assert "Record due diligence complete" in carla.see(floor.place(case))
    vera.push(form.action, {"identified": "yes"}, 403)
    carla.see("/console/compliance")
    carla.push(form.action, {}, 400)
    carla.see("/console/compliance")
    text = carla.go(carla.answer("/due-diligence", {"identified": "yes"}))
    assert "recorded complete" in text
    line = floor.office.look(lambda connection: store.line_of(connection, case.application_id))
    assert line is not None
    assert (line.id, line.due_diligence_by) == (line_id, carla.person.id)
    assert "Not as things stand" in carla.push(form.action, {"identified": "yes"}, 409).text


def test_the_audit_page_shows_codes_and_nobodys_words(floor: Floor) -> None:
    """The newest entries stand first with actor, act, object and digest; notes and names are not in the chain."""
    vera, audrey = floor.hire("verifier"), floor.hire("auditor")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    vera.see(floor.place(case))
    vera.go(vera.answer("/note", {"words": "A canary in a note."}))
    text = audrey.see("/console/audit")
    assert vera.person.id in text
    assert case.id in text
    assert "canary" not in text
    assert "Ann" not in text
    newest = int(re.findall(r'data-label="Entry">([0-9,]+)<', text)[0])
    earlier = audrey.see(f"/console/audit?before={newest}")
    assert int(re.findall(r'data-label="Entry">([0-9,]+)<', earlier)[0]) == newest - 1
    assert "The chain has no entries here" in audrey.see("/console/audit?before=1")
    audrey.see("/console/audit?before=x", 404)


def test_the_board_answers_304_until_something_moved(floor: Floor) -> None:
    """The moving part has a version; asked with it nothing is sent, until a case was taken."""
    vera = floor.hire("verifier")
    case = floor.office.complete()
    page = vera.see("/console")
    version = re.search(r'data-version="([0-9a-f]{16})"', page)
    assert version is not None

    def look(known: str) -> Any:
        return vera.browser.send(
            "GET", "/console/board/version", headers={"Accept": "*/*", "If-None-Match": f'"{known}"'}
        )

    same = look(version[1])
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", f'"{version[1]}"')
    floor.office.take(case, by=vera.actor)
    moved = look(version[1])
    assert moved.status_code == 200
    assert moved.headers["etag"] != f'"{version[1]}"'
    assert "With me" in moved.text
    assert look(moved.headers["etag"].strip('"')).status_code == 304
    assert vera.see("/console?state=open").count("case-row") == 0
    assert vera.see("/console?state=claimed").count("case-row") == 1
    vera.see("/console?state=nothing", 404)


def test_a_board_of_one_state_keeps_to_it(floor: Floor) -> None:
    """The moving part of a filtered board is asked for with its filter."""
    vera = floor.hire("verifier")
    floor.office.accepted()
    text = vera.see("/console?state=waiting")
    assert 'data-source="/console/board/version?state=waiting"' in text
    assert text.count('class="case-row"') == 1
    part = vera.browser.send("GET", "/console/board/version?state=waiting", headers={"Accept": "*/*"})
    assert part.text.count('class="case-row"') == 1


def test_a_case_is_found_by_what_people_have_at_hand(floor: Floor) -> None:
    """ABN with spaces, the beginning of a name, and ids lead to the case, by POST; nothing else is found."""
    vera = floor.hire("verifier")
    case = floor.office.complete()
    document = floor.office.standing(case.id).documents[0]
    for words in (
        "37 955 501 005", "banksia home", case.id, case.application_id, case.decision_id, document.id,
    ):  # fmt: skip
        vera.see("/console/search")
        reply = vera.push("/console/search", {"q": words})
        assert reply.headers["location"] == floor.place(case), words
    vera.see("/console/search")
    text = vera.push("/console/search", {"q": "Zebra <script>"}, 200).text
    assert "Nothing was found for" in text
    assert "<script>" not in text.partition("<main")[2]


def test_what_people_type_is_text_to_everybody_else(floor: Floor) -> None:
    """A hostile note, reason and search come out as text, with hidden characters shown."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    vera.see(floor.place(case))
    vera.go(vera.answer("/note", {"words": HOSTILE}))
    vera.go(vera.answer("/escalate", {"words": HOSTILE}))
    document = floor.office.standing(case.id).documents[0]
    vera.go(vera.answer(f"{document.id}/return", {"reason": "BLURRY", "words": HOSTILE}))
    for who in (vera, abel):
        text = who.see(floor.place(case))
        assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
        assert "<script>alert" not in text
        assert "\u202e" not in text
        assert "[U+202E]" in text


def test_no_address_names_anybody(floor: Floor) -> None:
    """Over every page: addresses hold ids of ours, states, versions; no name, number or word of an applicant."""
    vera, abel, carla = floor.hire("verifier"), floor.hire("approver"), floor.hire("compliance", "auditor")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    vera.see("/console/search")
    seen = addresses_in(vera.push("/console/search", {"q": "37955501005"}, 303).headers["location"])
    for who in (vera, abel, carla):
        for path in ("/console", "/console/me", floor.place(case)):
            seen += addresses_in(who.see(path))
    assert len(seen) > 50
    pattern = r"/console[a-z/-]*(\?state=[a-z]+)?|/console/static/[a-z.]+\?v=[0-9a-f]{16}|/console/sign-in/passkey\.js"
    pattern += r"|/console/(cases|documents)/(case|doc)_[0-9a-f]{32}[a-z/-]*([0-9]+\.png)?"
    for address in seen:
        assert re.fullmatch(pattern, address), address


def test_how_far_a_value_may_differ_is_shown_once_it_is_recorded(url: str) -> None:
    """Before anybody recorded the turnover no band is on the page; afterwards it is, beside what was recorded."""
    with telling(url, LARGE) as service, opened_floor(service) as floor:
        vera = floor.hire("verifier")
        case = floor.office.take(floor.office.complete(LARGE), by=vera.actor)
        text = vera.see(floor.place(case))
        assert text.count("once recorded") > 1
        assert "inside" not in text.partition("<main")[2]
        [account] = [each for each in floor.office.standing(case.id).documents if each.kind == "tax_account"]
        text = vera.go(vera.answer(f"{account.id}/record", said_by(floor.office, account.id)))
        for _ in range(200):  # a band takes a hundred decisions, for which no page waits
            if "being worked out" not in text:
                break
            text = vera.see(floor.place(case))
        rows = re.findall(r'<tr class="field[^"]*" data-field="overdue_cents".*?</tr>', text, re.DOTALL)
        assert any("inside" in row for row in rows)
        assert "once recorded" in text


def test_declared_read_and_recorded_stand_beside_one_another(floor: Floor) -> None:
    """A row of the case page holds what was declared, what the machine read with how sure it is, and the record."""
    vera = floor.hire("verifier")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    [account] = [each for each in floor.office.standing(case.id).documents if each.kind == "bank_account_proof"]
    vera.see(floor.place(case))
    text = vera.go(
        vera.answer(f"{account.id}/record", {"field.account_name": "ANOTHER PTY LTD", "field.matches": "no"})
    )
    [row] = re.findall(r'<tr class="field[^"]*" data-field="account_name".*?</tr>', text, re.DOTALL)
    assert row.count("BANKSIA HOMEWARES PTY LTD") == 3  # declared, read, and to be taken over by a key
    assert "99%" in row
    assert 'value="ANOTHER PTY LTD"' in row
    assert "differs" in row
    assert 'href="#' + account.id + '-page-1"' in row
    assert '<rect data-mark="account_name" x="50" y="50" width="350" height="40">' in text


def test_a_page_of_a_document_is_our_own_picture(floor: Floor) -> None:
    """A page is a PNG under a policy that runs nothing; the file itself is an attachment, for who may have it."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = floor.office.accepted()
    made = paper("bank_account_proof")
    reply = floor.office.send(
        case, "bank_account_proof", content=made.data, headers={"Content-Type": "application/pdf"}
    )
    document_id = reply.json()["document_id"]
    place = f"/console/documents/{document_id}"
    assert vera.browser.get(f"{place}/pages/1.png").status_code == 404  # nobody has looked at it yet
    floor.office.found(document_id)
    picture = vera.browser.get(f"{place}/pages/1.png")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.content.startswith(b"\x89PNG")
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    original = vera.browser.get(f"{place}/original")
    assert original.content == made.data
    assert original.headers["content-disposition"].startswith(f'attachment; filename="{document_id}.')
    assert original.headers["content-type"] == "application/octet-stream"
    assert abel.browser.get(f"{place}/original").status_code == 403
    assert abel.browser.get(f"{place}/pages/1.png").status_code == 200
    for number in ("0", "2", "x", "1e1", "-1", "99999"):
        assert vera.browser.get(f"{place}/pages/{number}.png").status_code == 404


def test_the_files_of_the_console_are_kept_for_good_and_nothing_else_is_served(floor: Floor) -> None:
    """Style and script are public and named by their bytes; another name is not looked for on disk."""
    stranger = floor.house.browser()
    for address in addresses_in(stranger.get("/console/sign-in").text):
        if address.startswith("/console/static/"):
            reply = stranger.get(address)
            assert reply.status_code == 200
            assert "immutable" in reply.headers["cache-control"]
    assert stranger.get("/console/static/..%2frendering.py").status_code == 404
    assert stranger.get("/console/static/nothing.js").status_code == 404


def test_every_route_of_the_console_says_who_may_call_it() -> None:
    """Each handler names an action or is public, and none is in the description for machines."""
    for handler in HANDLERS:
        assert ("action" in handler.opt) is not bool(handler.opt.get("public"))


def sign(floor: Floor, case: store.CaseRow) -> None:
    """The contract of an approved case, signed through the API by its one director: the line is open."""
    place = f"/v1/applications/{case.application_id}/contract"
    contract = floor.office.service.ask("GET", place).json()
    [person_ref] = floor.office.standing(case.id).people
    signed = {"person_ref": person_ref, "body_sha256": contract["body_sha256"]}
    assert floor.office.service.ask("POST", f"{place}/signatures", json=signed).status_code == 201
