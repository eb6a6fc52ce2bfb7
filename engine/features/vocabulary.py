"""Words on Australian bank statements and what they mean, one table.

It does: give each distinct text its categories by whole words, upper case, letters only. It does not: learn;
a lender adds words here and the engine's version changes with them.
"""

import re

import numpy as np
from numpy.typing import NDArray

DISHONOUR, TAX, LENDER, NOT_SALES, INJECTION, GAMBLING, OWN = (1 << bit for bit in range(7))

_WORDS: dict[int, str] = {
    DISHONOUR: "DISHONOUR DISHONOURED DISHON RETURNED INSUFFICIENT UNPAID",
    TAX: "ATO TAXATION",
    LENDER: (
        "LOAN LOANS LENDING LENDER FUNDING FINANCE CAPITAL PROSPA ONDECK MOULA CAPIFY LUMI BIZCAP ZIPBUSINESS "
        "SHIFTFINANCIAL GETCAPITAL BANJO BIGSTONE VALIANT EARLYPAY SCOTPAC"
    ),
    NOT_SALES: "REFUND REFUNDED REVERSAL REVERSED CHARGEBACK DRAWINGS CASHBACK REBATE",
    INJECTION: "GRANT CENTRELINK SUBSIDY INJECTION CONTRIBUTION DIRECTOR OWNER",
    GAMBLING: "SPORTSBET LADBROKES TABCORP POINTSBET NEDS CASINO POKIES BETTING WAGERING TAB",
    OWN: "TFR TRANSFER XFER SWEEP",
}
_CATEGORY = {word: bit for bit, words in _WORDS.items() for word in words.split()}
_NOT_LETTERS = re.compile(r"[^A-Z\n]+")


def categorise(texts: tuple[str, ...]) -> tuple[NDArray[np.int64], list[str]]:
    """Category bits of each text, and each text's letters alone (its payer's key).

    One pass over all texts joined; words are looked up once a distinct key, of which a statement has far fewer than
    texts, since most differ in digits only.
    """
    if not texts:
        return np.zeros(0, dtype=np.int64), []
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1:
        joined = "\n".join(text.replace("\n", " ") for text in texts)
    keys = [line.strip() for line in _NOT_LETTERS.sub(" ", joined.upper()).split("\n")]
    bits = {key: _bits(key) for key in set(keys)}
    return np.array([bits[key] for key in keys], dtype=np.int64), keys


def _bits(key: str) -> int:
    found = 0
    for word in key.split():
        found |= _CATEGORY.get(word, 0)
    return found
