"""What is wrong with a page's markup, found without a browser.

It does: read a page as HTML and name its faults: what the content security policy would refuse, addresses elsewhere,
ids, nesting, names for whoever cannot see the page. It does not: judge colours or keys (the tests in a browser do). The
rule it keeps: a fault is told in words that name the element.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

_VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_EMPTY_IN_SVG = frozenset({"rect", "path", "circle", "line"})
_NOT_IN_A_PARAGRAPH = frozenset({
    "address", "article", "details", "div", "dl", "fieldset", "figure", "form", "h1", "h2", "h3", "header", "main",
    "nav", "ol", "p", "section", "table", "ul",
})  # fmt: skip
_PARENTS = {
    "li": {"ul", "ol"}, "dt": {"dl", "div"}, "dd": {"dl", "div"}, "tr": {"thead", "tbody", "table"},
    "td": {"tr"}, "th": {"tr"}, "legend": {"fieldset"}, "summary": {"details"}, "figcaption": {"figure"},
}  # fmt: skip
_ADDRESSES = ("href", "src", "action", "formaction", "data-source", "data-options", "data-verify", "data-renewal")
_REFERENCES = ("for", "form", "aria-labelledby", "aria-describedby", "aria-controls")
_NAMED = frozenset({"button", "a", "summary", "h1", "h2", "h3", "th", "label", "legend", "option"})
_TYPED = frozenset({"input", "select", "textarea"})


@dataclass
class _Open:
    """An element that is not closed yet, with the words in it."""

    tag: str
    told: dict[str, str]
    words: str = ""


@dataclass
class Markup(HTMLParser):
    """A page read from one end to the other."""

    text: str
    faults: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    addresses: list[str] = field(default_factory=list)
    headings: int = 0
    _stack: list[_Open] = field(default_factory=list)
    _references: list[tuple[str, str]] = field(default_factory=list)
    _typed: list[tuple[str, str]] = field(default_factory=list)  # id and description of inputs that need a label
    _labelled: set[str] = field(default_factory=set)
    _forms: list[bool] = field(default_factory=list)  # of open POST forms, whether a token was seen

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)
        self.close()
        self._finish()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and what is wrong with it."""
        told = {name: value or "" for name, value in attrs}
        self._nesting(tag)
        self._attributes(tag, told, attrs)
        if tag in _TYPED and told.get("type") not in {"hidden", "submit"}:
            self._needs_label(tag, told)
        if tag == "form":
            self._forms.append(told.get("method") != "post")
        if tag == "input" and told.get("name") == "csrf" and self._forms:
            self._forms[-1] = True
        if tag == "h1":
            self.headings += 1
        if tag == "img" and "alt" not in told:
            self.faults.append("img without alt")
        if tag == "label" and "for" in told:
            self._labelled.add(told["for"])
        if tag not in _VOID:
            self._stack.append(_Open(tag, told))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of a drawing, closed at once."""
        if tag not in _EMPTY_IN_SVG | _VOID:
            self.faults.append(f"<{tag}/> is not closed by that in HTML")
        self._attributes(tag, {name: value or "" for name, value in attrs}, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Close an element; it must be the one that was opened last."""
        if not self._stack or self._stack[-1].tag != tag:
            self.faults.append(f"</{tag}> closes {self._stack[-1].tag if self._stack else 'nothing'}")
            return
        closed = self._stack.pop()
        if tag == "form" and not self._forms.pop():
            self.faults.append("a form that posts has no token")
        named = closed.words.strip() or closed.told.get("aria-label") or closed.told.get("value")
        if tag in _NAMED and not named and closed.told.get("aria-hidden") != "true" and "hidden" not in closed.told:
            self.faults.append(f"{tag} without words: {closed.told}")

    def handle_data(self, data: str) -> None:
        """Words belong to every element they stand in."""
        for each in self._stack:
            each.words += data

    def _nesting(self, tag: str) -> None:
        parent = self._stack[-1].tag if self._stack else ""
        if any(each.tag == "p" for each in self._stack) and tag in _NOT_IN_A_PARAGRAPH:
            self.faults.append(f"<{tag}> in a paragraph")
        if tag in _PARENTS and parent not in _PARENTS[tag]:
            self.faults.append(f"<{tag}> in <{parent}>")
        if tag == "form" and any(each.tag == "form" for each in self._stack):
            self.faults.append("a form in a form")
        if tag in {"a", "button"} and any(each.tag in {"a", "button", "summary"} for each in self._stack):
            self.faults.append(f"<{tag}> in something that is pressed")

    def _attributes(self, tag: str, told: dict[str, str], attrs: list[tuple[str, str | None]]) -> None:
        self.faults += [
            f"{tag} has {name} twice" for name, count in Counter(name for name, _ in attrs).items() if count > 1
        ]
        self.faults += [f"{tag} has {name}" for name in told if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in told):
            self.faults.append(f"inline {tag}")
        if "id" in told:
            self.ids[told["id"]] += 1
            if not told["id"] or re.search(r"\s", told["id"]):
                self.faults.append(f"id {told['id']!r}")
        for name in _ADDRESSES:
            if name in told:
                self._address(tag, told[name])
        for name in _REFERENCES:
            self._references += [(f"{tag} {name}", each) for each in told.get(name, "").split()]

    def _address(self, tag: str, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or address.startswith("//"):
            self.faults.append(f"{tag} leads elsewhere: {address}")
        elif address.startswith("#"):
            self._references.append((f"{tag} leads to", address[1:]))
        elif address:
            self.addresses.append(address)

    def _needs_label(self, tag: str, told: dict[str, str]) -> None:
        inside = any(each.tag == "label" for each in self._stack)
        if not inside and "aria-label" not in told:
            self._typed.append((told.get("id", ""), f"{tag} {told.get('name', '')}"))

    def _finish(self) -> None:
        self.faults += [f"<{each.tag}> is never closed" for each in self._stack]
        self.faults += [f"id {each} stands {count} times" for each, count in self.ids.items() if count > 1]
        self.faults += [
            f"{what} {target}, which is not there" for what, target in self._references if target not in self.ids
        ]
        self.faults += [f"{what} has no label" for target, what in self._typed if target not in self._labelled]


def faults_of(text: str, *, whole: bool = True) -> list[str]:
    """Everything that is wrong with a page, or with a part of one where `whole` is False."""
    markup = Markup(text)
    faults = list(markup.faults)
    if whole:
        faults += [] if markup.headings == 1 else [f"{markup.headings} main headings"]
        faults += [] if re.search(r'<html lang="[a-zA-Z-]+">', text) else ["no language"]
        faults += [] if re.search(r"<title>[^<]*\S[^<]*</title>", text) else ["no title"]
        faults += [] if text.lstrip().startswith("<!doctype html>") else ["no doctype"]
    return faults


def addresses_in(text: str) -> list[str]:
    """Every address of this site that a page leads to, loads or sends to."""
    return Markup(text).addresses
