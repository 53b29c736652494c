"""Mappings that people write, the paths in them, and the patterns of mails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from allswell.intake.parsers.alerts import mail_pattern, presets
from allswell.intake.parsers.alerts.generic import Mapping
from allswell.intake.parsers.alerts.paths import Path
from allswell.intake.parsers.alerts.registry import FORMATS, judge
from allswell.intake.parsers.alerts.shape import Action, AlertReport, Malformed, Severity
from allswell.intake.parsers.alerts.titles import said_in, without_state

from .asking import refused, report, reports

MESSAGE = {
    "state": "open",
    "service.name": "shop",
    "alerts": [{"labels": {"host": "a", "n": 0}}, {"labels": {"host": "b"}}],
    "fields": [{"key": "severity", "value": "low"}, {"key": "team", "value": "web"}],
    "deep": [[1, 2], [3]],
    "empty": "",
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("state", ["open"]),
        ("$.state", ["open"]),
        ("alerts[0].labels.host", ["a"]),
        ("alerts[-1].labels.host", ["b"]),
        ("alerts[7].labels.host", []),
        ("alerts[*].labels.host", ["a", "b"]),
        ("alerts.*.labels.host", ["a", "b"]),
        ("fields[key=team].value", ["web"]),
        ('"service.name"', ["shop"]),
        ("deep[*][0]", [1, 3]),
        ("alerts[0].labels.*", ["a", 0]),
        ("missing|empty|none|state", ["open"]),
        ("state.x", []),
        ("alerts.labels", []),
    ],
)
def test_a_path_finds(path: str, found: list[Any]) -> None:
    assert Path(path).all_in(MESSAGE, MESSAGE) == found


def test_inside_of_a_list_a_path_starts_at_the_entry_or_at_the_top() -> None:
    entry = MESSAGE["alerts"][0]  # type: ignore[index]
    assert Path("labels.host").first_in(entry, MESSAGE) == "a"
    assert Path("$.state").first_in(entry, MESSAGE) == "open"
    assert Path("@").first_in(entry, MESSAGE) is entry


@pytest.mark.parametrize("path", ["", "a|", "a..b", "a[", "a]b", 'a"', "a[x]", "." * 30, "a." * 30, "x" * 500])
def test_a_path_that_means_nothing_is_refused(path: str) -> None:
    with pytest.raises(Malformed):
        Path(path)


MAPPING = {
    "each": "alerts[*]",
    "key": ["$.source", "labels.host", "check"],
    "group": "$.source",
    "title": ["check", "labels.host"],
    "action": {"path": "state", "words": {"BAD": "fire", "GOOD": "resolve", "seen-*": "acknowledge"}, "else": "note"},
    "severity": {"path": "level", "words": {"17": "critical"}, "else": "warning"},
    "labels": {"place": "$.site"},
    "labels_of": ["labels"],
    "links": {"Graph": "graph"},
    "started_at": "since",
    "is_test": "dry",
}


def mapped(**alert: Any) -> AlertReport:
    alert = {"labels": {"host": "db1"}, "check": "disk", **alert}
    return report("generic", {"source": "nms", "site": "Graz", "alerts": [alert]}, options={"mapping": MAPPING})


def test_a_mapping_reads_what_it_says() -> None:
    one = mapped(state="BAD", level=17, graph="https://graphs.example/1", since=1795396909)
    assert (one.action, one.key, one.group, one.title) == (Action.FIRE, "nms/db1/disk", "nms", "disk db1")
    assert (one.severity, one.labels, one.links) == (
        Severity.CRITICAL,
        {"host": "db1", "place": "Graz"},
        (("Graph", "https://graphs.example/1"),),
    )
    assert one.started_at == one.happened_at == datetime.fromtimestamp(1795396909, UTC)


def test_words_of_the_sender_become_ours() -> None:
    said = {
        "GOOD": Action.RESOLVE,
        "good": Action.RESOLVE,
        "seen-by-ada": Action.ACKNOWLEDGE,
        "odd": Action.NOTE,
        "resolved": Action.RESOLVE,
    }
    assert {word: mapped(state=word).action for word in said} == said
    assert [mapped(level=level).severity for level in ("critical", "odd", None)] == [
        Severity.CRITICAL,
        Severity.WARNING,
        Severity.WARNING,
    ]
    assert mapped(dry="yes").is_test


def test_without_a_mapping_the_usual_names_are_tried() -> None:
    one = report(
        "generic",
        {"id": 7, "title": "disk full", "status": "resolved", "severity": "warning", "url": "https://x.example/7", "host": "db1"},
    )
    assert (one.action, one.key, one.title, one.severity) == (Action.RESOLVE, "7", "disk full", Severity.WARNING)
    assert (one.labels["host"], one.links) == ("db1", (("Source", "https://x.example/7"),))
    form = report("generic", "title=disk+full&state=ok", kind="application/x-www-form-urlencoded")
    assert (form.action, form.title) == (Action.RESOLVE, "disk full")


def test_what_no_mapping_finds_a_key_for_is_an_alert_of_its_own() -> None:
    first, second = reports("generic", [{"x": 1}, {"x": 1}], options={"mapping": {"each": "[*]", "key": "nothing", "text": "x"}})
    assert first.key != second.key
    assert "Nothing that the mapping" in refused("generic", {"x": 1}).reason
    assert reports("generic", [], options={"mapping": {"each": "[*]", "key": "x"}}) == ()


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ([], "object"),
        ({}, "key"),
        ({"key": "a", "colour": "b"}, "colour"),
        ({"key": "a..b"}, "key"),
        ({"key": 7}, "text"),
        ({"key": "a", "action": {"path": "a", "worte": {}}}, "worte"),
        ({"key": "a", "action": {"path": "a", "words": []}}, "words"),
        ({"key": "a", "labels": []}, "labels"),
        ({"key": ["a"] * 30}, "20"),
    ],
)
def test_a_mapping_that_cannot_be_is_told_so(mapping: Any, word: str) -> None:
    with pytest.raises(Malformed, match=word):
        Mapping(mapping)


def test_the_settings_of_a_source_are_judged_before_they_are_kept() -> None:
    for kind, good in [
        ("generic", MAPPING),
        ("generic", {"mapping": MAPPING}),
        ("heartbeat", {"every_s": 60}),
        ("cloudevents", {"types": {"a.*": "fire"}}),
    ]:
        judge(kind, good)
    for kind in ("generic", "pingdom", "heartbeat", "cloudevents", "nagios"):
        judge(kind, {})
        with pytest.raises(Malformed):
            judge(kind, {"colour": "red"})
    for kind, bad in [
        ("heartbeat", {"every_s": "soon"}),
        ("heartbeat", {"every_s": 0}),
        ("cloudevents", {"types": {"a": "explode"}}),
    ]:
        with pytest.raises(Malformed):
            judge(kind, bad)


def test_the_settings_of_a_source_may_be_the_mapping_itself() -> None:
    sent = {"n": "disk", "s": "good"}
    for options in ({"key": "n", "action": "s"}, {"mapping": {"key": "n", "action": "s"}}):
        assert report("generic", sent, options=options).key == "disk"
        assert report("pingdom", sent, options=options).key == "disk"


def test_a_source_with_a_bad_mapping_refuses_instead_of_losing() -> None:
    assert refused("generic", "7").status == 400
    assert refused("generic", "not json").status == 400


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_is_a_format_with_a_title(name: str) -> None:
    assert Mapping(presets.PRESETS[name]).texts.keys() >= {"key", "title"}
    assert FORMATS[name].title == presets.TITLES[name]


@pytest.mark.parametrize(
    ("title", "action", "left"),
    [
        ("[FIRING:2] HighLatency billing", Action.FIRE, "highlatency billing"),
        ("[RESOLVED] HighLatency billing", Action.RESOLVE, "highlatency billing"),
        ("[Alerting] CPU alert", Action.FIRE, "cpu alert"),
        ("[OK] CPU alert", Action.RESOLVE, "cpu alert"),
        ("Shop is down", Action.FIRE, "shop"),
        ("Shop is up", Action.RESOLVE, "shop"),
        ("PROBLEM: db1 unreachable", Action.FIRE, "db1 unreachable"),
        ("Recovery: db1 unreachable", Action.RESOLVE, "db1 unreachable"),
        ("Nothing special", None, "nothing special"),
        ("", None, ""),
    ],
)
def test_a_title_and_its_state(title: str, action: Action | None, left: str) -> None:
    assert (said_in(title), without_state(title)) == (action, left)


NAGIOS = "** {kind} Service Alert: {host}/{service} is {state} **"


def mail(subject: str, sender: str = "nagios@example.org", **options: Any) -> AlertReport | None:
    return mail_pattern.report_of(subject, sender, "text", None, options)


def test_a_mail_is_an_alert_by_a_pattern() -> None:
    patterns = {"subjects": ["[{state}:{count}] {key} ({severity})", "[{state}] {key} ({severity})"]}
    begun, ended = (
        mail("[FIRING:2] HighLatency billing (critical)", **patterns),
        mail("[RESOLVED] HighLatency billing (critical)", **patterns),
    )
    assert begun is not None
    assert ended is not None
    assert (begun.action, begun.key, begun.severity) == (Action.FIRE, "HighLatency billing", Severity.CRITICAL)
    assert (ended.action, ended.key) == (Action.RESOLVE, begun.key)
    service = mail("** PROBLEM Service Alert: db1/disk is KAPUTT **", subjects=[NAGIOS], words={"kaputt": "fire"})
    assert service is not None
    assert service.labels == {"kind": "PROBLEM", "host": "db1", "service": "disk"}
    assert mail("Lunch?", **patterns) is None


def test_a_mail_without_a_pattern_is_one_when_its_subject_says_so() -> None:
    found = mail("RECOVERY: db1 is unreachable")
    assert found is not None
    assert found.action is Action.RESOLVE
    assert mail("Minutes of the meeting") is None


def test_only_the_senders_of_the_settings_are_monitoring() -> None:
    assert mail("[DOWN] x", senders=["*@monitoring.example"]) is None
    assert mail("[DOWN] x", "a@monitoring.example", senders=["*@monitoring.example"]) is not None


def test_a_pattern_with_two_holes_side_by_side_is_refused() -> None:
    with pytest.raises(Malformed):
        mail_pattern.fitted("{a}{b}", "x")
    assert mail_pattern.fitted("a{*}b", "ab") == {}
    assert mail_pattern.fitted("a {x} b", "a b") is None
    assert mail_pattern.fitted("same", "same") == {}
    assert mail_pattern.fitted("same", "same thing") is None
