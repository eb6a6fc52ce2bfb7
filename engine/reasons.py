"""The reason-code catalogue, and how findings, caps and contributions become at most four public reasons.

It does: keep one table of codes in plain words, each with what would help, and choose deterministically, most
adverse first. It does not: show internal findings, or ever say that a score is too low. The rule it keeps:
compliance, sanctions and fraud findings have no public reason.
"""

from collections.abc import Iterable, Mapping

from engine.values import Frozen

MOST_REASONS = 4


class Reason(Frozen):
    """One public reason: code, plain words, what would help."""

    code: str
    text: str
    help: str


_TABLE = """
R01|The business has not traded for long enough|Apply again once the business has traded for the minimum time.
R02|Turnover is low for the amount asked for|Ask for a smaller line, or show higher turnover in your bank statements.
R03|Sales have fallen recently|Apply again when sales have recovered for three months.
R04|Sales vary a lot from month to month|Connect more months of bank statements that show steadier sales.
R05|Sales depend heavily on one customer|Spread sales over more customers.
R06|Account balances have been low|Keep a higher balance over the next three months.
R07|Payments have been dishonoured|Keep three months without a dishonoured payment.
R08|Repayments would be high against cash flow|Ask for a smaller line, or reduce other repayments.
R09|Existing loans or lenders take up much of the cash flow|Repay or combine other business loans.
R10|Tax is overdue or a tax debt is reported|Pay the overdue tax or agree a payment plan with the tax office.
R11|A payment default is on file|Pay the default and have the credit file updated, or ask the bureau to correct it.
R12|A court action or judgment is on file|Settle the matter and have the credit file updated.
R13|An insolvency is recorded for the business or a director|Ask us to look again when the insolvency has ended.
R14|There have been many credit enquiries recently|Wait until fewer recent enquiries are on file.
R15|The credit history is short|Build a longer record of trade accounts paid on time.
R16|Suppliers have been paid late|Pay supplier invoices by their due date over the next months.
R17|Orders were disputed or cancelled on the marketplace|Keep orders free of disputes and cancellations.
R18|The marketplace history is short or thin|Place and pay more orders on the marketplace.
R19|The supplier does not meet our requirements|Choose a supplier that meets the marketplace's requirements.
R20|The ABN is not active, or the entity type is not eligible|Check the ABN's status and entity type on the register.
R21|GST registration is expected at this turnover|Register for GST, or correct the stated turnover.
R22|The industry is one that we do not lend to, or lend less to|Check that the industry is stated rightly.
R23|We could not confirm identity|Send us identity documents that match the application.
R24|Information differs between sources|Check what you stated against the register and your statements.
R25|There is not enough bank data|Connect your bank, or upload statements for at least 90 days.
R26|Documents are missing, or could not be relied on|Send the documents that we ask for, complete and unaltered.
R27|The purpose is not a business purpose|The line can only be used to pay suppliers of the business.
R28|The amount is outside the range we offer|Ask for an amount inside the range we offer.
R29|The most that we lend to one business or group is reached|Repay part of the existing lines first.
R30|The account shows spending that is not business spending|Keep such spending out of the business accounts.
"""

CATALOGUE: Mapping[str, Reason] = {
    code: Reason(code=code, text=text, help=help_)
    for code, text, help_ in (line.split("|") for line in _TABLE.strip().splitlines())
}


def choose(*ranked: Iterable[str]) -> tuple[Reason, ...]:
    """At most four distinct reasons, taking each ranking in turn until it is used up."""
    codes = dict.fromkeys(code for ranking in ranked for code in ranking)
    return tuple(CATALOGUE[code] for code in list(codes)[:MOST_REASONS])


def adverse_codes(
    contributions: Iterable[tuple[str, float]], reason_of: Mapping[str, str], least: float = 0.0
) -> list[str]:
    """Codes whose features cost more than `least` points, most points lost first; features of one code add up.

    `contributions` are (feature, points), negative points are adverse. Ties go by code, so the order is fixed.
    """
    lost: dict[str, float] = {}
    for feature, points in contributions:
        code = reason_of[feature]
        lost[code] = lost.get(code, 0.0) + points
    return [code for code, points in sorted(lost.items(), key=lambda item: (item[1], item[0])) if points < -least]
