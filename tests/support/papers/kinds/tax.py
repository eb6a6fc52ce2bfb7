"""Activity statements and account summaries of the tax office, each as a form and as a portal prints it.

It does: draw labels with their codes and amounts, in whole dollars where the form has no cents. It does not: follow
the office's own forms. The rule it keeps: the net is what the labels make it, unless the paper is altered.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from tests.support.papers.draft import Draft
from tests.support.papers.writing import day, money

_OFFICE = "Australian Taxation Office"


@dataclass(frozen=True, slots=True)
class _Activity:
    """Cents of a quarter, by label."""

    sales: int
    gst: int
    credits: int
    withheld: int
    instalment: int
    net: int
    first: date
    last: date


def form(draft: Draft) -> None:
    """A form: the code of each label before its words, whole dollars."""
    found, sheet = _quarter(draft), draft.sheet
    sheet.producer = "Forms Engine 11"
    sheet.page()
    sheet.line("Business activity statement", size=15, bold=True)
    sheet.line(_OFFICE)
    sheet.down()
    sheet.pair("Document ID", f"{draft.rng.randrange(10**10, 10**11)}")
    sheet.pair("ABN", draft.abn())
    sheet.pair("Name", _whose(draft))
    since = draft.tell_day("period_from", found.first)
    sheet.pair("Period", f"{since} to {draft.tell_day('period_to', found.last)}")
    sheet.pair("Form due on", day(found.last + timedelta(days=28)))
    draft.tax_file_number("TFN")
    sheet.down()
    sheet.line("Goods and services tax (GST)", bold=True)
    sheet.amount("G1  Total sales", draft.tell_money("sales_cents", found.sales, sign="$", dollars=True))
    sheet.line("Does the amount shown at G1 include GST?   Yes")
    sheet.amount("1A  GST on sales", draft.tell_money("gst_on_sales_cents", found.gst, sign="$", dollars=True))
    sheet.amount("1B  GST on purchases", money(found.credits, sign="$", dollars=True))
    sheet.down()
    sheet.line("PAYG tax withheld", bold=True)
    sheet.amount("W1  Total salary, wages and other payments", money(found.withheld * 5, sign="$", dollars=True))
    sheet.amount("4   PAYG tax withheld", money(found.withheld, sign="$", dollars=True))
    sheet.amount("5A  PAYG income tax instalment", money(found.instalment, sign="$", dollars=True))
    sheet.down()
    owed = found.gst + found.withheld + found.instalment
    sheet.line("Summary", bold=True)
    sheet.amount("8A  Amount you owe the ATO", money(owed, sign="$", dollars=True))
    sheet.amount("8B  Amount the ATO owes you", money(found.credits, sign="$", dollars=True))
    sheet.amount("9   Your payment or refund amount", money(found.net, sign="$", dollars=True), bold=True)


def portal(draft: Draft) -> None:
    """A lodged statement as online services print it: words, codes in a column, cents."""
    found, sheet = _quarter(draft), draft.sheet
    sheet.font, sheet.producer = "times", "Online Services Print 5"
    sheet.page()
    sheet.line("Online services for business", bold=True)
    sheet.line("Activity statement - lodged", size=13, bold=True)
    sheet.pair("Client", _whose(draft, upper=True))
    sheet.pair("Australian business number", draft.abn(), gap=60)
    since = draft.tell_day("period_from", found.first, "long")
    sheet.pair("Period covered", f"{since} - {draft.tell_day('period_to', found.last, 'long')}", gap=60)
    sheet.pair("Date lodged", day(found.last + timedelta(days=26), "long"), gap=60)
    draft.tax_file_number("Tax file number")
    sheet.down()
    sheet.text(18, "Description", bold=True)
    sheet.text(120, "Label", bold=True)
    sheet.text(180, "Reported value", bold=True, right=True)
    sheet.down()
    values = (
        ("Total sales", "G1", draft.tell_money("sales_cents", found.sales, sign="$")),
        ("GST on sales or GST instalment", "1A", draft.tell_money("gst_on_sales_cents", found.gst, sign="$")),
        ("GST on purchases", "1B", money(found.credits, sign="$")),
        ("PAYG tax withheld", "4", money(found.withheld, sign="$")),
        ("PAYG income tax instalment", "5A", money(found.instalment, sign="$")),
        ("Net amount for this statement", "9", money(found.net, sign="$")),
    )
    for words, label, amount in values:
        sheet.text(18, words)
        sheet.text(122, label)
        sheet.text(180, amount, right=True)
        sheet.down()


def _whose(draft: Draft, upper: bool = False) -> str:
    if draft.variant == "other_name":
        draft.fail("name")
    return draft.shown.legal_name.upper() if upper else draft.shown.legal_name


def _quarter(draft: Draft) -> _Activity:
    """A quarter in whole dollars; altered, 1A is what it was and a half more, and the net stays."""
    rng = draft.rng
    quarters = ((3, 31), (6, 30), (9, 30), (12, 31))
    ends = [date(year, month, last) for year in (2024, 2025, 2026) for month, last in quarters]
    old = draft.variant == "expired"
    if old:
        draft.fail("age")
    last = [on for on in ends if on < draft.today - timedelta(days=380 if old else 0)][-1]
    first = date(last.year, last.month - 2, 1)
    gst = rng.randrange(900_000, 9_000_000) // 100 * 100
    free = rng.choice((0, 0, 0, rng.randrange(100_000, 4_000_000) // 100 * 100))
    credits, withheld = gst * rng.randint(30, 80) // 10_000 * 100, rng.randrange(100_000, 2_000_000) // 100 * 100
    instalment = rng.randrange(50_000, 900_000) // 100 * 100
    net = gst + withheld + instalment - credits
    if draft.altered:
        draft.fail("gst", "net")
        gst += gst // 200 * 100
    sales = (net - withheld - instalment + credits) * 11 + free
    return _Activity(sales, gst, credits, withheld, instalment, net, first, last)


@dataclass(frozen=True, slots=True)
class _Owed:
    """What an account stands at, cents."""

    overdue: int
    coming: int
    balance: int
    plan: bool
    on: date


def summary(draft: Draft) -> None:
    """A summary page: what is overdue, what is coming, the balance."""
    owed, sheet = _owed(draft), draft.sheet
    sheet.producer = "Online Services Print 5"
    sheet.page()
    sheet.line(_OFFICE, bold=True)
    sheet.line("Account summary", size=14, bold=True)
    sheet.down()
    sheet.pair("Name", _whose(draft))
    sheet.pair("ABN", draft.abn())
    sheet.pair("As at", draft.tell_day("as_of", owed.on, "long"))
    draft.tax_file_number("TFN")
    sheet.down()
    sheet.amount("Overdue", draft.tell_money("overdue_cents", owed.overdue, sign="$"))
    sheet.amount("Not yet due", money(owed.coming, sign="$"))
    sheet.amount("Total balance", money(owed.balance, sign="$"), bold=True)
    sheet.down()
    draft.tell("plan", owed.plan)
    words = "You have an active payment plan for this account." if owed.plan else "There is no payment plan in place."
    sheet.line(words)


def integrated(draft: Draft) -> None:
    """An account with its transactions, debit balances marked DR."""
    owed, sheet = _owed(draft), draft.sheet
    sheet.font, sheet.producer = "courier", "Online Services Print 5"
    sheet.size = 8.5
    sheet.page()
    sheet.line(_OFFICE)
    sheet.line("Activity statement account 001 - Integrated client account", bold=True)
    sheet.line(f"Client: {_whose(draft, upper=True)}")
    sheet.line(f"ABN: {draft.abn()}")
    sheet.line(f"Date generated: {draft.tell_day('as_of', owed.on, 'slashed')}")
    draft.tax_file_number("Tax file number:")
    sheet.down()
    sheet.line(f"Balance: {money(owed.balance, sign='$')} DR")
    sheet.line(f"Overdue amount: {draft.tell_money('overdue_cents', owed.overdue, sign='$')}")
    sheet.line(f"Amount not yet due: {money(owed.coming, sign='$')}")
    draft.tell("plan", owed.plan)
    sheet.line(f"Payment plan: {'Active' if owed.plan else 'None'}")
    sheet.down()
    for word, x in (("Processed", 18.0), ("Description", 50.0)):
        sheet.text(x, word, bold=True)
    for word, to in (("Debit", 140.0), ("Credit", 165.0), ("Balance", 192.0)):
        sheet.text(to, word, bold=True, right=True)
    sheet.down()
    stands = 0
    rows = (
        ("Original activity statement", owed.coming + owed.overdue),
        ("Payment received", -owed.coming // 2),
        ("General interest charge", owed.coming // 2),
    )
    for place, (words, cents) in enumerate(rows):
        stands += cents
        sheet.text(18, day(owed.on - timedelta(days=60 - place * 20), "slashed"))
        sheet.text(50, words)
        sheet.text(140 if cents >= 0 else 165, money(abs(cents), sign="$"), right=True)
        sheet.text(192, f"{money(stands, sign='$')} DR", right=True)
        sheet.down()


def _owed(draft: Draft) -> _Owed:
    """An account; altered, less is overdue than the balance leaves."""
    rng = draft.rng
    on = draft.dated(5)
    overdue = rng.choice((0, 0, rng.randrange(50_000, 3_000_000)))
    coming = rng.randrange(100_000, 4_000_000) // 2 * 2
    balance, plan = overdue + coming, rng.random() < 0.5
    if draft.altered:
        draft.fail("totals")
        overdue, balance = 0, coming + max(overdue, 1_234_567)
    return _Owed(overdue, coming, balance, bool(overdue) and plan, on)


ACTIVITY = {"form": form, "portal": portal}
ACCOUNT = {"summary": summary, "integrated": integrated}
