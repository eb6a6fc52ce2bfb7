"""Supplier invoices, rates notices and proofs of bank account.

It does: draw items with their sum, and letters. It does not: follow anybody's own forms. The rule it keeps: the sum is
that of the items, unless the paper is altered.
"""

from datetime import timedelta

from tests.support.papers.draft import Draft
from tests.support.papers.sheet import LEFT
from tests.support.papers.writing import branch, day, money

_GOODS = ("Pine boards 90 x 35", "Screws, box of 500", "Cotton drill, per metre", "LED panel 600 mm", "Freight",
          "Pump, 240 V", "Paint, 10 L", "Cable, 100 m")  # fmt: skip
_SUPPLIERS = ("Lanternfield Wholesale", "Oakmere Trade Supplies", "Tidewater Imports", "Pallet & Crate Co")


def tax_invoice(draft: Draft) -> None:
    """An invoice with prices before tax, then GST and the total."""
    _invoice(draft, "TAX INVOICE", included=False)


def pro_forma(draft: Draft) -> None:
    """A pro-forma invoice whose prices include tax."""
    draft.sheet.font, draft.sheet.producer = "times", "Office Writer 24"
    _invoice(draft, "PRO-FORMA INVOICE", included=True)


def _invoice(draft: Draft, title: str, *, included: bool) -> None:
    rng, sheet, on = draft.rng, draft.sheet, draft.dated(40)
    supplier = f"{rng.choice(_SUPPLIERS)} Pty Ltd"
    items = [(rng.choice(_GOODS), rng.randint(1, 40), rng.randrange(1_100, 60_000) // 11 * 11) for _ in range(5)]
    summed = sum(count * each for _, count, each in items)
    if draft.altered:
        draft.fail("totals")
        words, count, each = items[2]
        items[2] = words, count, each + 250_000
    if draft.variant == "other_name":
        draft.fail("name")
    sheet.page()
    sheet.line(draft.tell("supplier", supplier, supplier), size=13, bold=True)
    sheet.line(f"ABN {draft.supplier_abn()}")
    sheet.line(title, size=12, bold=True)
    sheet.down()
    sheet.pair("Invoice number", f"INV-{rng.randint(1000, 99999)}")
    sheet.pair("Invoice date" if included else "Date", draft.tell_day("dated", on, "long" if included else "slashed"))
    sheet.pair("Payment due", day(on + timedelta(days=30), "long"))
    sheet.line("Bill to", bold=True)
    for line in (draft.shown.legal_name, *draft.shown.address):
        sheet.line(line)
    sheet.down()
    sheet.text(LEFT, "Description", bold=True)
    for word, to in (("Qty", 115.0), ("Unit price", 145.0), ("Amount", 188.0)):
        sheet.text(to, word, right=True, bold=True)
    sheet.down()
    for words, count, each in items:
        sheet.text(LEFT, words)
        for amount, to in ((str(count), 115.0), (money(each), 145.0), (money(count * each), 188.0)):
            sheet.text(to, amount, right=True)
        sheet.down()
    sheet.down()
    if included:
        sheet.amount("Total including GST", draft.tell_money("total_cents", summed, sign="$"), x=120, to=188, bold=True)
        sheet.amount("GST included in total", money(summed // 11, sign="$"), x=120, to=188)
    else:
        tax = (summed + 5) // 10
        sheet.amount("Subtotal", money(summed), x=120, to=188)
        sheet.amount("GST 10%", money(tax), x=120, to=188)
        sheet.amount("Total", draft.tell_money("total_cents", summed + tax, sign="$"), x=120, to=188, bold=True)
        sheet.amount("Amount due", money(summed + tax, sign="$"), x=120, to=188)


def city(draft: Draft) -> None:
    """A notice with labels in a column."""
    _rates(draft, "Made-up Creek City Council", "Rates and Valuation Notice", "Owner", "Date of issue")


def shire(draft: Draft) -> None:
    """A notice addressed to its owner, without a label."""
    draft.sheet.font = "times"
    _rates(draft, "Shire of Specimen Flat", "Annual rate notice", "", "Issue date")


def _rates(draft: Draft, council: str, title: str, owner: str, issued: str) -> None:
    rng, sheet, on = draft.rng, draft.sheet, draft.dated(320)
    sheet.producer = "Council Notices 6"
    items = [(words, rng.randrange(9_000, 240_000)) for words in ("General rate", "Waste charge", "Fire services levy")]
    summed = sum(cents for _, cents in items)
    if draft.altered:
        draft.fail("totals")
        items[0] = items[0][0], items[0][1] + 77_700
    name = draft.named(draft.shown.legal_name, "name", upper=not owner)
    sheet.page()
    sheet.line(council, size=13, bold=True)
    sheet.line(title, size=12)
    sheet.down()
    if owner:
        sheet.pair(owner, name)
    else:
        sheet.line(name)
        sheet.line(draft.shown.address[0].upper())
        sheet.line(draft.shown.address[1].upper())
        sheet.down()
    sheet.pair("Assessment number", f"{rng.randrange(1_000_000):07d}")
    sheet.pair(issued, draft.tell_day("dated", on, "slashed" if owner else "long"))
    sheet.pair("Due date", day(on + timedelta(days=35), "slashed"))
    sheet.pair("Property", ", ".join(draft.shown.address))
    sheet.pair("Capital improved value", money(rng.randrange(40, 190) * 1_000_000, sign="$", dollars=True))
    sheet.down()
    for words, cents in items:
        sheet.amount(words, money(cents, sign="$"))
    sheet.amount("Total amount due", money(summed, sign="$"), bold=True)


def letter(draft: Draft) -> None:
    """A bank's letter."""
    sheet = draft.sheet
    sheet.producer = "Letters 2.0"
    sheet.page()
    sheet.line("Bank of Nowhere (made up)", size=13, bold=True)
    sheet.line(day(draft.dated(60), "long"))
    sheet.down()
    sheet.line("To whom it may concern")
    sheet.line("We confirm that the following account is held with us.")
    sheet.down()
    _account(draft, "Account name:", "BSB:", "Account number:")
    sheet.down()
    sheet.line("This letter was made by a computer and needs no signature.")


def header(draft: Draft) -> None:
    """The top of a statement, cut off below the account."""
    sheet = draft.sheet
    sheet.font, sheet.producer = "courier", "Online Banking Export 3.0"
    sheet.page()
    sheet.line("Bank of Nowhere (made up) - Proof of account", bold=True)
    sheet.pair("Date issued", day(draft.dated(60), "slashed"))
    _account(draft, "Account holder", "BSB", "Account no.")


def _account(draft: Draft, named: str, bsb: str, number: str) -> None:
    """The three lines of an account; altered, its number is another one than was declared."""
    sheet, ours = draft.sheet, draft.ours
    draft.declared.update(bsb=ours.bsb, account_number=ours.account)
    account = ours.account
    if draft.altered:
        draft.fail("account_number")
        account = account[:-3] + f"{(int(account[-3:]) + 111) % 1000:03d}"
    name = draft.named(draft.shown.legal_name, "account_name", field_name="account_name")
    draft.tell("matches", not draft.altered and draft.variant != "other_name")
    sheet.pair(named, name)
    sheet.pair(bsb, branch(ours.bsb))
    sheet.pair(number, account)


INVOICE = {"tax_invoice": tax_invoice, "pro_forma": pro_forma}
RATES = {"city": city, "shire": shire}
PROOF = {"letter": letter, "header": header}
