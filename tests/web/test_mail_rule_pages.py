"""Rules of mail in the set-up: a list in their order, a form for the whole of one, and a try on what came."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from allswell.desk.alerts import sources
from allswell.intake.models import InboundMessage, MailRule
from tests.support.boxes import a_mailbox
from tests.support.world import World
from tests.web.test_abuse import EVIL, assert_inert

Browser = Callable[..., Client]
PLACE = "/setup/mail-rules"
#: as a browser sends the form
SENT = {
    "name": "Ledger",
    "mailbox": "",
    "senders": "@bank.example\r\nanna@example.org, ",
    "words": "Ledger is slow\r\n\r\nbooking",
    "plus": "+HR",
    "header": "X-Priority:",
    "header_says": "1",
    "act": "take",
    "kind": "request",
    "service": "",
    "team": "",
    "category": "",
    "impact": "2",
    "urgency": "",
    "do": "save",
}
ANY = {"name": "All", "act": "take"}


def came(world: World, subject: str, **more: object) -> InboundMessage:
    """A mail that came, and opened a ticket."""
    values = {
        "received_at": world.now,
        "size": 1,
        "digest": subject[:60],
        "state": "taken",
        "sender": "maria@example.org",
        **more,
    }
    return InboundMessage.objects.create(subject=subject, **values)


def test_a_rule_is_written_read_and_changed(world: World, browser: Browser) -> None:
    ada, box = browser(world.ada), a_mailbox(world)[0]
    assert "There is no rule of yours yet" in ada.get(PLACE).content.decode()
    sent = {**SENT, "mailbox": box.pk, "team": world.dba_team.pk, "service": world.lookup.pk}
    assert ada.post(f"{PLACE}/new", sent).status_code == 303
    row = MailRule.objects.get()
    assert (row.name, row.mailbox, row.definition) == (
        "Ledger",
        box,
        {
            "senders": ["bank.example", "anna@example.org"],
            "words": ["ledger is slow", "booking"],
            "plus": "hr",
            "header": "x-priority",
            "header_says": "1",
            "act": "take",
            "service": world.lookup.pk,
            "team": world.dba_team.pk,
            "kind": "request",
            "impact": 2,
        },
    )
    listed = ada.get(PLACE).content.decode()
    for words in (f"to {box.name}", "from bank.example, anna@example.org", "“ledger is slow” or “booking”", "+hr", "x-priority"):
        assert words in listed
    form = ada.get(f"{PLACE}/{row.pk}").content.decode()
    assert "bank.example\nanna@example.org</textarea>" in form
    seen = form.split('name="seen" value="')[1].split('"')[0].replace("&#43;", "+")
    assert ada.post(f"{PLACE}/{row.pk}", {**SENT, "name": "Books", "seen": seen}).status_code == 303
    stale = ada.post(f"{PLACE}/{row.pk}", {**SENT, "name": "Late", "seen": "2001-01-01"})
    assert (stale.status_code, "Somebody else changed this rule" in stale.content.decode()) == (422, True)
    row.refresh_from_db()
    assert (row.name, row.mailbox) == ("Books", None)


@pytest.mark.parametrize("do", ["save", "try"])
def test_what_was_typed_stays_where_something_is_wrong(world: World, browser: Browser, do: str) -> None:
    ada = browser(world.ada)
    for wrong, field in (
        ({"words": "x" * 201}, "words"),
        ({"senders": " ".join(f"a{n}.example" for n in range(51))}, "senders"),
        ({"header": ""}, "header"),
        ({"act": "explode"}, "act"),
        ({"kind": "problem"}, "kind"),
        ({"impact": "5"}, "impact"),
        ({"urgency": "high"}, "urgency"),
        ({"mailbox": "999999999"}, "mailbox"),
        ({"service": "999999999"}, "service"),
        ({"team": "999999999"}, "team"),
        ({"category": "999999999"}, "category"),
    ):
        answer = ada.post(f"{PLACE}/new", {**SENT, **wrong, "do": do})
        text = answer.content.decode()
        assert (answer.status_code, f'id="{field}-error"' in text) == (422, True), wrong
        assert 'value="Ledger"' in text
    assert ada.post(f"{PLACE}/new", {**SENT, "name": ""}).status_code == 422
    assert not MailRule.objects.exists()


def test_a_rule_is_tried_on_what_came(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    assert "No mail has come in yet." in ada.post(f"{PLACE}/new", {**ANY, "do": "try"}).content.decode()
    box = a_mailbox(world, service=world.lookup.pk, ticket_kind="request")[0]
    came(world, "Chair wanted", mailbox=box)
    came(world, "Chair broken", envelope_to=["support+hr@example.org"])
    came(world, "Out of office: Chair", state="ignored", reason="auto_reply")
    came(world, "Nothing else")
    text = ada.post(f"{PLACE}/new", {**ANY, "words": "chair", "team": world.dba_team.pk, "do": "try"}).content.decode()
    assert "2 of the last 4 mails fit." in text
    assert f"A request · {world.lookup.name} · {world.dba_team.name}" in text
    assert f"An incident · {world.dba_team.name}" in text
    assert "Out of office" not in text
    assert "waits for a decision" in ada.post(f"{PLACE}/new", {"plus": "hr", "act": "hold", "do": "try"}).content.decode()
    assert "headers are not kept: what it fits" in ada.post(f"{PLACE}/new", {**ANY, "header": "x", "do": "try"}).content.decode()
    assert not MailRule.objects.exists()


def test_a_try_says_which_rule_decides_before(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    came(world, "Chair wanted")
    ada.post(f"{PLACE}/new", {**ANY, "name": "Furniture", "words": "chair"})
    ada.post(f"{PLACE}/new", {**ANY, "name": "Later"})
    first, second = MailRule.objects.order_by("position")
    said = "Furniture is asked before it and decides"
    assert said in ada.post(f"{PLACE}/new", {**ANY, "do": "try"}).content.decode()
    assert said in ada.post(f"{PLACE}/{second.pk}", {**ANY, "do": "try"}).content.decode()
    assert said not in ada.post(f"{PLACE}/{first.pk}", {**ANY, "do": "try"}).content.decode()
    ada.post(f"{PLACE}/{first.pk}/deactivate")
    assert said not in ada.post(f"{PLACE}/{second.pk}", {**ANY, "do": "try"}).content.decode()
    assert list(MailRule.objects.values_list("fits_count", flat=True)) == [0, 0]


def test_rules_are_moved_switched_and_forgotten(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    for name in ("One", "Two"):
        ada.post(f"{PLACE}/new", {**SENT, "name": name})
    one, two = MailRule.objects.order_by("position")
    ada.post(f"{PLACE}/{two.pk}/earlier")
    assert [row.name for row in MailRule.objects.order_by("position")] == ["Two", "One"]
    ada.post(f"{PLACE}/{two.pk}/later")
    assert [row.name for row in MailRule.objects.order_by("position")] == ["One", "Two"]
    answer = ada.post(f"{PLACE}/{one.pk}/deactivate", follow=True).content.decode()
    assert f'action="{PLACE}/{one.pk}/activate"' in answer
    ada.post(f"{PLACE}/{one.pk}/activate")
    assert MailRule.objects.get(pk=one.pk).is_active
    ada.post(f"{PLACE}/{one.pk}/remove")
    assert [row.pk for row in MailRule.objects.all()] == [two.pk]
    assert ada.post(f"{PLACE}/{one.pk}/earlier").status_code == 404
    assert ada.get(f"{PLACE}/{one.pk}").status_code == 404


def test_auditors_read_rules(world: World, browser: Browser) -> None:
    browser(world.ada).post(f"{PLACE}/new", SENT)
    audrey = browser(world.audrey)
    text = audrey.get(f"{PLACE}/{MailRule.objects.get().pk}").content.decode()
    assert "You may look at this, not change it." in text
    assert "Forget this rule" not in text
    assert audrey.post(f"{PLACE}/new", {**SENT, "do": "try"}).status_code == 403


@pytest.mark.parametrize("evil", EVIL)
def test_markup_in_rules_and_in_the_mails_they_fit_never_runs(world: World, browser: Browser, evil: str) -> None:
    ada, word = browser(world.ada), evil[:60]
    came(world, word, sender=f"{word}@x.example")
    sent = {**ANY, "name": word, "words": word, "plus": word, "header": word, "header_says": word}
    assert ada.post(f"{PLACE}/new", sent).status_code == 303
    ada.post(f"{PLACE}/new", {**ANY, "name": word})
    rule = MailRule.objects.order_by("position")[1]
    for answer in (
        ada.get(PLACE),
        ada.get(f"{PLACE}/{rule.pk}"),
        ada.post(f"{PLACE}/{rule.pk}", {**ANY, "name": word, "do": "try"}),
        ada.post(f"{PLACE}/new", {**sent, "mailbox": word}),
    ):
        assert answer.status_code in (200, 422)
        assert_inert(answer.content.decode(), PLACE)


def test_a_rule_takes_mail_for_alerts_and_its_patterns_are_tried_on_a_pasted_mail(world: World, browser: Browser) -> None:
    ada, by = browser(world.ada), world.by(world.ada)
    source, _key = sources.create(name="Backups", kind="mail-pattern", **by)
    place = f"/setup/alert-sources/{source.pk}/try"
    assert "Patterns" in ada.get(place).content.decode()
    mapping = '{"patterns": ["[{state}] {host}: {summary}"], "key": ["host"]}'
    tried = ada.post(place, {"mapping": mapping, "sample": "[FAILED] db1: nightly\n\nHello", "do": "try"}).content.decode()
    assert "nightly" in tried
    assert "Fires" in tried
    assert ada.post(place, {"mapping": mapping, "sample": "", "do": "save"}).status_code == 303
    assert ada.post(f"{PLACE}/new", {**ANY, "act": "alert"}).status_code == 422
    assert ada.post(f"{PLACE}/new", {**ANY, "act": "alert", "source": source.pk}).status_code == 303
    row = MailRule.objects.get()
    assert (row.definition["act"], row.definition["source"]) == ("alert", source.pk)
    assert "is an alert · Backups" in ada.get(PLACE).content.decode()
