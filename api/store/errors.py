"""The ways in which keeping something can fail, as the shell has to tell them apart.

Each is answered differently: unavailable and full are safe to try again, an unknown outcome has to be looked
up by its idempotency key first. It does not hold business outcomes: those are values that the queries return.
The rule: after any of these but OutcomeUnknown, nothing of the caller's transaction was kept.
"""


class StoreError(Exception):
    """The parent of all of them, for the one place that turns them into replies."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, or was taken out of use after an I/O error; nothing was kept."""


class StoreBusy(StoreUnavailable):
    """The database is there, but a lock, a connection or a place in the queue was not to be had in time."""


class StorageFull(StoreError):
    """The disk is full; nothing was kept, and reads go on."""


class OutcomeUnknown(StoreError):
    """COMMIT itself failed, so the rows may or may not be there; the same idempotency key finds out."""


class InFlight(StoreError):
    """Another transaction holds the same idempotency key and has not ended; nothing was kept by this one."""
