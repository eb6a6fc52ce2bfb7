"""What every way of sending has in common: how it fails."""

from typing import Literal

# `unaddressable`: the address cannot stand in a mail. `rejected`: refused for good by the receiver. `later`: refused
# for now. `unreachable`: no connection, no encryption, or no sign-in. `timeout` and `closed`: one that ended before the
# answer, so that it may have been received. `redirect`: pointed elsewhere. `resting`: left alone after many failures.
Why = Literal["unaddressable", "rejected", "later", "unreachable", "timeout", "closed", "redirect", "resting"]
_AWAY: frozenset[Why] = frozenset(("unreachable", "timeout", "closed", "resting"))


class NotSent(Exception):
    """A message that did not go out, with the reason as one word; never with an address or a receiver's words."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why

    @property
    def away(self) -> bool:
        """Whether the receiver itself is away, so that the next message would fare no better."""
        return self.why in _AWAY
