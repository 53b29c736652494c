"""What a mail is: written by a person, or by a program that must get no answer."""

from __future__ import annotations

import pytest

from allswell.intake.parsers.mail import delivery, references
from allswell.intake.parsers.mail.kinds import MailKind, Own, classify

from .letters import about, mail

ANSWER = "In-Reply-To: <1@desk.example>\n"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ("Auto-Submitted: auto-replied (vacation)\n", MailKind.AUTO_REPLY),
        ("Auto-Submitted: AUTO-REPLIED\n", MailKind.AUTO_REPLY),
        ("Auto-Submitted: auto-generated\n", MailKind.NOTICE),
        ("Auto-Submitted: no\n", MailKind.PERSON),
        ("X-Autoreply: yes\n", MailKind.AUTO_REPLY),
        ("X-Autorespond: Re: Printer\n", MailKind.AUTO_REPLY),
        ("Precedence: auto_reply\n", MailKind.AUTO_REPLY),
        ("X-MS-Exchange-Inbox-Rules-Loop: eva@customer.example\n", MailKind.AUTO_REPLY),
        ("Delivered-To: Autoresponder\n", MailKind.AUTO_REPLY),
        ("X-Auto-Response-Suppress: All\n", MailKind.NOTICE),
        ("Return-Path: <>\n", MailKind.AUTO_REPLY),
        ("Precedence: bulk\n", MailKind.LIST),
        ("List-Id: <news.customer.example>\n", MailKind.LIST),
        ("List-Unsubscribe: <https://x.example>\n", MailKind.LIST),
        ("X-Failed-Recipients: bob@x.example\n", MailKind.BOUNCE),
        ("", MailKind.PERSON),
    ],
)
def test_programs_that_say_so_are_believed(more: str, kind: MailKind) -> None:
    judgement = classify(mail("Please help me with the printer.", more=more))
    assert judgement.kind is kind
    assert judgement.kind.is_answered is (kind is MailKind.PERSON)
    assert judgement.is_certain is (kind is not MailKind.PERSON)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: Printer", "Hello,\n\nI am currently out of the office and will return on Monday.\nIn urgent cases please call Jo."),
        ("Out of Office: Printer", "Thanks for your mail."),
        ("Automatic reply: Printer", "Gone fishing"),
        ("AW: Drucker", "Guten Tag,\n\nich bin vom 3.3. bis 14.3. nicht im Büro. In dringenden Fällen hilft meine Vertretung."),
        ("Abwesenheitsnotiz: Drucker", "Ich bin wieder am 5. da."),
        ("RE: Imprimante", "Bonjour,\nJe suis actuellement absent jusqu'au 12 mars. En cas d'urgence appelez le standard."),
        ("Réponse automatique : Imprimante", "Bonjour"),
        ("RE: Impresora", "Hola, estoy fuera de la oficina hasta el lunes. En caso de urgencia llame al 123."),
        ("R: Stampante", "Buongiorno, sono assente fino al 12 marzo."),
        ("RE: Printer", "Ik ben momenteel afwezig tot en met 12 maart. Bij dringende zaken: een collega."),
        ("ODP: Drukarka", "Dzień dobry, jestem nieobecny do dnia 12 marca."),
        ("RE: Impressora", "Olá, estou ausente até 12 de março."),
        ("SV: Skrivare", "Hej, jag är på semester och är tillbaka den 12 mars."),
        ("Re: Printer", "This is an automated response. Your request has been received. Ticket #12345."),
        (
            "[Ticket#2026010112] Printer",
            "Thank you for contacting Acme. Your request has been received and ticket number 12345 was created.",
        ),
        ("Re: Drucker", "Vielen Dank für Ihre Anfrage. Dies ist eine automatisch erstellte Antwort."),
    ],
)
def test_responders_without_any_header_are_known_by_their_words(subject: str, text: str) -> None:
    judgement = classify(about(subject, text))
    assert (judgement.kind, judgement.is_certain) == (MailKind.AUTO_REPLY, False)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Out of paper", "The printer on floor 2 is out of paper."),
        (
            "My mails come back",
            "When I write to bob@x.example I get 'Undelivered Mail Returned to Sender', 550 5.1.1 user unknown.",
        ),
        ("Undeliverable: where does this come from?", "I keep getting these. The message could not be delivered. What is wrong?"),
        (
            "WG: Unzustellbar: Angebot",
            "Bitte prüfen.\n\nVon: Postmaster\nGesendet: Montag\nAn: Eva\n\nkonnte nicht zugestellt werden",
        ),
        ("Password", "I am away from Thursday, please reset my password before."),
        ("Out of office does not work", "My out of office reply is not sent. Can you look?"),
        ("Vertretung", "Ich bin nächste Woche im Urlaub. Bitte richten Sie für Frau Frei eine Vertretung im Postfach ein."),
        ("Re: Printer", "I will be out of the office tomorrow, can we do this on Friday?"),
        ("Absence management system down", "The absence system shows an error 500."),
        ("Urlaub im Kalender fehlt", "Mein Urlaub wird nicht angezeigt."),
        ("Automatic reply rule broken", "The rule stopped yesterday."),
        ("Delivery failure of the parcels", "Our delivery failed: parcels could not be delivered."),
        ("Your ticket", "Thank you for your message. My ticket number is #4711, when will it be done?"),
        ("Fwd: Automatic reply: Printer", "Look what he answers.\n\nI am out of the office until Monday."),
    ],
)
def test_people_who_write_about_such_things_are_people(subject: str, text: str) -> None:
    assert classify(about(subject, text)).kind is MailKind.PERSON


def test_our_own_mail_is_known_when_it_comes_back() -> None:
    own = Own(frozenset({"desk.example"}), frozenset({"support@desk.example"}), b"a key of this installation")
    for number in (0, 5):
        signed = references.message_id(number, "k", "desk.example", own.key)
        assert classify(mail(head=f"From: a@x.example\nMessage-ID: <{signed}>\n"), own).kind is MailKind.OWN
    assert classify(mail(head="From: a@x.example\nMessage-ID: <5@desk.example>\n"), own).kind is MailKind.PERSON
    assert classify(about("x", "y", sender="support@desk.example"), own).kind is MailKind.OWN
    assert classify(about("x", "y", sender="Support+t5-abc@Desk.example"), own).kind is MailKind.OWN
    assert classify(about("x", "y", more=ANSWER), own).kind is MailKind.PERSON


REPORT = """Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; Bob@X.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 nobody here
--b
Content-Type: text/rfc822-headers

Message-ID: <42.our@desk.example>
--b--
"""


@pytest.mark.parametrize(
    ("action", "status", "kind", "is_permanent"),
    [
        ("failed", "5.1.1", MailKind.BOUNCE, True),
        ("failed", "4.2.2", MailKind.BOUNCE, False),
        ("delayed", "4.4.1", MailKind.DELIVERY_REPORT, False),
        ("delivered", "2.0.0", MailKind.DELIVERY_REPORT, False),
        ("relayed", "2.0.0", MailKind.DELIVERY_REPORT, False),
    ],
)
def test_delivery_reports_say_what_became_of_which_mail(action: str, status: str, kind: MailKind, is_permanent: bool) -> None:
    found = mail(head=f"From: MAILER-DAEMON@mx.example\n{REPORT.format(action=action, status=status)}")
    assert classify(found).kind is kind
    (told,) = delivery.reports(found)
    assert (told.recipient, told.action, told.status, told.is_permanent) == ("bob@x.example", action, status, is_permanent)
    assert (told.original_message_id, told.why) == ("42.our@desk.example", "550 nobody here")


def test_a_bounce_in_prose_tells_whom_it_is_about() -> None:
    found = about(
        "Mail delivery failed: returning message to sender",
        "A message that you sent could not be delivered.\nThe following address failed:\n\n  bob@x.example\n    mailbox is full\n\n"
        "------ This is a copy of the message, with its headers. ------\n\nFrom: support@desk.example\nMessage-ID: <9@desk.example>\n",
        sender="Mail Delivery System <Mailer-Daemon@mx.example>",
    )
    assert classify(found).kind is MailKind.BOUNCE
    (told,) = delivery.reports(found)
    assert (told.recipient, told.original_message_id, told.is_permanent) == ("bob@x.example", "9@desk.example", False)


@pytest.mark.parametrize(
    ("more", "part", "kind"),
    [
        ("report; report-type=feedback-report", "message/feedback-report\n\nFeedback-Type: abuse", MailKind.COMPLAINT),
        ("report", "message/disposition-notification\n\nDisposition: manual; displayed", MailKind.RECEIPT),
        ("mixed", "text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\n", MailKind.CALENDAR),
        ("mixed", "text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\n", MailKind.RECEIPT),
        ("mixed", "message/delivery-status\n\nFinal-Recipient: rfc822; a@x.example\nAction: failed\n", MailKind.PERSON),
    ],
)
def test_reports_and_invitations_are_known_by_their_parts(more: str, part: str, kind: MailKind) -> None:
    found = mail(f"--b\n\nHello\n--b\nContent-Type: {part}\n--b--", more=f"Content-Type: multipart/{more}; boundary=b\n")
    assert classify(found).kind is kind
