"""The scanner's protocol over real sockets: what it says, what it does not say, and none at all."""

import asyncio
import os
from pathlib import Path

import pytest

from api.documents.scanner import Scanned, Scanner, ScannerDown
from tests.support.clamd import EICAR, Clamd, Manner, scanning
from tests.support.hostile.writing import pdf, stream


def scanned(content: bytes, manner: Manner = "scans", folder: Path | None = None) -> tuple[Scanned, Clamd]:
    """What a scanner of that manner says of the content, and the scanner."""

    async def ask() -> tuple[Scanned, Clamd]:
        async with scanning(manner, folder) as clamd:
            return await Scanner(clamd.address, seconds=20).scan(content), clamd

    return asyncio.run(ask())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 10_000_000])
def test_every_byte_is_sent_in_pieces_that_it_takes(size: int) -> None:
    """The scanner gets exactly the file, whatever its size is to that of a piece."""
    content = os.urandom(size)
    verdict, clamd = scanned(content)
    assert (verdict, clamd.streams == [content], clamd.longest <= 65_536) == ("clean", True, True)


@pytest.mark.parametrize(
    "content", [EICAR, pdf(more=[stream(EICAR)]), b"made-up malware"], ids=["alone", "in a PDF", "another"]
)
@pytest.mark.parametrize("manner", ["scans", "in pieces"])
def test_what_it_finds_is_infected(content: bytes, manner: Manner) -> None:
    """Whatever the signature is called, and however its line arrives."""
    assert scanned(content, manner)[0] == "infected"


def test_it_may_be_on_a_local_socket(tmp_path: Path) -> None:
    """`unix:///path` is a scanner as well."""
    assert scanned(b"word", folder=tmp_path)[0] == "clean"
    assert scanned(EICAR, folder=tmp_path)[0] == "infected"


@pytest.mark.parametrize("manner", ["hangs up", "refuses", "babbles", "goes on", "another command", "another thing"])
@pytest.mark.parametrize("size", [10, 10_000_000])
def test_anything_else_it_says_is_no_answer(manner: Manner, size: int) -> None:
    """A scanner that breaks off, refuses, or says what clamd does not say has not found the file clean."""
    with pytest.raises(ScannerDown):
        scanned(bytes(size), manner)


def test_one_that_is_silent_is_not_waited_for() -> None:
    """After the time it has the answer is that there is none."""

    async def ask() -> None:
        async with scanning("silent") as clamd:
            with pytest.raises(ScannerDown):
                await Scanner(clamd.address, seconds=0.2).scan(b"word")
            assert clamd.streams == [b"word"]  # it was asked, and waited for

    asyncio.run(ask())


def test_one_that_is_not_there_is_down(tmp_path: Path) -> None:
    """Neither a port that nobody listens on nor a socket that is no socket is an exception of the system's."""

    async def ask() -> None:
        async with scanning() as clamd:
            gone = clamd.address
        (tmp_path / "file").touch()
        for address in (gone, f"unix://{tmp_path}/none", f"unix://{tmp_path}/file"):
            with pytest.raises(ScannerDown):
                await Scanner(address).scan(b"word")

    asyncio.run(ask())


def test_without_one_nothing_is_scanned_and_that_is_said() -> None:
    """No address is no scanner, which is not the same as a clean file."""
    assert asyncio.run(Scanner().scan(EICAR)) == "not_scanned"
    assert not Scanner().configured
    assert Scanner("tcp://127.0.0.1:3310").configured


@pytest.mark.parametrize(
    "address",
    ["localhost:3310", "tcp://localhost", "tcp://:3310", "tcp://a:99999", "http://a:3310", "unix://", "/run/clamd"],
)
def test_an_address_of_another_form_is_refused_at_once(address: str) -> None:
    """When the service starts, not when the first document comes."""
    with pytest.raises(ValueError, match=r"tcp://host:port|Port"):
        Scanner(address)
