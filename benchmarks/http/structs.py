"""The engine's records as msgspec structs: the same fields, properties and methods, read in one pass over the JSON.

It does: check the type of every value, words of closed lists included. It does not: check ranges, check digits, or
whether fields agree, which was done where the record was made. The rule it keeps: fields come from the engine's own
models, so that there is nothing to keep in step.
"""

from collections.abc import Mapping
from functools import cache
from types import FunctionType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel

from engine.facts.columns import Block


@cache
def struct_of(model: type[BaseModel]) -> type[msgspec.Struct]:
    """The struct that stands for a model; a block's columns are left as they are written."""
    fields: list[tuple[str, Any, Any]] = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Block):
            fields.append((name, dict[str, msgspec.Raw], msgspec.field(default_factory=dict)))
        else:
            default = msgspec.NODEFAULT if field.is_required() else field.get_default(call_default_factory=True)
            fields.append((name, _read_as(field.annotation), msgspec.field(default=default)))
    return msgspec.defstruct(
        model.__name__, fields, namespace=dict(_members(model)), weakref=True, kw_only=True, forbid_unknown_fields=True
    )


def _read_as(annotation: Any) -> Any:
    """A type with structs in the place of models."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return struct_of(annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _read_as(inner[0])
    if origin in (Union, UnionType):
        return Union[tuple(_read_as(each) for each in inner)]  # noqa: UP007 - the members are values here
    return origin[tuple(_read_as(each) for each in inner)] if origin is tuple else annotation


def _members(model: type[BaseModel]) -> Mapping[str, Any]:
    """Properties and methods of a model's own and of those that it extends, without pydantic's."""
    ours = [each for each in reversed(model.__mro__) if issubclass(each, BaseModel) and each is not BaseModel]
    return {
        name: member
        for each in ours
        for name, member in vars(each).items()
        if isinstance(member, property | FunctionType) and not name.startswith(("_", "model_"))
    }
