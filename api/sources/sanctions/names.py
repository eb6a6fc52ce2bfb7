"""Names brought to one form: tokens without marks, legal forms and titles, and how a token sounds.

It does: fold names so that spelling, order and suffixes stop mattering. It does not: compare or score. The rule it
keeps: folding never empties a name that had letters, and works the same on the list and on who is screened.
"""

import re
import unicodedata
from itertools import groupby
from typing import Final

MOST_TOKENS: Final = 12
_MOST_CHARS: Final = 500
_UNMARKED: Final = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "ı": "i", "æ": "ae", "Æ": "AE", "œ": "oe",
     "Œ": "OE", "þ": "th", "Þ": "TH", "ħ": "h", "ə": "a", "&": " and "}
)  # fmt: skip
_APOSTROPHES: Final = re.compile(r"['’‘`´ʼʻʿʾ′]")
_APART: Final = re.compile(r"[^\w]|_")
# Where one text names several: a trustee and its trust, a company and its trading name.
_SEVERAL: Final = re.compile(
    r"\b(?:AS (?:THE )?TRUSTEES? (?:FOR|OF)|ATF|A T F|THE TRUSTEES? (?:FOR|OF)|TRADING AS|T A|T AS)\b"
)
_LEGAL: Final = frozenset({
    "PTY", "PROPRIETARY", "LTD", "LIMITED", "INC", "INCORPORATED", "LLC", "LLP", "LP", "CORP", "CORPORATION",
    "CO", "COMPANY", "PLC", "GMBH", "AG", "SA", "SARL", "SRL", "BV", "NV", "OY", "AB", "AS", "SPA", "JSC",
    "OJSC", "PJSC", "CJSC", "OAO", "OOO", "PAO", "ZAO", "FZE", "FZC", "FZCO", "BHD", "SDN", "PTE", "KK", "NL",
    "TRUST", "TRUSTEE", "FAMILY", "DISCRETIONARY", "UNIT", "THE", "AND", "OF", "FOR",
})  # fmt: skip
_TITLES: Final = frozenset({"MR", "MRS", "MS", "MISS", "DR", "PROF", "SIR", "HAJI", "HAJJI", "SHEIKH", "SHAYKH"})
# Arabic ones, written or left out as it pleases; "van" and "de" tell names apart elsewhere.
_PARTICLES: Final = frozenset({"AL", "EL", "UL", "BIN", "IBN", "BINT"})

# Spellings of one name that no rule of sound joins: Korean by its two usual romanisations, Chinese by the older one.
# Dialects of Chinese (Tan for Chen, Wong for Huang) are left apart: joining them would find half of a city.
_ROMANISED: Final = {
    "PAK": "PARK", "RHEE": "LEE", "CHOE": "CHOI", "CHUNG": "JUNG", "JEONG": "JUNG", "JO": "CHO", "PAIK": "BAEK",
    "GANG": "KANG", "RIM": "LIM", "RYU": "YOO", "GWON": "KWON", "ROH": "NOH", "GIM": "KIM", "CHANG": "ZHANG",
    "CHOU": "ZHOU", "CHAO": "ZHAO", "HSU": "XU", "TSAI": "CAI", "HSIEH": "XIE", "TSENG": "ZENG", "KUO": "GUO",
    "TENG": "DENG", "HSIAO": "XIAO", "CHIANG": "JIANG",
}  # fmt: skip
_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("X", "KS"),  # before CH takes the letter
        ("^ABD[AEIOU][LRSN]?", "ABD"),
        ("DZH|ZH|DJ|DZ", "J"),
        ("SHCH|SCH|SH", "S"),
        ("TCH|CH", "X"),
        ("KH", "H"),
        ("GH", "G"),
        ("PH|FF", "F"),
        ("TH", "T"),
        ("DH", "D"),
        ("CK|Q|C", "K"),
        ("W|(?<=[EOU])F$", "V"),
        ("OU|OO|O", "U"),
        ("EE|IE|EI|EY|Y|E|J(?=$)", "I"),
        (r"(.)\1+", r"\1"),
        ("(?<=.{2})H$", ""),
    )
)


def fold(name: str, *, person: bool) -> tuple[str, ...]:
    """A name's tokens in the order written, upper case, without marks, titles, particles or legal forms."""
    words = _words(name) if person else _joined(_words(name))
    noise = _TITLES | _PARTICLES if person else _LEGAL
    kept = [word for word in words if word not in noise]
    if person:
        # An initial says too little to hold a match or to break one.
        full = [word for word in kept if len(word) > 1]
        kept = full if len(full) > 1 else kept
    # What is left of a name must still tell it apart: a name made of such words alone stays whole.
    enough = kept if kept and (not person or len(kept) > 1 or len(words) == 1) else words
    return tuple(enough[:MOST_TOKENS])


def parts(name: str) -> tuple[str, ...]:
    """The names that a business's text holds: the whole, or each side of "as trustee for" and the like."""
    upper = " ".join(_words(name))
    found = tuple(part.strip() for part in _SEVERAL.split(upper) if part.strip())
    return tuple(dict.fromkeys((upper, *found))) if upper else ()


def sound(token: str) -> str:
    """How a token sounds, roughly: the romanisations of one name (Mohammed, Muhamad) come near to each other."""
    if not token.isascii():
        return token
    token = _ROMANISED.get(token, token)
    for pattern, written in _SOUNDS:
        token = pattern.sub(written, token)
    return token


def _joined(words: list[str]) -> list[str]:
    """A run of single letters as one word: A.B.C. TRADING is ABC TRADING."""
    runs = groupby(words, key=lambda word: len(word) == 1)
    return [word for single, run in runs for word in (["".join(run)] if single else run)]


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name[:_MOST_CHARS].translate(_UNMARKED))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _APART.sub(" ", _APOSTROPHES.sub("", bare).upper()).split()
