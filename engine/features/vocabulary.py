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

    One pass over all texts joined: only words that occur are looked for, so cost follows the text, not the table.
    """
    if not texts:
        return np.zeros(0, dtype=np.int64), []
    joined = "\n".join(text.replace("\n", " ") for text in texts).upper()
    cleaned = " " + _NOT_LETTERS.sub(" ", joined).replace("\n", " \n ") + " "
    lines = cleaned.split("\n")
    bits = np.zeros(len(texts), dtype=np.int64)
    starts = np.cumsum([0] + [len(line) + 1 for line in lines[:-1]])
    for word in _CATEGORY.keys() & set(cleaned.split()):
        found = [match.start() for match in re.finditer(f" {word} ", cleaned)]
        np.bitwise_or.at(bits, np.searchsorted(starts, found, side="right") - 1, _CATEGORY[word])
    return bits, [" ".join(line.split()) for line in lines]
