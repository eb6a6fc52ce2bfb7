"""Made-up words: names of businesses, payers, suppliers and lenders as a bank statement would print them.

It does: join plain words into names that no real business is meant to bear. It does not: draw at random (its
callers give the numbers). The rule it keeps: a payer's or supplier's name holds no word that means something
else on a statement (loan, capital, rent, wages, tax), so that made-up sales are never read as made-up loans.
"""

_FIRST = (
    "WATTLE", "BANKSIA", "IRONBARK", "SALTBUSH", "MALLEE", "JARRAH", "BOTTLEBRUSH", "GREVILLEA", "WARATAH",
    "KURRAJONG", "BRIGALOW", "TEATREE", "MULGA", "QUANDONG", "BLUEGUM", "STRINGYBARK", "SPINIFEX",
    "COOLIBAH", "LILLYPILLY", "BORONIA", "CORELLA", "ROSELLA", "BROLGA", "CURRAWONG", "LORIKEET", "GALAH",
    "PLOVER", "JABIRU", "BANDICOOT", "NUMBAT", "ECHIDNA", "PLATYPUS", "WOMBAT", "DUGONG", "BARRAMUNDI",
    "YABBY", "BOGONG", "CICADA", "THORNBIRD", "MAGPIE",
)  # fmt: skip
_SECOND = (
    "TRADING", "SUPPLIES", "IMPORTS", "FOODS", "TIMBER", "PACKAGING", "HARDWARE", "TEXTILES", "PROVEDORES",
    "MACHINERY", "ELECTRICAL", "PLUMBING", "STATIONERY", "FURNITURE", "FREIGHT", "GROCERS", "JOINERY",
    "ENGINEERING", "GARDENS", "INTERIORS", "OUTDOORS", "BAKERS", "TILES", "FASTENERS", "COLD STORES",
    "HOMEWARES", "TOOLS", "PRODUCE", "GLASS", "STEEL", "BUILDERS", "CATERING", "WORKWEAR", "FOOTWEAR",
    "LIGHTING", "KITCHENS", "MARINE", "SIGNS", "PAINTS", "PARTS",
)  # fmt: skip
NAMES = len(_FIRST) * len(_SECOND)
_STRIDES = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103)

_SURNAMES = (
    "ASHWATTLE", "BARKENDALE", "CORELLI", "DRYANDRA", "EVERLEIGH", "FERNSHAW", "GUMLEIGH", "HAKEADALE",
    "INGLEWOOD", "JACKWATTLE", "KANGARILLA", "LOWANNA", "MYRTLEFORD", "NARDOOVALE", "OAKLANDER", "PANDOREA",
    "QUAMBYFIELD", "REDGUMLEY", "SHEOAKE", "TALLOWOOD", "UMBRELLAGUM", "VELLEIADALE", "WIRILDARA",
    "YATEMAN", "ZIERIADALE",
)  # fmt: skip

# Invented lenders; each holds a word by which a reader of statements knows a lender.
LENDERS = (
    "SOUTHERLY BUSINESS LOANS", "NULLARBOR FUNDING", "PANDANUS LENDING", "GOANNA CASHFLOW FINANCE",
    "TIDEWRACK CAPITAL", "BILLYCAN LENDING", "REDDUST CAPITAL", "COCKLESHELL FINANCE",
    "MONARO FLATS FUNDING", "SUNDOWNER BUSINESS LOANS", "HONEYEATER FINANCE", "LONGPADDOCK LENDING",
)  # fmt: skip

CARD_MERCHANTS = (
    ("FUEL STOP", 5541), ("OFFICE DEPOT PLACE", 5943), ("TRADE TOOLS BARN", 5251),
    ("CLOUD LEDGER SUBSCRIPTION", 5734), ("CORNER CAFE", 5814), ("TELCO MOBILE PLAN", 4814),
    ("TOLLWAY TOPUP", 4784), ("COURIER NOW", 4215), ("WAREHOUSE GROCER", 5411), ("ADS ONLINE", 7311),
    ("PARKING STATION", 7523), ("UNIFORM SHOP", 5699),
)  # fmt: skip
GAMBLING_MERCHANTS = (("LUCKY PADDOCK WAGERING", 7995), ("HARBOUR CASINO", 7995))

MARKETPLACE = "MARKETLANE TRADE PTY LTD"
ACQUIRERS = ("EFTPOS SETTLEMENT", "MERCHANT SETTLEMENT VISA MC", "TERMINAL TAKINGS")


def names(start: int, stride: int, count: int) -> list[str]:
    """`count` distinct names (at most NAMES), walked from `start` by a stride coprime to their number."""
    step = _STRIDES[stride % len(_STRIDES)]
    picks = [(start + i * step) % NAMES for i in range(min(count, NAMES))]
    return [f"{_FIRST[p % len(_FIRST)]} {_SECOND[p // len(_FIRST)]}" for p in picks]


def business_name(number: int, entity_type: str) -> str:
    """The registered name of a business of this legal form."""
    trade = f"{_FIRST[number % len(_FIRST)]} {_SECOND[number // len(_FIRST) % len(_SECOND)]}"
    surname = _SURNAMES[number % len(_SURNAMES)]
    initial = "ABCDEFGHJKLMNPRSTW"[number % 18]
    if entity_type == "company":
        return f"{trade} {surname} PTY LTD"
    if entity_type == "trust":
        return f"THE TRUSTEE FOR {trade} {surname} TRUST"
    if entity_type == "partnership":
        return f"{initial} {surname} & {initial} {_SURNAMES[(number + 7) % len(_SURNAMES)]}"
    return f"{surname}, {initial}" if entity_type == "sole_trader" else f"{trade} {surname} CO-OPERATIVE"
