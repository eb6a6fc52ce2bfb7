"""What a worker does about its memory, beyond what Python does by itself.

It does: keep the allocator in one place, give back what start-up needed for a moment, and keep the collector off what
lives as long as the process. It does not: bound anything. The rule it keeps: where the C library is not glibc, nothing.
"""

import ctypes
import gc
from contextlib import suppress

_M_ARENA_MAX = -8  # as glibc's malloc.h has it


def share_one_arena() -> None:
    """Let all threads allocate in one place, where what one gave back another finds: 4 MiB of a worker under load."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def settle() -> None:
    """After start-up: give back what it needed, and leave what it made out of every later collection.

    A full collection would walk all of it (100 ms), and copy every page that a worker shares with its parent.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    gc.freeze()
