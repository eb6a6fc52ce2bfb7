"""The form itself: its steps in order, and what each asks of whom.

It does: name every question once, with its words. It does not: look anything up; what a register told stands among the
answers under names that begin with `register-`. The rule it keeps: nothing is asked that nobody needs, and a question
whose answer is known is only confirmed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, cast, get_args

from pydantic_core import PydanticCustomError

from api.contracts.signatories import WHY, Mandate, Party, mandate_of
from api.journey.form import consents
from api.journey.form.fields import Answers, Field, Wrong, is_adult
from api.journey.form.industries import INDUSTRIES
from engine.application import LARGEST_CENTS, SMALLEST_CENTS, STEP_CENTS, EntityType
from engine.values import parse_abn, parse_acn

MOST_OTHERS: Final = 3
Faults = dict[str, str]

ENTITIES: Final = (
    ("company", "Company", "Pty Ltd or Limited"),
    ("sole_trader", "Sole trader", ""),
    ("partnership", "Partnership", ""),
    ("trust", "Trust", ""),
    ("other", "Something else", ""),
)
STATES: Final = tuple((each, each, "") for each in ("NSW", "VIC", "QLD", "WA", "SA", "TAS", "NT", "ACT"))
STAFF: Final = (
    ("0", "Nobody else", ""), ("1-4", "1 to 4", ""), ("5-19", "5 to 19", ""), ("20-199", "20 to 199", ""),
    ("200+", "200 or more", ""),
)  # fmt: skip
PURPOSES: Final = (
    ("stock", "Stock", ""), ("supplier_invoice", "A supplier's invoice", ""), ("freight_duty", "Freight or duty", ""),
    ("equipment", "Equipment", ""), ("other_business", "Something else for the business", ""),
    ("household", "Something that is not for the business", ""),
)  # fmt: skip
LENDERS: Final = (
    ("0", "None", ""),
    ("1", "1", ""),
    ("2", "2", ""),
    ("3", "3", ""),
    ("4", "4", ""),
    ("5", "5 or more", ""),
)
HOW_MANY: Final = (
    ("0", "No, only me", ""), ("1", "One more person", ""), ("2", "Two more", ""), ("3", "Three more", ""),
)  # fmt: skip
YES_NO: Final = (("yes", "Yes", ""), ("no", "No", ""))
SHARES: Final = (
    ("all", "All of it", ""), ("half", "Half or more", ""), ("quarter", "A quarter or more", ""),
    ("less", "Less than a quarter, or nothing", ""),
)  # fmt: skip
BANKS: Final = (
    ("connect", "Connect the bank", "A minute. Your login is never shown to us."),
    ("upload", "Upload statements", "CSV files that your bank lets you download."),
    ("later", "Apply without", "A smaller line for now. It can grow when you add the bank."),
)  # fmt: skip
OWNERSHIP_BPS: Final[Mapping[str, int]] = {"all": 10_000, "half": 5_000, "quarter": 2_500, "less": 0}


def entity(answers: Answers) -> str:
    """The kind of business: as the register says, or else as it was answered."""
    return answers.get("register-entity") or answers.get("entity", "")


def known(answers: Answers) -> bool:
    """Whether the register told what the business is."""
    return answers.get("register") == "known" and bool(answers.get("register-entity"))


def others(answers: Answers) -> int:
    """How many other people are named."""
    told = answers.get("others", "")
    count = int(told) if told in {"0", "1", "2", "3"} else 0
    return 0 if entity(answers) == "sole_trader" else count


def _has(name: str, *values: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get(name, "") in values


def _not_known(answers: Answers) -> bool:
    return not known(answers)


def _runs(answers: Answers) -> bool:
    return entity(answers) in {"company", "trust"}


def _shared(answers: Answers) -> bool:
    return entity(answers) != "sole_trader"


# -- the questions -------------------------------------------------------------------------------------------

ABN: Final = Field(
    "abn", "Australian Business Number (ABN)", "Enter the ABN", "abn",
    "11 digits. We look up the name and the rest, so that you need not type it.", most=20,
)  # fmt: skip
_BUSINESS: Final = (
    Field("entity", "What kind of business is it?", "Choose the kind of business", "choice", choices=ENTITIES,
          when=_not_known, typed=False),
    Field("legal-name", "Legal name of the business", "Enter the legal name of the business", "name", when=_not_known,
          autocomplete="organization", most=200),
    Field("state", "State or territory", "Choose the state or territory", "choice", choices=STATES,
          when=lambda answers: not answers.get("register-state"), typed=False),
    Field("gst", "Is it registered for GST?", "Say whether it is registered for GST", "choice", choices=YES_NO,
          when=_not_known, typed=False),
    Field("since", "Trading since", "Enter the month in which the business began to trade", "month",
          "Month and year, such as 3 2019.", typed=False),
    Field("industry", "What does the business do?", "Choose what the business does", "choice",
          choices=tuple((value, words, "") for value, words, _ in INDUSTRIES), typed=False),
    Field("staff", "How many people work there besides you?", "Choose how many people work there", "choice",
          choices=STAFF, typed=False),
)  # fmt: skip
_NEED: Final = (
    Field("amount", "How large a line do you need?", "Enter how large a line you need", "money",
          "From $5,000 to $300,000, in steps of $500. You pay only for what you draw.", most=12),
    Field("purpose", "What is it mostly for?", "Choose what it is mostly for", "choice", choices=PURPOSES, typed=False),
)  # fmt: skip
_MONEY: Final = (
    Field("turnover", "Sales in the last 12 months", "Enter the sales of the last 12 months", "money",
          "Without GST. An estimate is fine; round it.", most=16),
    Field("lenders", "How many other lenders does the business repay?", "Choose how many other lenders there are",
          "choice", "Loans, overdrafts, equipment finance, buy now pay later.", choices=LENDERS, typed=False),
    Field("repayments", "Repayments to them, each month", "Enter the repayments to other lenders each month", "money",
          when=_has("lenders", "1", "2", "3", "4", "5"), under="lenders", most=16),
    Field("overdue", "Is any tax overdue?", "Say whether any tax is overdue", "choice",
          "Including amounts on a payment plan.", choices=YES_NO, typed=False),
    Field("overdue-amount", "How much tax is overdue", "Enter how much tax is overdue", "money",
          when=_has("overdue", "yes"), under="overdue", most=16),
    Field("plan", "Is there a payment plan for it?", "Say whether there is a payment plan for the tax", "choice",
          choices=YES_NO, when=_has("overdue", "yes"), under="overdue", typed=False),
)  # fmt: skip


def _person(prefix: str, when: Callable[[Answers], bool]) -> tuple[Field, ...]:
    """The questions about one person; `me` is whoever fills the form in."""
    mine = prefix == "me"
    whose = "your" if mine else "their"

    def told(name: str) -> str:
        return name if mine else "off"

    return (
        Field(f"{prefix}-given", "Given names", f"Enter {whose} given names", "name", "As on a licence or passport.",
              when=when, autocomplete=told("given-name")),
        Field(f"{prefix}-family", "Family name", f"Enter {whose} family name", "name", when=when,
              autocomplete=told("family-name")),
        Field(f"{prefix}-born", "Date of birth", f"Enter {whose} date of birth", "day",
              "Only to check identity, never for the decision.", when=when),
        Field(f"{prefix}-mobile", "Mobile number", f"Enter {whose} mobile number", "mobile", when=when,
              autocomplete=told("tel"), most=20),
        Field(f"{prefix}-email", "E-mail address", f"Enter {whose} e-mail address", "email", when=when,
              autocomplete=told("email"), most=254),
        Field(f"{prefix}-director", "Are you a director?" if mine else "Is this person a director?",
              "Say who is a director", "choice", choices=YES_NO,
              when=lambda answers: when(answers) and _runs(answers), typed=False),
        Field(f"{prefix}-share", "How much of the business do you own?" if mine else "How much do they own?",
              f"Choose {whose} share of the business", "choice", choices=SHARES,
              when=lambda answers: when(answers) and _shared(answers), typed=False),
    )  # fmt: skip


_TRUSTEE: Final = "a trustee, or a director of the trustee company"


def _worded(fields: tuple[Field, ...], answers: Answers) -> tuple[Field, ...]:
    """The questions in the words of this kind of business: who runs a trust is its trustee."""
    if entity(answers) != "trust":
        return fields
    return tuple(
        replace(each, label=f"{each.label.removesuffix(' a director?')} {_TRUSTEE}?", ask=f"Say who is {_TRUSTEE}")
        if each.name.endswith("-director")
        else each
        for each in fields
    )


def _named(place: int) -> Callable[[Answers], bool]:
    return lambda answers: others(answers) >= place


_YOU: Final = (
    *_person("me", lambda _: True),
    Field("others", "Is anybody else a director, partner, trustee or owner of a quarter or more?",
          "Choose how many other people there are", "choice",
          "They are sent a link to confirm what you say of them; the decision does not wait for it.",
          choices=HOW_MANY, when=_shared, typed=False),
)  # fmt: skip
_OTHERS: Final = tuple(
    field for place in range(1, MOST_OTHERS + 1) for field in _person(f"other{place}", _named(place))
)
_BANK: Final = (
    Field("bank", "How will you show us the bank account?", "Choose one of the ways", "choice", choices=BANKS,
          typed=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form. `check` looks at its answers together, after each was read."""

    slug: str
    title: str
    fields: Callable[[Answers], tuple[Field, ...]]
    applies: Callable[[Answers], bool] = lambda _: True
    check: Callable[[Answers, date], Faults] = lambda _answers, _today: {}

    def asked(self, answers: Answers) -> tuple[Field, ...]:
        """The questions that these answers lead to."""
        return tuple(field for field in self.fields(answers) if field.when(answers))

    def faults(self, answers: Answers, today: date) -> Faults:
        """What is wrong on this page, by the name of the box to go to, in the order of the page."""
        found: Faults = {}
        for field in self.asked(answers):
            try:
                field.value(answers)
            except Wrong as wrong:
                found[field.boxes[0]] = wrong.words
        return found or self.check(answers, today)


def _check_business(answers: Answers, today: date) -> Faults:
    since = next(field for field in _BUSINESS if field.name == "since").value(answers)
    if isinstance(since, date) and since > today:
        return {"since-month": "Trading since: this month is still to come"}
    if entity(answers) == "company" and not known(answers) and not _ends_in_acn(answers.get("abn", "")):
        return {"entity": "A company's ABN ends in its ACN and this one does not: choose another kind or check it"}
    return {}


def _ends_in_acn(abn: str) -> bool:
    try:
        return bool(parse_acn(parse_abn(abn)[2:]))
    except PydanticCustomError:
        return False


def _check_need(answers: Answers, _today: date) -> Faults:
    cents = _NEED[0].value(answers)
    assert isinstance(cents, int)
    if not SMALLEST_CENTS <= cents <= LARGEST_CENTS:
        return {"amount": "The line can be from $5,000 to $300,000"}
    if cents % STEP_CENTS:
        down = cents - cents % STEP_CENTS
        return {"amount": f"Enter a multiple of $500, such as ${down // 100:,} or ${(down + STEP_CENTS) // 100:,}"}
    return {}


def _check_money(answers: Answers, _today: date) -> Faults:
    if answers.get("overdue") == "yes" and not _MONEY[4].value(answers):
        return {"overdue-amount": "Enter how much tax is overdue, or say that none is"}
    return {}


def _check_bank(answers: Answers, _today: date) -> Faults:
    """A way that was chosen and not gone to its end."""
    match answers.get("bank"):
        case "connect" if not answers.get("bank-connection"):
            return {"bank": "Connect the bank, or choose another way"}
        case "upload" if not answers.get("statements"):
            return {"bank": "Upload a statement, or choose another way"}
    return {}


def _check_people(prefixes: tuple[str, ...]) -> Callable[[Answers, date], Faults]:
    def check(answers: Answers, today: date) -> Faults:
        for prefix in prefixes:
            born = next(f for f in _person(prefix, lambda _: True) if f.name == f"{prefix}-born")
            if prefix != "me" and others(answers) < int(prefix[-1]):
                continue
            found = born.value(answers)
            if isinstance(found, date) and (found > today or not is_adult(found, today)):
                return {f"{prefix}-born-day": "Everybody named here must be 18 or older"}
        return {}

    return check


def _check_you(answers: Answers, today: date) -> Faults:
    found = _check_people(("me",))(answers, today)
    if found or others(answers):
        return found
    missing = mandated(answers)
    return {"others": f"{missing}. Say who that is."} if missing else {}


def _check_others(answers: Answers, today: date) -> Faults:
    names = tuple(f"other{place}" for place in range(1, MOST_OTHERS + 1))
    found = _check_people(names)(answers, today)
    if found:
        return found
    for prefix in names[: others(answers)]:
        if _runs(answers) and answers.get(f"{prefix}-director") == "no" and not share_bps(prefix, answers):
            return {f"{prefix}-director": "Name only who is a director, or owns a quarter or more"}
    shares = [answers.get(f"{prefix}-share", "") for prefix in ("me", *names[: others(answers)])]
    if sum(OWNERSHIP_BPS.get(share, 0) for share in shares) > OWNERSHIP_BPS["all"]:
        return {"other1-share": "The shares add up to more than the whole: look at who owns how much"}
    emails = [answers.get(f"{prefix}-email", "").strip().casefold() for prefix in ("me", *names[: others(answers)])]
    if len(set(emails)) != len(emails):
        return {"other1-email": "Each person needs an e-mail address of their own"}
    missing = mandated(answers)
    box = "other1-director" if _runs(answers) else "other1-given"
    return {box: f"{missing}. Say who that is."} if missing else {}


def mandated(answers: Answers) -> str | None:
    """Why nobody could sign a contract with these people, in words; None where somebody can, or nothing is known."""
    kind = entity(answers)
    if kind == "other" or kind not in get_args(EntityType):
        return None
    parties = [Party(prefix, frozenset(roles(prefix, answers))) for prefix in prefixes(answers)]
    found = mandate_of(cast(EntityType, kind), parties)
    return None if isinstance(found, Mandate) else WHY[found]


def prefixes(answers: Answers) -> tuple[str, ...]:
    """Whom the answers name, whoever filled them in first."""
    return ("me", *(f"other{place}" for place in range(1, others(answers) + 1)))


def share_bps(prefix: str, answers: Answers) -> int:
    """How much of the business a person owns: the least that was said."""
    if entity(answers) == "sole_trader":
        return OWNERSHIP_BPS["all"]
    return OWNERSHIP_BPS.get(answers.get(f"{prefix}-share", ""), 0)


def roles(prefix: str, answers: Answers) -> tuple[str, ...]:
    """A person's roles. A partner who owns less than a quarter is stated as director: there is no other word for it.

    Nobody else becomes one by that: a director may sign.
    """
    kind = entity(answers)
    found = ["owner"] if share_bps(prefix, answers) >= OWNERSHIP_BPS["quarter"] else []
    runs = answers.get(f"{prefix}-director") == "yes" and kind in {"company", "trust"}
    if runs or (kind in {"partnership", "other"} and not found):
        found.append("director")
    if prefix == "me":
        found.append("contact")
    return tuple(found or ["contact"])


def _consents(answers: Answers) -> tuple[Field, ...]:
    return tuple(
        Field(each.name, each.words, each.ask, "tick", each.more, required=bool(each.ask), typed=False)
        for each in consents.asked(entity(answers), answers.get("bank", ""))
    )


STEPS: Final = (
    Step("abn", "Your business", lambda _: (ABN,)),
    Step("business", "Is this your business?", lambda _: _BUSINESS, check=_check_business),
    Step("need", "What you need", lambda _: _NEED, check=_check_need),
    Step("money", "Sales, loans and tax", lambda _: _MONEY, check=_check_money),
    Step("you", "You", lambda answers: _worded(_YOU, answers), check=_check_you),
    Step(
        "others",
        "Other people",
        lambda answers: _worded(_OTHERS, answers),
        applies=lambda answers: others(answers) > 0,
        check=_check_others,
    ),
    Step("bank", "The bank account", lambda _: _BANK, check=_check_bank),
    Step("check", "Check and send", _consents),
)
BY_SLUG: Final = {step.slug: step for step in STEPS}


def path_of(answers: Answers) -> tuple[Step, ...]:
    """The steps that these answers lead through."""
    return tuple(step for step in STEPS if step.applies(answers))


def first_open(answers: Answers, today: date) -> Step:
    """The first step on which something is missing or wrong; the last one where nothing is."""
    steps = path_of(answers)
    return next((step for step in steps if step.faults(answers, today)), steps[-1])


def after(step: Step, answers: Answers) -> Step:
    """The step that follows."""
    steps = path_of(answers)
    place = next((place for place, each in enumerate(steps) if each.slug == step.slug), 0)
    return steps[min(place + 1, len(steps) - 1)]


def before(step: Step, answers: Answers) -> Step | None:
    """The step before, if there is one."""
    steps = path_of(answers)
    place = next((place for place, each in enumerate(steps) if each.slug == step.slug), 0)
    return steps[place - 1] if place else None
