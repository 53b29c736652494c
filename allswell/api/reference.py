"""The readable page at /api/v1/: the operations, their fields and errors, made from the same declarations as the OpenAPI document."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from . import openapi
from .contract import BASE, Call, operation

_PLACE = "allswell.api"


@operation(
    "GET", "/", id="readReference", summary="This page", tag="Description", is_public=True, media_type="text/html; charset=utf-8"
)
def readable_page(call: Call) -> str:
    return _page()


@operation(
    "GET",
    "/reference.css",
    id="readReferenceStyle",
    summary="The style of this page",
    tag="Description",
    is_public=True,
    media_type="text/css; charset=utf-8",
)
def style(call: Call) -> str:
    return (files(_PLACE) / "templates" / "reference.css").read_text(encoding="utf-8")


@functools.cache
def _page() -> str:
    pages = Environment(
        loader=PackageLoader(_PLACE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pages.filters["kind"] = _kind
    document = msgspec.json.decode(openapi.document())
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            row = {"method": method.upper(), "path": path, **described}
            tags.setdefault(described["tags"][0], []).append(row)
    schemas = document["components"]["schemas"]
    return pages.get_template("reference.html").render(
        base=BASE, tags=sorted(tags.items()), schemas=schemas, errors=openapi.ERRORS
    )


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a word or two: "integer", "list of Ticket", "one of incident, request"."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")
