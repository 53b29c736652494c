"""What anybody may send to a desk: forged, to others' tickets, full of script and headers, huge, or far too much."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from django.db import connection
from django.test import Client

from allswell.desk import tickets as desk
from allswell.desk.mail import deciding, ours
from allswell.engine.mail_in import MailIn
from allswell.intake import apart
from allswell.intake.models import InboundMessage, Mailbox
from allswell.kernel.actor import Role
from allswell.notifications.models import Delivery
from allswell.people.models import EmailAddress, Person
from allswell.tickets.models import Attachment, Comment, Ticket, Watcher
from tests.abuse.test_alerts_in import EVIL, harmless
from tests.abuse.test_mails import KNOWN
from tests.engine.test_mail import send
from tests.engine.test_mail import text as words_of_mail
from tests.races.test_two_at_once import together
from tests.support import mailbox as boxes
from tests.support.post import SERVER, Post
from tests.support.world import World

Browser = Callable[..., Client]
MARIA, JONAS, OTTO = "Maria Keller <maria@example.org>", "Jonas Berg <jonas@example.org>", "Otto Other <otto@example.org>"
FORGED = "dmarc=fail header.from=example.org"


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


def _evil_mail(post: Post) -> bytes:
    mail = EmailMessage()
    mail["To"], mail["Subject"], mail["Message-ID"] = post.mailbox.address, f"kestrel {EVIL}", '<"onload=alert(1)x>@example.org>'
    mail.set_content(f"kestrel {EVIL}\n\n-- \n{EVIL}")
    mail.add_alternative(
        f"<html><base href=//evil.example><body>kestrel {EVIL}<style>*{{x:url(//e)}}</style></body>", subtype="html"
    )
    mail.add_attachment(b"x", maintype="text", subtype="html", filename=f"kestrel {EVIL}.html")
    head = f"Authentication-Results: {SERVER}; dmarc=pass header.from=example.org\n"
    head += (
        f'From: "<script>alert(1)</script><img src=x onerror=alert(1)>" <eva@example.org>\nX-{"<b>"}: <script>alert(1)</script>\n'
    )
    return head.encode() + mail.as_bytes()


def test_script_in_every_field_is_text_on_every_page_and_in_every_mail(world: World, post: Post, browser: Browser) -> None:
    taken = post.comes(_evil_mail(post))
    assert taken.state == "taken"
    ticket = Ticket.objects.get()
    desk.assign(ticket.pk, person=world.jonas.pk, **world.by(world.lena))
    held = post.comes(_evil_mail(post).replace(b"dmarc=pass", b"dmarc=fail").replace(b"onload", b"second"))
    assert held.state == "held"
    seen = 0
    for path in (
        f"/INC-{ticket.pk}", "/desk/all", "/search?q=kestrel", "/setup/mail", "/setup/mail?show=all", f"/setup/mail/{taken.pk}",
        f"/setup/mail/{held.pk}", "/setup/mailboxes", f"/setup/mailboxes/{post.mailbox.pk}",
    ):  # fmt: skip
        answer = browser(world.ada if path.startswith("/setup") else world.jonas).get(path, follow=True)
        assert answer.status_code == 200, path
        harmless(answer.content.decode())
        seen += b"kestrel" in answer.content
    assert seen >= 5
    for path in (f"/tickets/{ticket.pk}/mails/{taken.pk}", f"/setup/mail/{held.pk}/source"):
        source = browser(world.ada if path.startswith("/setup") else world.jonas).get(path)
        assert source.headers["Content-Disposition"].startswith("attachment"), path
        assert source.headers["X-Content-Type-Options"] == "nosniff"
    with boxes.Mailbox() as box:
        send(world, box.url, minutes=5)
        assert box.received
        for mail in box.received:
            assert set(mail.keys()) <= KNOWN
            assert "\n" not in mail["Subject"]
            if (html := mail.get_body(("html",))) is not None:
                harmless(html.get_content())


@pytest.mark.parametrize("line_break", ["=0D=0A", "=0A", "=0D", "=E2=80=A8", "=0D=0A=0D=0A", "=00=0A"])
def test_no_header_of_theirs_becomes_one_of_ours(world: World, post: Post, line_break: str) -> None:
    word = f"=?utf-8?q?x{line_break}Bcc:_eve@evil.example{line_break}X-Evil:_1?="
    sender = f"{word} <eva@example.org>"
    first = post.mail(sender, subject=word, more=f"References: <a@b>\n\tBcc: <eve@evil.example>\nCc: {word} <eve@evil.example>\n")
    ticket = Ticket.objects.get()
    eva = Person.objects.get(pk=first.person_id)
    assert len(eva.name.splitlines()) == len(ticket.title.splitlines()) == 1
    desk.reply(ticket.pk, body="We look.", **world.by(world.jonas))
    with boxes.Mailbox() as box:
        send(world, box.url, minutes=5)
        assert box.received
        for mail in box.received:
            assert set(mail.keys()) <= KNOWN
            assert [mail.get_all(name) for name in ("Bcc", "Cc", "X-Evil")] == [None] * 3
            assert [one.addr_spec for one in mail["To"].addresses] == ["eva@example.org"]


@pytest.mark.parametrize(
    "id_", ["x\r\n\tBcc:eve@evil.example", "x> <y@z", "=?utf-8?q?x=0ABcc:e?=", "x" * 2000, '"<script>"@x', "\x00@x"]
)
def test_no_message_id_of_theirs_adds_a_header_to_our_answers(world: World, post: Post, id_: str) -> None:
    raw = f"From: {MARIA}\nTo: {post.mailbox.address}\nSubject: x\nMessage-ID: <{id_}@example.org>\n\nWords\n".encode()
    post.comes(raw)
    ticket = Ticket.objects.get()
    desk.reply(ticket.pk, body="We look.", **world.by(world.jonas))
    with boxes.Mailbox() as box:
        send(world, box.url, minutes=5)
        assert box.received
        assert all(set(mail.keys()) <= KNOWN and mail["Bcc"] is None for mail in box.received)


def _told(results: str) -> bytes:
    return f"Authentication-Results: {SERVER}; {results}\n".encode()


def _forgeries(raw: bytes) -> dict[str, bytes]:
    """The same mail with whatever its sender can write to seem proven."""
    own = f"Authentication-Results: {SERVER}; dmarc=pass header.from=example.org\n".encode()
    truth = f"Authentication-Results: {SERVER}; dmarc=fail header.from=example.org\n".encode()
    passed = b"Received: from a by b; Mon, 23 Nov 2026 09:00:00 +0000\n"
    head = passed * 2
    return {
        "below our own": truth + passed + own + raw,
        "below too many servers": head + passed + own + raw,
        "of another server": own.replace(SERVER.encode(), b"mx.example.org.evil.example") + raw,
        "in a comment": own.replace(b"; dmarc", b"; none (dmarc").replace(b"\n", b")\n") + raw,
        "in a quoted address, dkim": _told('spf=pass smtp.mailfrom="a; dkim=pass header.d=example.org x"@evil.example') + raw,
        "in a quoted address, dmarc": _told('spf=pass smtp.mailfrom="a; dmarc=pass x"@evil.example; dmarc=fail') + raw,
        "in a quoted address, spf": _told('spf=pass smtp.mailfrom="jonas@example.org"@evil.example; dmarc=none') + raw,
        "in a quote in a comment": _told('spf=pass (of "a) dmarc=pass ;dmarc=pass (") smtp.mailfrom=evil.example; dmarc=fail')
        + raw,
        "for another domain": own.replace(b"header.from=example.org", b"header.from=evil.example") + raw,
        "in the text": raw.replace(b"\n\n", b"\n\n" + own, 1),
        "two senders": own + b"From: Eve <eve@evil.example>\n" + raw,
        "several in one": own + raw.replace(b"From: ", b"From: eve@evil.example, ", 1),
    }


@pytest.mark.parametrize("name", ["ada", "jonas", "lena", "olga"])
def test_an_address_alone_acts_for_nobody_of_the_desk(world: World, post: Post, name: str) -> None:
    ticket = world.report()
    to = ours.reply_address(ticket.pk, post.mailbox.address)
    before = dict(Person.objects.values_list("pk", "name")), Ticket.objects.get(pk=ticket.pk).state
    written = post.write(
        f"{name} <{name}@example.org>", "#resolve\n#assign me\nPaid.", to=to, proven=False, message_id="one@example.org"
    )
    for what, raw in _forgeries(written).items():
        words = what.replace(" ", "-").encode()
        found = post.comes(raw.replace(b"<one@", b"<" + words + b"@").replace(b"Paid.", b"Paid, " + words))
        ticket.refresh_from_db()
        assert (ticket.state, ticket.assignee, ticket.first_response_at) == (before[1], None, None), what
        assert not Comment.objects.filter(ticket=ticket, is_public=True).exists(), what
        assert not Comment.objects.filter(author=getattr(world, name)).exists(), what
        assert not Attachment.objects.filter(uploaded_by=getattr(world, name)).exists(), what
        assert found.state in ("taken", "held"), what
        world.forward(minutes=20)


def test_nobody_is_taken_for_somebody_whose_address_looks_the_same(world: World, post: Post) -> None:
    ticket = world.report()
    looks = [
        '"jonas@example.org" <eve@evil.example>',
        "jonas@example.org <eve@evil.example>",
        "Jonas Berg <jonаs@example.org>",
        "Jonas Berg <ｊonas@example.org>",
        "Jonas Berg <jonas@exаmple.org>",
        "Jonas Berg <jonas\u200b@example.org>",
        "Jonas Berg <jonas@example.org.evil.example>",
        "Jonas Berg <jonas+x@example.org>",
        "=?utf-8?q?jonas=40example.org=3E?= <eve@evil.example>",
    ]
    for look in looks:
        found = post.mail(
            look, "#resolve\nDone", subject=f"Re: [INC-{ticket.pk}]", to=ours.reply_address(ticket.pk, post.mailbox.address)
        )
        assert found.person_id != world.jonas.pk, look
        assert found.ticket_id != ticket.pk, look
        world.forward(minutes=20)
    ticket.refresh_from_db()
    assert ticket.state == "new"
    assert not Person.objects.exclude(pk__in=[world.jonas.pk]).filter(addresses__address="jonas@example.org").exists()


def test_what_our_server_calls_forged_is_held_and_a_guessed_number_is_not_enough(world: World, post: Post) -> None:
    ticket = world.report()
    to = ours.reply_address(ticket.pk, post.mailbox.address)
    for number, proven in enumerate((FORGED, False)):
        for values in ({"subject": f"[INC-{ticket.pk}] x"}, {"to": to}):
            found = post.mail(MARIA, f"I am Maria, {number}.", proven=proven, **values)
            if proven:
                assert (found.state, found.reason) == ("held", "forged")
            elif "subject" in values:
                assert found.ticket_id not in (None, ticket.pk)
                assert "no server proved" in Comment.objects.get(ticket=found.ticket_id, body__contains=f"INC-{ticket.pk}").body
    assert [row.body for row in Comment.objects.filter(ticket=ticket, is_public=True)] == ["I am Maria, 1."]


def test_to_let_a_mail_in_proves_nothing(world: World, post: Post) -> None:
    ticket = world.report()
    held = post.mail(JONAS, "#resolve\nPaid.", to=ours.reply_address(ticket.pk, post.mailbox.address), proven=FORGED)
    assert held.state == "held"
    deciding.release(held.pk, **world.by(world.ada))
    post.take()
    ticket.refresh_from_db()
    assert (ticket.state, Comment.objects.filter(is_public=True).count()) == ("new", 0)
    assert not Comment.objects.filter(author=world.jonas).exists()


def test_forged_ids_and_addresses_lead_nowhere(world: World, post: Post) -> None:
    ticket, other = world.report(), world.report(title="Other")
    signed, address = ours.message_id(ticket.pk, "k"), ours.reply_address(ticket.pk, post.mailbox.address)
    moved = [signed.replace(f"{ticket.pk}.", f"{other.pk}.", 1), address.replace(f"+t{ticket.pk}-", f"+t{other.pk}-")]
    cut = [
        signed.replace("@", "a@"),
        signed[5:],
        signed.split("@")[0][:-1] + "@" + ours.host(),
        signed.replace(ours.host(), "evil.example"),
    ]
    for forged in [
        *moved,
        *cut,
        address.replace("@", "a@"),
        address[:-1],
        f"support+t{ticket.pk}-@desk.example",
        f"{'9' * 40}.k-{'a' * 26}@x",
    ]:
        values = {"to": forged} if "+t" in forged else {"answers": forged}
        found = post.mail(MARIA, f"Words for {forged[:9]}", **values)
        assert found.ticket_id not in (ticket.pk, other.pk), forged
        world.forward(minutes=20)
    assert not Comment.objects.filter(ticket__in=[ticket, other]).exists()


def test_nothing_of_a_ticket_one_may_not_see_is_told_in_any_answer(world: World, post: Post, browser: Browser) -> None:
    ticket = world.report(title="Merger with kestrel")
    Ticket.objects.filter(pk=ticket.pk).update(is_restricted=True)
    Delivery.objects.all().delete()
    for values in ({"subject": f"Re: [INC-{ticket.pk}]"}, {"answers": ours.message_id(ticket.pk, "k")}):
        found = post.mail(OTTO, "What is this about? " + values.get("subject", "x")[:3], **values)
        assert found.ticket_id not in (None, ticket.pk)
        page = browser(world.otto).get(f"/INC-{found.ticket_id}", follow=True)
        assert page.status_code == 200
        text = page.content.decode()
        assert "kestrel" not in text
        assert f'/INC-{ticket.pk}"' not in text
        assert "Perhaps" not in text
    assert not Comment.objects.filter(ticket=ticket).exists()
    assert not Watcher.objects.filter(ticket=ticket, person=world.otto).exists()
    with boxes.Mailbox() as box:
        send(world, box.url, minutes=5)
        told = [mail for mail in box.received if "otto@" in mail["To"]]
        assert told
        assert not any("kestrel" in words_of_mail(mail) or "Perhaps" in words_of_mail(mail) for mail in told)


def test_a_role_is_nothing_a_mail_can_ask_for(world: World, post: Post) -> None:
    more = "X-Allswell-Role: administrator\nX-Allswell-Ticket: 1\nX-Priority: 1\nControl: cancel\n"
    found = post.mail("Eve <eve@evil.example>", "#assign me\n#note\n#role administrator", more=more)
    eve = Person.objects.get(pk=found.person_id)
    assert not world.actor(eve).has_role(*Role)
    assert Ticket.objects.get().assignee is None
    assert EmailAddress.objects.get(person=eve).proof == "vouched"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (lambda: b"x" * (26 * 1024 * 1024), "size"),
        (lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1000 + b"--b--\n", "parts"),
        (lambda: b"Content-Type: message/rfc822\n\n" * 100 + b"x", "nesting"),
        (lambda: b"".join(b"X-%d: y\n" % number for number in range(1500)) + b"\nx", "headers"),
        (lambda: b"X-Long: " + b"y" * 300_000 + b"\n\nx", "headers"),
    ],
)
def test_bombs_are_put_aside_and_stop_nobody(world: World, post: Post, what: Callable[[], bytes], reason: str) -> None:
    bomb = post.kept(f"From: {MARIA}\nSubject: x\n".encode() + what())
    letter = post.kept(post.write(OTTO))
    post.take()
    stands = dict(InboundMessage.objects.values_list("pk", "state"))
    assert stands == {bomb: "quarantined", letter: "taken"}
    assert InboundMessage.objects.get(pk=bomb).reason == reason


def test_what_is_packed_stays_packed(world: World, post: Post) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/passwd", b"\0" * 20_000_000)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = MARIA, post.mailbox.address, "Log"
    mail.set_content("See the log.")
    mail.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename="..\\..\\log\u202egpj.zip")
    post.comes(mail.as_bytes())
    (kept,) = Attachment.objects.all()
    assert kept.size == len(packed.getvalue())
    assert not {"/", "\\", "\u202e"} & set(kept.name)


def test_a_flood_of_one_sender_is_held_and_nobody_else_is(world: World, post: Post) -> None:
    raws = [post.write("Eve <eve@evil.example>", f"Flood {'ab' * (number + 1)}", subject=f"F{number}") for number in range(50)]
    numbers = [post.kept(raw) for raw in raws]
    letter = post.kept(post.write(MARIA))
    post.take()
    states = [InboundMessage.objects.get(pk=number).state for number in numbers]
    assert (states.count("taken"), states.count("held")) == (10, 40)
    assert InboundMessage.objects.get(pk=letter).state == "taken"
    assert Ticket.objects.count() == 11


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory")
@pytest.mark.django_db(transaction=True)
def test_two_engines_take_each_mail_once(transactional_db: None) -> None:
    post = Post(World())
    Mailbox.objects.update(unknown_senders="create")
    for number in range(8):
        post.kept(post.write(f"P{number} <p{number}@customer.example>", f"Words {'ab' * (number + 1)}"))

    def engine() -> bool:
        module = MailIn(now=lambda: post.world.now, reader=apart.read)
        for _ in range(20):
            module.tick(post.world.now)
        return True

    together(engine, engine)
    post.take()
    assert list(InboundMessage.objects.values_list("state", flat=True)) == ["taken"] * 8
    assert Ticket.objects.count() == 8
