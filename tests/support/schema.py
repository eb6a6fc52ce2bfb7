"""Does a value fit a JSON Schema, and does a reply fit the API's own description?

It does: check the few keywords that the description uses, and fail on any other, so that nothing is passed over
in silence. It does not: know formats beyond text. The rule it keeps: every reply that a test receives is checked.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx

from api.errors import RETRY, SLUGS
from api.openapi import document

Schema = dict[str, Any]
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "multipleOf": lambda value, bound: value % bound == 0,
    "minLength": lambda value, bound: len(value) >= bound,
    "maxLength": lambda value, bound: len(value) <= bound,
    "minItems": lambda value, bound: len(value) >= bound,
    "maxItems": lambda value, bound: len(value) <= bound,
    "pattern": lambda value, bound: re.search(bound, value) is not None,
    "enum": lambda value, bound: value in bound,
    "const": lambda value, bound: value == bound,
}
_WORDS_ONLY = {"title", "description", "default", "format", "examples"}


def misfits(value: Any, schema: Schema, path: str = "$") -> list[str]:
    """Every place where a value does not fit a schema of the description, empty if it fits."""
    found: list[str] = []
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_TYPES[kind](value) for kind in kinds):
        return [f"{path}: is not {kinds}"]
    for word, rule in schema.items():
        if word in _WORDS_ONLY or word in {"type", "required", "additionalProperties"}:
            continue
        if word == "$ref":
            found += misfits(value, _referred(rule), path)
        elif word == "anyOf":
            if all(misfits(value, option, path) for option in rule):
                found.append(f"{path}: fits no option")
        elif word == "properties":
            found += _object_misfits(value, schema, path)
        elif word == "items":
            found += [misfit for i, item in enumerate(value) for misfit in misfits(item, rule, f"{path}[{i}]")]
        elif word in _BOUNDS:
            if not _BOUNDS[word](value, rule):
                found.append(f"{path}: {word} {rule}")
        else:
            raise NotImplementedError(f"{path}: the keyword {word!r} is not checked here")
    return found


def _object_misfits(value: dict[str, Any], schema: Schema, path: str) -> list[str]:
    known = schema["properties"]
    found = [f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value]
    if schema.get("additionalProperties", True) is False:
        found += [f"{path}.{name}: not described" for name in value if name not in known]
    for name, inner in known.items():
        if name in value:
            found += misfits(value[name], inner, f"{path}.{name}")
    return found


def _referred(reference: str) -> Schema:
    found: Any = document()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    schema: Schema = found
    return schema


@cache
def _described() -> tuple[tuple[re.Pattern[str], Schema], ...]:
    """What each path of the description looks like, and its operations."""
    paths: dict[str, Schema] = document()["paths"]
    return tuple((re.compile(re.sub(r"\{[a-z_]+\}", "[^/]+", path)), told) for path, told in paths.items())


def operation_of(method: str, path: str) -> Schema | None:
    """The described operation of a request, if there is one."""
    for pattern, operations in _described():
        if method.lower() in operations and pattern.fullmatch(path):
            operation: Schema = operations[method.lower()]
            return operation
    return None


def check_reply(method: str, path: str, reply: httpx.Response) -> None:
    """Assert that a reply is one that the description promises for this request; the console's pages are not in it."""
    if path.startswith("/console"):
        return
    kind = reply.headers.get("content-type", "").partition(";")[0]
    operation = operation_of(method, path)
    if reply.status_code >= 400:
        slug = check_problem(reply)
        if operation is not None:
            told = operation["responses"].get(str(reply.status_code), {}).get("description", "")
            assert slug in told.split(" | "), f"{method} {path}: {slug} is not described"
        return
    assert operation is not None, f"{method} {path} is not described"
    content = operation["responses"][str(reply.status_code)]["content"]
    assert kind in content, f"{method} {path}: {kind} is not described"
    if "schema" in content[kind]:
        assert misfits(json.loads(reply.content), content[kind]["schema"]) == []


def check_problem(reply: httpx.Response) -> str:
    """Assert that a reply is a problem after RFC 9457 with a known slug, and return the slug."""
    assert reply.headers["content-type"].partition(";")[0] == "application/problem+json"
    told = json.loads(reply.content)
    assert misfits(told, {"$ref": "#/components/schemas/Problem"}) == []
    assert set(told) <= {"type", "title", "status", "request_id", "errors", "earlier_decision"}
    slug = str(told["type"]).rpartition("/")[2]
    assert told["type"] == f"/problems/{slug}"
    assert (reply.status_code, told["title"]) == SLUGS[slug]
    assert told["status"] == reply.status_code
    assert told["request_id"] == reply.headers["x-request-id"] != ""
    assert reply.headers["cache-control"] == "no-store"
    assert ("retry-after" in reply.headers) == (slug in RETRY)
    wait = int(reply.headers.get("retry-after", "1"))
    assert 1 <= wait <= (86_400 if slug == "rate-limited" else 3)  # a day's budget comes back with the next day
    return slug


def slug_of(reply: httpx.Response) -> str:
    """The slug of a problem."""
    return str(json.loads(reply.content)["type"]).rpartition("/")[2]
