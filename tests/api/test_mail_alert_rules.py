"""Rules that take a mail for an alert, over the API: which source reads it, who may say so, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk.alerts import sources
from allswell.engine.alerts import Alerts
from allswell.intake.models import Alert, AlertSource, MailRule
from allswell.people.models import Person, RoleGrant
from allswell.tickets.models import Ticket
from tests.support.post import Post
from tests.support.program import Program
from tests.support.world import START, World

PATTERN = {"patterns": ["[{state}] {host}: {summary}"], "key": ["host"]}


@pytest.fixture
def ada(world: World) -> Program:
    return Program(world, world.ada)


@pytest.fixture
def source(world: World) -> AlertSource:
    row, _key = sources.create(
        name="Backups", kind="mail-pattern", service=world.ledger.pk, mapping=PATTERN, **world.by(world.ada)
    )
    return row


def _alert(source: Any) -> dict[str, Any]:
    return {"senders": ["tools.example"], "act": "alert", "source": source}


def _refused(answer: Any, field: str) -> None:
    assert answer.status_code == 422, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in [error["field"].rpartition(".")[2] for error in answer.json()["errors"]], answer.json()


def test_a_rule_of_the_api_turns_the_mail_of_a_tool_into_an_alert(world: World, ada: Program, source: AlertSource) -> None:
    post = Post(world, unknown_senders="hold")
    made = ada.post("/mail-rules", name="Backups", mailbox=post.mailbox.pk, definition=_alert(source.pk))
    assert (made.status_code, made.json()["definition"]) == (201, _alert(source.pk))
    assert ada.get(f"/mail-rules/{made.json()['id']}").json()["definition"] == _alert(source.pk)
    mail = post.mail("backup@tools.example", subject="[FAILED] db1: nightly backup", more="Auto-Submitted: auto-generated\n")
    assert mail.reason == "alert"
    Alerts(now=lambda: world.now).tick(world.now)
    assert (Alert.objects.get().labels["host"], Ticket.objects.get().service_id) == ("db1", world.ledger.pk)
    assert ada.get("/mail-rules").json()[0]["fits_count"] == 1


def test_a_rule_becomes_one_about_alerts_and_another_source_reads_them(world: World, ada: Program, source: AlertSource) -> None:
    other, _key = sources.create(name="Cron", kind="mail-pattern", mapping=PATTERN, **world.by(world.ada))
    one = f"/mail-rules/{ada.post('/mail-rules', name='Tools', definition={'senders': ['tools.example'], 'act': 'hold'}).json()['id']}"
    for given in (source.pk, other.pk):
        changed = ada.patch(one, definition=_alert(given))
        assert (changed.status_code, changed.json()["definition"]) == (200, _alert(given))
    assert ada.patch(one, name="Cron").json()["definition"] == _alert(other.pk), "what is left out stays"
    back = ada.patch(one, definition={"senders": ["tools.example"], "act": "ignore"}).json()
    assert back["definition"] == {"senders": ["tools.example"], "act": "ignore"}


def test_a_source_that_was_switched_off_meanwhile_stays_named_and_no_new_rule_needs_it_on(
    world: World, ada: Program, source: AlertSource
) -> None:
    one = f"/mail-rules/{ada.post('/mail-rules', name='Tools', definition=_alert(source.pk)).json()['id']}"
    sources.switch(source.pk, is_active=False, **world.by(world.ada))
    assert ada.patch(one, definition=_alert(source.pk) | {"words": ["backup"]}).status_code == 200
    assert Post(world).mail("backup@tools.example", subject="[FAILED] db1: backup").reason == "no_source"


@pytest.mark.parametrize("wrong", [None, 0, -1, 4_000, 10**30, "1", 1.5, True, [1], {"id": 1}])
def test_a_source_that_is_none_is_refused(world: World, ada: Program, source: AlertSource, wrong: Any) -> None:
    right = ada.post("/mail-rules", name="Tools", definition=_alert(source.pk)).json()["id"]
    _refused(ada.post("/mail-rules", name="X", definition=_alert(wrong)), "source")
    _refused(ada.patch(f"/mail-rules/{right}", definition=_alert(wrong)), "source")
    _refused(ada.post("/mail-rules/try", definition=_alert(wrong)), "source")
    assert MailRule.objects.get().definition == _alert(source.pk)


@pytest.mark.parametrize("wrong", ["Alert", "alerts", "", None, 1])
def test_an_act_that_is_none_is_refused(world: World, ada: Program, source: AlertSource, wrong: Any) -> None:
    _refused(ada.post("/mail-rules", name="X", definition=_alert(source.pk) | {"act": wrong}), "act")
    assert not MailRule.objects.exists()


def test_a_source_of_another_kind_reads_no_mail(world: World, ada: Program) -> None:
    zabbix, _key = sources.create(name="Zabbix", kind="zabbix", **world.by(world.ada))
    _refused(ada.post("/mail-rules", name="X", definition=_alert(zabbix.pk)), "source")
    assert not MailRule.objects.exists()


def _administrator_of_the_other(world: World) -> Person:
    RoleGrant.objects.filter(person=world.oskar).delete()
    RoleGrant.objects.create(
        person=world.oskar, role="administrator", scope="organization", organization=world.other, granted_at=START
    )
    return world.oskar


@pytest.mark.parametrize("name", ["maria", "jonas", "olga", "audrey", "otto", "oskar", "administrator of another organization"])
def test_nobody_else_says_what_is_an_alert(world: World, ada: Program, source: AlertSource, name: str) -> None:
    one = f"/mail-rules/{ada.post('/mail-rules', name='Tools', definition=_alert(source.pk)).json()['id']}"
    person = _administrator_of_the_other(world) if " " in name else getattr(world, name)
    program = Program(world, person)
    for answer in (
        program.post("/mail-rules", name="Mine", definition=_alert(source.pk)),
        program.patch(one, definition={"act": "ignore"}),
        program.call("DELETE", one),
    ):
        assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")
    if name != "audrey":
        assert {program.get(path).status_code for path in ("/mail-rules", one)} == {403}
        assert "Tools" not in program.get(one).content.decode()
    assert MailRule.objects.get().definition == _alert(source.pk)


def test_a_token_that_may_only_read_tickets_writes_no_rule(world: World, source: AlertSource) -> None:
    program = Program(world, world.ada, "tickets:read")
    answer = program.post("/mail-rules", name="X", definition=_alert(source.pk))
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")
    assert not MailRule.objects.exists()
