"""What is known of an application, in short and beside what was declared, without anything that screening said."""

from typing import Final

from api.console.views.referrals import SourceRow, StatedRow
from api.pages.wording import Value, day, money
from engine.application import Application
from engine.facts import SOURCES, Facts
from engine.features import Evidence

NAMES: Final = {
    "registry": "Register", "marketplace": "Marketplace", "bank": "Bank", "bureau": "Bureau", "exposure": "Our record",
}  # fmt: skip
SILENT: Final = {"absent": "not connected", "failed": "did not answer"}
_YEAR = 12


def known(application: Application, facts: Facts) -> tuple[str, ...]:
    """The facts in short, a few words a source."""
    rows = sources(application, facts)
    return tuple(f"{row.name}: {row.words or SILENT[row.status]}" for row in rows)


def sources(application: Application, facts: Facts) -> tuple[SourceRow, ...]:
    """How each source answered; screening, which compliance alone sees, is left out."""
    said = _said(application, facts)
    return tuple(
        SourceRow(NAMES[name], getattr(facts, name).status, getattr(facts, name).fetched_at, said.get(name, ""))
        for name in SOURCES
        if name in NAMES
    )


def _said(application: Application, facts: Facts) -> dict[str, str]:
    said: dict[str, str] = {}
    if (record := facts.registry.value) is not None:
        status = {"REGD": "registered", "EXAD": "in external administration", "SOFF": "being struck off",
                  "DRGD": "deregistered"}.get(record.company_status or "")  # fmt: skip
        active = "ABN active since " + day(record.abn_active_from) if record.abn_active else "ABN not active"
        said["registry"] = ", ".join(word for word in (active, status) if word)
    if (history := facts.marketplace.value) is not None:
        said["marketplace"] = f"member since {day(history.joined_on)}, {len(history.orders)} orders"
    if (bank := facts.bank.value) is not None:
        days = (bank.newest_on - bank.oldest_on).days + 1
        year = _bank_year(application, facts)
        turnover = "" if year is None else f", {money(year)} a year"
        said["bank"] = f"{days} days {bank.evidence}{turnover}"
    if (report := facts.bureau.value) is not None:
        score = "no score" if report.score is None else f"score {report.score} of {report.score_high}"
        said["bureau"] = f"{score}, {len(report.defaults)} defaults, {len(report.court_actions)} court actions"
    if (held := facts.exposure.value) is not None:
        said["exposure"] = f"{money(held.business_cents)} held here, {money(held.group_cents)} in the group"
    return said


def stated(application: Application, facts: Facts) -> tuple[StatedRow, ...]:
    """What was declared beside what a source said of the same."""
    business, finances = application.business, application.finances
    rows: list[StatedRow] = []
    if (record := facts.registry.value) is not None:
        known_class = record.entity_class if record.entity_class not in {"manual", "excluded"} else None
        rows += [
            _row("Legal name", business.legal_name, record.entity_name),
            _row("Entity", business.entity_type.replace("_", " "),
                 known_class.replace("_", " ") if known_class else f"type {record.entity_type_code}"),
            _row("ACN", business.acn, record.acn),
            _row("State", business.state, record.state),
            StatedRow("Trading since", "date", business.trading_since, record.abn_active_from, "register, ABN",
                      business.trading_since < record.abn_active_from),
            StatedRow("GST", "flag", business.gst_registered, record.gst_from is not None, "register",
                      business.gst_registered != (record.gst_from is not None)),
        ]  # fmt: skip
    year = _bank_year(application, facts)
    if year is not None:
        differs = finances.turnover_12m_cents > year + year // 4
        rows.append(
            StatedRow(
                "Turnover of 12 months", "cents", finances.turnover_12m_cents, year, "bank, a year of it", differs
            )
        )
    report = facts.bureau.value
    tax = None if report is None else report.tax_debt_disclosed_cents
    rows.append(
        StatedRow("Overdue tax", "cents", finances.overdue_tax_cents, tax, "bureau, where disclosed",
                  None if tax is None else tax > finances.overdue_tax_cents)
    )  # fmt: skip
    rows.append(StatedRow("Other lenders", "count", finances.other_lenders, None, ""))
    return tuple(rows)


def _row(label: str, declared: Value, said: Value) -> StatedRow:
    differs = None if said is None else str(declared).casefold() != str(said).casefold()
    return StatedRow(label, "text", declared, said, "register", differs)


def _bank_year(application: Application, facts: Facts) -> int | None:
    """A year at the statement's monthly revenue, as the rules count it."""
    summary = Evidence.of(application, facts).bank
    revenue = summary.revenue if summary else ()
    return _YEAR * sum(revenue) // len(revenue) if revenue else None
