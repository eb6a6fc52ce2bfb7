"""Papers by kind, layout and variant, or many of them in turn.

It does: let a writer draw, and make the file that the variant asks for. It does not: check anything. The rule it
keeps: the same seed gives the same bytes, and a variant differs from the clean paper of its seed by that alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from random import Random

from api.checks.values import Expectation, Kind
from tests.support.papers.draft import Draft, begun
from tests.support.papers.files import bound, resaved, scanned
from tests.support.papers.kinds import bills, companies, identities, reports, statements, tax
from tests.support.papers.paper import ELECTRONIC, SCANNED, Paper, Variant

Writer = Callable[[Draft], None]
WRITERS: Mapping[Kind, Mapping[str, Writer]] = {
    "bank_statement": statements.LAYOUTS,
    "activity_statement": tax.ACTIVITY,
    "company_extract": companies.EXTRACT,
    "tax_account": tax.ACCOUNT,
    "financial_statements": reports.LAYOUTS,
    "identity": identities.LAYOUTS,
    "supplier_invoice": bills.INVOICE,
    "rates_notice": bills.RATES,
    "bank_account_proof": bills.PROOF,
    "trust_deed": companies.DEED,
    "partnership_agreement": companies.AGREEMENT,
}
UNDATED: frozenset[Kind] = frozenset({"trust_deed", "partnership_agreement"})
_TAXED: frozenset[Kind] = frozenset({"activity_statement", "tax_account", "financial_statements", "trust_deed"})
# Kinds to which a variant can be done; the other variants can be done to all.
_ONLY: Mapping[Variant, frozenset[Kind]] = {
    "wrong_abn": frozenset({
        "activity_statement", "company_extract", "tax_account", "financial_statements", "supplier_invoice",
    }),
    "pages_missing": frozenset({"bank_statement", "financial_statements"}),
    "patched": frozenset({"bank_statement"}),
    "tax_number": _TAXED,
    "scanned_tax_number": _TAXED,
}  # fmt: skip
# A statement proves an account as well as the bank's letter does.
_SERVES: Mapping[Kind, frozenset[Kind]] = {"bank_statement": frozenset({"bank_statement", "bank_account_proof"})}
# What an altered one would be: nothing on them adds up, or is compared beyond names.
_UNALTERED = frozenset({"trust_deed/deed", "identity/licence"})
_GRAIN: Mapping[Variant, tuple[int, int, float]] = {
    "scanned": (150, 70, 7.0),
    "scanned_altered": (150, 70, 7.0),
    "scanned_tax_number": (150, 70, 7.0),
    "low_resolution": (84, 40, 9.0),
}


def possible(kind: Kind, layout: str, variant: Variant) -> bool:
    """Whether there is such a paper."""
    if variant in {"altered", "scanned_altered"} and f"{kind}/{layout}" in _UNALTERED:
        return False
    if variant == "expired" and kind in UNDATED:
        return False
    return kind in _ONLY.get(variant, {kind})


def paper(kind: Kind, variant: Variant = "clean", layout: str = "", seed: str | int = 0, rows: int = 0) -> Paper:
    """One paper, in the kind's first layout unless said; ValueError where there is none such.

    `rows` is how many rows a bank statement has, 70 to 120 unless said.
    """
    layout = layout or next(iter(WRITERS[kind]))
    if not possible(kind, layout, variant):
        raise ValueError(f"there is no {kind}/{layout}/{variant}")
    draft = begun(kind, layout, variant, str(seed))
    draft.rows = rows
    WRITERS[kind][layout](draft)
    return _finished(draft)


def papers(seed: int, count: int, variants: Sequence[Variant] = ELECTRONIC + SCANNED) -> Iterator[Paper]:
    """So many papers of these variants: every kind, layout and variant once in an order of chance, then all again."""
    wanted = [
        (kind, layout, variant)
        for kind, layouts in WRITERS.items()
        for layout in layouts
        for variant in variants
        if possible(kind, layout, variant)
    ]
    for number in range(count):
        turn, place = divmod(number, len(wanted))
        if not place:
            Random(f"{seed}/{turn}").shuffle(wanted)
        kind, layout, variant = wanted[place]
        yield paper(kind, variant, layout, f"{seed}/{turn}")


def _finished(draft: Draft) -> Paper:
    """The file of a draft, with the truth of what is left of it."""
    made = datetime.combine(draft.today - timedelta(days=1), time(9, 30), UTC)
    left_out = frozenset({2}) if draft.variant == "pages_missing" else frozenset[int]()
    said = draft.sheet.says(left_out)
    data = draft.sheet.pdf(made, left_out)
    picture = False
    if draft.variant in {"resaved", "patched"}:
        draft.fail("saves", "producer", "dates")
        if draft.variant == "patched":
            draft.fail("overlaid_digits", "fonts")
        data = resaved(data, draft.rng, made + timedelta(hours=5))
    elif draft.variant in _GRAIN:
        dots, quality, noise = _GRAIN[draft.variant]
        pages = scanned(data, draft.rng, dots=dots, quality=quality, noise=noise)
        picture = len(pages) == 1 and draft.rng.random() < 0.5
        data = pages[0] if picture else bound(pages, made)
    prints = {name: printed for name, printed in draft.prints.items() if printed in said}
    gone = draft.prints.keys() - prints.keys()
    return Paper(
        kind=draft.kind,
        layout=draft.layout,
        variant=draft.variant,
        media_type="image/jpeg" if picture else "application/pdf",
        data=data,
        truth={name: value for name, value in draft.truth.items() if name not in gone},
        prints=prints,
        subject=_subject(draft),
        wrong=frozenset(draft.wrong),
        canaries=tuple(draft.canaries),
    )


def _subject(draft: Draft) -> Expectation:
    """What the application declares; for another kind than the paper's where the variant says so."""
    asked = draft.kind
    if draft.variant == "other_kind":
        asked = draft.rng.choice([kind for kind in WRITERS if kind not in _SERVES.get(draft.kind, {draft.kind})])
        draft.wrong = {"kind"}
    if draft.variant == "duplicate":
        draft.fail("also_seen")
    declared = {
        "legal_name": draft.ours.legal_name,
        "abn": draft.ours.abn,
        "acn": draft.ours.acn,
        "people": draft.ours.people,
        "also_seen": int(draft.variant == "duplicate"),
        **draft.declared,
    }
    return Expectation(kind=asked, today=draft.today, **declared)
