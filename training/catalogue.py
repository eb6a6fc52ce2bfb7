"""The feature catalogue as a page that a risk officer reads; docs/features.md is this page, and a test compares them.

It does: print what engine.features declares. It does not: add anything that the declarations do not say, but for
the sources of the definitions.
"""

from itertools import groupby

from engine.features import FEATURES
from engine.features.business import DIVISION_RISK
from engine.reasons import CATALOGUE
from engine.values import DIVISIONS

_DIRECTIONS = {1: "raises", -1: "lowers", 0: "either way"}
_HEAD = """# Features

Every model input, declared once in `engine/features/` and used alike by the live decision and by training. *PD* says
what a higher value may do to the probability of default: the model is held to it. *Reason* is the public reason code.
Personal data of people, forbidden attributes and their proxies cannot be declared (`engine/features/catalogue.py`).

Basis of the definitions: transactions after the Consumer Data Standards 1.36.0; bank figures after Australian
lenders' practice; marketplace figures after the signals that Shopify Capital
(<https://help.shopify.com/en/manual/finances/shopify-capital/eligibility>) and Alibaba Trade Assurance
(<https://chainstoreage.com/news/alibaba-offers-new-assurance-supplier-reliability>) publish; bureau signals after
CreditorWatch (<https://creditorwatch.com.au/introducing-the-business-risk-monitor>). Relative risk by industry is a
proposal drawn from published insolvency and exit counts; a lender replaces it by its own.

"""


def page() -> str:
    """The whole page, Markdown."""
    parts = [_HEAD, f"{len(FEATURES)} features.\n"]
    for group, features in groupby(FEATURES, key=lambda feature: feature.group):
        members = list(features)
        kind = members[0].personal or "none"
        parts.append(f"\n## {group}\n\nPersonal information where the applicant is a natural person: {kind}.\n\n")
        parts.append("| feature | meaning | unit | range | PD | missing | reason |\n|---|---|---|---|---|---|---|\n")
        parts += [
            f"| `{f.name}` | {f.meaning} | {f.unit} | {f.low:,g} to {f.high:,g} | {_DIRECTIONS[f.direction]} "
            f"| {f.missing} | {f.reason} {CATALOGUE[f.reason].text} |\n"
            for f in members
        ]
    parts.append("\n## Relative risk by industry\n\n| ANZSIC division | risk |\n|---|---|\n")
    parts += [f"| {letter} {DIVISIONS[letter][0]} | {risk} |\n" for letter, risk in DIVISION_RISK.items()]
    return "".join(parts)
