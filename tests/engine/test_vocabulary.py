"""Words on statements: whole words only, one pass over all texts at once, the same as text by text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.features import vocabulary
from engine.features.vocabulary import categorise

KNOWN = {word: bit for bit, words in vocabulary._WORDS.items() for word in words.split()}
pieces = st.one_of(
    st.sampled_from(sorted(KNOWN)),
    st.sampled_from(["tfr", "Ato", " ", "\n", "\t", "-", "1", "X", "É", "ß", "ſ", "\u2028"]),
)
texts = st.lists(st.lists(pieces, max_size=6).map("".join), max_size=12)


def letters(text: str) -> list[str]:
    """Runs of A to Z of one text."""
    return "".join(c if "A" <= c <= "Z" else " " for c in text.upper()).split()


@given(texts)
def test_all_texts_at_once_are_as_text_by_text(lines: list[str]) -> None:
    """Bits are the union of the whole words of each text, keys its letters, whatever stands beside it."""
    bits, keys = categorise(tuple(lines))
    expected = []
    for line in lines:
        union = 0
        for word in letters(line):
            union |= KNOWN.get(word, 0)
        expected.append(union)
    assert bits.tolist() == expected
    assert keys == [" ".join(letters(line)) for line in lines]


@pytest.mark.parametrize(
    ("text", "bit"),
    [
        ("DISHONOUR FEE", vocabulary.DISHONOUR), ("Returned item 33", vocabulary.DISHONOUR),
        ("INSUFFICIENT FUNDS", vocabulary.DISHONOUR), ("ATO ATO0012", vocabulary.TAX),
        ("PROSPA*1234", vocabulary.LENDER), ("MOULA", vocabulary.LENDER), ("REFUND-99", vocabulary.NOT_SALES),
        ("SPORTSBET.COM.AU", vocabulary.GAMBLING), ("TFR TO 12", vocabulary.OWN), ("WAGES", 0),
        ("OWNER CONTRIBUTION", vocabulary.INJECTION), ("POTATO KING", 0), ("PARENTING", 0), ("LOANED", 0),
    ],
)  # fmt: skip
def test_words_mean_what_they_say(text: str, bit: int) -> None:
    """Usual statement texts have their category, and a word inside another word has none."""
    assert categorise((text,))[0].tolist() == [bit]


def test_every_word_stands_once_in_the_table() -> None:
    """A word in two categories would silently lose one of them."""
    listed = [word for words in vocabulary._WORDS.values() for word in words.split()]
    assert len(listed) == len(set(listed))
    assert all(word.isascii() and word.isalpha() and word.isupper() for word in listed)


def test_no_texts_have_no_categories() -> None:
    """An empty statement is no special case for its reader."""
    bits, keys = categorise(())
    assert bits.tolist() == []
    assert keys == []
