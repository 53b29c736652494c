"""The dry run of a payload says what happens when the same comes for good, and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.desk import tickets as desk
from allswell.desk.alerts import trying
from allswell.desk.alerts.trying import Payload, Tried
from allswell.intake.models import Alert, AlertRule, RawReport, Silence
from allswell.intake.rules.routing import Basis
from allswell.kernel.errors import Invalid, NotAllowed
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


@contextmanager
def nothing_written() -> Iterator[None]:
    """Within it no row of any table is written: by the statements that were sent, and by what is there afterwards."""
    tables = [
        model for model in apps.get_models() if model._meta.app_label in ("intake", "tickets", "journal", "incidents", "oncall")
    ]
    before = [model._default_manager.count() for model in tables]
    with CaptureQueriesContext(connection) as sent:
        yield
    assert not [one["sql"] for one in sent if one["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert [model._default_manager.count() for model in tables] == before


def webhook(*alerts: dict[str, Any], status: str = "firing", group: str = "g1") -> bytes:
    """What Alertmanager would send."""
    return json.dumps({"version": "4", "groupKey": group, "status": status, "alerts": alerts}).encode()


def tried(am: Monitoring, *alerts: dict[str, Any], **more: Any) -> Tried:
    """What would happen if these came now."""
    with nothing_written():
        by = am.world.by(am.world.audrey)
        return trying.tried(am.source.pk, Payload(webhook(*alerts, **more)), **by)


def test_a_dry_run_says_what_then_happens(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    found = tried(am, am.fires("A", host="web1"), am.fires("B", host="web2"), am.fires("C", severity="info"))
    assert (found.status, found.refusal, found.incidents) == (200, "", 1)
    assert [(one.report.key, one.change, one.place.how) for one in found.told if one.place] == [
        (am.fires("A", host="web1")["fingerprint"], "fires", "opened"),
        (am.fires("B", host="web2")["fingerprint"], "fires", "opened"),
        (am.fires("C", severity="info")["fingerprint"], "fires", "recorded"),
    ]
    first = found.told[0]
    assert first.place is not None
    assert (first.service, first.place.basis, first.place.team) == (world.lookup.name, Basis.SERVICE, world.lookup.team.name)
    am.send(am.fires("A", host="web1"), am.fires("B", host="web2"), am.fires("C", severity="info"))
    ticket = Ticket.objects.get()
    assert ticket.priority == first.place.priority
    assert set(Alert.objects.values_list("ticket", flat=True)) == {ticket.pk, None}


def test_what_fires_already_and_what_is_over_is_said(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    began = world.now
    am.send(am.fires("A"), am.fires("B"))
    ticket = Ticket.objects.get()
    world.forward(minutes=5)
    found = tried(am, am.fires("A", since=began), am.fires("D"), am.is_over("B", since=began))
    changes = {one.report.title.split()[0]: one for one in found.told}
    assert {name: one.change for name, one in changes.items()} == {"A": "repeated", "D": "fires", "B": "over"}
    joined = changes["D"].place
    assert joined is not None
    assert (joined.how, joined.ticket) == ("attached", ticket)
    assert changes["B"].ending is None  # A fires still
    ended = tried(am, am.is_over("A", since=began), status="resolved")
    assert {one.report.title.split()[0]: (one.change, one.ending) for one in ended.told} == {
        "A": ("over", "resolve"),
        "B": ("over", "resolve"),
    }, "the whole group is over"
    am.send(am.is_over("A", since=began), status="resolved")
    ticket.refresh_from_db()
    assert ticket.state == "resolved"
    world.forward(minutes=5)
    again = tried(am, am.fires("A"))
    assert again.told[0].place is not None
    assert (again.told[0].place.how, again.told[0].place.ticket) == ("reopened", ticket)
    assert tried(am, am.is_over("Never", since=began)).told[0].change == "ignored"


def test_rules_and_silences_say_why(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    common = {"created_at": world.now, "changed_at": world.now}
    AlertRule.objects.create(
        name="Databases", position=1, definition={"matchers": [{"label": "tier", "operator": "=", "value": "db"}]}, **common
    )
    shown = AlertRule.objects.create(name="All else", position=2, definition={"act": "record"}, **common)
    one = tried(am, am.fires("A")).told[0]
    assert one.rule is not None
    assert one.place is not None
    assert (one.rule.number, one.place.how) == (shown.pk, "recorded")
    assert [(rule.name, str(why)) for rule, why in one.passed] == [("Databases", 'tier = "db"')]
    Silence.objects.create(
        service=world.lookup, reason="We know", starts_at=world.now, ends_at=world.now.replace(year=2030), created_at=world.now
    )
    one = tried(am, am.fires("A", tier="db")).told[0]
    assert one.held is not None
    assert one.place is not None
    assert (one.held.kind, one.held.words, one.place.how) == ("silence", "We know", "silenced")


def test_what_would_be_refused_is_refused_in_the_senders_words(world: World) -> None:
    am = Monitoring(world)
    with nothing_written():
        found = trying.tried(am.source.pk, Payload(b"{not json"), **world.by(world.ada))
    assert (found.status, found.told) == (400, ())
    assert found.refusal
    sent = am.post(b"{not json")
    assert (sent.status_code, sent.content.decode()) == (found.status, found.body)
    with pytest.raises(Invalid):
        trying.tried(am.source.pk, Payload(b"x" * (trying.MOST_BYTES + 1)), **world.by(world.ada))
    with pytest.raises(NotAllowed):
        trying.tried(am.source.pk, Payload(b"{}"), **world.by(world.jonas))


def test_a_mapping_is_tried_before_it_is_kept(world: World) -> None:
    tool = Monitoring(world, "generic", mapping={"key": "id", "title": "name"})
    body = Payload(b'{"nr": 7, "what": "disk full"}')
    by = world.by(world.ada)
    assert trying.tried(tool.source.pk, body, **by).status == 400
    with nothing_written():
        found = trying.tried(tool.source.pk, body, mapping={"key": "nr", "title": "what"}, **by)
    assert [(one.report.key, one.report.title) for one in found.told] == [("7", "disk full")]
    with pytest.raises(Invalid, match="colour") as refused:
        trying.tried(tool.source.pk, body, mapping={"key": "nr", "colour": "red"}, **by)
    assert refused.value.field == "mapping"


def test_the_last_request_is_taken_as_it_came(world: World) -> None:
    am, other = Monitoring(world), Monitoring(world, "generic", mapping={"key": "id"})
    by = world.by(world.ada)
    assert trying.last_payload(am.source.pk, actor=by["actor"]) is None
    am.send(am.fires("A"))
    other.post({"id": "x"})
    last = trying.last_payload(am.source.pk, actor=by["actor"])
    assert last is not None
    assert json.loads(last.body)["alerts"][0]["labels"]["alertname"] == "A"
    world.forward(minutes=1)
    assert [one.change for one in trying.tried(am.source.pk, last, **by).told] == ["repeated"]
    assert RawReport.objects.filter(handled_at=None).count() == 1


def test_an_incident_that_one_may_not_see_is_not_named(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires("A"))
    ticket = Ticket.objects.get()
    desk.restrict(ticket.pk, **world.by(world.lena))
    body = Payload(webhook(am.fires("B")))
    place = trying.tried(am.source.pk, body, **world.by(world.ada)).told[0].place
    assert place is not None
    assert (place.how, place.ticket) == ("attached", None)
