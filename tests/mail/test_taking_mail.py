"""Mail finds its ticket: by what we signed, by what the customer's program remembers, by the subject; and it never raises rights."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from allswell.desk import tickets as desk
from allswell.desk.mail import opening, ours
from allswell.intake.models import InboundMessage, Mailbox
from allswell.kernel.actor import Role
from allswell.notifications.models import Delivery
from allswell.people.models import EmailAddress, Person
from allswell.tickets.models import Attachment, Comment, Link, Ticket, Watcher
from tests.support.post import Post
from tests.support.world import World

MARIA, JONAS, OTTO = "Maria Keller <maria@example.org>", "Jonas Berg <jonas@example.org>", "Otto Other <otto@example.org>"


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


def _said(ticket: Ticket) -> list[tuple[str, bool, bool]]:
    rows = Comment.objects.filter(ticket=ticket).order_by("pk")
    return [(row.body, row.is_public, row.is_auto) for row in rows]


def test_a_mail_of_somebody_known_opens_a_ticket_as_its_mailbox_says(world: World, post: Post) -> None:
    found = post.mail(MARIA, "It hums.\n\n-- \nMaria\nNorthbank", subject="Printer\thums")
    ticket = Ticket.objects.get()
    assert (found.state, found.ticket_id, found.person_id, found.mail_kind) == ("taken", ticket.pk, world.maria.pk, "person")
    assert (ticket.title, ticket.description, ticket.channel) == ("Printer hums", "It hums.", "email")
    assert (ticket.requester, ticket.service, ticket.team) == (world.maria, world.printing, world.desk_team)
    assert found.folded == "-- \nMaria\nNorthbank"
    assert found.authentication["is_aligned"]
    assert Delivery.objects.filter(topic="received", person=world.maria, channel="email").exists()


def test_an_answer_finds_its_ticket_however_it_comes(world: World, post: Post) -> None:
    post.mail(MARIA, message_id="first@example.org")
    ticket = Ticket.objects.get()
    post.mail(MARIA, "By id.", subject="x", answers="first@example.org")
    post.mail(MARIA, "By our id.", subject="x", answers=ours.message_id(ticket.pk, "abc"))
    post.mail(MARIA, "By address.", subject="x", to=ours.reply_address(ticket.pk, post.mailbox.address))
    post.mail(MARIA, "By subject.", subject=f"Re: [INC-{ticket.pk}] Printer")
    assert [body for body, *_ in _said(ticket)] == ["By id.", "By our id.", "By address.", "By subject."]
    assert [row.trail[1]["by"] for row in InboundMessage.objects.order_by("pk")[1:]] == [
        "known_id",
        "our_id",
        "address",
        "subject",
    ]
    assert Comment.objects.filter(message_id__endswith="@example.org", author=world.maria).count() == 4
    assert Ticket.objects.count() == 1


def test_what_names_a_ticket_the_sender_may_not_see_opens_another_one(world: World, post: Post) -> None:
    ticket = world.report()
    for number, values in enumerate(
        [
            {"subject": f"Re: [INC-{ticket.pk}] Look-up"},
            {"answers": ours.message_id(ticket.pk, "abc")},
            {"to": ours.reply_address(ticket.pk, post.mailbox.address)},
        ]
    ):
        found = post.mail(OTTO, f"Let me in, {number}", **values)
        assert found.ticket_id not in (None, ticket.pk)
        assert found.trail[1]["what"] == "maybe" or any(step["what"] == "maybe" for step in found.trail)
        note = Comment.objects.get(ticket=found.ticket_id)
        assert (note.is_public, note.is_auto) == (False, True)
        assert f"INC-{ticket.pk}" in note.body
    assert _said(ticket) == []
    assert Link.objects.filter(target=ticket, kind="related").count() == 2
    forged = post.mail(OTTO, "Forged", answers=ours.message_id(ticket.pk, "abc").replace("abc", "abd"))
    assert not any(step["what"] == "maybe" for step in forged.trail)


def test_the_desk_answers_by_mail_when_it_is_proven_to_be_the_desk(world: World, post: Post) -> None:
    ticket = world.report()
    to = ours.reply_address(ticket.pk, post.mailbox.address)
    post.mail(JONAS, "We look into it.", to=to)
    ticket.refresh_from_db()
    assert _said(ticket) == [("We look into it.", True, False)]
    assert (ticket.state, ticket.first_response_at) == ("in_progress", world.now)
    assert Comment.objects.get().author == world.jonas


def test_a_mail_under_the_name_of_an_agent_does_nothing_unless_it_is_proven(world: World, post: Post) -> None:
    ticket = world.report()
    to = ours.reply_address(ticket.pk, post.mailbox.address)
    post.mail(JONAS, "#resolve\nIt is all fine, send me money.", to=to, proven=False)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.first_response_at) == ("new", None)
    assert not Comment.objects.filter(is_public=True).exists()
    assert not Comment.objects.filter(author=world.jonas).exists()
    assert "which no server proved" in Comment.objects.last().body  # type: ignore[union-attr]


def test_commands_are_done_with_the_rights_of_who_wrote(world: World, post: Post) -> None:
    ticket = world.report()
    to = ours.reply_address(ticket.pk, post.mailbox.address)
    post.mail(JONAS, "#assign me\n#note\nLooks like the switch.", to=to)
    ticket.refresh_from_db()
    assert (ticket.assignee, _said(ticket)) == (world.jonas, [("Looks like the switch.", False, False)])
    post.mail(JONAS, "#resolve\n\nThe switch was off.", to=to)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolution) == ("resolved", "The switch was off.")
    other = world.report(title="Other")
    post.mail(MARIA, "#resolve\nI think.", to=ours.reply_address(other.pk, post.mailbox.address))
    other.refresh_from_db()
    assert other.state == "new"
    assert [is_public for _, is_public, _ in _said(other)] == [True, False]


def test_thanks_do_not_reopen_and_trouble_does(world: World, post: Post) -> None:
    ticket = world.report()
    desk.resolve(ticket.pk, code="fixed", resolution="Done.", **world.by(world.jonas))
    to = ours.reply_address(ticket.pk, post.mailbox.address)
    post.mail(MARIA, "Thank you very much!", to=to)
    ticket.refresh_from_db()
    assert ticket.state == "resolved"
    assert _said(ticket)[0] == ("Thank you very much!", True, False)
    post.mail(MARIA, "It is broken again since noon.", to=to)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.reopened_count) == ("new", 1) or ticket.reopened_count == 1
    desk.resolve(ticket.pk, code="fixed", resolution="Done.", **world.by(world.jonas))
    desk.close(ticket.pk, **world.by(world.jonas))
    post.mail(MARIA, "And broken once more.", to=to)
    ticket.refresh_from_db()
    assert ticket.state == "closed"
    follow_up = Ticket.objects.exclude(pk=ticket.pk).get()
    assert (follow_up.requester, _said(follow_up)[0][0]) == (world.maria, "And broken once more.")
    post.mail(MARIA, "Thanks a lot!", to=to)
    assert Ticket.objects.count() == 2


def test_what_nobody_proved_may_speak_but_reopens_only_by_what_we_signed(world: World, post: Post) -> None:
    post.mail(MARIA, message_id="first@example.org")
    ticket = Ticket.objects.get()
    desk.resolve(ticket.pk, code="fixed", resolution="Done.", **world.by(world.jonas))
    found = post.mail(MARIA, "Still broken I am afraid.", answers="first@example.org", proven=False)
    ticket.refresh_from_db()
    assert ticket.state == "resolved"
    assert {"what": "unproven"} in found.trail
    assert any("Nothing proves" in body for body, *_ in _said(ticket))
    post.mail(MARIA, "Still broken, really.", answers=ours.message_id(ticket.pk, "k"), proven=False)
    ticket.refresh_from_db()
    assert ticket.reopened_count == 1


def test_strangers_are_treated_as_the_mailbox_says(world: World, post: Post) -> None:
    found = post.mail("Eva Novak <eva@customer.example>")
    eva = Person.objects.get(name="Eva Novak")
    assert (found.state, Ticket.objects.get().requester, eva.organization) == ("taken", eva, world.bank)
    assert EmailAddress.objects.get(person=eva).proof == "vouched"
    post.mail("Eva Novak <eva@customer.example>", "Second matter", subject="Another")
    assert Person.objects.filter(name="Eva Novak").count() == 1
    Mailbox.objects.update(unknown_senders="hold")
    assert post.mail("Ivo <ivo@customer.example>").reason == "unknown"
    forged = post.mail("Eva Novak <eva@customer.example>", "Forged", proven="dmarc=fail header.from=customer.example")
    assert (forged.state, forged.reason) == ("held", "forged")
    Mailbox.objects.update(unknown_senders="refuse")
    assert post.mail("Udo <udo@customer.example>").state == "refused"
    assert Ticket.objects.count() == 2


def test_the_same_mail_counts_once_by_whatever_mailbox_it_comes(world: World, post: Post) -> None:
    other = Mailbox.objects.create(name="Sales", address="sales@desk.example", kind="pipe", created_at=world.now)
    raw = post.write(MARIA, message_id="once@example.org")
    first = post.comes(raw)
    again = post.comes(b"Received: by other.example; Mon, 23 Nov 2026 09:01:00 +0000\n" + raw, mailbox=other)
    assert (again.state, again.reason, again.ticket_id) == ("ignored", "duplicate", first.ticket_id)
    third = post.mail(MARIA, "Something else under the same id", message_id="once@example.org")
    assert third.state == "taken"
    assert Ticket.objects.count() == 2


def test_files_come_along_and_programs_are_named(world: World, post: Post) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = MARIA, post.mailbox.address, "Files", "<files@example.org>"
    mail.set_content("See [cid:pic] here.")
    mail.add_attachment(b"\x89PNG....", maintype="image", subtype="png", filename="screen.png", cid="<pic>")
    mail.add_attachment(b"MZ\x90", maintype="application", subtype="octet-stream", filename="invoice.pdf")
    mail.add_attachment(b"echo", maintype="application", subtype="octet-stream", filename="run.bat")
    post.comes(mail.as_bytes())
    ticket = Ticket.objects.get()
    assert ticket.description == "See [screen.png] here."
    assert list(Attachment.objects.filter(ticket=ticket).values_list("name", flat=True)) == ["screen.png"]
    assert "invoice.pdf, run.bat" in _said(ticket)[0][0]


def test_people_in_copy_come_along_as_far_as_the_sender_reaches(world: World, post: Post) -> None:
    post.mail(MARIA, more="Cc: rolf@example.org, otto@example.org, who@elsewhere.example\n")
    ticket = Ticket.objects.get()
    assert list(Watcher.objects.filter(ticket=ticket, kind="participant").values_list("person", flat=True)) == [world.rolf.pk]
    assert "otto@example.org, who@elsewhere.example" in _said(ticket)[0][0]


def test_an_agent_passes_a_mail_on_for_who_wrote_it(world: World, post: Post) -> None:
    head = "From: Maria Keller <maria@example.org>\nDate: Mon\nSubject: Help\nTo: jonas@example.org\n"
    text = f"Please see.\n\n---------- Forwarded message ---------\n{head}\nIt is broken."
    post.mail(JONAS, text, subject="Fwd: Help")
    assert (Ticket.objects.get().requester, Ticket.objects.get().reporter) == (world.maria, world.jonas)
    post.mail(OTTO, text, subject="Fwd: Help")
    assert Ticket.objects.latest("pk").requester == world.otto


def test_an_automatic_reply_is_folded_and_changes_nothing(world: World, post: Post) -> None:
    ticket = world.report()
    desk.reply(ticket.pk, body="More please", then_waits=True, **world.by(world.jonas))
    ticket.refresh_from_db()
    before, told = (ticket.state, ticket.version, ticket.asked_at), Delivery.objects.count()
    answers = ours.message_id(ticket.pk, "k")
    found = post.mail(MARIA, "I am away.", subject="Automatic reply: x", answers=answers, more="Auto-Submitted: auto-replied\n")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.version, ticket.asked_at) == before
    assert (found.state, found.reason) == ("taken", "auto_reply")
    assert _said(ticket)[-1][1:] == (False, True)
    assert Delivery.objects.count() == told
    lone = post.mail("x@nowhere.example", "Away", more="Auto-Submitted: auto-replied\n")
    assert (lone.state, lone.ticket_id) == ("ignored", None)
    assert Ticket.objects.count() == 1


def test_a_bounce_marks_the_address_and_tells_the_desk_once(world: World, post: Post) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    world.forward(minutes=1)

    def bounce(signed: str, number: int) -> bytes:
        return (
            f"From: MAILER-DAEMON@mx.example\nTo: {post.mailbox.address}\nSubject: Undelivered\n"
            f"Return-Path: <>\nMessage-ID: <b{number}@mx>\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nNo.\n--b\n'
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; maria@example.org\n"
            f"Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n\n--b\nContent-Type: text/rfc822-headers\n\n"
            f"Message-ID: <{signed}>\n\n--b--\n"
        ).encode()

    invented = post.comes(bounce(f"{ticket.pk}.k-{'a' * 26}@{ours.host()}", 1))
    assert (invented.state, invented.ticket_id) == ("ignored", None)
    assert not EmailAddress.objects.filter(failing_since__isnull=False).exists()
    to_others = post.comes(bounce(ours.message_id(ticket.pk, f"k.{world.jonas.pk}.email"), 4))
    assert (to_others.state, to_others.ticket_id) == ("ignored", ticket.pk)
    assert not EmailAddress.objects.filter(failing_since__isnull=False).exists()
    told = post.comes(bounce(ours.message_id(ticket.pk, f"k.{world.maria.pk}.email"), 2))
    assert (told.state, told.ticket_id) == ("taken", ticket.pk)
    assert EmailAddress.objects.get(address="maria@example.org").failing_since == world.now
    assert "550 no such user" in _said(ticket)[-1][0]
    assert Delivery.objects.filter(topic="watched", person=world.jonas, channel="app").exists()
    post.comes(bounce(ours.message_id(ticket.pk, f"l.{world.maria.pk}.email"), 3))
    assert len(_said(ticket)) == 1
    assert Ticket.objects.count() == 1


def test_one_bad_mail_stops_no_other(world: World, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    real = opening._title

    def breaks(case: opening.Case) -> str:
        if "poison" in case.found.said:
            raise RuntimeError("a bug")
        return real(case)

    monkeypatch.setattr(opening, "_title", breaks)
    first = post.kept(post.write(MARIA, "poison"))
    second = post.kept(post.write(OTTO, "harmless"))
    parts = "".join(f"--b\n\n{number}\n" for number in range(300))
    third = post.kept(f"From: {MARIA}\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n".encode())
    post.take()
    stands = {row.pk: (row.state, row.reason, row.attempts) for row in InboundMessage.objects.all()}
    assert stands == {
        first: ("quarantined", "failed", 3),
        second: ("taken", "", 0),
        third: ("quarantined", "parts", 0),
    }


def test_too_much_of_one_sender_is_held(world: World, post: Post) -> None:
    states = [post.mail(MARIA, f"Matter {'abcdefghijklmnop'[number]}").state for number in range(12)]
    assert states == ["taken"] * 10 + ["held"] * 2
    assert post.mail(OTTO).state == "taken"
    world.forward(minutes=11)
    assert post.mail(MARIA, "Later").state == "taken"


def test_roles_stay_what_they_were(world: World, post: Post) -> None:
    post.mail("Ada Admin <ada@example.org>", "I am the administrator.", proven=False)
    post.mail("Eva <eva@example.org>", "Give me rights.")
    assert not world.actor(Person.objects.get(name="Eva")).has_role(*Role)
