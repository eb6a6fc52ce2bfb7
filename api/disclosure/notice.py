"""The automated-decision notice of a release: what the program decides, on which kinds of personal information.

It does: put together the registry of decisions and what each reads, from the features of the release's model, the
rules, and what policy has switched on. It does not: lay it out, or judge whether a law is met. The rule it keeps: what
any version of the release's policy book uses is told, so that an amendment never makes the notice untrue on its day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from api.disclosure.kinds import AFFECTED, KINDS, Affected, Kind, kinds_of
from engine.features import BY_NAME
from engine.policy import Policy
from engine.release import Release
from engine.screening import SOURCE_OF_RULE, knock_outs, referrals

FROM = "10 December 2026"  # APP 1.7 to 1.9 of the Privacy Act 1988
_STATED = ("application.business", "application.request", "application.finances")

# What each group of model inputs reads; verified figures take the place of stated finances, so documents go with them.
PARTS_OF_GROUP: dict[str, tuple[str, ...]] = {
    "business": ("application.business", "registry"),
    "request": ("application.request", "application.finances", "documents"),
    "marketplace": ("marketplace", "application.request"),
    "bank": ("bank", "application.request", "application.finances", "documents"),
    "bureau": ("bureau",),
}
# A rule reads what is stated and one source; a source by whether it answered is no information about anybody.
PARTS_OF_RULE = {source: _STATED if source == "application" else (*_STATED, source) for source in (
    "application", "registry", "compliance", "marketplace", "bank", "bureau", "exposure",
)}  # fmt: skip
PARTS_OF_LIMIT = ("application.request", "exposure", "bank", "marketplace", "documents", "review")
PARTS_OF_REQUIREMENTS = (*_STATED, "application.people", "registry", "bank", "bureau")
READ_BY_CHECKS = ("files", "names", "business", "finances", "bank_accounts", "progress")
# Read before the engine decides: which sources may be asked, which names are looked for, what repeats.
PARTS_BEFORE = ("application.consents", "application.bank_connection", "people", "device")
# What a decision reads: one of these two, or the names of kinds.
_DECIDING, _DOCUMENTS = "all that deciding reads", "all that full approval reads"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing in the program that reads information: an input of the model, a rule, the limit, the machine's look."""

    by: Literal["model", "rule", "limit", "document"]
    name: str
    what: str
    reads: tuple[str, ...]  # parts, or names of kinds


@dataclass(frozen=True, slots=True)
class AutomatedDecision:
    """One kind of decision; `made_by` names what in the program makes it, `person` how a person comes in."""

    id: str
    kind: str
    solely_automated: bool
    personal_info_kinds: tuple[str, ...]
    affects: tuple[Affected, ...]
    made_by: tuple[str, ...]
    person: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Everything that a page on automated decisions shows; `ask` says how a person is had."""

    release: str
    release_digest: str
    policy: str
    applies_from: str
    kinds: tuple[Kind, ...]
    decisions: tuple[AutomatedDecision, ...]
    affects: tuple[tuple[Affected, str], ...]
    not_used: tuple[str, ...]
    ask: tuple[str, ...]
    inputs: tuple[Input, ...]

    @property
    def solely(self) -> tuple[AutomatedDecision, ...]:
        """What the program decides without anybody."""
        return tuple(each for each in self.decisions if each.solely_automated)

    @property
    def with_a_person(self) -> tuple[AutomatedDecision, ...]:
        """What people decide after the program has done something that bears on it directly."""
        return tuple(each for each in self.decisions if not each.solely_automated)


_AGAIN = "Whoever is concerned may ask for a person to look at it again."
_SAMPLED = "A share is drawn at random and looked at by people all the same."

# id, kind, solely automated, what is read, made by, how a person comes in, what in policy switches it on (or always).
_Row = tuple[str, str, bool, tuple[str, ...], tuple[str, ...], str, str]
_REGISTRY: tuple[_Row, ...] = (
    (
        "offer", "Whether a line of credit is offered on conditions, how large it is, and its rate and fees", True,
        (_DECIDING,), ("outcome:approve",), _AGAIN, "",
    ),
    (
        "decline", "That no line is offered", True, (_DECIDING,), ("outcome:decline",), _AGAIN, "",
    ),
    (
        "referral", "What comes of an application that the program hands to a person, with its own findings beside it",
        False, (_DECIDING,), ("outcome:refer",), "A person looks at it before anything is decided.", "",
    ),
    (
        "refusal", "That an application is not taken in, because another of the same business is open or because what "
        "was stated was changed too often", True, ("business", "finances", "applications"),
        ("refusal:duplicate-application", "refusal:application-locked"), _AGAIN, "refusals",
    ),
    (
        "full_approval", "Full approval of an offer that was accepted: the program says which documents are wanted, "
        "reads them (a file that cannot be opened safely is refused at once), and decides again on what they "
        "say", False, (_DECIDING, _DOCUMENTS), (),
        "One person verifies, and another approves, lowers or declines.", "",
    ),
    (
        "straight_through", "Full approval of a smaller line whose documents all pass every check by machine", True,
        (_DECIDING, _DOCUMENTS), ("event:machine_verify", "event:approve_final"),
        _SAMPLED, "straight_through",
    ),
    (
        "lapse", "That an offer ends, because the documents did not come while it was held", True, ("progress",),
        ("event:expire",), "Whoever is concerned may apply again, or ask for a person.", "",
    ),
)  # fmt: skip

# What the program does on a case by itself that decides nothing about anybody.
NOT_DECISIONS = {
    "alert": "staff are told that time is short",
    "complete": "the documents that are wanted have all come",
    "document_checked": "what was found in a document is put in front of people",
    "sample": "people are drawn to look where the machine would do",
}

_NOT_USED = (
    "The credit model has no input about race, sex, age, disability, religion or family.",
    "No program that decides reads a home address.",
)
_ASK = (
    "Ask us to have a person look at a decision: [LENDER: telephone, e-mail and hours at which people are asked]. Say "
    "which application it is; nothing else is needed.",
    "If something that we hold about you is wrong, tell us at the same place. What another body reported is put right "
    "there: a credit report with the credit reporting body, a register entry with the register.",
    "[LENDER: how complaints are made, and the external scheme or the regulator that they may go to]",
)


def notice_of(release: Release) -> Notice:
    """The notice of a release."""
    policies = tuple(_versions(release))
    inputs = tuple(_inputs(release))
    switched = {
        "": True,
        "refusals": any(each.guards.open_applications or each.guards.retype_lock for each in policies),
        "straight_through": any(
            each.verification.straight_through_most_cents and each.verification.machine_kinds for each in policies
        ),
    }
    kinds = tuple(kind for kind in KINDS if kind.personal and _is_used(kind, policies))
    decisions = tuple(_decision(row, kinds, inputs) for row in _REGISTRY if switched[row[-1]])
    if not all(each.verification.sample_bps for each in policies):
        decisions = tuple(replace(each, person=_AGAIN) if each.person == _SAMPLED else each for each in decisions)
    used = {id_ for decision in decisions for id_ in decision.personal_info_kinds}
    affected = {who for decision in decisions for who in decision.affects}
    return Notice(
        release=release.name,
        release_digest=release.digest,
        policy=policies[-1].name,
        applies_from=FROM,
        kinds=tuple(kind for kind in kinds if kind.id in used),
        decisions=decisions,
        affects=tuple((who, words) for who, words in AFFECTED.items() if who in affected),
        not_used=_NOT_USED,
        ask=_ASK,
        inputs=inputs,
    )


def _versions(release: Release) -> Iterator[Policy]:
    book = release.policy
    for start in (book.effective_from, *(each.effective_from for each in book.amendments)):
        yield book.on(start)


def _is_used(kind: Kind, policies: Iterable[Policy]) -> bool:
    return not kind.guards or any(getattr(policy.guards, name) for policy in policies for name in kind.guards)


def _inputs(release: Release) -> Iterator[Input]:
    """Everything in the program that reads information under this release."""
    for name in release.manifest.features:
        feature = BY_NAME[name]
        yield Input("model", name, feature.meaning, PARTS_OF_GROUP[feature.group])
    for name, source in SOURCE_OF_RULE.items():
        rule = getattr(knock_outs, name, None) or getattr(referrals, name)
        yield Input("rule", name, (rule.__doc__ or "").strip(), PARTS_OF_RULE[source])
    yield Input("limit", "limit", "The largest line that the evidence carries.", PARTS_OF_LIMIT)
    yield Input("document", "wanted", "Which documents are wanted, and of whom.", PARTS_OF_REQUIREMENTS)
    yield Input("document", "checks", "What machines find in a document.", READ_BY_CHECKS)


def _decision(row: _Row, kinds: tuple[Kind, ...], inputs: tuple[Input, ...]) -> AutomatedDecision:
    id_, words, solely, reads, made_by, person, _ = row
    deciding = {read for each in inputs if each.by != "document" for read in each.reads} | set(PARTS_BEFORE)
    documents = {read for each in inputs if each.by == "document" for read in each.reads}
    everything = (
        set(reads) | (deciding if _DECIDING in reads else set()) | (documents if _DOCUMENTS in reads else set())
    )
    found = tuple(kind for kind in kinds_of(everything) if kind in kinds)
    affects = tuple(who for who in AFFECTED if any(who in kind.of for kind in found))
    return AutomatedDecision(id_, words, solely, tuple(kind.id for kind in found), affects, made_by, person)
