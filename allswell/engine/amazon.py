"""What Amazon SNS wants to have fetched: certificates of its signatures, and the addresses that confirm a subscription.

Only Amazon's own addresses are called, only through the guarded client, and never for long: other alerts wait meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic

from django.conf import settings

from allswell.intake.parsers.alerts import sns
from allswell.notifications.channels import guarded_http
from allswell.notifications.channels.guarded_http import Allowed, Reply, Unreachable

log = logging.getLogger("allswell.engine")

_DEADLINE = 5.0
#: seconds for which a certificate is kept, and for which one that could not be had is not asked for again
_KEPT, _MISSED = 86_400.0, 60.0
_MOST = 20


class Amazon:
    """Fetches what SNS names. `call` does it; in tests it is another."""

    def __init__(self, call: Callable[[str], Reply] | None = None) -> None:
        self.call = call or _get
        self._certificates: dict[str, tuple[float, bytes | None]] = {}

    def certificate(self, url: str) -> bytes | None:
        """A certificate, from memory if it was fetched today; None when there is none."""
        if not sns.certificate_url({"SigningCertURL": url}):
            return None
        until, known = self._certificates.get(url, (0.0, None))
        if monotonic() < until:
            return known
        found = self._fetched(url)
        if len(self._certificates) >= _MOST:
            self._certificates.clear()
        self._certificates[url] = (monotonic() + (_MISSED if found is None else _KEPT), found)
        return found

    def confirm(self, url: str) -> bool:
        """Call the address that confirms a subscription; whether Amazon took it."""
        return sns.is_amazons(url) and self._fetched(url) is not None

    def _fetched(self, url: str) -> bytes | None:
        try:
            reply = self.call(url)
        except Unreachable:
            return None
        if reply.status != 200:
            log.warning("Amazon SNS answered %s", reply.status)
            return None
        return reply.body


def _get(url: str) -> Reply:
    allowed = Allowed.parse(settings.OUTGOING_ALLOW)
    return guarded_http.request("GET", url, body=b"", headers={}, allowed=allowed, deadline=_DEADLINE)
