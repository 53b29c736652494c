"""Every format by its name. A new one is a file with a `check`, and a line here."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import partial
from typing import Literal

from . import (
    alerta,
    alertmanager,
    apprise,
    azure,
    cloudevents,
    generic,
    goalert,
    grafana,
    heartbeat,
    mail_pattern,
    nagios,
    oncall_webhook,
    opsgenie,
    pagerduty,
    presets,
    prometheus,
    sentry,
    signing,
    sns,
    uptime_kuma,
    victorops,
    zabbix,
)
from .shape import Accepted, Check, Malformed, Options, Refused, Request

#: where the key of the source is sent, besides the address: in the header Authorization, or in the body
KeyPlace = Literal["path", "bearer", "body"]
Secret = Literal["hmac", "sns"] | None
#: an Alertmanager, also the one within Grafana, forgets after 120 hours what it told, and tells what fires again, whatever its settings
REPEATED_WITHIN = 144
#: the format of sources that mail rules name
MAIL = "mail-pattern"


@dataclass(frozen=True)
class Format:
    """One way of telling about alerts."""

    kind: str
    title: str
    check_fully: Check
    needs: KeyPlace = "path"
    secret: Secret = None
    #: hours without a word after which a new source's alerts end by themselves; None: never, for most tools tell of a thing once
    ends_after: int | None = None

    def check(self, request: Request, nonce: str = "", options: Options | None = None) -> Accepted | Refused:
        """The answer to a request and what it reports: the same for the same arguments. `nonce` goes into keys that have to be made up."""
        return self.check_fully(request, nonce, options or {})


_ALL = (
    Format("alertmanager", "Alertmanager", alertmanager.check, ends_after=REPEATED_WITHIN),
    Format("prometheus", "Prometheus", prometheus.check, needs="bearer"),
    Format("pagerduty", "PagerDuty Events API", pagerduty.check, needs="body"),
    Format("opsgenie", "Opsgenie Alert API", opsgenie.check, needs="bearer"),
    Format("victorops", "VictorOps (Splunk On-Call)", victorops.check),
    Format("grafana", "Grafana", grafana.check, "path", "hmac", ends_after=REPEATED_WITHIN),
    Format("oncall", "Grafana OnCall webhook", oncall_webhook.check),
    Format("nagios", "Nagios and Icinga", nagios.check),
    Format("zabbix", "Zabbix", zabbix.check),
    Format("uptime-kuma", "Uptime Kuma", uptime_kuma.check),
    Format("cloudevents", "CloudEvents", cloudevents.check),
    Format("sns", "Amazon SNS and CloudWatch", sns.check, "path", "sns"),
    Format("azure", "Azure Monitor", azure.check),
    Format("sentry", "Sentry", sentry.check, "path", "hmac"),
    Format("heartbeat", "Heartbeat", heartbeat.check),
    Format("alerta", "Alerta", alerta.check, needs="bearer"),
    Format("goalert", "GoAlert generic integration", goalert.check),
    Format("apprise", "Apprise", apprise.check),
    Format("generic", "JSON with a mapping", generic.check),
    Format(MAIL, "Mail", mail_pattern.check),
    *(
        Format(kind, presets.TITLES[kind], partial(generic.read_by, mapping), "path", "hmac" if kind in signing.HOW else None)
        for kind, mapping in presets.PRESETS.items()
    ),
)
FORMATS: dict[str, Format] = {one.kind: one for one in _ALL}

#: paths that vendors' clients have built in (one changes the name of the host only), and where in them the key of the source is
VENDOR_PATHS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/v2/(?:change/)?enqueue/?"), "pagerduty"),
    (re.compile(r"/generic/2010-04-15/create_event\.json/?"), "pagerduty"),
    (re.compile(r"/v2/alerts(?:/.*)?|/v2/heartbeats/.+", re.DOTALL), "opsgenie"),
    (re.compile(r"/api/v2/alerts/?"), "prometheus"),
    (re.compile(r"/api/(?:alert|heartbeat)/?"), "alerta"),
    (re.compile(r"/integrations/v1/alertmanager/(?P<key>[^/]+)/?"), "alertmanager"),
    (re.compile(r"/integrations/v1/grafana(?:_alerting)?/(?P<key>[^/]+)/?"), "grafana"),
    (re.compile(r"/integrations/v1/[a-z_]+/(?P<key>[^/]+)/?"), "oncall"),
    (re.compile(r"/integrations/generic/20131114/alert/(?P<key>[^/]+)(?:/[^/]*)?/?"), "victorops"),
    (re.compile(r"/api/v2/generic/incoming/?"), "goalert"),
)


_BEGINNINGS = ("/v2/", "/generic/", "/api/", "/integrations/")


def at_vendor_path(path: str) -> tuple[str, str] | None:
    """The format that a vendor's path belongs to and the key of the source in it ("" where it is sent elsewhere); None for other paths."""
    if not path.startswith(_BEGINNINGS):  # asked for every page of the desk
        return None
    for pattern, kind in VENDOR_PATHS:
        if (found := pattern.fullmatch(path)) is not None:
            return kind, found.groupdict().get("key") or ""
    return None


def judge(kind: str, options: Options) -> None:
    """Whether the settings of a source make sense for its format. Raises Malformed with what is wrong, before anything is lost by it."""
    if options and (kind == "generic" or kind in presets.PRESETS):
        generic.Mapping(generic.written_in(options))
    elif kind == MAIL:
        mail_pattern.judge(options)
    elif kind == "heartbeat":
        heartbeat.judge(options)
    elif kind == "cloudevents":
        cloudevents.judge(options)
    elif kind == "sns":
        sns.judge(options)
    elif options:
        raise Malformed("This format has no settings.")


def kind_at(path: str) -> str | None:
    """The format that a vendor's path belongs to, None where it is none of them."""
    found = at_vendor_path(path)
    return found[0] if found else None


def key_sent(kind: str, request: Request) -> str:
    """The key a request brings by itself: in a vendor's path, the body, the header Authorization or the query, as its clients send it."""
    if (found := at_vendor_path(request.path)) is not None and found[1]:
        return found[1]
    if FORMATS[kind].needs == "body":
        return pagerduty.key_in(request)
    query = request.query
    return (
        key_in_header(request.headers.get("authorization", ""))
        or query.get("token")
        or query.get("api-key")
        or query.get("apiKey")
        or ""
    )


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
