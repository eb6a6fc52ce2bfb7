"""Words on Australian bank statements and what they mean, one table.

It does: give each distinct text its categories by whole words, upper case, letters only. It does not: learn;
a lender adds words here and the engine's version changes with them.
"""

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
_MEANT = frozenset(_CATEGORY)
# Capital letters and the ends of lines as they are, anything else a blank.
_LETTERS = bytes(byte if byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\n" else ord(" ") for byte in range(256))


def categorise(texts: tuple[str, ...]) -> tuple[NDArray[np.uint8], list[str]]:
    """Category bits of each text, and each text's letters alone (its payer's key).

    All texts are joined for what goes character by character; nearly all of them hold no word of the table.
    """
    if not texts:
        return np.zeros(0, dtype=np.uint8), []
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1:
        joined = "\n".join(text.replace("\n", " ") for text in texts)
    letters = joined.upper().encode("ascii", "replace").translate(_LETTERS).decode()
    keys, bits = list[str](), bytearray()
    for line in letters.split("\n"):
        words = line.split()
        keys.append(" ".join(words))
        bits.append(0 if _MEANT.isdisjoint(words) else _bits(words))
    return np.frombuffer(bytes(bits), dtype=np.uint8), keys


def _bits(words: list[str]) -> int:
    found = 0
    for word in words:
        found |= _CATEGORY.get(word, 0)
    return found
