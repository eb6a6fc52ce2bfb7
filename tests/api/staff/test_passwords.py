"""Which passwords are taken, and that verifying one tells nothing about whose it is."""

import asyncio

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.errors import Problem
from api.staff.passwords import MOST_WAITING, Passwords, common, fault_of
from tests.support.staffing import CHEAP, CountingPasswords, run


@pytest.mark.parametrize(
    "password",
    [
        "violet kettle under the stairs",
        "seventeen owls in",
        "\u00c4\u00d6\u00dc stra\u00dfe f\u00fcnf \u00e4pfel",
        "x1x1x1 m\u00fchle 9 wind qz",
        "a kettle for vera sample",
    ],
)
def test_long_passwords_are_taken_whatever_they_are_made_of(password: str) -> None:
    """No digit, sign or capital is asked for; spaces and other letters count."""
    assert fault_of(password, "vera", "Vera Sample") is None


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("fourteen chars", "15 to 128"),
        ("words " * 22, "15 to 128"),
        ("", "15 to 128"),
        ("Correct Horse Battery Staple", "tried first"),
        ("correcthorsebatterystaple2026", "tried first"),
        ("The quick brown fox!", "tried first"),
        ("aaaaaaaaaaaaaaaaaaaa", "repeats itself"),
        ("ab-ab-ab-ab-ab-ab-ab", "repeats itself"),
        ("violetvioletviolet", "repeats itself"),
        ("vera the sample, vera!", "your own name"),
        ("Vera Sample 2026!", "your own name"),
    ],
)
def test_the_short_and_the_guessable_are_refused_in_words(password: str, words: str) -> None:
    """Too short or long, on the list, one piece over and over, or made of one's own name."""
    fault = fault_of(password, "vera", "Vera Sample")
    assert fault is not None
    assert words in fault
    assert not password or password not in fault


def test_every_line_of_the_list_is_refused() -> None:
    """The list has a use only for passwords that are long enough, and each of them is refused."""
    assert len(common()) > 50
    assert all(fault_of(each) is not None for each in common())


def test_hashes_are_argon2id_as_recommended() -> None:
    """Three passes over 64 MiB, salted, so that the same password is never kept twice alike."""
    passwords = Passwords()
    first, second = (passwords.hash_now("violet kettle under the stairs") for _ in range(2))
    passwords.close()
    assert extract_parameters(first) == RFC_9106_LOW_MEMORY
    assert first != second


def test_a_password_is_verified_in_any_of_its_forms() -> None:
    """The same letters typed on another keyboard match; another password, and one with nothing kept, do not."""
    passwords = Passwords(CHEAP)

    async def work() -> list[bool]:
        kept = await passwords.hash("caf\u00e9 behind the mill")
        tried = ["cafe\u0301 behind the mill", "cafe behind the mill", "", "x" * 100_000]
        return [await passwords.verify(kept, each) for each in tried]

    assert run(work()) == [True, False, False, False]
    assert run(passwords.verify("no hash at all", "x")) is False
    passwords.close()


def test_nobodys_password_costs_as_much_as_anybodys() -> None:
    """Where nothing is kept a hash with the same parameters is worked on, and even its own password is refused."""
    passwords = CountingPasswords()
    assert run(passwords.verify(None, "the password of nobody at all")) is False
    [worked_on] = passwords.verified
    assert extract_parameters(worked_on) == extract_parameters(passwords.hash_now("another one of these"))
    passwords.close()


def test_no_more_are_worked_on_than_there_is_memory_for() -> None:
    """Beyond the ones that may wait the answer is `overloaded`, at once."""
    passwords = CountingPasswords()

    async def rush() -> list[object]:
        asked = [passwords.verify(None, "x") for _ in range(MOST_WAITING + 10)]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    refused = [each for each in run(rush()) if isinstance(each, Problem)]
    assert [each.slug for each in refused] == ["overloaded"] * 10
    passwords.close()
