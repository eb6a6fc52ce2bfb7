"""Features of the business itself, from its statement and the register."""

from engine.features.catalogue import MISSING, Catalogue, Evidence
from engine.values import months_between

business = Catalogue(
    "business", missing="register not present", personal="business registration of a sole trader or partner"
)

# Relative default risk by ANZSIC division, 1.0 is the average applicant (docs/features.md gives the sources).
DIVISION_RISK = {
    "A": 0.6, "B": 1.0, "C": 1.0, "D": 1.0, "E": 1.35, "F": 0.9, "G": 1.15, "H": 1.8, "I": 1.2, "J": 0.9,
    "K": 1.0, "L": 0.75, "M": 0.75, "N": 1.1, "O": 1.0, "P": 0.8, "Q": 0.5, "R": 1.2, "S": 1.1,
}  # fmt: skip
_STAFF_RANK = {"0": 0, "1-4": 1, "5-19": 2, "20-199": 3, "200+": 4}


@business.feature("months", 0, 600, -1, "R01")
def abn_age_months(e: Evidence) -> float:
    """Months since the ABN became active."""
    return MISSING if e.register is None else months_between(e.register.abn_active_from, e.as_of)


@business.feature("months", 0, 600, -1, "R01", missing="never")
def trading_age_months(e: Evidence) -> float:
    """Months of trading as declared."""
    return months_between(e.application.business.trading_since, e.as_of)


@business.feature("months", 0, 600, -1, "R01")
def gst_age_months(e: Evidence) -> float:
    """Months since GST registration; 0 where not registered."""
    if e.register is None:
        return MISSING
    return 0 if e.register.gst_from is None else months_between(e.register.gst_from, e.as_of)


@business.feature("months", 0, 600, 1, "R24")
def age_overstated_months(e: Evidence) -> float:
    """Months by which declared trading exceeds the age of the ABN."""
    if e.register is None:
        return MISSING
    return max(trading_age_months(e) - abn_age_months(e), 0)


@business.feature("ratio", 0, 5, 1, "R22", missing="never")
def industry_risk(e: Evidence) -> float:
    """Relative default risk of the ANZSIC division."""
    return DIVISION_RISK[e.application.business.division]


@business.feature("rank", 0, 4, 0, "R02", missing="never")
def staff_rank(e: Evidence) -> float:
    """Staff band as a rank, 0 none to 4 for 200 or more."""
    return _STAFF_RANK[e.application.business.staff_band]
