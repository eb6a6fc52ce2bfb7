"""From the store to the console's views: what a member of staff is shown, and what they may do with it.

It does: read, and say which actions there are. It does not: act, or render. The rule it keeps: an action that a role or
the state does not allow is not on the page, and is refused by the service all the same.
"""
