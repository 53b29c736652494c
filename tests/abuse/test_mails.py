"""Who types a name or a claims a host adds nothing to our mails and sends nobody to strangers (A37, A44)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from allswell.desk import announcements
from allswell.desk import sign_in as desk_sign_in
from allswell.desk import tickets as desk
from allswell.kernel.actor import nobody
from allswell.people.models import EmailAddress, Person
from allswell.tickets.models import Ticket
from tests.engine.test_mail import send
from tests.engine.test_mail import text as words_of_mail
from tests.support.mailbox import Mailbox
from tests.support.world import World
from tests.web.test_signing_in import Door, door

__all__ = ["door"]
Browser = Callable[[Person | None], Client]
BREAKS = ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\r\n\r\n", "=0D=0A", "%0d%0a")
KNOWN = {
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "List-Id"),
    *("X-Auto-Response-Suppress", "MIME-Version", "Content-Type", "Content-Language", "Content-Transfer-Encoding", "X-Peer"),
    *("List-Unsubscribe", "List-Unsubscribe-Post"),
}


@pytest.mark.parametrize("line_break", BREAKS)
def test_A37_no_name_and_no_title_adds_a_header_or_a_reader(world: World, line_break: str) -> None:
    """Written past the door of texts into the tables themselves, as an old import might have left them."""
    evil = f"x{line_break}Bcc: eve@evil.example{line_break}X-Evil: 1{line_break}{line_break}<b>body</b>"
    ticket = world.report()
    for row in (world.maria, world.jonas, world.desk_team, world.bank, world.printing):
        row.name = evil[:110]
        row.save()
    Ticket.objects.filter(pk=ticket.pk).update(title=evil)
    desk.reply(ticket.pk, body=evil, **world.by(world.jonas))
    announcements.announce(ticket.pk, title="x" + evil[:100], body=evil, is_for_all=True, **world.by(world.olga))
    desk.resolve(ticket.pk, resolution=evil, **world.by(world.jonas))
    with Mailbox() as mailbox:
        send(world, mailbox.url)
        assert mailbox.received
        for mail in mailbox.received:
            assert set(mail.keys()) <= KNOWN
            assert [mail.get_all(name) for name in ("Bcc", "Cc", "X-Evil")] == [None] * 3
            assert len(mail["To"].addresses) == 1
            assert mail["To"].addresses[0].addr_spec.endswith("@example.org")


@pytest.mark.parametrize(
    "address",
    [
        "x@example.org\r\nBcc: eve@evil.example",
        "x@example.org,eve@evil.example",
        "<x@example.org>",
        "x@example.org>\nRCPT",
        "a b@c.d",
    ],
)
def test_A37_an_address_is_one_address(world: World, door: Door, address: str) -> None:
    door.sign_in("maria")
    before = EmailAddress.objects.count()
    door.client.post("/account/addresses", {"email": address})
    door.client.post("/forgot", {"email": address})
    assert EmailAddress.objects.count() == before


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000@evil.example", "evil.example:80", "localhost.evil.example"])
def test_A44_links_in_mails_lead_to_the_configured_address(door: Door, host: str, settings: object) -> None:
    """Whatever host the request claims; a host that is not ours is answered nothing at all."""
    headers = {"host": host, "x-forwarded-host": host, "x-forwarded-proto": "https", "forwarded": f"host={host}"}
    assert Client().post("/forgot", {"email": "jonas@example.org"}, headers=headers).status_code == 400
    headers.pop("host")
    assert Client().post("/forgot", {"email": "jonas@example.org"}, headers=headers).status_code == 200
    with Mailbox() as mailbox:
        desk_sign_in.ask_new_password(email="maria@example.org", ip="10.0.0.9", actor=nobody(), now=door.now)
        door.world.now = door.now
        send(door.world, mailbox.url)
        said = "".join(words_of_mail(mail) + mail.as_string() for mail in mailbox.received)
    assert mailbox.received
    assert "evil" not in said
    assert set(re.findall(r"https?://([^/\s\"]+)/account", said)) == {"127.0.0.1:8000"}


STRANGERS = (
    *("https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "///evil.example", "https:evil.example"),
    *(
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example",
        "\t//evil.example",
        "http:///evil.example",
        "%2f%2fevil.example",
    ),
    *(
        "/%09/evil.example",
        "//evil.example@127.0.0.1",
        "https://127.0.0.1:8000@evil.example/",
        "\x00//evil.example",
        "evil.example",
    ),
)


@pytest.mark.parametrize("there", STRANGERS)
def test_A44_nobody_is_sent_to_strangers(world: World, browser: Browser, door: Door, there: str) -> None:
    """Neither by `next` before and after signing in, nor by the address of a form, nor by where a form came from."""
    ticket = world.report(world.maria)
    answers = [Client().get("/sign-in", {"next": there}), door.sign_in(next=there)]
    for person in (world.jonas, world.maria):
        client = browser(person)
        answers.append(client.get("/sign-in", {"next": there}))
        for path in (
            f"/tickets/{ticket.pk}/take",
            f"/tickets/{ticket.pk}/close",
            f"/tickets/{ticket.pk}/watch",
            f"/my/{ticket.pk}/reopen",
        ):
            sent = {"next": there, "back": there, "version": "9"}
            path_of_ours = f"http://testserver{there if there.startswith('/') else '/' + there}"
            came_from = [one for one in (path_of_ours, there) if one.isprintable()]
            answers += [client.post(f"{path}?next=/", sent, headers={"referer": one}) for one in came_from]
        answers.append(client.get("/desk/filter", {"apply": "1", "view": there}))
    for answer in answers:
        location = answer.headers.get("Location", "/") if answer.status_code != 200 else "/"
        assert re.match(r"/(?![/\\\t])", location), (there, answer.request["PATH_INFO"], location)
        assert "evil" not in answer.headers.get("HX-Redirect", "")
