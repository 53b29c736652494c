"""What anybody may send to the addresses of monitoring: forged, replayed, huge, packed, deep, full of script, or simply odd."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from allswell.api import alerts_in
from allswell.desk import tickets as desk
from allswell.desk.alerts import sources
from allswell.intake.models import Alert, AlertSource, RawReport
from allswell.intake.parsers.alerts.registry import FORMATS
from allswell.intake.parsers.alerts.shape import REPORTS
from allswell.kernel import clock
from allswell.tickets.models import Ticket
from tests.engine.test_mail import send
from tests.engine.test_mail import text as words_of_mail
from tests.support.mailbox import Mailbox
from tests.support.monitoring import Monitoring
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.world import World

Browser = Callable[..., Client]
JSON = "application/json"
EVIL = (
    "<script>alert('kestrel')</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(2)>{{7*7}}${7*7}[x](javascript:alert(3))"
)


@pytest.fixture(autouse=True)
def _room() -> Iterator[None]:
    """How much waits is looked up once a second; each test begins with nothing known."""
    alerts_in._room.update(at=-1.0, waiting=0)
    yield
    alerts_in._room.update(at=-1.0, waiting=0)


def kept() -> int:
    return RawReport.objects.count()


# forged keys


def test_a_key_that_was_made_up_says_nothing_and_keeps_nothing(world: World) -> None:
    am, other = Monitoring(world), Monitoring(world, "grafana")
    digest = hashlib.sha256(am.key.encode()).hexdigest()
    forged = [am.key[:-1], am.key + "A", am.key.swapcase(), digest, "0" * 32, "%00" * 16, other.key, am.source.slug + "x" * 20]
    for key in forged:
        answer = am.post({}, key=key)
        assert answer.status_code == 404, key
        assert b"known" in answer.content or b"nothing" in answer.content
    assert (
        am.post([{"labels": {"a": "b"}}], path="/api/v2/alerts", headers={"authorization": f"Bearer {am.key}"}).status_code == 401
    )
    assert am.post({"routing_key": "0" * 32, "event_action": "trigger"}, path="/v2/enqueue").status_code in (400, 401)
    assert kept() == 0
    assert am.post(b"{", key=am.key).status_code == 400, "its own key opens"


@pytest.mark.parametrize("key", ["", " ", "' OR 1=1 --", "../../etc/passwd", "\x00", "a" * 5000, "\ud800", "😀" * 20])
def test_no_text_is_a_key(world: World, key: str) -> None:
    client = Client()
    for kind, header in (("opsgenie", "GenieKey"), ("prometheus", "Bearer"), ("alerta", "Key"), ("prometheus", "Basic")):
        path = {"opsgenie": "/v2/alerts", "prometheus": "/api/v2/alerts", "alerta": "/api/alert"}[kind]
        value = f"{header} {key}".encode("utf-8", "surrogatepass").decode("latin-1")
        assert client.post(path, b"[]", content_type=JSON, headers={"authorization": value}).status_code == 401
    body = json.dumps({"routing_key": key, "event_action": "resolve", "dedup_key": "x"})
    assert client.post("/v2/enqueue", body, content_type=JSON).status_code in (400, 401)
    assert kept() == 0


def test_a_former_key_serves_for_a_day_and_not_longer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    am = Monitoring(world)
    former = am.key
    now = world.now
    monkeypatch.setattr(clock, "now", lambda: now)
    am.key = sources.rotate(am.source.pk, **world.by(world.ada))
    body = json.loads(_firing())
    assert [am.post(body, key=key).status_code for key in (former, am.key)] == [200, 200]
    now = now + sources.FORMER_KEY_FOR + timedelta(seconds=1)
    assert [am.post(body, key=key).status_code for key in (former, am.key)] == [404, 200]
    twice = sources.rotate(am.source.pk, **world.by(world.ada))
    assert am.post(body, key=former).status_code == 404, "the one before the former"
    assert am.post(body, key=twice).status_code == 200


def test_a_key_does_not_open_another_format_nor_the_desk(world: World) -> None:
    am = Monitoring(world)
    for kind in FORMATS:
        if kind != am.kind:
            assert am.post({}, path=f"/in/{kind}/{am.key}").status_code == 404
    for path in ("/api/v1/alerts", "/api/v1/tickets", "/alerts/", "/setup/alert-sources"):
        answer = Client().get(path, headers={"authorization": f"Bearer {am.key}"})
        assert answer.status_code in (302, 401, 403), path


def test_no_key_stands_in_what_is_kept_or_written(world: World, caplog: pytest.LogCaptureFixture) -> None:
    prometheus = Monitoring(world, "prometheus")
    body = [{"labels": {"alertname": "x"}}]
    for path in ("/api/v2/alerts?token=" + prometheus.key, "/api/v2/alerts"):
        headers = {"authorization": f"Bearer {prometheus.key}", "cookie": "allswell=secret", "x-api-key": prometheus.key}
        assert prometheus.post(body, path=path, headers=headers).status_code == 200
    prometheus.post(b"\xff", path=f"/in/prometheus/{prometheus.key}")
    row = AlertSource.objects.get()
    held = json.dumps([one.head for one in RawReport.objects.all()]) + row.refusal + caplog.text + row.key_digest + row.key_hint
    assert prometheus.key not in held
    assert "secret" not in held


# replay


def _firing(**more: Any) -> bytes:
    alert = {"status": "firing", "labels": {"alertname": "A"}, "startsAt": "2026-03-02T08:00:00Z", "fingerprint": "f", **more}
    return json.dumps({"version": "4", "groupKey": "g", "status": alert["status"], "alerts": [alert]}).encode()


def test_a_message_that_is_played_again_opens_nothing_again(world: World) -> None:
    am = Monitoring(world)
    began = world.now
    first = am.fires()
    am.send(first)
    world.forward(minutes=5)
    am.send(am.is_over(since=began))
    assert Ticket.objects.get().state == "resolved"
    for _ in range(20):
        world.forward(minutes=1)
        am.send(first)
    assert [one.state for one in Ticket.objects.all()] == ["resolved"]
    assert am.alert().state == "resolved"


def test_what_was_signed_once_opens_nothing_again(world: World) -> None:
    """Sentry signs no time: what is played again is known by what it tells of."""
    hook = Monitoring(world, "sentry", secret="shared", service=world.lookup.pk)

    def told(action: str) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(
            {"action": action, "data": {"issue": {"id": "1", "title": "x", "lastSeen": world.now.isoformat()}}}
        ).encode()
        signature = hmac.new(b"shared", body, hashlib.sha256).hexdigest()
        return body, {"sentry-hook-signature": signature, "sentry-hook-resource": "issue"}

    first, headers = told("created")
    for forged in ("", "0" * 64, headers["sentry-hook-signature"][:-1], "é"):
        assert hook.post(first, headers={**headers, "sentry-hook-signature": forged}).status_code == 401
    assert hook.post(first + b" ", headers=headers).status_code == 401
    assert hook.post(first, headers=headers).status_code == 200
    hook.read()
    world.forward(minutes=5)
    ended, more = told("resolved")
    assert hook.post(ended, headers=more).status_code == 200
    hook.read()
    assert Ticket.objects.get().state == "resolved"
    world.forward(minutes=5)
    assert hook.post(first, headers=headers).status_code == 200
    hook.read()
    assert [one.state for one in Ticket.objects.all()] == ["resolved"]


# too much


class Endless(io.RawIOBase):
    """A body without an end, which knows how much of it was read."""

    def __init__(self, length: int) -> None:
        self.left, self.was_read = length, 0

    def read(self, size: int = -1) -> bytes:
        size = min(self.left, 65536 if size < 0 else size)
        self.left -= size
        self.was_read += size
        return b"[" * size


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_gigabyte_is_refused_after_five_megabytes_at_most(world: World, is_chunked: bool) -> None:
    am = Monitoring(world)
    body = Endless(1_000_000_000)
    more: dict[str, Any] = (
        {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""} if is_chunked else {"CONTENT_LENGTH": "1000000000"}
    )
    answer = Client().generic("POST", f"/in/alertmanager/{am.key}", b"", JSON, **{**more, "wsgi.input": body})
    assert answer.status_code == 413
    assert body.was_read <= alerts_in.MOST_BYTES + 1
    assert kept() == 0


def _bomb(size: int) -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    block = b" " * 1_000_000
    return b"".join(press.compress(block) for _ in range(size // len(block))) + press.flush()


def test_what_is_packed_is_unpacked_to_five_megabytes_at_most(world: World) -> None:
    am = Monitoring(world)
    bomb = _bomb(200_000_000)
    assert len(bomb) < 300_000
    assert am.post(bomb, headers={"content-encoding": "gzip"}).status_code == 413
    assert am.post(gzip.compress(bomb), headers={"content-encoding": "gzip"}).status_code == 400, "packed twice is no JSON"
    whole = gzip.compress(_firing())
    odd = [(whole[:-4], "gzip"), (b"no gzip", "gzip"), (b"", "gzip"), (whole, "identity"), (whole, ""), (whole, "br")]
    for body, encoding in odd:
        assert am.post(body, headers={"content-encoding": encoding}).status_code in (400, 415), encoding
    assert kept() == 0
    for body, encoding in ((whole, "gzip"), (whole, "GZIP"), (zlib.compress(_firing()), "deflate")):
        assert am.post(body, headers={"content-encoding": encoding}).status_code == 200
    assert kept() == 3


DEEP = 10_000


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_ten_thousand_levels_are_refused_in_words(world: World, kind: str) -> None:
    source = AlertSource(kind=kind)
    if kind in sources.kinds():
        one = Monitoring(world, kind)
        for body in (b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"<a>" * DEEP + b"</a>" * DEEP):
            answer = one.post(body, path=f"/in/{kind}/{one.key}")
            assert answer.status_code < 500, kind
            assert b"Recursion" not in answer.content
        one.read()
    assert not RawReport.objects.exclude(error="").exists(), source.kind


def test_more_than_ten_thousand_alerts_in_one_request_are_cut_and_said(world: World) -> None:
    am = Monitoring(world)
    alerts = [{"labels": {"severity": "info"}, "fingerprint": f"f{n}"} for n in range(12_000)]
    body = {"version": "4", "groupKey": "g", "status": "firing", "alerts": alerts}
    assert am.post(body).status_code == 200
    am.read()
    assert Alert.objects.count() == REPORTS
    am.source.refresh_from_db()
    assert "2000 alerts of one request were left out" in am.source.refusal


def test_a_mapping_goes_through_as_many(world: World) -> None:
    tool = Monitoring(world, "generic", mapping={"each": "all[*]", "key": "k", "action": "how"})
    assert tool.post({"all": [{"k": str(n), "how": "resolve"} for n in range(REPORTS + 7)]}).status_code == 200
    tool.read()
    tool.source.refresh_from_db()
    assert (tool.source.seen_count, "7 alerts of one request" in tool.source.refusal) == (REPORTS, True)


def test_when_too_much_waits_senders_are_asked_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    am = Monitoring(world)
    monkeypatch.setattr(alerts_in, "MOST_WAITING", 3)
    codes = []
    for _ in range(6):
        alerts_in._room["at"] = -10.0
        answer = am.post(_firing())
        codes.append(answer.status_code)
    assert codes == [200, 200, 200, 200, 503, 503]
    assert int(answer["Retry-After"]) > 0
    alerts_in._room["at"] = -10.0
    assert am.post(b"{").status_code == 400, "what is wrong stays wrong"
    am.read()
    alerts_in._room["at"] = -10.0
    assert am.post(_firing()).status_code == 200


# script in every field


def _everywhere(value: Any) -> Any:
    """The same message with the words of an attacker in the place of each text, and of each name it made up itself."""
    if isinstance(value, dict):
        return {name: _everywhere(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_everywhere(one) for one in value]
    return EVIL if isinstance(value, str) else value


def _attack() -> bytes:
    alert = {
        "status": "firing",
        "labels": {"alertname": EVIL, EVIL: EVIL, "severity": "critical", "instance": EVIL},
        "annotations": {
            "summary": EVIL,
            "description": EVIL * 3,
            "runbook_url": "javascript:alert(1)",
            "dashboard_url": 'https://x.example/"><script>alert(1)</script>',
        },
        "startsAt": EVIL,
        "endsAt": EVIL,
        "generatorURL": "data:text/html,<script>alert(1)</script>",
        "fingerprint": EVIL,
    }
    return json.dumps({"version": "4", "groupKey": EVIL, "status": "firing", "externalURL": EVIL, "alerts": [alert]}).encode()


class Elements(HTMLParser):
    """What a browser would make of a page: its elements, not its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "") for name, value in attrs}
        if tag == "script" and not given.get("src", "").startswith("/static/") and given.get("type") != "application/json":
            self.bad.append(f"script {given}")
        self.bad += [f"{tag} {name}" for name in given if name.startswith("on")]
        for name in ("href", "src", "action", "formaction", "xlink:href"):
            if re.match(r"[\s\x00-\x20]*(?:javascript|data|vbscript):", given.get(name, ""), re.I):
                self.bad.append(f"{tag} {name}={given[name][:60]}")
        if tag in ("svg", "img") and ("x" in (given.get("src"), given.get("onload"))):
            self.bad.append(tag)


def harmless(page: str) -> None:
    """Nothing of the attacker's is markup here."""
    assert Elements(page).bad == []
    assert "<script>alert" not in page


def test_script_in_every_field_is_text_on_every_page_and_in_every_mail(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    assert am.post(_attack()).status_code == 200
    am.read()
    alert, ticket = Alert.objects.get(), Ticket.objects.get()
    pages = ["/alerts/", "/alerts/?q=kestrel", f"/alerts/{alert.pk}", f"/INC-{ticket.pk}", "/desk/all", "/search?q=kestrel"]
    pages += ["/setup/alert-sources", f"/setup/alert-sources/{am.source.pk}"]
    seen = 0
    for path in pages:
        answer = browser(world.ada if path.startswith("/setup") else world.jonas).get(path, follow=True)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        harmless(page)
        seen += "kestrel" in page
        assert "49" not in re.findall(r"(\d+)\$\{", page), "a template was run"
    assert seen >= 4
    assert [url for _, url in alert.links] == []


def test_a_mail_about_an_alert_shows_its_words_as_text(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.post(_attack())
    am.read()
    desk.assign(Ticket.objects.get().pk, person=world.jonas.pk, **world.by(world.lena))
    with Mailbox() as box:
        send(world, box.url, minutes=5)
        assert box.received
        for mail in box.received:
            assert "\n" not in mail["Subject"]
            if (html := mail.get_body(("html",))) is not None:
                harmless(html.get_content())
            assert "kestrel" in mail["Subject"] + words_of_mail(mail)


def test_a_header_cannot_be_added_through_a_title(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    body = json.loads(_firing(annotations={"summary": "Down\r\nBcc: all@example.org\r\n\r\n<b>x"}))
    am.post(body)
    am.read()
    assert Ticket.objects.get().title.splitlines() == [Ticket.objects.get().title]
    desk.assign(Ticket.objects.get().pk, person=world.jonas.pk, **world.by(world.lena))
    with Mailbox() as box:
        send(world, box.url, minutes=5)
        assert box.received
        assert all(mail["Bcc"] is None and "all@example.org" not in str(mail["To"]) for mail in box.received)


@pytest.mark.parametrize(
    "kind", ["grafana", "azure", "sentry", "zabbix", "nagios", "uptime-kuma", "generic", "pagerduty", "opsgenie"]
)
def test_what_an_attacker_says_in_other_formats_is_text_too(world: World, browser: Browser, kind: str) -> None:
    seeds: dict[str, Any] = {
        "grafana": {
            "alerts": [{"status": "firing", "labels": {"alertname": "x"}, "fingerprint": "f", "panelURL": "u"}],
            "status": "firing",
        },
        "azure": {
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {"essentials": {"alertId": "i", "alertRule": "r", "severity": "Sev1", "monitorCondition": "Fired"}},
        },
        "sentry": {"action": "created", "data": {"issue": {"id": "i", "title": "t", "culprit": "c", "web_url": "u"}}},
        "zabbix": {"event_id": "1", "event_value": "1", "event_name": "n", "host": "h", "message": "m", "event_url": "u"},
        "nagios": {
            "host": "h",
            "service": "s",
            "state": "CRITICAL",
            "output": "o",
            "notes_url": "u",
            "author": "a",
            "comment": "c",
        },
        "uptime-kuma": {"heartbeat": {"status": 0, "msg": "m"}, "monitor": {"id": 1, "name": "n", "url": "u"}, "msg": "m"},
        "generic": {"id": "i", "title": "t", "status": "firing", "url": "u", "severity": "critical", "description": "d"},
        "pagerduty": {
            "event_action": "trigger",
            "dedup_key": "k",
            "payload": {"summary": "s", "source": "s", "severity": "critical", "custom_details": {"a": "b"}},
            "links": [{"href": "u", "text": "t"}],
        },
        "opsgenie": {"message": "m", "alias": "a", "description": "d", "tags": ["t"], "details": {"a": "b"}, "source": "u"},
    }
    fixed = ("CRITICAL", "critical", "firing", "trigger", "created", "azureMonitorCommonAlertSchema", "Sev1", "Fired", "1")
    one = Monitoring(world, kind, service=world.lookup.pk)

    def evil(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: evil(inner) for name, inner in value.items()} | {"kestrel <script>alert(1)</script>": EVIL}
        if isinstance(value, list):
            return [evil(inner) for inner in value]
        if value == "u":
            return "javascript:alert(1)//kestrel"
        return value if value in fixed or not isinstance(value, str) else EVIL

    path = {"pagerduty": "/v2/enqueue", "opsgenie": "/v2/alerts"}.get(kind, "")
    assert one.post(evil(seeds[kind]), path=f"/in/{kind}/{one.key}{path}").status_code in (200, 202)
    one.read()
    alert = Alert.objects.get()
    assert [url for _, url in alert.links if not url.startswith(("http://", "https://"))] == []
    for path in ("/alerts/", f"/alerts/{alert.pk}", f"/INC-{alert.ticket_id}"):
        answer = browser(world.jonas).get(path, follow=True)
        assert answer.status_code == 200
        harmless(answer.content.decode())


# errands


def test_nothing_that_a_message_names_is_called(world: World) -> None:
    with Receiver() as inside:
        url = f"http://127.0.0.1:{inside.port}/inside"
        am = Monitoring(world, service=world.lookup.pk)
        links = {"summary": url, "runbook_url": url, "dashboard_url": url, "image": url, "description": f"![x]({url})"}
        am.post(json.loads(_firing(annotations=links, generatorURL=url, imageURL=url)))
        grafana = Monitoring(world, "grafana")
        grafana.post(
            {"status": "firing", "alerts": [{"status": "firing", "labels": {"a": "b"}, "imageURL": url, "silenceURL": url}]}
        )
        events = Monitoring(world, "cloudevents")
        events.post(
            {"specversion": "1.0", "id": "1", "source": url, "type": "x.fired", "dataschema": url, "data": {"summary": url}},
            content_type="application/cloudevents+json",
        )
        for one in (am, grafana, events):
            one.read()
        with Mailbox() as box:
            send(world, box.url, minutes=5)
        assert Alert.objects.count() == 3
        assert inside.connections == 0


# what is merely odd


def test_a_slash_a_form_and_chunks_are_all_the_same(world: World) -> None:
    am, nagios = Monitoring(world), Monitoring(world, "nagios")
    assert am.post(_firing(), path=f"/in/alertmanager/{am.key}/").status_code == 200
    assert am.post(_firing(), content_type="text/plain").status_code == 200
    assert am.post(_firing(), content_type="").status_code == 200
    chunked: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "", "wsgi.input": io.BytesIO(_firing())}
    assert Client().generic("POST", f"/in/alertmanager/{am.key}", b"", JSON, **chunked).status_code == 200
    form = b"host=db1&service=disk&state=CRITICAL&output=98%25+full"
    assert nagios.post(form, content_type="application/x-www-form-urlencoded").status_code == 200
    assert (
        nagios.post(form, content_type="application/x-www-form-urlencoded", path=f"/in/nagios/{nagios.key}/").status_code == 200
    )
    opsgenie = Monitoring(world, "opsgenie")
    for path in ("/v2/alerts", "/v2/alerts/", f"/in/opsgenie/{opsgenie.key}/v2/alerts/"):
        said = opsgenie.post({"message": "x", "alias": "a"}, path=path, headers={"authorization": f"GenieKey {opsgenie.key}"})
        assert said.status_code == 202, path
    for one in (am, nagios, opsgenie):
        one.read()
    assert sorted(Alert.objects.values_list("total", flat=True)) == [2, 3, 4]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "-1"},
        {"content-length": "x"},
        {"content-length": "99999999999999999999"},
        {"content-encoding": "gzip, gzip"},
        {"content-encoding": "\x00"},
        {"content-type": "multipart/form-data"},
        {"content-type": "multipart/form-data; boundary=" + "x" * 5000},
        {"content-type": "application/json; charset=utf-7"},
        {"content-type": "text/xml\x00"},
        {"host": "evil.example"},
        {"x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher"},
        {"x-http-method-override": "DELETE"},
        {"cookie": "allswell=" + "x" * 4000},
        {"expect": "a miracle"},
        {"user-agent": "x\x00y"},
        {"x-request-id": "caf\xe9\x00"},
        {"ce-id": "x" * 8000},
    ],
)
def test_odd_headers_get_an_answer(world: World, headers: dict[str, str]) -> None:
    am = Monitoring(world)
    lengths = {"CONTENT_LENGTH": headers["content-length"]} if "content-length" in headers else {}
    kind = headers.get("content-type", JSON)
    others = {name: value for name, value in headers.items() if name not in ("content-length", "content-type")}
    answer = Client().generic("POST", f"/in/alertmanager/{am.key}", _firing(), kind, headers=others, **lengths)
    assert answer.status_code in (200, 400, 413, 415), answer.status_code
    assert "Set-Cookie" not in answer
    assert "evil.example" not in answer.content.decode()


@pytest.mark.parametrize("odd", ["%00", "%ED%A0%80", "%FF", "%F0%9F%98%80", "%0D%0AX-A:b", "..%2f..%2f", "%E2%80%AE"])
def test_odd_addresses_get_an_answer_and_are_kept_as_text(world: World, odd: str) -> None:
    beats = Monitoring(world, "heartbeat")
    for path in (f"/in/heartbeat/{beats.key}/job{odd}", f"/in/heartbeat/{beats.key}/job?{odd}={odd}&rid={odd}"):
        answer = Client().generic("POST", path, b"", JSON)
        assert answer.status_code in (200, 400, 404), (path, answer.status_code)
        assert "X-A" not in answer
    beats.read()
    assert not RawReport.objects.exclude(error="").exists()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_answered_and_end_nothing(world: World, method: str) -> None:
    am = Monitoring(world)
    am.send(am.fires())
    answer = Client().generic(method, f"/in/alertmanager/{am.key}", b"", JSON)
    assert answer.status_code in (200, 400, 404, 405)
    am.read()
    assert am.alert().state == "firing"


# odd values, through the database

_HUGE = "9" * 4_000


@pytest.mark.parametrize(
    "odd",
    [
        b"NaN",
        b"-Infinity",
        b"1e999",
        _HUGE.encode(),
        b'"\\u0000"',
        b'"\\ud800 \\udfff"',
        b'"\xff\xfe"',
        b'{"\\u0000": "\\ud83d"}',
        b"[" * 60 + b"]" * 60,
        json.dumps("x" * 1_000_000).encode(),
        json.dumps({f"label{n}": n for n in range(100_000)}).encode(),
        json.dumps({"n" * 1_000_000: "v"}).encode(),
        json.dumps(["<!--", "\r\nSubject: x", "' OR 1=1 --", "${jndi:ldap://x}", "%n%s"]).encode(),
    ],
    ids=[
        "nan",
        "infinity",
        "float",
        "number",
        "nul",
        "halves",
        "bytes",
        "name",
        "nested",
        "long",
        "labels",
        "name-long",
        "words",
    ],
)
@pytest.mark.parametrize("place", ["labels", "groupKey", "truncatedAlerts", "startsAt"])
def test_whatever_stands_where_is_answered_and_read_or_refused(world: World, place: str, odd: bytes) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    one: dict[str, Any] = {
        "status": "firing",
        "labels": {"alertname": "Full"},
        "startsAt": "2026-01-05T09:00:00Z",
        "fingerprint": "f",
    }
    message = {"version": "4", "groupKey": "g", "truncatedAlerts": 0, "receiver": "r", "status": "firing", "alerts": [one]}
    (message if place in message and place != "status" else one)[place] = "@@"
    for _ in range(2):
        answer = am.post(json.dumps(message).encode().replace(b'"@@"', odd))
        assert answer.status_code in (200, 400)
    am.read()
    assert not RawReport.objects.exclude(error="").exists()
    assert Alert.objects.count() == (answer.status_code == 200)
    am.send(am.fires("Other"))
    assert am.alert("Other").state == "firing", "nothing behind it waits"


def test_the_key_of_one_source_ends_nothing_of_another(world: World) -> None:
    ours = Monitoring(world, service=world.lookup.pk)
    theirs = Monitoring(world, "grafana", service=world.printing.pk)
    ours.send(ours.fires("Ours"))
    for minutes in (0, 10, 10):
        world.forward(minutes=minutes)
        theirs.send(theirs.fires("Theirs"))
    theirs.send({**ours.is_over("Ours", since=world.now - timedelta(hours=1))}, status="resolved")
    assert ours.alert("Ours").state == "firing"


def test_monitoring_of_another_organization_is_not_there(world: World) -> None:
    am = Monitoring(world, service=world.printing.pk)
    am.send(am.fires())
    program = Program(world, world.oskar)
    number, ticket = Alert.objects.get().pk, Ticket.objects.get().pk
    assert program.get(f"/alerts/{number}").status_code in (403, 404)
    assert str(number) not in [str(one["id"]) for one in program.get("/alerts").json().get("items", [])]
    until = (world.now + timedelta(hours=1)).isoformat()
    words = {"label": "alertname", "operator": "=", "value": "x"}
    for about in ({"ticket": ticket}, {"service": world.printing.pk}, {"matchers": [words]}):
        assert program.post("/silences", reason="x", ends_at=until, **about).status_code in (403, 404, 422), about
    assert Alert.objects.get().silence is None
