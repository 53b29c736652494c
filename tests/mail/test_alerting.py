"""Tools that can only mail: what a rule takes for an alert opens, repeats and ends one; what cannot be read as one is never lost."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk.alerts import sources
from allswell.desk.mail import deciding, rules
from allswell.engine.alerts import Alerts
from allswell.intake.models import Alert, InboundMessage, MailRule, RawReport
from allswell.intake.rules.mail_rules import Rule
from allswell.kernel.errors import Invalid
from allswell.people.models import EmailAddress, Person
from allswell.tickets.models import Ticket
from tests.support.post import Post
from tests.support.world import World

BACKUP = "Backup <backup@tools.example>"
AUTOMATIC = "Auto-Submitted: auto-generated\n"
SETTINGS: dict[str, Any] = {
    "patterns": ["[{state}] {host}: {summary}\nJob: {job}", "Backup of {host} {state}"],
    "key": ["host", "job"],
    "words": {"FINISHED": "resolved", "LATE": "warning"},
}


class Tool:
    """A backup program that can only mail, the rule about it, and the source that reads it."""

    def __init__(self, world: World, unknown_senders: str = "hold", **settings: Any) -> None:
        self.world = world
        self.post = Post(world, unknown_senders=unknown_senders)
        by = world.by(world.ada)
        self.source, _key = sources.create(
            name="Backups", kind="mail-pattern", service=world.ledger.pk, mapping={**SETTINGS, **settings}, **by
        )
        definition = {"senders": ["tools.example"], "act": "alert", "source": self.source.pk}
        self.rule = rules.create(name="Backups", definition=definition, **by)

    def mails(self, subject: str, text: str = "Hello\nJob: nightly", more: str = AUTOMATIC, **values: Any) -> InboundMessage:
        """It mails, and the engine reads the mail and then the alert."""
        found = self.post.mail(BACKUP, text, subject=subject, more=more, **values)
        self.read()
        return found

    def read(self) -> None:
        """The engine folds what was kept."""
        module = Alerts(now=lambda: self.world.now)
        while module.is_due(self.world.now):
            module.tick(self.world.now)


@pytest.fixture
def tool(world: World) -> Tool:
    return Tool(world)


def test_a_backup_that_fails_opens_one_incident_and_its_success_resolves_it(world: World, tool: Tool) -> None:
    first = tool.mails("[FAILED] db1: nightly backup")
    assert (first.state, first.reason, first.ticket_id) == ("taken", "alert", None)
    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.title, ticket.service_id) == ("incident", "nightly backup", world.ledger.pk)
    alert = Alert.objects.get()
    assert (alert.key, alert.labels["host"], alert.labels["job"]) == ("db1/nightly", "db1", "nightly")
    assert alert.links[0][1].endswith(f"/setup/mail/{first.pk}")
    world.forward(minutes=5)
    assert tool.mails("[FAILED] db1: nightly backup, again").state == "taken"
    alert.refresh_from_db()
    assert (alert.count, Ticket.objects.count()) == (2, 1)
    world.forward(minutes=5)
    tool.mails("[FINISHED] db1: nightly backup")
    alert.refresh_from_db()
    ticket.refresh_from_db()
    assert (alert.state, ticket.state, ticket.resolution_code) == ("resolved", "resolved", "by_itself")
    assert MailRule.objects.get().fits_count == 3


def test_a_storm_of_mails_is_not_held_for_its_rate(world: World, tool: Tool) -> None:
    states = {tool.mails(f"[FAILED] db{number}: backup", f"Job: {number}").state for number in range(15)}
    assert (states, Alert.objects.count(), Ticket.objects.count()) == ({"taken"}, 15, 1)


def test_a_mail_that_fits_nothing_is_held_and_released_becomes_a_ticket(world: World, tool: Tool) -> None:
    held = tool.mails("The licence runs out", "In ten days.")
    assert (held.state, held.reason, Alert.objects.count(), Ticket.objects.count()) == ("held", "no_pattern", 0, 0)
    assert "no_pattern" in [step["what"] for step in held.trail]
    deciding.release(held.pk, **world.by(world.ada))
    tool.post.take()
    assert Ticket.objects.get().title == "The licence runs out"


def test_a_held_mail_is_read_once_the_patterns_are_better(world: World, tool: Tool) -> None:
    held = tool.mails("Tape 4: FAILED", "No text")
    assert held.state == "held"
    better = {"patterns": ["Tape {tape}: {state}"], "key": ["tape"]}
    sources.change(tool.source.pk, mapping=better, **world.by(world.ada))
    deciding.release(held.pk, **world.by(world.ada))
    tool.post.take()
    tool.read()
    held.refresh_from_db()
    assert (held.reason, Alert.objects.get().key) == ("alert", "4")


def test_where_the_source_says_so_a_mail_that_fits_nothing_opens_a_ticket(world: World) -> None:
    tool = Tool(world, "create", otherwise="ticket")
    people = Person.objects.count()
    opened = tool.mails("The licence runs out", "In ten days.")
    assert (opened.state, Ticket.objects.get().title) == ("taken", "The licence runs out")
    assert Person.objects.count() == people, "a program becomes no person"
    held = tool.mails("I am away", "I am out of the office.", more="Auto-Submitted: auto-replied\n")
    assert (held.state, held.reason, Ticket.objects.count()) == ("held", "no_pattern", 1)


@pytest.mark.parametrize(("policy", "became"), [("hold", ("held", "unknown")), ("refuse", ("refused", "unknown"))])
def test_what_fits_nothing_opens_no_ticket_where_its_mailbox_takes_no_strangers(
    world: World, policy: str, became: tuple[str, str]
) -> None:
    tool = Tool(world, policy, otherwise="ticket")
    found = tool.mails("The licence runs out", "In ten days.")
    assert ((found.state, found.reason), Ticket.objects.count()) == (became, 0)
    assert tool.mails("[FAILED] db1: backup").reason == "alert", "an alert is one whoever sends it"
    deciding.release(found.pk, **world.by(world.ada))
    tool.post.take()
    assert Ticket.objects.filter(title="The licence runs out").exists()


def test_what_fits_nothing_opens_a_ticket_where_its_sender_is_known(world: World) -> None:
    tool = Tool(world, otherwise="ticket")
    EmailAddress.objects.create(person=world.maria, address="backup@tools.example", proof="vouched", added_at=world.now)
    assert tool.mails("The licence runs out", "In ten days.").state == "taken"
    assert Ticket.objects.get().requester == world.maria


def test_who_is_not_proven_may_be_kept_out(world: World) -> None:
    tool = Tool(world, only_proven=True)
    held = tool.mails("[FAILED] db1: backup", proven=False)
    assert (held.state, held.reason, RawReport.objects.count()) == ("held", "unproven", 0)
    assert tool.mails("[FAILED] db1: backup").reason == "alert"


def test_a_forged_mail_ends_no_alert(world: World, tool: Tool) -> None:
    tool.mails("[FAILED] db1: backup")
    forged = tool.mails("[FINISHED] db1: backup", proven="dmarc=fail header.from=tools.example")
    assert (forged.state, forged.reason, Alert.objects.get().state) == ("held", "forged", "firing")


def test_mail_of_a_source_that_is_switched_off_waits(world: World, tool: Tool) -> None:
    sources.switch(tool.source.pk, is_active=False, **world.by(world.ada))
    held = tool.mails("[FAILED] db1: backup")
    assert (held.state, held.reason) == ("held", "no_source")


def test_bounces_stay_bounces_and_people_people(world: World, tool: Tool) -> None:
    rules.change(tool.rule.pk, definition={"act": "alert", "source": tool.source.pk}, **world.by(world.ada))
    bounce = tool.post.comes(
        tool.post.write(
            "MAILER-DAEMON@mx.example.org", "No such user", subject="[FAILED] db1: x", more="X-Failed-Recipients: a@b.c\n"
        )
    )
    assert (bounce.state, bounce.reason) == ("ignored", "bounce")
    rules.change(tool.rule.pk, definition={"words": ["failed"], "act": "alert", "source": tool.source.pk}, **world.by(world.ada))
    letter = tool.post.mail("Maria <maria@example.org>", "The printer does not print.")
    assert (letter.state, Ticket.objects.get().requester) == ("taken", world.maria)


def test_the_dry_run_counts_what_programs_sent_for_alert_rules_only(world: World, tool: Tool) -> None:
    tool.mails("[FAILED] db1: backup", more="Auto-Submitted: auto-replied\n")
    by_alert = Rule(number=1, senders=("tools.example",), act=rules.said_by(tool.rule).act, source=tool.source.pk)
    assert [one.rule.number for one in deciding.dry_run([by_alert], actor=world.actor(world.audrey)) if one.rule] == [1]


@pytest.mark.parametrize(
    "settings",
    [
        {"patterns": ["{a}{b}"]},
        {"patterns": ["{A}"]},
        {"patterns": [3]},
        {"patterns": ["x"], "key": ["host"]},
        {"words": {"x": "banana"}},
        {"otherwise": "forget"},
        {"only_proven": "yes"},
        {"pattern": []},
    ],
)
def test_settings_that_make_no_sense_are_refused(world: World, settings: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        sources.create(name="Mail", kind="mail-pattern", mapping=settings, **world.by(world.ada))


def test_an_alert_rule_names_a_source_that_reads_mail(world: World) -> None:
    other, _key = sources.create(name="Zabbix", kind="zabbix", **world.by(world.ada))
    for source in (None, other.pk, 4_000):
        with pytest.raises(Invalid):
            rules.create(name="Alerts", definition={"act": "alert", "source": source}, **world.by(world.ada))
