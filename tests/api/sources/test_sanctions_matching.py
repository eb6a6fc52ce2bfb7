"""Names against the list: every way of writing one name is found, and what is not that name is not."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sources import ScreenedName
from api.sources.sanctions import THRESHOLD, Entry, SanctionsList, Screening, Unscreenable
from api.sources.sanctions.births import Years
from api.sources.sanctions.names import fold, parts
from api.sources.sanctions.reader import Kind

PAGE = Path(__file__).parents[3] / "docs" / "sanctions.md"
BORN = date(1961, 4, 12)


def entry(
    name: str, kind: Kind = "person", *, weak: bool = False, born: int | None = None, australian: bool = False
) -> Entry:
    """A listed name."""
    births = () if born is None else (Years(born, born),)
    return Entry("1a", "1", name, kind, weak, births, australian)


def screening(*entries: Entry) -> Screening:
    """A list of these names."""
    return Screening(SanctionsList(entries, None, "0" * 64))


def hits(listed: Entry, asked: ScreenedName) -> bool:
    """Whether a name is a hit on a list of one."""
    return bool(screening(listed).check([asked]).hits)


def person(name: str, born: date | None = None) -> ScreenedName:
    """A person to be screened."""
    return ScreenedName(name, born, person=True)


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("Zoltan Example-Karov", "Zoltan Example-Karov"),
        ("Zoltan Example-Karov", "EXAMPLE-KAROV, ZOLTAN"),
        ("Zoltan Example-Karov", "Karov Example Zoltan"),
        ("Zoltan Example-Karov", "Zoltán  Example Karov"),
        ("Zoltan Example-Karov", "Mr. Zoltan Q. Example-Karov"),
        ("Zoltan Example-Karov", "Ｚoltan Example‐Karov"),
        ("Zoltan Example-Karov", "Zoltan Exampel-Karov"),
        ("Zoltan Ferenc Example-Karov", "Zoltan Example-Karov"),
        ("Zoltan Example-Karov", "Zoltan Ferenc Example-Karov"),
        ("Mohammed Khalil", "Muhamad Khalil"),
        ("Mohammed Khalil", "Mohamed Khaleel"),
        ("Mohammed Khalil", "Muhammed Khalil"),
        ("Muhammad al-Husseini", "MOHAMMED HUSSAINI"),
        ("Abd al-Rahman Saleh", "Abdulrahman Saleh"),
        ("Abdulrahman Saleh", "Abdul Rahman Saleh"),
        ("Abdullah Saleh", "Abdallah Salih"),
        ("Ali bin Hassan al-Masri", "Ali Hassan Elmasri"),
        ("Yevgeny Sokolov", "Evgeniy Sokoloff"),
        ("Dmitry Shchukin", "Dmitri Schukin"),
        ("Aleksandr Zhukov", "Alexander Djukov"),
        ("Kim Min-jun", "MINJUN KIM"),
        ("Pak Ji-hoon", "Park Jihoon"),
        ("Choe Yong", "Choi Yong"),
        ("Li Xiaoping", "Lee Xiao Ping"),
        ("Hsu Chia-ming", "Xu Chiaming"),
        ("Giorgos Papadopoulos", "Georgios Papadopulos"),
        ("Łukasz Wójcik", "Lukasz Wojcik"),
        ("Søren Østergård", "Soren Ostergard"),
        ("Seán O’Brien", "SEAN OBRIEN"),
        ("Jürgen Weiß", "Jurgen Weiss"),
        ("Иван Петров", "ИВАН ПЕТРОВ"),
        ("Suharnoto", "Suharnoto"),
    ],
)
def test_other_ways_of_writing_a_name_are_found(listed: str, asked: str) -> None:
    """Case, accents, order, middle names, typing mistakes and romanisations do not hide a listed person."""
    assert hits(entry(listed), person(asked))


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("Zoltan Example-Karov", "Zoltan Other-Karov"),
        ("John Smith", "Peter Smith"),
        ("John Smith", "John Smithers-Jones"),
        ("John Smith", "John"),
        ("Smith", "John Smith"),
        ("Suharnoto", "Suharnata"),
        ("Mohammed Khalil", "Mahmoud Khalifa"),
        ("Kim Min-jun", "Kim Min-ho"),
        ("Li Wei", "Lu Wei"),
        ("Li Wei", "Li Wen"),
        ("Chen Wei", "Chan Wei"),
        ("Nguyen Van Minh", "Nguyen Van Anh"),
        ("Ng Xu", "Ng Yu"),
        ("Juan Garcia Lopez", "Juan Perez Lopez"),
    ],
)
def test_other_names_are_not(listed: str, asked: str) -> None:
    """A shared family name, a single word and short names that differ by a letter are no hit."""
    assert not hits(entry(listed), person(asked))


@pytest.mark.parametrize(
    "asked",
    [
        "EXAMPLE SHADOW SHIPPING PTY LTD",
        "Example Shadow Shipping",
        "Example Shadow Shipping Limited",
        "Shipping Example Shadow, Inc.",
        "The Trustee for Example Shadow Shipping Family Trust",
        "Banksia Homewares Pty Ltd ATF Example Shadow Shipping Trust",
        "Example Shadow Shipping Pty Ltd as trustee for the Banksia Unit Trust",
        "Banksia Homewares Pty Ltd T/A Example Shadow Shipping",
        "Banksia Homewares trading as Example Shadow Shipping",
        "E.x.a.m.p.l.e Shadow Shipping",
    ],
)
def test_legal_forms_trusts_and_trading_names_do_not_hide_an_entity(asked: str) -> None:
    """Suffixes go, and each of several names in one text is looked for."""
    assert hits(entry("EXAMPLE SHADOW SHIPPING LLC", "entity"), ScreenedName(asked))


@pytest.mark.parametrize(
    "asked", ["Example Shadow Pty Ltd", "Shipping Pty Ltd", "Example Sunny Shipping Pty Ltd", "Pty Ltd"]
)
def test_a_business_that_lacks_a_word_is_another(asked: str) -> None:
    """A word more or less makes another business, and legal forms alone match nobody."""
    assert not hits(entry("EXAMPLE SHADOW SHIPPING FREIGHT LLC", "entity"), ScreenedName(asked))


def test_people_are_compared_with_people_and_businesses_with_entities() -> None:
    """Kinds do not cross, except where the list is unclear or the register wrote a person's name."""
    name = "Zoltan Karov"
    assert not hits(entry(name, "entity"), person(name))
    assert not hits(entry(name, "person"), ScreenedName(name))
    assert hits(entry(name, "unknown"), person(name))
    assert hits(entry(name, "unknown"), ScreenedName(name))
    assert hits(entry(name, "person"), ScreenedName("KAROV, ZOLTAN"))


def test_a_date_of_birth_takes_a_match_away() -> None:
    """More than two years apart is another person; without a date on either side the name alone counts."""
    assert hits(entry("Zoltan Karov", born=1963), person("Zoltan Karov", BORN))
    assert not hits(entry("Zoltan Karov", born=1964), person("Zoltan Karov", BORN))
    assert hits(entry("Zoltan Karov"), person("Zoltan Karov", BORN))
    assert hits(entry("Zoltan Karov", born=1990), person("Zoltan Karov"))


def test_a_weak_alias_needs_a_date_or_a_country() -> None:
    """Alone it is no hit; with a date of birth that agrees, or an Australian listing, it is."""
    assert not hits(entry("Zoltan Karov", weak=True), person("Zoltan Karov", BORN))
    assert not hits(entry("Zoltan Karov", weak=True, born=1961), person("Zoltan Karov"))
    assert hits(entry("Zoltan Karov", weak=True, born=1961), person("Zoltan Karov", BORN))
    assert not hits(entry("Zoltan Karov", weak=True, born=1990, australian=True), person("Zoltan Karov", BORN))
    assert hits(entry("Zoltan Karov", weak=True, australian=True), person("Zoltan Karov"))
    assert hits(entry("ESS", "entity", weak=True, australian=True), ScreenedName("E.S.S. Pty Ltd"))
    assert not hits(entry("ESS", "entity", weak=True), ScreenedName("ESS Pty Ltd"))


def test_a_listing_counts_once_and_a_hit_holds_no_name() -> None:
    """Two names of one listing are one hit: the reference that came nearest, its score, the list's digest."""
    found = screening(
        Entry("5", "5", "Zoltan Ferenc Karov", "person"), Entry("5a", "5", "Zoltan Karov", "person")
    ).check([person("Zoltan Karov"), person("Karov, Zoltan")])
    assert [(hit.reference, hit.score) for hit in found.hits] == [("5a", 1.0)]
    assert "karov" not in repr(found).lower()


@pytest.mark.parametrize("names", [[], [person("...")], [ScreenedName("")], [person("Zoltan Karov")] * 101])
def test_nobody_passes_unscreened(names: list[ScreenedName]) -> None:
    """No names, no letters and too many names are no clean result."""
    with pytest.raises(Unscreenable):
        screening(entry("Zoltan Karov")).check(names)


@given(st.text(max_size=120), st.booleans())
def test_any_text_is_screened_or_refused(text: str, is_person: bool) -> None:
    """Whatever a name holds, screening gives hits or says that it cannot be screened."""
    listed = screening(entry("Zoltan Karov"), entry("Example Shadow Shipping", "entity"), entry("X", "unknown"))
    try:
        assert listed.check([ScreenedName(text, BORN, is_person)]).digest
    except Unscreenable:
        assert not any(letter.isalnum() for letter in text) or not (fold(text, person=True) and parts(text))


@given(st.lists(st.from_regex(r"[A-Z]{2,9}", fullmatch=True), min_size=1, max_size=6), st.randoms())
def test_a_name_is_found_in_any_order(words: list[str], chance: object) -> None:
    """A listed name with its words shuffled scores as the same name."""
    shuffled = words[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    found = screening(entry(" ".join(words))).check([person(" ".join(shuffled))])
    assert [hit.score for hit in found.hits] == [1.0]


def test_an_empty_side_of_a_list_matches_nobody() -> None:
    """A list without entities screens a business all the same."""
    assert screening(entry("Zoltan Karov")).check([ScreenedName("Banksia Homewares Pty Ltd")]).hits == ()


def test_the_page_states_the_threshold_of_the_code() -> None:
    """docs/sanctions.md names the threshold that is in force, and holds the table that it was chosen from."""
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"The threshold is ([\d.]+)\.\*\*", page) == [f"{THRESHOLD:.2f}"]
    assert f"## Why {THRESHOLD:.2f}" in page
    assert f"**Found at {THRESHOLD:.2f}, by origin**" in page
    assert len(re.findall(r"^\| (?:Vietnamese|Anglo-Celtic) \|", page, re.MULTILINE)) == 6
