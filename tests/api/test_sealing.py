"""Sealed bytes open where they were sealed, with a key that is still here, and nowhere else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sealing import CannotOpen, Sealer

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_is_sealed_opens_at_its_place_alone(plain: bytes, place: str) -> None:
    """The same place gives the bytes back, another refuses."""
    sealer = Sealer({"k1": OLD})
    sealed = sealer.seal(plain, place)
    assert sealer.open(sealed, place) == plain
    with pytest.raises(CannotOpen):
        sealer.open(sealed, place + "x")


@given(st.data())
def test_a_changed_byte_is_found(data: st.DataObject) -> None:
    """Whichever bit of a sealed blob is turned, it does not open."""
    sealer = Sealer({"k1": OLD, "k2": NEW})
    sealed = bytearray(sealer.seal(b"a statement", "document:1"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CannotOpen):
        sealer.open(bytes(sealed), "document:1")


@given(st.binary(max_size=60))
def test_anything_else_is_refused(rubbish: bytes) -> None:
    """Bytes that were never sealed are refused, not read."""
    with pytest.raises(CannotOpen):
        Sealer({"k1": OLD}).open(rubbish, "document:1")


def test_a_rotated_key_still_opens_until_it_is_taken_away() -> None:
    """The first key seals; one that is kept behind it still opens what it sealed."""
    sealed = Sealer({"old": OLD}).seal(b"seed", "staff:1")
    assert Sealer({"new": NEW, "old": OLD}).open(sealed, "staff:1") == b"seed"
    with pytest.raises(CannotOpen):
        Sealer({"new": NEW}).open(sealed, "staff:1")
    assert b"new" in Sealer({"new": NEW, "old": OLD}).seal(b"seed", "staff:1")[:8]


@pytest.mark.parametrize("text", ["", "k1", "k1:notbase64!", "k1:AAAA", "K:" + base64.b64encode(OLD).decode()])
def test_settings_that_are_no_keys_are_refused_without_repeating_them(text: str) -> None:
    """A key that is too short, misnamed or not base64 is a ValueError whose words hold none of it."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its words are checked below
        Sealer.of(text)
    assert not text or text not in str(refused.value)


def test_keys_are_read_from_one_line_of_settings() -> None:
    """Several keys are separated by commas, and a Sealer shows none of them."""
    line = f"k2:{base64.b64encode(NEW).decode()}, k1:{base64.b64encode(OLD).decode()}"
    sealer = Sealer.of(line)
    assert sealer.open(Sealer({"k1": OLD}).seal(b"x", "a"), "a") == b"x"
    assert base64.b64encode(NEW).decode() not in repr(sealer)
