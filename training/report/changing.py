"""What differs between two sets of settings, by dotted path.

It does: flatten both and tell each path whose value differs. It does not: say what a difference does. The rule it
keeps: a list of named things goes by their names, so that one more in the middle does not shift all that follow.
"""

from collections.abc import Mapping
from typing import Any

from training.report.content import Setting


def settings(champion: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The settings that differ, in the champion's order, then those that only the model has."""
    old, new = _flat("", champion), _flat("", model)
    return tuple(
        Setting(name=name, champion=old.get(name, ""), model=new.get(name, ""))
        for name in dict.fromkeys((*old, *new)) if old.get(name, "") != new.get(name, "")
    )  # fmt: skip


def _flat(path: str, value: Any) -> dict[str, str]:
    """Path to text; an empty path is the whole."""
    if isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        named = len({each.get("name") for each in value}) == len(value)
        children = {str(each["name"] if named else i): each for i, each in enumerate(value)}.items()
    else:
        return {path: ", ".join(map(str, value)) if isinstance(value, list) else str(value)}
    return {
        name: text for key, child in children for name, text in _flat(f"{path}.{key}".strip("."), child).items()
    }  # fmt: skip
