"""The pieces that every part of the description is made of."""

from typing import Any

from api.errors import SLUGS

Schema = dict[str, Any]


def read(operation: str, summary: str, schema: str, parameters: list[Schema], *slugs: str) -> Schema:
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": parameters,
        "responses": {"200": reply(summary, schema), **problems(*slugs)},
    }


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def reply(description: str, schema: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": ref(schema)}}}


def problems(*slugs: str) -> dict[str, Schema]:
    by_status: dict[str, list[str]] = {}
    for slug in slugs:
        by_status.setdefault(str(SLUGS[slug][0]), []).append(slug)
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {
        status: {"description": " | ".join(sorted(names)), "content": content} for status, names in by_status.items()
    }


def obj(**properties: Schema) -> Schema:
    return {
        "type": "object", "required": list(properties), "properties": properties, "additionalProperties": False,
    }  # fmt: skip
