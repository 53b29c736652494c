"""Whatever is sent to whichever format: an answer comes, what is reported keeps its limits, and it is the same each time."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.intake.parsers.alerts import mail_pattern, presets
from allswell.intake.parsers.alerts.generic import GUESSED, Mapping
from allswell.intake.parsers.alerts.paths import Path
from allswell.intake.parsers.alerts.reading import instant, json_body, said
from allswell.intake.parsers.alerts.registry import FORMATS, at_vendor_path, key_sent
from allswell.intake.parsers.alerts.shape import (
    REPORTS,
    Accepted,
    Action,
    AlertReport,
    Malformed,
    Refused,
    Request,
    address,
    clean_report,
)
from allswell.intake.parsers.alerts.silences import silences_in
from allswell.kernel import text as texts

from .asking import report, reports, request

CAME = datetime(2026, 11, 23, 1, 12, 24, tzinfo=UTC)
PATHS = [
    "",
    "/v2/enqueue",
    "/v2/change/enqueue",
    "/generic/2010-04-15/create_event.json",
    "/v2/alerts",
    "/v2/alerts/a/close",
    "/v2/alerts/a/notes",
]
PATHS += ["/v2/alerts/requests/x", "/v2/heartbeats/n/ping", "/api/heartbeat", "/KEY/team", "/nightly/3", "/\ud800/fail"]
TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "",
    "é;;=",
]
NAMES = re.findall(
    r"\w+",
    """
version status receiver groupKey alerts labels annotations commonLabels startsAt endsAt fingerprint summary event_action
dedup_key payload source severity custom_details links event_type incident_key description message alias tags details
message_type entity_id alert_uid title state ruleId ruleName evalMatches host service output type heartbeat monitor msg id
eventid eventvalue event_tags specversion subject data essentials alertId monitorCondition alertTargetIDs action event issue
metric_alert Type Message AlarmName NewStateValue Trigger Dimensions SubscribeURL resource environment correlate origin
attachments messages incident event_id time matchers
""",
)
WORDS = [
    "firing",
    "resolved",
    "trigger",
    "resolve",
    "alerting",
    "ok",
    "OK",
    "CRITICAL",
    "Fired",
    "1.0",
    "0",
    "1",
    "2026-11-23T01:00:00Z",
    "critical",
]

texts_of_any_kind = st.one_of(st.sampled_from(WORDS), st.text(alphabet=st.characters(), max_size=12))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts_of_any_kind),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)),
    max_leaves=25,
)
bodies = st.one_of(st.binary(max_size=200), values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))


def keeps_its_limits(one: AlertReport) -> None:
    assert 1 <= len(one.title) <= 255 or one.title == ""
    assert len(one.key) <= 512
    assert len(one.group) <= 512
    assert len(one.text) <= 20_000
    assert len(one.note) <= 20_000
    assert len(one.labels) <= 64
    assert all(len(name) <= 128 and len(value) <= 1_024 for name, value in one.labels.items())
    said_by_it = [
        one.key,
        one.group,
        one.title,
        one.text,
        one.note,
        one.by,
        *one.labels,
        *one.labels.values(),
        *(name for name, _url in one.links),
    ]
    assert all(texts.clean(text) == text for text in said_by_it)
    assert all(url.startswith(("http://", "https://")) or url.lower().startswith("http") for _name, url in one.links)
    for moment in (one.happened_at, one.started_at, one.ended_at, one.lease_until):
        assert moment is None or (moment.tzinfo is not None and 1970 <= moment.year <= 2200)


def answered(kind: str, asked: Request, options: dict[str, Any] | None = None) -> Accepted | Refused:
    found = FORMATS[kind].check(asked, "nonce", options)
    assert found == FORMATS[kind].check(asked, "nonce", options)
    if isinstance(found, Refused):
        assert 400 <= found.status < 500
        assert found.status != 429
        assert found.reason
    else:
        assert found.status in (200, 201, 202)
        assert len(found.reports) <= REPORTS
        for one in found.reports:
            keeps_its_limits(one)
    return found


@given(
    st.sampled_from(sorted(FORMATS)),
    bodies,
    st.sampled_from(PATHS),
    st.sampled_from(TYPES),
    st.sampled_from(["POST", "GET", "PUT", "DELETE"]),
)
def test_anything_is_answered(kind: str, body: bytes, path: str, content_type: str, method: str) -> None:
    headers = {"ce-id": "1", "ce-type": "\ud800"} if len(body) % 2 else {"authorization": f"Basic {content_type}"}
    asked = Request(method=method, path=path, headers=headers, body=body, content_type=content_type, received_at=CAME)
    answered(kind, asked)
    key_sent(kind, asked)


SEEDS: dict[str, Any] = {
    "alertmanager": {
        "alerts": [
            {"status": "firing", "labels": {"a": "b"}, "annotations": {"summary": "s"}, "startsAt": "2026-11-23T01:00:00Z"}
        ]
    },
    "prometheus": [{"labels": {"a": "b"}, "startsAt": "2026-11-23T01:00:00Z", "endsAt": "2026-11-23T01:20:00Z"}],
    "pagerduty": {
        "event_action": "trigger",
        "payload": {"summary": "s", "source": "x", "severity": "error", "custom_details": {"a": 1}},
        "links": [],
    },
    "opsgenie": {"message": "m", "alias": "a", "tags": ["x:y"], "details": {"k": "v"}},
    "victorops": {"message_type": "CRITICAL", "entity_id": "e"},
    "grafana": {"ruleId": 1, "state": "ok", "title": "t", "evalMatches": [{"metric": "m", "value": 1, "tags": {"a": "b"}}]},
    "oncall": {"alert_uid": "u", "title": "t", "state": "ok"},
    "nagios": {"host": "h", "service": "s", "state": "OK", "type": "RECOVERY"},
    "zabbix": {"event_id": "1", "event_value": "1", "event_tags": "[{}]"},
    "uptime-kuma": {
        "heartbeat": {"status": 0, "time": "2026-11-23 01:40:00.000"},
        "monitor": {"id": 7, "tags": [{"name": "a"}]},
        "msg": "m",
    },
    "cloudevents": {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {"a": 1}},
    "sns": {"Type": "Notification", "Message": {"AlarmName": "a", "Trigger": {"Dimensions": [{"name": "n", "value": "v"}]}}},
    "azure": {"data": {"essentials": {"alertId": "a", "monitorCondition": "Fired", "alertTargetIDs": ["x"]}}},
    "sentry": {"action": "triggered", "data": {"event": {"issue_id": "1", "tags": [["a", "b"]]}}},
    "alerta": {"resource": "r", "event": "e", "service": ["s"], "correlate": ["c"], "severity": "ok", "attributes": {}},
    "goalert": {"summary": "s"},
    "apprise": {"title": "t", "message": "m", "type": "failure"},
    "generic": {"id": 1, "title": "t", "tags": ["a"]},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, inner in inside for place in places(inner, (*path, name)))]


def changed(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    if not place:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(value[place[0]], place[1:], other)
    return copy


@given(
    st.sampled_from(sorted(SEEDS)).flatmap(lambda kind: st.tuples(st.just(kind), st.sampled_from(places(SEEDS[kind])))), values
)
def test_any_part_may_be_anything(where: tuple[str, tuple[Any, ...]], other: Any) -> None:
    kind, place = where
    answered(kind, request(changed(SEEDS[kind], place, other), "/v2/alerts" if kind == "opsgenie" else "", received_at=CAME))


@pytest.mark.parametrize("kind", SEEDS)
def test_the_seeds_are_taken(kind: str) -> None:
    assert isinstance(
        answered(kind, request(SEEDS[kind], "/v2/alerts" if kind == "opsgenie" else "", received_at=CAME)), Accepted
    )


BOMBS = {
    "depth": b"[" * 10_000 + b"]" * 10_000,
    "depth of objects": b'{"alerts":' * 10_000 + b"1" + b"}" * 10_000,
    "unfinished": b'{"a":' * 10_000,
    "65 deep": b"[" * 65 + b"]" * 65,
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_depth_is_refused_in_words(kind: str, bomb: str) -> None:
    found = answered(kind, request(BOMBS[bomb], "/v2/alerts" if kind == "opsgenie" else ""))
    if kind != "heartbeat":  # which takes a body for a log
        assert isinstance(found, Refused)
        assert "deeper than 64" in found.reason or kind in ("nagios", "zabbix", "oncall", "goalert", "apprise", "mail-pattern")


def test_depth_is_what_is_nested_and_not_what_is_written_in_texts() -> None:
    deep = "[" * 500 + '\\"' + "{" * 500 + "\\\\"
    assert json_body(f'{{"a": "{deep}", "b": [{"[1]," * 300}1]}}'.encode())["a"].startswith("[[[")
    with pytest.raises(Malformed):
        json_body(f'{{"a": "{deep}", "b": {"[" * 80}{"]" * 80}}}'.encode())


def test_json_that_is_not_quite_json_is_read() -> None:
    assert json_body(b'{"a": NaN, "b": Infinity, "a": 7}') == {"a": 7, "b": None}
    assert json_body(b'"\\ud800"') == "\ud800"
    assert json_body(b"\xef\xbb\xbf[1]") == json_body("[1]".encode("utf-16")) == [1]
    assert json_body(b'{"a": "\xff"}') == {"a": "\ufffd"}
    assert said(json_body(b"1" * 60)) == "a very large number"
    assert json_body(b"1e999") == float("inf")
    assert json_body(b"9" * 6_000) == float("inf")


HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x00\ud800"


@pytest.mark.parametrize("kind", ["alertmanager", "pagerduty", "opsgenie", "generic", "nagios"])
def test_html_is_text_and_nothing_else(kind: str) -> None:
    sent = {
        "alertmanager": {
            "groupKey": HTML,
            "alerts": [{"fingerprint": HTML, "labels": {HTML: HTML}, "annotations": {"summary": HTML, "description": HTML}}],
        },
        "pagerduty": {
            "event_action": "trigger",
            "dedup_key": HTML,
            "payload": {"summary": HTML, "source": HTML, "severity": "error"},
        },
        "opsgenie": {
            "message": HTML,
            "alias": HTML,
            "description": HTML,
            "tags": [HTML],
            "user": HTML,
            "source": "javascript:alert(1)",
        },
        "generic": {"id": HTML, "title": HTML, "text": HTML, "url": f"https://x.example/{HTML}"},
        "nagios": {"host": HTML, "state": "DOWN", "output": HTML, "author": HTML, "comment": HTML, "url": "data:text/html,x"},
    }[kind]
    one = report(kind, sent, "/v2/alerts" if kind == "opsgenie" else "")
    keeps_its_limits(one)
    assert "<script>alert(1)</script>" in one.title
    assert one.links == ()


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT://x",
        "data:text/html,x",
        "//x",
        "https:",
        "http://",
        "https://a b",
        'https://a"onclick=',
        "https://a<b",
        "ftp://x",
        "https://a\nb",
        "https://a\x00b",
        "https://" + "a" * 3000,
        " javascript:https://x",
        "vbscript:x",
        "https://a\\b",
    ],
)
def test_only_addresses_of_the_web_become_links(url: str) -> None:
    assert address(url) == ""
    assert address("https://runbooks.example/a?b=c#d%20e") == "https://runbooks.example/a?b=c#d%20e"


def test_what_is_too_long_is_cut_and_not_refused() -> None:
    one = clean_report(
        Action.FIRE,
        "k" * 513,
        group="g" * 600,
        title="t" * 300,
        text="x" * 50_000,
        labels={"n" * 200 + str(number): "v" * 2_000 for number in range(100)},
        links=[("l" * 500, f"https://x.example/{number}") for number in range(50)],
        by="b" * 999,
    )
    keeps_its_limits(one)
    assert len(one.key) == len(one.group) == 64
    assert one.title.endswith("…")
    assert len(one.links) == 20
    assert clean_report(Action.FIRE, "k" * 513).key == one.key != clean_report(Action.FIRE, "k" * 514).key


def test_keys_that_look_alike_stay_two() -> None:
    keys = ["a", "a\x00", "a\ud800", "a\ud801", "é", "e\u0301", "a "]
    assert len({clean_report(Action.FIRE, key).key for key in keys}) == len(keys)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-23T01:09:22.898192565Z", "2026-11-23T01:09:22.898192+00:00"),
        ("2017-08-03T15:17:37.804-04:00", "2017-08-03T19:17:37.804000+00:00"),
        ("2019-02-15T23:53:45.093+0000", "2019-02-15T23:53:45.093000+00:00"),
        ("2025-02-15 14:59:03.266529825 +0000 UTC", "2025-02-15T14:59:03.266529+00:00"),
        ("2024/08/14 21:28:56 GMT", "2024-08-14T21:28:56+00:00"),
        ("2026-11-23 01:40:00.000", "2026-11-23T01:40:00+00:00"),
        (1795396909, "2026-11-23T01:21:49+00:00"),
        ("1795396909", "2026-11-23T01:21:49+00:00"),
        (1601033007849, "2020-09-25T11:23:27.849000+00:00"),
        ("1712052030123", "2024-04-02T10:00:30.123000+00:00"),
        (1709991285.5, "2024-03-09T13:34:45.500000+00:00"),
    ],
)
def test_instants_as_senders_write_them(written: Any, read: str) -> None:
    found = instant(written)
    assert found is not None
    assert found.astimezone(UTC).isoformat() == read


@pytest.mark.parametrize(
    "written",
    ["0001-01-01T00:00:00Z", 0, "0", None, True, "", "soon", "9999-12-31T23:59:59Z", 1e300, float("nan"), "²", [], "9" * 50, -5],
)
def test_what_is_no_instant_is_none(written: Any) -> None:
    assert instant(written) is None


@given(st.one_of(values, st.text(max_size=80)))
def test_any_value_is_an_instant_or_none_and_has_a_text(value: Any) -> None:
    found = instant(value)
    assert found is None or found.tzinfo is not None
    assert isinstance(said(value), str)


@given(values, bodies)
def test_any_mapping_is_refused_or_reads_anything(mapping: Any, body: bytes) -> None:
    if isinstance(mapping, dict):
        mapping = {"key": "id", **mapping}
    try:
        Mapping(mapping)
    except Malformed:
        return
    answered("generic", request(body), {"mapping": mapping})


@given(st.text(alphabet='ab.*[]"=|$@-10', max_size=25), values)
def test_any_path_is_refused_or_walked(path: str, value: Any) -> None:
    try:
        walked = Path(path)
    except Malformed:
        return
    walked.all_in(value, value)


@given(st.text(max_size=80), st.text(max_size=40), st.lists(st.text(alphabet="ab{}*[]: ", max_size=20), max_size=3))
def test_any_mail_is_an_alert_or_none(subject: str, sender: str, patterns: list[str]) -> None:
    try:
        found = mail_pattern.report_of(subject, sender, "x", None, {"subjects": patterns, "senders": [sender]})
    except Malformed:
        return
    if found is not None:
        keeps_its_limits(found)


@given(
    st.text(max_size=300), st.text(max_size=80), st.lists(st.text(alphabet="ab{}*[]:\n ", max_size=30), max_size=3), st.binary()
)
def test_any_patterns_are_refused_or_read_any_text(text: str, subject: str, patterns: list[str], body: bytes) -> None:
    try:
        mail_pattern.judge({"patterns": patterns})
    except Malformed:
        return
    found = mail_pattern.report_of(subject, "a@b.example", text, None, {"patterns": patterns})
    if found is not None:
        keeps_its_limits(found)
    answered("mail-pattern", request(body), {"patterns": patterns})


def test_a_long_mail_is_looked_at_line_by_line_only() -> None:
    pattern = "a" * 200 + "{x}" + "a" * 90
    wide = "\n".join(["a" * 1_000] * 1_000)
    found = mail_pattern.report_of("s", "", wide, None, {"patterns": [f"s\n{pattern}b", "s"]})
    assert found is not None  # the second: no line ends with b
    assert "x" not in found.labels
    late = "\n".join(["-"] * mail_pattern.LOOKED_AT + ["Job: 1"])
    assert mail_pattern.report_of("s", "", late, None, {"patterns": ["s\nJob: {job}"]}) is None


@given(bodies, st.text(max_size=60))
def test_silences_and_paths_of_vendors(body: bytes, path: str) -> None:
    at_vendor_path(path)
    try:
        silences_in(body)
    except Malformed:
        return


def test_patterns_take_no_longer_than_the_subject_is_long() -> None:
    pattern = "".join(f"{{a{number}}}x" for number in range(12))
    assert mail_pattern.fitted(pattern, "x" * 5_000 + "y") is None
    assert reports("slack", {"attachments": [{"title": "[" * 50_000}]})
    assert reports("goalert", {"summary": "[" + "a" * 100_000})
    assert presets.PRESETS
    assert Mapping(GUESSED)
