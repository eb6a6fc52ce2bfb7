"""Company extracts, trust deeds and partnership agreements.

It does: draw what a register tells, and the first pages of agreements. It does not: follow any register's own form.
The rule it keeps: what a paper says of trustees, partners and directors is of those it shows.
"""

from datetime import timedelta

from tests.support.papers.applicants import Applicant
from tests.support.papers.draft import Draft
from tests.support.papers.writing import day, grouped, in_pairs


def current(draft: Draft) -> None:
    """A current extract with labels in a column."""
    shown, sheet, on = draft.shown, draft.sheet, draft.dated(20)
    sheet.producer, sheet.numbered = "Register Extracts 2", "Page {page} of {pages}"
    sheet.page()
    sheet.line("Current Company Extract", size=15, bold=True)
    name, acn = _company(draft, upper=True), _acn(draft)
    sheet.line(f"Name: {name}", bold=True)
    sheet.line(f"ACN: {acn}")
    sheet.down()
    sheet.line(f"Date/Time: {draft.tell_day('as_of', on, 'long')} AEST 10:22:41 AM")
    sheet.line("This extract contains information derived from the companies register.")
    sheet.down()
    sheet.line("Organisation details", size=11, bold=True)
    sheet.pair("Name:", name)
    sheet.pair("ACN:", acn)
    sheet.pair("Registered in:", "New South Wales")
    sheet.pair("Registration date:", day(on - timedelta(days=draft.rng.randint(900, 6000)), "slashed"))
    sheet.pair("Name start date:", day(on - timedelta(days=draft.rng.randint(100, 800)), "slashed"))
    sheet.pair("Status:", _status(draft))
    sheet.pair("Company type:", "Australian Proprietary Company")
    sheet.pair("Class:", "Limited By Shares")
    sheet.down()
    sheet.line("Officeholders", size=11, bold=True)
    for each in shown.people:
        sheet.line("Director", bold=True)
        sheet.pair("Name:", f"{each.given_names.upper()} {each.family_name.upper()}")
        sheet.pair("Address:", f"{shown.address[0]}, {shown.address[1]}")
        sheet.pair("Born:", f"{day(each.born, 'slashed') if each.born else ''}, SPECIMEN FLAT, QLD")
        sheet.pair("Appointment date:", day(on - timedelta(days=800), "slashed"))
    sheet.down()
    sheet.line("Share information", size=11, bold=True)
    sheet.pair("Class:", "ORD")
    sheet.pair("Number issued:", "100")


def search(draft: Draft) -> None:
    """A broker's search report: labels without colons, directors in a table, family name first."""
    shown, sheet, on = draft.shown, draft.sheet, draft.dated(20)
    sheet.font, sheet.producer = "times", "Search Reports 9.4"
    sheet.page()
    sheet.line("Company Search - Company Extract (current)", size=14, bold=True)
    sheet.line(_company(draft))
    sheet.down()
    sheet.pair("Australian Company Number", _acn(draft), gap=60)
    sheet.pair("Australian Business Number", in_pairs(draft.ours.abn), gap=60)
    sheet.pair("Current status", _status(draft), gap=60)
    sheet.pair("Date of registration", day(on - timedelta(days=draft.rng.randint(900, 6000))), gap=60)
    sheet.pair("Registered office", f"{shown.address[0]}, {shown.address[1]}", gap=60)
    sheet.pair("Extracted on", draft.tell_day("as_of", on), gap=60)
    sheet.down()
    sheet.line("Directors", size=11, bold=True)
    for word, x in (("Name", 18.0), ("Date of birth", 90.0), ("Appointed", 130.0)):
        sheet.text(x, word, bold=True)
    sheet.down()
    for each in shown.people:
        sheet.text(18, f"{each.family_name}, {each.given_names}")
        sheet.text(90, day(each.born) if each.born else "")
        sheet.text(130, day(on - timedelta(days=700)))
        sheet.down()
    sheet.down()
    sheet.line("Shareholders", size=11, bold=True)
    sheet.line(f"{shown.people[0].family_name}, {shown.people[0].given_names}: 100 ordinary shares")


def _company(draft: Draft, upper: bool = False) -> str:
    if draft.variant == "other_name":
        draft.fail("name", "directors")
    draft.tell("directors_match", draft.variant != "other_name")
    return draft.shown.legal_name.upper() if upper else draft.shown.legal_name


def _acn(draft: Draft) -> str:
    """The ACN; another business's stands on its own paper as well as on one with a wrong number."""
    acn = draft.ours.acn or ""
    if draft.variant in {"wrong_abn", "other_name"}:
        draft.fail("acn")
        acn = draft.other.acn or ""
    return draft.tell("acn", acn, grouped(acn))


def _status(draft: Draft) -> str:
    draft.tell("registered", not draft.altered)
    ended = draft.rng.choice(("Deregistered", "Strike-off action in progress", "External administration"))
    if draft.altered:
        draft.fail("status")
    return ended if draft.altered else "Registered"


def deed(draft: Draft) -> None:
    """The first page of a deed and its schedule."""
    shown, sheet = draft.shown, draft.sheet
    sheet.font, sheet.producer, sheet.numbered = "times", "Deeds Online 3", "Page {page} of {pages}"
    made = draft.today - timedelta(days=draft.rng.randint(400, 5000))
    if draft.variant == "other_name":
        draft.fail("name", "trustee")
    sheet.page()
    sheet.line("DEED OF SETTLEMENT", size=15, bold=True)
    sheet.line(draft.tell("name", shown.trust, shown.trust), size=13)
    sheet.down()
    sheet.line(f"THIS DEED is made on {day(made, 'long')}")
    sheet.line("BETWEEN", bold=True)
    sheet.line("Ottoline Settlerby of Fictional Downs SA 5999 (the Settlor)")
    sheet.line(f"AND {shown.company} ACN {grouped(shown.acn or '')} of {', '.join(shown.address)} (the Trustee)")
    draft.tell("trustee_matches", draft.variant != "other_name")
    sheet.down()
    for words in (
        "RECITALS",
        "A. The Settlor wishes to establish a trust for the Beneficiaries named in the Schedule.",
        "B. The Trustee has agreed to act as trustee of the Trust Fund on the terms of this deed.",
        "1. The Trust is known by the name that stands at the head of this deed.",
        "2. The Trustee holds the Trust Fund and its income for the Beneficiaries.",
    ):
        sheet.line(words)
    _powers(draft)
    draft.tax_file_number("TFN of the Trust")
    sheet.page()
    sheet.line("SCHEDULE", bold=True)
    sheet.pair("Trust", shown.trust)
    sheet.pair("Trustee", shown.company)
    sheet.pair("Appointor", f"{shown.people[0].given_names} {shown.people[0].family_name}")
    for each in shown.people:
        sheet.pair("Beneficiary", f"{each.given_names} {each.family_name}")
    sheet.down()
    sheet.line("EXECUTED as a deed")
    sheet.line("Signed by the Trustee in the presence of: ......................................")


def _powers(draft: Draft) -> None:
    may = draft.rng.random() < 0.7
    draft.tell("may_borrow", may)
    if may:
        draft.sheet.line("3. The Trustee may borrow or raise money, with or without security, for the Trust.")
    else:
        draft.fail("may_borrow")
        draft.sheet.line("3. The Trustee must not borrow money, nor give security over the Trust Fund.")


def agreement(draft: Draft) -> None:
    """The first page of an agreement, with its partners in numbered lines."""
    shown, sheet = _partners(draft), draft.sheet
    sheet.producer = "Deeds Online 3"
    made = draft.today - timedelta(days=draft.rng.randint(400, 3000))
    if draft.variant == "other_name":
        draft.fail("name", "partners")
    sheet.page()
    sheet.line("PARTNERSHIP AGREEMENT", size=15, bold=True)
    sheet.line(f"Dated {day(made, 'long')}")
    sheet.down()
    sheet.pair("Partnership name:", draft.tell("name", shown.legal_name, shown.legal_name))
    sheet.pair("ABN:", in_pairs(shown.abn))
    sheet.down()
    sheet.line("BETWEEN the Partners:", bold=True)
    for number, each in enumerate(shown.people, 1):
        sheet.line(f"{number}. {each.given_names} {each.family_name} of {', '.join(shown.address)}")
    draft.tell("partners_match", draft.variant not in {"other_name", "altered", "scanned_altered"})
    sheet.down()
    for words in (
        "1. The Partners carry on business together under the name above.",
        "2. Profits and losses are shared in equal parts.",
        "3. The bankers of the partnership are those whom the Partners agree on.",
    ):
        sheet.line(words)
    sheet.down()
    for each in shown.people:
        sheet.line(f"Signed by {each.given_names} {each.family_name} in the presence of: ......................")


def _partners(draft: Draft) -> Applicant:
    """Whose agreement it is; altered, one of the partners is another person."""
    shown = draft.shown
    if draft.variant == "other_name":
        draft.fail("abn")
    if not draft.altered:
        return shown
    draft.fail("partners")
    return Applicant(
        shown.entity, shown.legal_name, shown.company, shown.abn, shown.acn,
        (shown.people[0], draft.other.people[1]), shown.address, shown.bsb, shown.account,
    )  # fmt: skip


EXTRACT = {"current": current, "search": search}
DEED = {"deed": deed}
AGREEMENT = {"agreement": agreement}
