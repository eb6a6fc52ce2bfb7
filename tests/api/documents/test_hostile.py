"""Hostile files by class, each refused by its code through the real confined process, and honest ones that pass.

Every file is looked at by a process of its own, a quarter of a second each: a third of every class and at least two
here, all of them in `make campaigns`.
"""

import asyncio
from collections import Counter

import pytest

from api.documents.confinement import ChildFailed
from api.documents.inspector import BLAMED, Inspector
from tests.support.campaign import sample
from tests.support.hostile.files import EXHAUSTING, HOSTILE, Hostile
from tests.support.hostile.honest import HONEST, Honest

AT_ONCE = 2
FAMILIES = tuple(dict.fromkeys(each.family for each in HOSTILE))


def verdicts(contents: list[bytes]) -> list[tuple[str, str | None, str | None]]:
    """Verdict, code and type of each file, looked at by a process of its own, two side by side."""

    async def one(inspector: Inspector, content: bytes) -> tuple[str, str | None, str | None]:
        try:
            found = await inspector.inspect(content)
        except ChildFailed as failed:
            return ("failed", f"{failed}", None)
        return (found.verdict, found.code, found.media_type)

    async def all_of_them() -> list[tuple[str, str | None, str | None]]:
        inspector = Inspector(AT_ONCE)
        return await asyncio.gather(*(one(inspector, content) for content in contents))

    return asyncio.run(all_of_them())


def misjudged(files: tuple[Hostile, ...]) -> list[object]:
    """The files that are not refused, or by another code than theirs."""
    found = verdicts([each.make() for each in files])
    return [
        (each.name, verdict)
        for each, verdict in zip(files, found, strict=True)
        if verdict[0] != "rejected" or verdict[1] not in each.codes
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_of_a_class_is_refused_by_its_code(family: str) -> None:
    """None passes, none breaks the process, and each is refused for what is wrong with it."""
    files = tuple(each for each in HOSTILE if each.family == family)
    assert misjudged(sample(files, max(2, len(files) // 3))) == []


def test_files_that_exhaust_their_process_are_refused() -> None:
    """A page that would be drawn for minutes ends its process at the limit, and is refused for that."""
    assert misjudged(EXHAUSTING) == []
    assert {code for each in EXHAUSTING for code in each.codes} <= set(BLAMED.values())


@pytest.mark.parametrize("half", [0, 1])
def test_honest_files_pass_with_their_type(half: int) -> None:
    """What banks, browsers, offices, scanners and telephones write is clean: refusing everything would be no art."""
    files: tuple[Honest, ...] = sample(HONEST[half::2], len(HONEST) // 6)
    found = verdicts([make() for _, make, _ in files])
    wrong = [
        (name, verdict)
        for (name, _, kind), verdict in zip(files, found, strict=True)
        if verdict != ("clean", None, kind)
    ]
    assert wrong == []


def test_the_corpus_is_as_large_as_it_says() -> None:
    """150 files at least in 15 classes at least, no two of one name, none twice the same; 50 honest ones."""
    files = HOSTILE + EXHAUSTING
    assert (len(files) >= 150, len(FAMILIES) >= 15, len(HONEST) >= 50) == (True, True, True)
    names = Counter((each.family, each.name) for each in files)
    assert [name for name, count in names.items() if count > 1] == []
    made = [each.make() for each in files if each.family not in {"bombs", "exhausting"}]
    assert len(set(made)) == len(made)
