"""Mail templates in the set-up: whose words there are, a form that says which names exist, and a preview on a real ticket."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from allswell.desk import tickets as desk
from allswell.notifications.models import MailTemplate
from tests.support.world import World
from tests.web.test_abuse import EVIL, assert_inert

Browser = Callable[..., Client]
PLACE = "/setup/mail-templates"
SENT = {"subject": "Hello {{ticket.title}}", "text": "Dear {{recipient.name}}\r\n\r\n{{reply}}", "do": "save"}


def test_words_are_written_changed_and_forgotten(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    assert "Every mail has the built-in words." in ada.get(PLACE).content.decode()
    new = f"{PLACE}/new?kind=replied&locale=de&organization={world.bank.pk}"
    begun = ada.get(new).content.decode()
    assert "{{agent.name}} schrieb:" in begun, "it begins with the built-in words of the language"
    assert "Deutsch · Northbank" in begun
    assert '<html lang="en"' in begun, "the page itself stays in the reader's language"
    assert '<code class="mono">{{reply}}</code>' in begun
    assert ada.post(new, SENT).status_code == 303
    row = MailTemplate.objects.get()
    assert (row.kind, row.locale, row.organization, row.subject) == ("replied", "de", world.bank, SENT["subject"])
    assert row.text == "Dear {{recipient.name}}\n\n{{reply}}"
    assert "Northbank" in ada.get(PLACE).content.decode()
    again = ada.post(new, SENT)
    assert (again.status_code, "There are words for this already" in again.content.decode()) == (422, True)
    one = f"{PLACE}/{row.pk}"
    seen = ada.get(one).content.decode().split('name="seen" value="')[1].split('"')[0].replace("&#43;", "+")
    assert ada.post(one, {**SENT, "text": "Good day", "seen": seen}).status_code == 303
    stale = ada.post(one, {**SENT, "text": "Late", "seen": "2001-01-01"})
    assert (stale.status_code, "Somebody else changed these words" in stale.content.decode()) == (422, True)
    assert "Late</textarea>" in stale.content.decode(), "what was typed stays"
    row.refresh_from_db()
    assert row.text == "Good day"
    assert ada.post(f"{one}/forget").status_code == 303
    assert not MailTemplate.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": "Dear {{ticket.requester}}"}, "text"),
        ({"text": "Dear {{ticket.title"}, "text"),
        ({"subject": "{{reply}}"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"do": "preview", "ticket": "INC-999999"}, "ticket"),
        ({"do": "preview", "ticket": ""}, "ticket"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(world: World, browser: Browser, wrong: dict[str, str], field: str) -> None:
    said = browser(world.ada).post(f"{PLACE}/new?kind=replied&locale=en", {**SENT, **wrong})
    assert (said.status_code, f'id="{field}-error"' in said.content.decode()) == (422, True)
    assert not MailTemplate.objects.exists()


def test_a_preview_on_a_ticket_writes_nothing(world: World, browser: Browser) -> None:
    ticket, world.ada = world.report(), world.ada
    world._grant(world.ada, "agent")
    desk.reply(ticket.pk, body="We **look**.", **world.by(world.jonas))
    said = browser(world.ada).post(f"{PLACE}/new?kind=replied&locale=en", {**SENT, "do": "preview", "ticket": f"INC-{ticket.pk}"})
    shown = said.content.decode()
    assert said.status_code == 200
    assert f"[INC-{ticket.pk}] Hello Account look-up is down" in shown
    assert "Maria Keller &lt;maria@example.org&gt;" in shown
    assert "<p>Dear Maria Keller</p><blockquote><p>We <strong>look</strong>.</p>" in shown
    assert "Dear Maria Keller\n\nWe **look**.\n" in shown.replace("\r\n", "\n")
    assert not MailTemplate.objects.exists()


def test_a_ticket_that_one_may_not_see_is_not_previewed(world: World, browser: Browser) -> None:
    ticket = world.report(title="Kestrel")
    sent = {**SENT, "do": "preview", "ticket": str(ticket.pk)}
    said = browser(world.ada).post(f"{PLACE}/new?kind=replied&locale=en", sent)
    assert said.status_code == 422
    assert "There is no such ticket, or you may not see it." in said.content.decode()
    assert "Kestrel" not in said.content.decode()


def test_words_that_cannot_be_used_any_more_are_told(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    ada.post(f"{PLACE}/new?kind=closed&locale=en", {"subject": "x", "text": "x"})
    MailTemplate.objects.update(text="{{ticket.gone}}")
    for path in (PLACE, f"{PLACE}/{MailTemplate.objects.get().pk}"):
        shown = ada.get(path).content.decode()
        assert "“ticket.gone”" in shown
        assert "The built-in words are sent." in shown


def test_an_organizations_administrator_chooses_for_it_alone(world: World, browser: Browser) -> None:
    world._grant(world.oskar, "administrator", organization=world.other)
    oskar = browser(world.oskar)
    listed = oskar.get(PLACE).content.decode()
    assert "Othertown" in listed
    assert "Northbank" not in listed
    own, theirs = (f"{PLACE}/new?kind=closed&locale=en&organization={one.pk}" for one in (world.other, world.bank))
    assert oskar.post(own, {"subject": "x", "text": "x"}).status_code == 303
    assert oskar.post(theirs, {"subject": "x", "text": "x"}).status_code == 422
    assert "Northbank" not in oskar.get(theirs).content.decode()
    assert oskar.post(f"{PLACE}/new?kind=closed&locale=en", {"subject": "x", "text": "x"}).status_code == 403
    assert MailTemplate.objects.get().organization == world.other


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_that_is_typed_or_set_in_is_markup(world: World, browser: Browser, evil: str) -> None:
    world._grant(world.ada, "agent")
    ticket = world.report(title=f"x {evil}"[:200])
    desk.reply(ticket.pk, body=f"x {evil}", **world.by(world.jonas))
    typed = {"subject": "{{ticket.title}}", "text": f"x {evil}\n\n{{{{reply}}}}\n\n{{{{ticket.title}}}}"}
    ada, new = browser(world.ada), f"{PLACE}/new?kind=replied&locale=en"
    shown = ada.post(new, {**typed, "do": "preview", "ticket": str(ticket.pk)})
    assert shown.status_code in (200, 422), "braces are refused, and shown again"
    assert_inert(shown.content.decode(), new)
    if ada.post(new, typed).status_code == 303:
        for path in (PLACE, f"{PLACE}/{MailTemplate.objects.get().pk}"):
            assert_inert(ada.get(path).content.decode(), path)


@pytest.mark.parametrize("asked", ["", "?kind=x&locale=x&organization=x", "?organization=999999999", "?kind=closed&locale=fr"])
def test_an_address_that_somebody_made_up_breaks_nothing(world: World, browser: Browser, asked: str) -> None:
    assert browser(world.ada).get(f"{PLACE}/new{asked}").status_code in (200, 303)
