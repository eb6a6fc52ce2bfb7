"""A hand at the pages: what a person types, chooses and presses, done as they do it, and counted.

It does: work a page by what can be seen on it, and keep every act. It does not: know any page. The rule it keeps: an
act is counted on the page where it was done; a date of three boxes is one answer.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Page

Does = Literal["type", "choose", "pick", "press"]
_PARTS = re.compile(r"-(day|month|year)$")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a person did on a page: `keys` is how many they pressed, for typing."""

    page: str
    does: Does
    what: str
    keys: int = 0


@dataclass
class Hand:
    """Somebody at a page; `acts` is all that they did so far, `complaints` what the browser's console said."""

    page: Page
    acts: list[Act] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """The path of the page, ids left out."""
        return re.sub(r"app_[0-9a-f]+", "ID", self.page.url.partition("?")[0].partition("#")[0].split("/", 3)[-1])

    def type(self, box: str, text: str) -> None:
        """Type into a box."""
        self.page.locator(f"[id='{box}']").fill(text)
        self.acts.append(Act(self.place, "type", box, len(text)))

    def choose(self, box: str) -> None:
        """Choose or tick by the words beside it, as a finger does."""
        self.page.locator(f"label[for='{box}']").click()
        self.acts.append(Act(self.place, "choose", box))

    def pick(self, box: str, value: str) -> None:
        """Pick from a list."""
        self.page.locator(f"[id='{box}']").select_option(value)
        self.acts.append(Act(self.place, "pick", box))

    def press(self, words: str) -> None:
        """Press a button by its words, and wait for the page that follows."""
        self.acts.append(Act(self.place, "press", words))
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("button", name=words, exact=True).click()

    @property
    def typed(self) -> list[str]:
        """The questions that were answered by typing; a date of three boxes is one."""
        return list(dict.fromkeys(_PARTS.sub("", act.what) for act in self.acts if act.does == "type"))

    @property
    def pages(self) -> list[str]:
        """The pages that something was sent from, in order."""
        return list(dict.fromkeys(act.page for act in self.acts if act.does == "press"))
