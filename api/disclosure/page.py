"""The notice as Markdown: a section for the lender's privacy policy, and what in the program stands behind each line.

It does: lay out a notice. It does not: add to it. The rule it keeps: words that only the lender can know are marked
`[LENDER: ...]`, and nothing here says that a law is met.
"""

from itertools import groupby

from api.disclosure.notice import AutomatedDecision, Input, Notice, notice_of
from engine.release import Release

_AT_ONCE = {"offer", "decline", "referral", "refusal"}
_TITLES = {
    "model": "Inputs of the credit model", "rule": "Rules", "limit": "The limit", "document": "Documents",
}  # fmt: skip


def page(release: Release) -> str:
    """What `creditline privacy-notice` prints."""
    notice = notice_of(release)
    return "\n".join((*_head(notice), *_section(notice), *_behind(notice))) + "\n"


def _head(notice: Notice) -> tuple[str, ...]:
    return (
        "# Automated decisions",
        "",
        f"Made by `creditline privacy-notice` from what release `{notice.release}` (policy `{notice.policy}`) reads; a",
        "test makes it again and compares, and another fails where the program reads something that is not in it.",
        "",
        f"From {notice.applies_from} the Australian Privacy Principles 1.7 to 1.9 want a privacy policy to state which",
        "kinds of decisions programs make or bear on, with which kinds of personal information. The section below is",
        "written to be put into one. What stands in `[LENDER: ...]` only the lender knows. Whether the text does what",
        "the law wants is for the lender's own advisers to say.",
        "",
        "---",
        "",
    )


def _section(notice: Notice) -> list[str]:
    lines = [
        "## How [LENDER: name] uses computer programs to decide",
        "",
        "A program decides on applications for a line of credit, and helps people to decide. It uses rules that are",
        "written down and a statistical model of how likely a line is to be repaid. The same information always gives",
        "the same decision.",
        "",
        "### What the program decides by itself",
        "",
        *(line for each in notice.solely for line in _told(each)),
        "### Where people decide, and the program does something that bears on it directly",
        "",
        *(line for each in notice.with_a_person for line in _told(each)),
        "### Whose information is used",
        "",
        *(f"- {words}" for _, words in notice.affects),
        "",
        "### Which kinds of personal information are used",
        "",
        "| kind | from | of | used |",
        "|---|---|---|---|",
    ]
    at_once = {id_ for each in notice.decisions if each.id in _AT_ONCE for id_ in each.personal_info_kinds}
    for kind in notice.kinds:
        of = "all of them" if len(kind.of) == len(notice.affects) else ", ".join(kind.of).replace("_", " ")
        used = "from the application on" if kind.id in at_once else "once an offer is accepted"
        lines.append(f"| {kind.words} | {kind.source} | {of} | {used} |")
    lines += ["", *notice.not_used, "", "### To have a person look at it", ""]
    return [*lines, *(line for words in notice.ask for line in (words, ""))]


def _told(decision: AutomatedDecision) -> tuple[str, ...]:
    return (f"- **{decision.id.replace('_', ' ')}**: {decision.kind}. {decision.person}", "")


def _behind(notice: Notice) -> list[str]:
    """What reads each kind, for whoever checks the section; not for publication."""
    lines = [
        "---",
        "",
        "## What stands behind it (for the lender, not for publication)",
        "",
        "Everything in the program that reads information, and from where. Rules that policy has switched off are",
        "listed too. Beside this, consents and the bank connection settle which sources are asked, and names, contact",
        "details, director numbers, accounts and the device are compared before the rules see what came of it.",
        "",
    ]
    for by, inputs in groupby(notice.inputs, key=lambda each: each.by):
        lines += [f"### {_TITLES[by]}", "", "| name | what | reads |", "|---|---|---|", *map(_row, inputs), ""]
    return lines[:-1]


def _row(each: Input) -> str:
    stated = [read.removeprefix("application.") for read in each.reads if read.startswith("application.")]
    others = [read.replace("_", " ") for read in each.reads if not read.startswith("application.")]
    told = [*others, *([f"stated {', '.join(stated)}"] if stated else [])]
    return f"| `{each.name}` | {each.what} | {'; '.join(told)} |"
