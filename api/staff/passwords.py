"""Passwords of staff: which are taken, how they are kept, and how one is verified without telling whose it was.

It does: refuse the short and the guessable, hash by argon2id in threads of its own, verify. It does not: ask for digits
or symbols, expire anything, or know logins. The rule it keeps: an unknown login costs the same verification as a
known one, and no more than two hashes are worked on at once (64 MiB each).
"""

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.errors import Problem

T = TypeVar("T")
LEAST_CHARACTERS, MOST_CHARACTERS = 15, 128
MOST_WAITING = 16  # hashes asked for at once, at an eighth of a second each; one more is `overloaded`
_AT_ONCE = 2
_LEAST_KINDS = 5  # different characters
_COMMON = Path(__file__).with_name("common.txt")
_NOT_WORD = re.compile(r"[\W_]+")


def fault_of(password: str, *about: str) -> str | None:
    """Why a password is not taken, in words for who chose it; none where it is. `about` are their login and name."""
    text = _normal(password)
    if not LEAST_CHARACTERS <= len(text) <= MOST_CHARACTERS:
        return f"Use {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters. A few words together are good; spaces count."
    bare = _bare(text)
    if bare in common() or bare.rstrip("0123456789") in common():
        return "That is one of the passwords that are tried first. Choose words that only you would put together."
    if len(set(bare)) < _LEAST_KINDS or _repeats(bare):
        return "That repeats itself and is easily guessed. Choose a few different words."
    own = {_bare(word) for each in about for word in (each, *each.split())}
    rest = bare
    for word in sorted(own, key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) > 2 else rest  # noqa: PLR2004 - initials are everywhere
    if len(rest) < LEAST_CHARACTERS // 2:
        return "That is made of your own name or login. Choose words that have nothing to do with you."
    return None


@cache
def common() -> frozenset[str]:
    """Passwords and phrases that are tried first, letters and digits alone."""
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(_bare(line) for line in lines if line and not line.startswith("#"))


class Passwords:
    """Hashes and verifies, in two threads. Close it with the service."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """With argon2id and the low-memory parameters of RFC 9106 (3 passes, 64 MiB, 4 lanes) unless told otherwise."""
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        return await self._work(self.hash_now, password)

    def hash_now(self, password: str) -> str:
        """The same in the calling thread, for commands."""
        return self._hasher.hash(_normal(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one that was kept; takes as long where nothing was kept, and says no."""
        return await self._work(self._verify, kept, password)

    def _verify(self, kept: str | None, password: str) -> bool:
        nobodys = self._nobodys  # made at the first verification, whoever's that is
        matches = self._matches(kept or nobodys, password)
        return matches and kept is not None

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("the password of nobody at all")

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _normal(password[: 4 * MOST_CHARACTERS]))
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[..., T], *given: str | None) -> T:
        if self._waiting >= MOST_WAITING:
            raise Problem("overloaded")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        finally:
            self._waiting -= 1


def _normal(password: str) -> str:
    """One form of each character, however it was typed."""
    return unicodedata.normalize("NFKC", password)


def _bare(text: str) -> str:
    return _NOT_WORD.sub("", _normal(text).casefold())


def _repeats(bare: str) -> bool:
    """Whether the text is a shorter piece over and over."""
    return bool(bare) and bare in (bare + bare)[1:-1]
