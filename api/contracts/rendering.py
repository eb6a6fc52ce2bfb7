"""From terms and the lender's template to the exact text that is signed.

It does: read a folder that holds `contract.txt` and `complaints.txt`, refuse one that lacks a required term, and
render a contract with its digests. It does not: sign or keep it. The rules it keeps: the same terms and template
give the same bytes; a text still marked as a template is nobody's contract outside development.
"""

import hashlib
import html
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from api.contracts.templating import (
    MOST_TEMPLATE_BYTES,
    TemplateRefused,
    TextTemplate,
    read_template,
    visible,
)
from api.contracts.terms import PLACEHOLDERS, ContractTerms, values_of

OWN = Path(__file__).parent / "template"
MARK = "TEMPLATE - to be replaced by the lender's own legal text"
FILES = ("complaints.txt", "contract.txt")
MOST_COMPLAINTS_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class ContractTemplate:
    """A lender's template that was read and holds every required term; `marked` where it is nobody's own text."""

    sha256: str
    marked: bool
    complaints: str = field(repr=False)
    text: TextTemplate = field(repr=False)


@dataclass(frozen=True)
class Contract:
    """A contract's exact text, and the digests by which it and its template are known."""

    text: str = field(repr=False)
    sha256: str
    template_sha256: str

    @cached_property
    def body(self) -> bytes:
        """The bytes that are signed: the text in UTF-8."""
        return self.text.encode("utf-8")


def load_template(folder: Path | None = None, *, development: bool = False) -> ContractTemplate:
    """The template of a folder, or the one that comes with the program.

    TemplateRefused where a file is missing, too large or no such template, where a required term is not shown, and
    outside development where anything in it still carries the mark of a template.
    """
    contents = {name: _content(folder or OWN, name) for name in FILES}
    lists = frozenset(name for name, each in PLACEHOLDERS.items() if each.lines)
    text = read_template("contract.txt", contents["contract.txt"], frozenset(PLACEHOLDERS) - lists, lists)
    required = {name for name, each in PLACEHOLDERS.items() if each.required}
    if missing := sorted(required - text.shown):
        raise TemplateRefused(f"contract.txt: required terms are missing: {', '.join(missing)}")
    marked = any(MARK.encode() in content for content in contents.values())
    if marked and not development:
        raise TemplateRefused("the contract is still the default template: set CREDITLINE_CONTRACT_TEMPLATE")
    complaints = contents["complaints.txt"].decode()
    if not complaints.strip() or any(visible(line) != line for line in complaints.split("\n")):
        raise TemplateRefused("complaints.txt: only visible characters, spaces and line feeds stand in it, and some do")
    return ContractTemplate(_digest(contents), marked, complaints, text)


def render_contract(terms: ContractTerms, template: ContractTemplate) -> Contract:
    """The exact text of a contract; the same terms and template give the same bytes."""
    text = template.text.fill(values_of(terms, template.complaints))
    return Contract(text, hashlib.sha256(text.encode("utf-8")).hexdigest(), template.sha256)


def as_html(text: str) -> str:
    """A view of a contract's text for a page: the same characters, escaped, lines kept."""
    return f'<pre class="contract">{html.escape(text)}</pre>'


def _content(folder: Path, name: str) -> bytes:
    most = MOST_TEMPLATE_BYTES if name == "contract.txt" else MOST_COMPLAINTS_BYTES
    try:
        with (folder / name).open("rb") as file:
            content = file.read(most + 1)
        content.decode("utf-8")
    except OSError:
        raise TemplateRefused(f"{name}: cannot be read in the folder of the contract's template") from None
    except UnicodeDecodeError:
        raise TemplateRefused(f"{name}: a template is UTF-8") from None
    if len(content) > most:
        raise TemplateRefused(f"{name}: a template has at most {most} bytes")
    return content


def _digest(contents: dict[str, bytes]) -> str:
    """SHA-256 over each file's name and SHA-256, a line each, in the order of names."""
    lines = [f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(contents.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
