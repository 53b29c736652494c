"""The OpenAPI 3.1 document, made from the operations: what is documented is what is served."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from allswell import __version__

from .contract import BASE, OPERATIONS, TEXT_PARAMETERS, Call, Operation, Problem, operation

_SCHEMAS = "#/components/schemas/{name}"
ERRORS = {
    400: "The request cannot be read.",
    401: "No token, or one that is not valid.",
    403: "The token's scope or its person's role does not allow this.",
    404: "There is no such thing, or the caller may not know that there is.",
    409: "The thing is in a state in which this cannot be done, or somebody else was faster.",
    412: "It is not as If-Match says any more.",
    413: "The request is too large.",
    415: "The content is of another media type than the operation takes.",
    422: "Something in the request does not fit; `errors` names each field.",
    429: "Too many requests; Retry-After says when to go on.",
}
_RATE = {
    "RateLimit-Limit": "Requests per minute.",
    "RateLimit-Remaining": "Requests left now.",
    "RateLimit-Reset": "Seconds until the full rate is there again.",
}


def statuses(made: Operation) -> list[int]:
    """The errors an operation may answer."""
    if made.is_public:
        return []
    found = {401, 422, 429}
    if made.scope:
        found.add(403)
    if made.parameters:
        found |= {403, 404}
    if made.names_thing:
        found.add(404)
    if made.method != "GET":
        found |= {400, 403, 404, 409, 413, 415}
    if made.has_if_match:
        found.add(412)
    return sorted(found)


def _problem(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": ERRORS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == 401:
        response["headers"] = {"WWW-Authenticate": _header("The kind of token that is needed.")}
    if status == 429:
        response["headers"] = {"Retry-After": _header("Seconds to wait.", "integer")}
    return response


def _header(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


def _parameters(made: Operation, queries: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in made.parameters:
        schema: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}
        if name in TEXT_PARAMETERS:
            schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if made.query is not None:
        shape = queries[made.query.__name__]
        for name, schema in shape["properties"].items():
            parameter = {"name": name, "in": "query", "required": name in shape.get("required", []), "schema": schema}
            if "description" in schema:
                parameter["description"] = schema["description"]
            found.append(parameter)
    if made.method == "POST" and not made.is_public:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Repeating a call with the same key within 24 hours gives the same answer and does nothing more.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
            }
        )
    if made.has_if_match:
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "description": "The ETag as it was last seen; 412 when it changed since.",
                "schema": {"type": "string"},
            }
        )
    return found


def _body(made: Operation, schemas: dict[Any, Any]) -> dict[str, Any] | None:
    if made.is_upload:
        part = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
        return {"required": True, "content": {"multipart/form-data": {"schema": part}}}
    if made.body is None:
        return None
    required = any(field.required for field in msgspec.structs.fields(made.body))
    return {"required": required, "content": {"application/json": {"schema": schemas[made.body]}}}


def _success(made: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    if made.is_download:
        binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        return {"description": "The file.", "content": binary}
    if made.answer is None:
        if made.is_public:
            return {"description": "Found.", "content": {made.media_type.split(";")[0]: {"schema": {"type": "string"}}}}
        return {"description": "Done."}
    response: dict[str, Any] = {"description": "Done." if made.method != "GET" else "Found."}
    headers = {} if made.is_public else {name: _header(text, "integer") for name, text in _RATE.items()}
    if made.status == 201:
        headers["Location"] = _header("Where the new thing is, when it has an address.")
    headers["ETag"] = _header("Changes when the thing changes.")
    if made.query is not None and "cursor" in made.query.__struct_fields__:
        headers["Link"] = _header("The next page, rel=next.")
    response["headers"] = headers
    response["content"] = {made.media_type: {"schema": schemas[made.answer]}}
    return response


def _describe(made: Operation, schemas: dict[Any, Any], queries: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"operationId": made.id, "summary": made.summary, "tags": [made.tag]}
    notes = [made.details] if made.details else []
    if made.scope:
        notes.append(f"Scope: `{made.scope}`.")
    if notes:
        found["description"] = " ".join(notes)
    if made.is_public:
        found["security"] = []
    if parameters := _parameters(made, queries):
        found["parameters"] = parameters
    if body := _body(made, schemas):
        found["requestBody"] = body
    responses = {str(made.status): _success(made, schemas)}
    responses.update({str(status): _problem(status) for status in statuses(made)})
    found["responses"] = responses
    return found


@functools.cache
def document() -> bytes:
    """The whole document, as JSON."""
    shapes = [Problem, *(made.body for made in OPERATIONS if made.body), *(made.answer for made in OPERATIONS if made.answer)]
    shapes = list(dict.fromkeys(shapes))
    references, components = msgspec.json.schema_components(shapes, ref_template=_SCHEMAS)
    schemas = dict(zip(shapes, references, strict=True))
    asked = list(dict.fromkeys(made.query for made in OPERATIONS if made.query))
    _, queries = msgspec.json.schema_components(asked, ref_template=_SCHEMAS)
    components |= {name: shape for name, shape in queries.items() if "enum" in shape}
    paths: dict[str, Any] = {}
    for made in sorted(OPERATIONS, key=lambda made: (made.path, made.method)):
        paths.setdefault(made.path, {})[made.method.lower()] = _describe(made, schemas, queries)
    tags = sorted({made.tag for made in OPERATIONS})
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Allswell",
                "version": __version__,
                "description": "The service desk for programs. Every call needs a bearer token; every error is a problem document.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": BASE}],
            "security": [{"token": []}],
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


class OpenApi(msgspec.Struct):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


@operation(
    "GET",
    "/openapi.json",
    id="getOpenApi",
    summary="This description, as OpenAPI 3.1",
    tag="Description",
    answer=OpenApi,
    is_public=True,
)
def openapi(call: Call) -> bytes:
    return document()
