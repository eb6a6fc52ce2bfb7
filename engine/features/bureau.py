"""Features of the commercial bureau report."""

from engine.features.catalogue import MISSING, Catalogue, Evidence
from engine.values import months_between

bureau = Catalogue(
    "bureau",
    missing="bureau report not present",
    personal="commercial credit file of a sole trader or partner",
)

_NO_DEFAULT_MONTHS = 120
_HALF_YEAR, _YEAR = 183, 365


@bureau.feature("share", 0, 1, -1, "R15", missing="bureau report not present, or without a score")
def bureau_score(e: Evidence) -> float:
    """Bureau score within its own range, 0 worst to 1 best."""
    r = e.bureau
    if r is None or r.score is None:
        return MISSING
    return (r.score - r.score_low) / (r.score_high - r.score_low)


@bureau.feature("months", 0, 600, -1, "R15")
def file_age_months(e: Evidence) -> float:
    """Months since the file was opened; 0 without a file."""
    if e.bureau is None:
        return MISSING
    return 0 if e.bureau.file_since is None else months_between(e.bureau.file_since, e.as_of)


@bureau.feature("count", 0, 100, 1, "R11")
def defaults_count(e: Evidence) -> float:
    """Payment defaults on file, paid ones included."""
    return MISSING if e.bureau is None else len(e.bureau.defaults)


@bureau.feature("dollars", 0, 100_000_000, 1, "R11")
def defaults_unpaid(e: Evidence) -> float:
    """Amount of unpaid defaults."""
    return MISSING if e.bureau is None else sum(d.amount_cents for d in e.bureau.defaults if not d.paid) / 100


@bureau.feature("months", 0, 120, -1, "R11")
def months_since_default(e: Evidence) -> float:
    """Months since the last default; 120 where there is none."""
    if e.bureau is None:
        return MISSING
    return min((months_between(d.on, e.as_of) for d in e.bureau.defaults), default=_NO_DEFAULT_MONTHS)


@bureau.feature("count", 0, 100, 1, "R12")
def court_actions(e: Evidence) -> float:
    """Court actions on file; a judgment counts twice."""
    return MISSING if e.bureau is None else sum(1 + c.judgment for c in e.bureau.court_actions)


@bureau.feature("count", 0, 500, 1, "R14")
def enquiries_6m(e: Evidence) -> float:
    """Credit enquiries in the last six months."""
    return _enquiries(e, _HALF_YEAR)


@bureau.feature("count", 0, 500, 1, "R14")
def enquiries_12m(e: Evidence) -> float:
    """Credit enquiries in the last twelve months."""
    return _enquiries(e, _YEAR)


def _enquiries(e: Evidence, days: int) -> float:
    return MISSING if e.bureau is None else sum((e.as_of - day).days < days for day in e.bureau.enquiries)


@bureau.feature("days", -60, 365, 1, "R16", missing="bureau report not present, or no trade payment data")
def days_beyond_terms(e: Evidence) -> float:
    """Trade payments: mean days beyond terms."""
    r = e.bureau
    return MISSING if r is None or r.days_beyond_terms is None else r.days_beyond_terms


@bureau.feature("dollars", 0, 100_000_000, 1, "R10")
def tax_debt_disclosed(e: Evidence) -> float:
    """Tax debt disclosed by the tax office; 0 where none is (which never means that there is none)."""
    return MISSING if e.bureau is None else (e.bureau.tax_debt_disclosed_cents or 0) / 100


@bureau.feature("count", 0, 500, 1, "R09")
def registrations_6m(e: Evidence) -> float:
    """Security interests registered in the last six months."""
    if e.bureau is None:
        return MISSING
    return sum((e.as_of - r.on).days < _HALF_YEAR for r in e.bureau.registrations)


@bureau.feature("flag", 0, 1, 1, "R09")
def all_assets_registered(e: Evidence) -> float:
    """1 where another lender holds security over all assets."""
    return MISSING if e.bureau is None else float(any(r.all_assets for r in e.bureau.registrations))
