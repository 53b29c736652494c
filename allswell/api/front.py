"""The front of the API: finds the operation, lets the caller in, decodes, acts, answers. No error leaves it as a page."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase

from allswell.desk import door
from allswell.desk.calls import KEPT_FOR, Kept, Once, Repeated
from allswell.kernel import clock, text
from allswell.kernel.actor import Actor, ActorKind
from allswell.kernel.errors import DeskError, Stale
from allswell.people import api_calls

from . import bearer, openapi, reference, v1
from .contract import BASE, OPERATIONS, Call, FieldError, Operation, match, path_values
from .problems import Refusal, of_decoding, of_desk, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)
_ENCODE = msgspec.json.Encoder().encode
#: nothing here is a page; a browser that opens an answer runs and loads nothing
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_DECLARED = (v1, openapi, reference)  # importing them declares the operations
#: made here, by one thread: of a shape that another thread is still making up its mind about, msgspec 0.22 reads where nothing is yet,
#: and the process dies. The shapes of queries, which are converted, come to be known in the same way.
_DECODERS = {shape: msgspec.json.Decoder(shape) for made in OPERATIONS for shape in (made.body, made.query) if shape is not None}


class ApiMiddleware:
    """Answers everything below /api/ at once: no session, no cookie and no CSRF check take part in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the API's paths, pass on all others."""
        if request.path_info.startswith("/api/"):
            return answer(request)
        return self.get_response(request)


def answer(request: HttpRequest) -> HttpResponseBase:
    """The answer to a request below /api/; every error is a problem document."""
    has_if_match = "HTTP_IF_MATCH" in request.META
    rate: dict[str, str] = {}
    response: HttpResponseBase
    try:
        response = _answer(request, rate)
    except Refusal as refusal:
        response = problem(
            refusal.status, refusal.code, refusal.detail, errors=refusal.errors, headers={**rate, **refusal.headers}
        )
    except Stale as error:
        response = of_desk(error, status=412 if has_if_match else None)
    except DeskError as error:
        response = of_desk(error)
    except RequestDataTooBig:
        response = problem(413, "too-large", "The request is too large.")
    except (UnreadablePostError, MultiPartParserError, SuspiciousOperation):
        response = problem(400, "malformed", "The request cannot be read.")
    except Exception:
        log.exception("%s %s failed", request.method, request.path_info)
        response = problem(500, "failed", "This is our fault. It has been written down.")
    for name, value in (_HEADERS | rate).items():
        response.headers.setdefault(name, value)
    if request.method == "HEAD":
        response.close()
        return HttpResponse(status=response.status_code, headers=dict(response.items()))
    return response


def _answer(request: HttpRequest, rate: dict[str, str]) -> HttpResponseBase:
    operation, values = _route(request)
    now = clock.now()
    if operation.is_public:
        nobody = Actor(kind=ActorKind.PERSON)
        content = operation.act(Call(operation, request, nobody, now, values))
        policy = {"Content-Security-Policy": PAGE_POLICY} if operation.media_type.startswith("text/html") else None
        return HttpResponse(content, content_type=operation.media_type, headers=policy)
    actor = bearer.actor_of(request, now=now)
    rate.update(bearer.count(actor))
    bearer.require_scope(actor, operation.scope)
    call = Call(operation, request, actor, now, values)
    call.query = _query(operation, request)
    body = _raw(operation, request)
    call.body = _body(operation, request, body)
    response = _act(call, body)
    bearer.note_use(actor, now=now)
    return response


def _route(request: HttpRequest) -> tuple[Operation, dict[str, Any]]:
    path = request.path_info
    found = match(path.removeprefix(BASE)) if path.startswith(BASE + "/") else None
    if found is None:
        raise Refusal(404, "not-found", "There is nothing at this address.")
    methods, raw = found
    method = "GET" if request.method == "HEAD" else request.method or ""
    operation = methods.get(method)
    if operation is None:
        allowed = sorted({*methods, *(["HEAD"] if "GET" in methods else [])})
        raise Refusal(
            405,
            "method-not-allowed",
            f"Use {' or '.join(allowed)} here.",
            headers={"Allow": ", ".join(allowed)},
        )
    values = path_values(operation, raw)
    if values is None:
        raise Refusal(404, "not-found", "There is nothing at this address.")
    return operation, values


def _query(operation: Operation, request: HttpRequest) -> Any:
    """The parameters after the question mark, as the operation's struct. Every text is cleaned. A list is a repeated parameter."""
    given = request.GET
    if operation.query is None:
        if given:
            raise Refusal(
                422,
                "invalid",
                "The request does not fit.",
                errors=[FieldError(name, "There is no such parameter.") for name in given],
            )
        return None
    lists = _fields(operation.query, msgspec.inspect.ListType)
    instants = _fields(operation.query, msgspec.inspect.DateTimeType)
    values: dict[str, Any] = {}
    for name, many in given.lists():
        cleaned = [text.clean(str(value)) for value in many]
        if name in lists:
            values[name] = cleaned
        elif len(cleaned) == 1:
            values[name] = cleaned[0]
        else:
            raise Refusal(422, "invalid", "The request does not fit.", errors=[FieldError(name, "Give this once.")])
        if name in instants and "T" not in cleaned[0].upper():  # a bare number would be taken for seconds
            detail = "Write it as 2026-11-23T09:00:00Z."
            raise Refusal(422, "invalid", "The request does not fit.", errors=[FieldError(name, detail)])
    try:
        return msgspec.convert(values, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise of_decoding(error) from None


_FIELDS: dict[tuple[type, type], frozenset[str]] = {}


def _fields(query: type, kind: type) -> frozenset[str]:
    """Names of a query's parameters of a kind (a class of msgspec.inspect)."""
    known = _FIELDS.get((query, kind))
    if known is None:
        fields = msgspec.inspect.type_info(query).fields  # type: ignore[attr-defined]
        known = _FIELDS[query, kind] = frozenset(field.encode_name for field in fields if _is(field.type, kind))
    return known


def _is(found: Any, kind: type) -> bool:
    if isinstance(found, msgspec.inspect.UnionType):
        return any(_is(part, kind) for part in found.types)
    return isinstance(found, kind)


def _raw(operation: Operation, request: HttpRequest) -> bytes:
    if operation.is_upload or operation.method not in ("POST", "PATCH"):
        return b""
    return request.body


def _body(operation: Operation, request: HttpRequest, raw: bytes) -> Any:
    if operation.is_upload:
        if request.content_type != "multipart/form-data":
            raise Refusal(415, "unsupported-media-type", "Send multipart/form-data with a part named file.")
        return None
    if raw and request.content_type != "application/json":
        raise Refusal(415, "unsupported-media-type", "Send application/json.")
    if operation.body is None:
        if raw.strip() not in (b"", b"{}"):
            detail = "This takes no content."
            raise Refusal(422, "invalid", detail, errors=[FieldError("", detail)])
        return None
    try:
        return _DECODERS[operation.body].decode(raw or b"{}")
    except msgspec.ValidationError as error:
        raise of_decoding(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "malformed", "This is not JSON.") from None


def _act(call: Call, raw: bytes) -> HttpResponseBase:
    """Do the act, once where the caller asked for that, and answer."""
    operation = call.operation
    key = _key(call)
    check = _precondition(call)
    if not key and check is None:
        return _present(call, operation.act(call))
    made: list[HttpResponseBase] = []

    def render(result: Any) -> Kept:
        response = _present(call, result)
        made.append(response)
        assert isinstance(response, HttpResponse)
        return _kept(operation, response)

    once = Once(call.actor.token or 0, key, _digest(call, raw) if key else "", render, check)
    if key and operation.is_upload and (repeated := _repeated(call, once)):
        return repeated  # before the file is stored again; other acts find out when they claim the call
    try:
        with _around(once):
            result = operation.act(call)
    except Repeated:
        if repeated := _repeated(call, once):
            return repeated
        raise Refusal(409, "in-flight", "The same call is being worked on.") from None
    return made[0] if made else _present(call, result)


@contextmanager
def _around(once: Once) -> Iterator[None]:
    mark = door.around.set(once)
    try:
        yield
    finally:
        door.around.reset(mark)


def _key(call: Call) -> str:
    key = call.request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None or call.operation.method != "POST":
        return ""
    if not (1 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        detail = "Use 1 to 200 printable ASCII characters."
        raise Refusal(422, "invalid", detail, errors=[FieldError("Idempotency-Key", detail)])
    return str(key)


def _digest(call: Call, raw: bytes) -> str:
    """What makes two calls the same: operation, address, content. An upload counts by its file's name and bytes."""
    digest = hashlib.sha256(f"{call.operation.id} {call.request.get_full_path()}\n".encode())
    digest.update(raw)
    uploads: Any = call.request.FILES.items() if call.operation.is_upload else ()
    for name, upload in uploads:
        digest.update(f"{name} {upload.name}\n".encode())
        for chunk in upload.chunks():
            digest.update(chunk)
        upload.seek(0)
    return digest.hexdigest()


def _kept(operation: Operation, response: HttpResponse) -> Kept:
    content = response.content.decode()
    if operation.shown_once:
        fields = msgspec.json.decode(response.content)
        content = msgspec.json.encode(fields | dict.fromkeys(operation.shown_once)).decode()
    names = ("Location", "ETag", "Content-Type")
    return Kept(response.status_code, content, {name: response.headers[name] for name in names if name in response.headers})


def _repeated(call: Call, once: Once) -> HttpResponse | None:
    """The kept answer to the same call; None when the call is new. Raises Refusal (422) when the key was used for another."""
    kept = api_calls.kept_call(once.token, once.key)
    if kept is None or kept.created_at < call.now - KEPT_FOR:
        return None
    if kept.request_digest != once.digest:
        detail = "This key was used for another call."
        raise Refusal(422, "idempotency-key-reused", detail, errors=[FieldError("Idempotency-Key", detail)])
    if kept.status is None:
        return None
    return HttpResponse(kept.answer, status=kept.status, headers={**kept.headers, "Idempotency-Replayed": "true"})


def _etag(content: Any) -> str:
    """What If-Match names: its version, else all that a person may have set. What the engine notes by itself (`noted`) is no change."""
    if version := getattr(content, "version", None):
        return f'"{version}"'
    noted: frozenset[str] = getattr(content, "noted", frozenset())
    told = {name: getattr(content, name) for name in content.__struct_fields__ if name not in noted} if noted else content
    return f'"{hashlib.sha256(_ENCODE(told)).hexdigest()[:16]}"'


def _precondition(call: Call) -> Callable[[], None] | None:
    """What If-Match asks: a version for use cases that take one, else a look at the thing inside the act's transaction."""
    operation = call.operation
    wanted = call.request.META.get("HTTP_IF_MATCH")
    if wanted is None or not operation.has_if_match:
        return None
    wanted = wanted.strip()
    if wanted == "*":
        return None
    tags = {tag.strip() for tag in wanted.split(",")}
    changed = Refusal(412, "stale", "It is not as you saw it any more. Look at it again.")
    if operation.takes_version:
        bare = wanted.strip('"')
        if len(tags) != 1 or wanted != f'"{bare}"' or not (bare.isascii() and bare.isdigit() and len(bare) < 10):
            raise changed
        call.version = int(bare)
        return None
    current = operation.current
    assert current is not None

    def check() -> None:
        content = current(call)
        if _etag(content) not in tags:
            raise changed

    return check


def _present(call: Call, result: Any) -> HttpResponseBase:
    operation = call.operation
    if isinstance(result, HttpResponseBase):
        return result
    content = operation.present(call, result) if operation.present else result
    if operation.answer is None:
        return HttpResponse(status=204, headers=call.headers)
    encoded = _ENCODE(content)
    headers = call.headers
    if operation.status in (200, 201) and "ETag" not in headers:
        headers["ETag"] = _etag(content)
    return HttpResponse(encoded, status=operation.status, content_type="application/json", headers=headers)
