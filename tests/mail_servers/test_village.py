"""A desk among real mail servers: people write, answer, forward and go on holiday, and programs have nothing to say to each other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.mail_servers.servers import wait_until
from tests.mail_servers.village import SUPPORT, Village, can_be
from tests.support.desk import Desk

_CAST = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from allswell.kernel import clock
from tests.support import world as support
support.START = clock.now()
world = support.World()
world.promise()
from allswell.desk.mail import mailboxes
mailboxes.create(
    name="Support", address={address!r}, kind="listener", authserv="mx.example.org", organization=world.bank.pk,
    team=world.desk_team.pk, **world.by(world.ada),
)
"""
_STANDS = """
import django; django.setup()
import json
from allswell.intake.models import InboundMessage
from allswell.notifications.models import Delivery
from allswell.tickets.models import Ticket
def name(person):
    return person.name if person else None
print(json.dumps({
    "tickets": [{
        "number": one.pk, "title": one.title, "state": one.state, "requester": name(one.requester), "reopened": one.reopened_count,
        "answered_at": one.first_response_at and one.first_response_at.isoformat(),
        "said": [[name(row.author), row.is_public, row.is_auto, row.body] for row in one.comments.select_related("author").order_by("pk")],
    } for one in Ticket.objects.select_related("requester").order_by("pk")],
    "mails": [[row.sender, row.mail_kind, row.state, row.reason] for row in InboundMessage.objects.order_by("pk")],
    "waiting": InboundMessage.objects.filter(state="pending").count()
        + Delivery.objects.filter(channel="email", settled_at=None).count(),
}))
"""
_REPLIES = """
import django; django.setup()
from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.people import queries
from allswell.tickets.models import Ticket
jonas = queries.actor_for(queries.person_by_address("jonas@example.org"), channel=Channel.DESK)
for ticket in Ticket.objects.filter(title__startswith={title!r}).order_by("pk"):
    desk.reply(ticket.pk, body={words!r}, actor=jonas, now=clock.now())
"""
_TAKES = """
import django; django.setup()
from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.people import queries
from allswell.tickets.models import Ticket
jonas = queries.actor_for(queries.person_by_address("jonas@example.org"), channel=Channel.DESK)
desk.take(Ticket.objects.get(title={title!r}).pk, actor=jonas, now=clock.now())
"""


class Played:
    """A desk, and the village around it."""

    def __init__(self, folder: Path) -> None:
        self.village = Village(folder)
        (folder / "desk").mkdir()
        self.desk = Desk(
            folder / "desk",
            ALLSWELL_MAIL_LISTEN=f"lmtp://127.0.0.1:{self.village.desk_port}",
            ALLSWELL_SMTP_URL=f"smtp+plain://127.0.0.1:{self.village.office.port}",
            ALLSWELL_MAIL_FROM=f"Support <{SUPPORT}>",
            ALLSWELL_OUTGOING_ALLOW="127.0.0.1",
        )

    def start(self) -> None:
        """Open everything."""
        self.desk.python(_CAST.format(address=SUPPORT))
        self.village.start()
        self.desk.start()

    def stop(self) -> None:
        """Close everything."""
        self.desk.stop()
        self.village.stop()

    def stands(self) -> dict[str, Any]:
        """How everything stands at the desk."""
        found: dict[str, Any] = json.loads(self.desk.python(_STANDS))
        return found

    def ticket(self, title: str) -> dict[str, Any]:
        """The one ticket of this title."""
        (found,) = [one for one in self.stands()["tickets"] if one["title"] == title]
        return dict(found)

    def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until something holds at the desk; how it stands then."""
        end = time.monotonic() + 60
        while True:
            seen = self.stands()
            if holds(seen):
                return seen
            assert time.monotonic() < end, f"{seen}\n{self.village.office.log()[-3000:]}\n{self.desk.log()[-3000:]}"
            time.sleep(0.2)

    def letter(self, who: str, holds: Callable[[EmailMessage], object], count: int = 1) -> EmailMessage:
        """Wait until so many letters of somebody's are such; the newest of them."""
        found: list[EmailMessage] = []

        def came() -> bool:
            found[:] = [one for one in self.village.letters(who) if holds(one)]
            return len(found) >= count

        wait_until(came, within=60)
        return found[-1]

    def settles(self) -> dict[str, Any]:
        """Wait until nothing moves any more, anywhere, for some seconds; how it stands then. Fails when it does not end."""
        end, still, before = time.monotonic() + 240, 0, ""
        while still < 4:
            seen = self.stands()
            answers = len(self.village.program.answered)
            told = json.dumps([seen, answers, self.village.office.waiting()])
            is_still = told == before and not seen["waiting"] and not self.village.office.waiting()
            still, before = still + 1 if is_still else 0, told
            assert time.monotonic() < end, f"it does not end: {seen['waiting']} wait, {self.village.office.waiting()}, {seen}"
            time.sleep(1)
        return seen


@pytest.fixture(scope="module")
def played(open_folder: Path) -> Iterator[Played]:
    """Everything is open."""
    if not can_be():
        pytest.skip("Postfix, or Dovecot with Pigeonhole, is not here, or this is not root: make test-mail installs them")
    played = Played(open_folder)
    try:
        played.start()
        yield played
    finally:
        played.stop()


def _about(title: str) -> Callable[[EmailMessage], bool]:
    return lambda letter: title in str(letter["Subject"])


def _says(words: str) -> Callable[[EmailMessage], bool]:
    def says(letter: EmailMessage) -> bool:
        plain = letter.get_body(("plain",))
        return plain is not None and words in plain.get_content()

    return says


@pytest.mark.timeout(300)
def test_two_people_write_answer_and_forward(played: Played) -> None:
    village = played.village
    first = village.writes("maria", "The printer hums", "It hums since Monday.")
    receipt = played.letter("maria", _about("The printer hums"))
    assert first in str(receipt["References"]), "her program shows the receipt below her mail"
    assert str(receipt["Subject"]).startswith("Re: [INC-")

    # Jonas takes it; she has more to say, and he answers the notice of that
    played.desk.python(_TAKES.format(title="The printer hums"))
    village.answers("maria", receipt, "Now it smells, too.")
    village.answers("jonas", played.letter("jonas", _says("Now it smells")), "Which printer is it?")
    question = played.letter("maria", _says("Which printer is it?"))
    assert first in str(question["References"])

    # she answers, with Rolf in copy, who answers to all
    village.answers("maria", question, "The one on floor 3.", copy="rolf@example.org")
    hers = played.letter("rolf", _says("The one on floor 3."))
    village.answers("rolf", hers, "And the one on floor 4.", copy=str(hers["To"]))
    played.until(lambda seen: [said for one in seen["tickets"] for said in one["said"] if said[0] == "Rolf Meier"])
    ticket = played.ticket("The printer hums")
    people = [(who, words) for who, is_public, is_auto, words in ticket["said"] if is_public and not is_auto]
    assert people == [
        ("Maria Keller", "Now it smells, too."),
        ("Jonas Berg", "Which printer is it?"),
        ("Maria Keller", "The one on floor 3."),
        ("Rolf Meier", "And the one on floor 4."),
    ]
    assert (ticket["requester"], ticket["state"]) == ("Maria Keller", "in_progress")

    # Jonas passes on what somebody wrote to him alone
    village.writes(
        "jonas",
        "Fwd: No dial tone",
        "---------- Forwarded message ---------\nFrom: Rolf Meier <rolf@example.org>\nDate: Mon, 23 Nov 2026 at 09:00\n"
        "Subject: No dial tone\nTo: Jonas Berg <jonas@example.org>\n\nMy telephone is silent.\n",
    )
    played.until(lambda seen: len(seen["tickets"]) == 2)
    (passed_on,) = [one for one in played.settles()["tickets"] if "dial tone" in one["title"]]
    assert passed_on["requester"] == "Rolf Meier"
    assert len(played.settles()["tickets"]) == 2


@pytest.mark.timeout(300)
def test_both_are_on_holiday(played: Played) -> None:
    village = played.village
    for who in ("maria", "jonas"):
        village.is_away(who)
    village.writes("maria", "The lamp is dark", "It was bright on Friday.")
    receipt = played.letter("maria", _about("The lamp is dark"))
    played.desk.python(_TAKES.format(title="The lamp is dark"))
    village.answers("maria", receipt, "The other one, too.")
    notice = played.letter("jonas", _says("The other one, too."))
    seen = played.settles()
    (ticket,) = [one for one in seen["tickets"] if one["title"] == "The lamp is dark"]
    assert (ticket["state"], ticket["answered_at"]) == ("in_progress", None), "no program answers for the desk"
    village.answers("jonas", notice, "We bring you another.")
    seen = played.settles()
    (ticket,) = [one for one in seen["tickets"] if one["title"] == "The lamp is dark"]
    assert ticket["answered_at"] is not None
    public = [words for _, is_public, _, words in ticket["said"] if is_public]
    assert public == ["The other one, too.", "We bring you another."]
    to_maria = [one for one in village.letters("maria") if "The lamp is dark" in str(one["Subject"])]
    assert len(to_maria) == 2, "the receipt, and what Jonas wrote"


@pytest.mark.timeout(600)
def test_fifty_exchanges_with_programs_end_by_themselves(played: Played) -> None:
    village, people, each = played.village, 13, 4
    who = [f"p{number}@rude.example" if number % 2 else f"away{number}" for number in range(people)]
    for one in who:
        if "@" not in one:
            village.is_away(one)
    for turn in range(each):
        for one in who:
            village.writes(one, f"Question {turn} of {one}", f"What about {turn}, asks {one}.")
    count = people * each
    played.until(lambda seen: sum(one["title"].startswith("Question") for one in seen["tickets"]) >= count)
    played.settles()
    for words in ("We look into it.", "It is done; tell us if not."):
        played.desk.python(_REPLIES.format(title="Question", words=words))
        played.settles()
    seen = played.settles()
    tickets = [one for one in seen["tickets"] if one["title"].startswith("Question")]
    assert len(tickets) == count, "no answer of a program became a ticket"
    assert not [one for one in seen["tickets"] if one["title"].startswith(("Re:", "Away", "Auto"))]
    for one in tickets:
        assert [words for author, is_public, _, words in one["said"] if is_public and author == "Jonas Berg"] == [
            "We look into it.",
            "It is done; tell us if not.",
        ]
        assert one["reopened"] == 0
    answered = village.program.answered
    assert answered, "the rude program had nothing to answer"
    # a receipt and two replies for each, some of them together in one mail; nothing because of what programs said
    for one in who:
        if "@" not in one:
            assert 3 <= len(village.letters(one)) <= each * 3
    assert len(answered) <= people // 2 * each * 3
    kinds = {(kind, state) for sender, kind, state, _ in seen["mails"] if sender.endswith("@rude.example")}
    print(
        f"{count} tickets, {len(seen['mails'])} mails came in, {len(answered)} of them answers of a program without headers: {kinds}"
    )
