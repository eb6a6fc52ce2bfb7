"""A pure function's result, kept for as long as the very object lives that it was computed from.

It does: let one decision's many re-decisions share the summaries of its facts. It does not: compare objects, or keep
one alive. The rule it keeps: only immutable values may be asked about, so that the answer could not have changed.
"""

from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec, TypeVar
from weakref import ref

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


class Once(Generic[T, P, R]):
    """The function, computing once an object and arguments; safe between threads, which at worst compute twice."""

    def __init__(self, function: Callable[Concatenate[T, P], R]) -> None:
        self._function = function
        self._kept: dict[int, tuple[ref[T], object, R]] = {}

    def __call__(self, thing: T, *rest: P.args, **named: P.kwargs) -> R:
        """What the function gives for this object and these arguments."""
        key, told = id(thing), (rest, named)
        kept = self._kept.get(key)
        if kept is not None and kept[0]() is thing and kept[1] == told:
            return kept[2]
        result = self._function(thing, *rest, **named)
        # The entry goes before the object's memory does, so that no other object of its id can be taken for it.
        self._kept[key] = (ref(thing, lambda _: self._kept.pop(key, None)), told, result)
        return result

    def __len__(self) -> int:
        return len(self._kept)
