"""Mails in an organization's own words: to those who asked, in their language, and never less than the built-in ones."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.desk import tickets as desk
from allswell.desk.mail import templates
from allswell.journal.models import Entry
from allswell.kernel.errors import Invalid, NotAllowed, NotFound, Stale
from allswell.notifications.models import MailTemplate
from allswell.notifications.rules.templates import MailKind, Template
from tests.engine.test_mail import SENDER, send
from tests.engine.test_mail import text as plain
from tests.support.mailbox import Mailbox
from tests.support.world import World


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as box:
        yield box


def words(world: World, kind: str, said: str, **more: Any) -> MailTemplate:
    """Ada chooses words for all, in English unless said otherwise."""
    values: dict[str, Any] = {"locale": "en", "subject": "[{{ticket.reference}}] {{ticket.title}}", **more}
    return templates.create(kind=kind, text=said, **values, **world.by(world.ada))


def text(message: EmailMessage) -> str:
    return plain(message).replace("\r\n", "\n")


def html(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_an_organizations_german_customers_get_its_words(world: World, mailbox: Mailbox) -> None:
    words(world, "received", "Dear {{recipient.name}}: received.")
    words(world, "received", "Guten Tag {{recipient.name}}", locale="de")
    words(
        world,
        "received",
        "Grüezi {{recipient.name}}\n\nIhre Meldung zu {{service.name}} heisst {{ticket.reference}}.\n{{link}}\n\n{{organization.name}}",
        locale="de",
        organization=world.bank.pk,
        subject="Ihre Meldung {{ticket.title}}",
    )
    world.maria.locale = world.otto.locale = "de"
    world.maria.save()
    world.otto.save()
    ticket = world.report(world.maria, service="account-look-up")
    world.report(world.otto)
    world.report(world.rolf)
    send(world, mailbox.url)
    to_maria, to_otto, to_rolf = mailbox.received
    assert text(to_maria).split("-- ")[0] == (
        f"Grüezi Maria Keller\n\nIhre Meldung zu Account look-up heisst INC-{ticket.pk}.\n"
        f"http://127.0.0.1:8000/INC-{ticket.pk}\n\nLindenhof branch\n\n"
    )
    assert to_maria["Subject"] == f"[INC-{ticket.pk}] Ihre Meldung Account look-up is down", "the reference stays"
    assert text(to_otto).startswith("Guten Tag Otto Other\n"), "the other organization has the installation's words"
    assert text(to_rolf).startswith("Dear Rolf Meier: received.\n")


def test_what_makes_answers_come_back_stays(world: World, mailbox: Mailbox) -> None:
    words(world, "received", "Hello")
    ticket = world.report()
    send(world, mailbox.url)
    (mine,) = mailbox.received
    assert text(mine).startswith("Hello\n")
    assert (mine["Reply-To"], mine["Auto-Submitted"]) == (SENDER, "auto-generated")
    assert mine["References"] == f"<ticket.{ticket.pk}@127.0.0.1>"
    assert mine["Message-ID"].startswith(f"<{ticket.pk}.")
    assert "/profile" in text(mine), "how to end such mails is said in any case"


def test_a_reply_stands_in_its_place_and_nothing_in_it_is_markup(world: World, mailbox: Mailbox) -> None:
    words(world, "replied", "Dear <b>{{recipient.name}}</b>\n\n{{reply}}\n\nYours, {{agent.name}} {{ticket.title}}")
    ticket = world.report(title="<script>alert(1)</script> {{reply}}")
    desk.reply(ticket.pk, body="We **look** into {{link}} <img src=x onerror=y>", **world.by(world.jonas))
    send(world, mailbox.url)
    mine = mailbox.received[0]
    assert "We **look** into {{link}} <img src=x onerror=y>\n\nYours, Jonas Berg <script>" in text(mine)
    page = html(mine)
    assert "<p>Dear &lt;b&gt;Maria Keller&lt;/b&gt;</p><blockquote><p>We <strong>look</strong> into {{link}}" in page
    assert "<script" not in page
    assert "<img" not in page


def test_what_was_answered_is_never_lost(world: World, mailbox: Mailbox) -> None:
    words(world, "resolved", "It is done: {{resolution}}")
    ticket = world.report()
    send(world, mailbox.url)
    desk.reply(ticket.pk, body="Found it.", **world.by(world.jonas))
    desk.resolve(ticket.pk, resolution="A fuse.", **world.by(world.jonas))
    send(world, mailbox.url)
    said = text(mailbox.received[-1])
    assert said.startswith("It is done: A fuse.\n\nJonas Berg wrote:\n\n> Found it.\n")
    assert "Found it." in html(mailbox.received[-1])


def test_the_desk_reads_the_built_in_words(world: World, mailbox: Mailbox) -> None:
    words(world, "replied", "Dear customer\n\n{{reply}}")
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.reply(ticket.pk, body="And now?", **world.by(world.maria))
    send(world, mailbox.url)
    (to_jonas,) = [mail for mail in mailbox.received if "jonas" in mail["To"]]
    assert "Maria Keller wrote:\n\n> And now?" in text(to_jonas)


def test_a_broken_template_stops_no_mail(world: World, mailbox: Mailbox) -> None:
    row = words(world, "received", "Hello")
    MailTemplate.objects.filter(pk=row.pk).update(text="Hello {{ticket.gone}}")
    ticket = world.report()
    send(world, mailbox.url)
    assert f"Its number is INC-{ticket.pk}." in text(mailbox.received[0])
    row.refresh_from_db()
    assert "ticket.gone" in str(templates.trouble(row))


def test_choosing_words_costs_a_mail_few_statements(world: World, mailbox: Mailbox) -> None:
    def sending() -> int:
        world.report(world.rolf)
        with CaptureQueriesContext(connection) as seen:
            send(world, mailbox.url)
        return len(seen.captured_queries)

    sending()
    before = sending()
    for organization in (None, world.bank.pk, world.branch.pk, world.other.pk):
        for locale in ("en", "de"):
            words(world, "received", "Hello", organization=organization, locale=locale)
    assert sending() <= before + 2
    assert text(mailbox.received[-1]).startswith("Hello\n")


def test_a_preview_is_the_very_letter(world: World, mailbox: Mailbox, settings: LazySettings) -> None:
    settings.MAIL_FROM = SENDER
    said = "Dear {{recipient.name}}\n\n{{reply}}\n\n{{agent.name}}, {{link}}"
    subject = "Answer to {{ticket.title}}"
    ticket = world.report()
    world._grant(world.ada, "agent")
    wanted: dict[str, Any] = {
        "kind": "replied",
        "locale": "en",
        "subject": subject,
        "text": said,
        "actor": world.actor(world.ada),
    }
    first = templates.preview(ticket=f"inc-{ticket.pk}", now=world.now, **wanted)
    assert first.is_example
    words(world, "replied", said, subject=subject)
    send(world, mailbox.url)
    desk.reply(ticket.pk, body="We *look*.", **world.by(world.jonas))
    send(world, mailbox.url)
    shown = templates.preview(ticket=str(ticket.pk), now=world.now, **wanted)
    sent = mailbox.received[-1]
    assert (shown.subject, shown.plain, shown.html) == (sent["Subject"], text(sent), html(sent))
    assert (shown.sender, shown.to, shown.answers) == (sent["From"], sent["To"], sent["Reply-To"])
    assert not shown.is_example


def test_a_preview_shows_only_what_one_may_see(world: World) -> None:
    world._grant(world.oskar, "administrator", organization=world.other)
    ticket, own = world.report(), world.report(world.otto)
    wanted: dict[str, Any] = {"kind": "received", "locale": "en", "subject": "Hello", "text": "x", "now": world.now}
    wanted |= {"organization": world.other.pk, "actor": world.actor(world.oskar)}
    for number in (ticket.pk, 999_999, "", "x", "INC-"):
        with pytest.raises(NotFound) as refused:
            templates.preview(ticket=str(number), **wanted)
        assert (refused.value.field, str(refused.value)) == ("ticket", "There is no such ticket, or you may not see it.")
    assert templates.preview(ticket=f"[INC-{own.pk}]", **wanted).subject == f"[INC-{own.pk}] Hello"


def test_who_administers_an_organization_chooses_its_words_alone(world: World) -> None:
    world._grant(world.oskar, "administrator", organization=world.other)
    for_all, for_bank = words(world, "closed", "Bye"), words(world, "closed", "Adieu", organization=world.bank.pk)
    by, new = world.by(world.oskar), {"kind": "closed", "locale": "en", "subject": "x", "text": "x"}
    own = templates.create(**new, organization=world.other.pk, **by)
    assert templates.visible_to(by["actor"]) == [own]
    with pytest.raises(NotAllowed):
        templates.create(**new, **by)
    with pytest.raises(Invalid):
        templates.create(**new, organization=world.bank.pk, **by)
    for row in (for_all, for_bank):
        with pytest.raises(NotFound):
            templates.change(row.pk, text="y", **by)
        with pytest.raises(NotFound):
            templates.forget(row.pk, **by)
    for person in (world.jonas, world.lena, world.audrey):
        with pytest.raises((NotAllowed, NotFound)):
            templates.create(**new, **world.by(person))
        with pytest.raises((NotAllowed, NotFound)):
            templates.forget(own.pk, **world.by(person))
    assert templates.visible_to(world.actor(world.audrey)) == [for_all, for_bank, own]


def test_who_came_first_is_not_overwritten_and_the_journal_knows_no_words(world: World) -> None:
    row = words(world, "closed", "Kestrel")
    with pytest.raises(Invalid):
        words(world, "closed", "Again")
    seen = templates.version(row)
    world.forward(minutes=1)
    templates.change(row.pk, text="Osprey", seen=seen, **world.by(world.ada))
    with pytest.raises(Stale):
        templates.change(row.pk, text="Late", seen=seen, **world.by(world.ada))
    with pytest.raises(Invalid):
        templates.change(row.pk, text="{{x}}", **world.by(world.ada))
    templates.forget(row.pk, **world.by(world.ada))
    told = Entry.objects.filter(about_kind="mail_template").order_by("id")
    assert [one.verb for one in told] == ["record.created", "record.changed", "record.removed"]
    assert not [word for word in ("Kestrel", "Osprey") if word in str([one.data for one in told])]
    assert not MailTemplate.objects.exists()


@pytest.mark.parametrize("kind", list(MailKind))
@pytest.mark.parametrize("locale", ["en", "de"])
def test_the_built_in_words_can_be_begun_with(kind: MailKind, locale: str) -> None:
    subject, said = templates.built_in(kind, locale)
    Template.parse(subject, said, kind=kind)
