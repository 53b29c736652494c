"""Every format by its name. A new one is a file with a `check`, and a line here."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Literal

from . import alertmanager, pagerduty, prometheus
from .shape import Accepted, Check, Options, Refused, Request

#: where the key of the source is sent, besides the address: in the header Authorization, or in the body
KeyPlace = Literal["path", "bearer", "body"]
Secret = Literal["hmac", "sns"] | None


@dataclass(frozen=True)
class Format:
    """One way of telling about alerts."""

    kind: str
    title: str
    check_fully: Check
    needs: KeyPlace = "path"
    secret: Secret = None

    def check(self, request: Request, nonce: str = "", options: Options | None = None) -> Accepted | Refused:
        """The answer to a request and what it reports: the same for the same arguments. `nonce` goes into keys that have to be made up."""
        return self.check_fully(request, nonce, options or {})


_ALL = (
    Format("alertmanager", "Alertmanager", alertmanager.check),
    Format("prometheus", "Prometheus", prometheus.check, needs="bearer"),
    Format("pagerduty", "PagerDuty Events API", pagerduty.check, needs="body"),
)
FORMATS: dict[str, Format] = {one.kind: one for one in _ALL}

#: paths that vendors' clients have built in: one changes the name of the host only
VENDOR_PATHS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/v2/(?:change/)?enqueue/?"), "pagerduty"),
    (re.compile(r"/generic/2010-04-15/create_event\.json/?"), "pagerduty"),
    (re.compile(r"/api/v[12]/alerts/?"), "prometheus"),
)


def kind_at(path: str) -> str | None:
    """The format that a vendor's path belongs to, None where it is none of them."""
    return next((kind for pattern, kind in VENDOR_PATHS if pattern.fullmatch(path)), None)


def key_sent(kind: str, request: Request) -> str:
    """The key a request brings by itself: in the header Authorization, the query or the body, as the format's clients send it."""
    if FORMATS[kind].needs == "body":
        return pagerduty.key_in(request)
    return key_in_header(request.headers.get("authorization", ""))


def key_in_header(authorization: str) -> str:
    """The key out of `Bearer KEY`, `GenieKey KEY`, `Key KEY`, or Basic with the key as name or password; "" when there is none."""
    scheme, _space, rest = authorization.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() != "basic":
        return rest
    try:
        name, _colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (ValueError, UnicodeDecodeError):
        return ""
    return password or name
