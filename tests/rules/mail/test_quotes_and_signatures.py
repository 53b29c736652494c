"""What was written now, what is quoted, how it is signed, what is passed on."""

from __future__ import annotations

import pytest

from allswell.intake.parsers.mail import forwarding, message, quoting, thanks

from .letters import about

BEFORE = [
    "On Mon, 23 Nov 2026 at 10:00, Desk <desk@desk.example> wrote:\n> Old\n> text",
    "On Mon, 23 Nov 2026 at 10:00, The Desk of Northbank\n<desk@desk.example>\nwrote:\n\n> Old",
    "Am 23.11.2026 um 10:00 schrieb Desk <desk@desk.example>:\n> Alt",
    "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Desk\n<desk@desk.example>:\n\n> Alt",
    "Le lun. 23 nov. 2026 à 10:00, Desk <desk@desk.example> a écrit :\n> Avant",
    "El lun, 23 nov 2026 a las 10:00, Desk (<desk@desk.example>) escribió:\n> Antes",
    "Il giorno lun 23 nov 2026 alle ore 10:00 Desk <desk@desk.example> ha scritto:\n> Prima",
    "Op ma 23 nov 2026 om 10:00 schreef Desk <desk@desk.example>:\n> Oud",
    "W dniu pon., 23.11.2026 o 10:00 Desk <desk@desk.example> napisał(a):\n> Stare",
    "Em seg., 23 de nov. de 2026 às 10:00, Desk <desk@desk.example> escreveu:\n> Antes",
    "Den mån 23 nov. 2026 kl 10:00 skrev Desk <desk@desk.example>:\n> Gammalt",
    "-----Original Message-----\nFrom: Desk\nSent: Monday\nTo: Eva\nSubject: x\n\nOld",
    "-----Ursprüngliche Nachricht-----\nVon: Desk\n\nAlt",
    "________________________________\nFrom: Desk <desk@desk.example>\nSent: Monday, November 23, 2026 10:00\nTo: Eva\nSubject: x\n\nOld",
    "Von: Desk <desk@desk.example>\nGesendet: Montag, 23. November 2026 10:00\nAn: Eva\nBetreff: x\n\nAlt",
    "De : Desk <desk@desk.example>\nEnvoyé : lundi 23 novembre 2026 10:00\nÀ : Eva\nObjet : x\n\nAvant",
    "De: Desk\nEnviado: lunes\nPara: Eva\nAsunto: x\n\nAntes",
    "Da: Desk\nInviato: lunedì\nA: Eva\nOggetto: x\n\nPrima",
    "Van: Desk\nVerzonden: maandag\nAan: Eva\nOnderwerp: x\n\nOud",
    "Od: Desk\nWysłano: poniedziałek\nDo: Eva\nTemat: x\n\nStare",
    "De: Desk\nEnviada em: segunda-feira\nPara: Eva\nAssunto: x\n\nAntes",
    "Från: Desk\nSkickat: måndag\nTill: Eva\nÄmne: x\n\nGammalt",
    "*From:* Desk\n*Sent:* Monday\n*To:* Eva\n*Subject:* x\n\nOld",
]


@pytest.mark.parametrize("before", BEFORE)
def test_what_was_written_before_is_folded(before: str) -> None:
    found = quoting.split(f"It works now.\nCan you close it?\n\n{before}\n")
    assert found.visible == "It works now.\nCan you close it?"
    assert found.quoted == before


def test_answers_between_the_quotes_stay() -> None:
    found = quoting.split("On 1 Jan 2026, Desk wrote:\n> Which floor?\n\nThe second.\n\n> Which room?\n\n204.\n")
    assert found.visible == "The second.\n\n204."


def test_a_forwarded_mail_is_what_it_is_about() -> None:
    text = "Please help her.\n\n---------- Forwarded message ---------\nFrom: Jo <jo@x.example>\nDate: Mon\nSubject: x\nTo: Eva\n\nMy text"
    assert quoting.split(text).visible == text
    outlook = "FYI\n\nFrom: Jo\nSent: Monday\nTo: Eva\nSubject: x\n\nMy text"
    assert quoting.split(outlook, is_forward=True).visible == outlook


@pytest.mark.parametrize(
    "text",
    [
        "On Monday it worked.\nOn Tuesday it did not.",
        "> a single quoted line\nand what I think of it",
        ">>> print(1)\n1\n>>> print(2)\n2",
        "Steps:\n- one\n- two\n\n1. From: is empty\n2. To: is full",
        "Subject: the printer\nIt is broken.",
        "Sent from my desk, as the phone is broken too, which you should repair",
    ],
)
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert quoting.split(text).visible == text


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nEva Novak\nCustomer Ltd",
        "--\nEva",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Get Outlook for iOS<https://aka.ms/x>",
        "Kind regards,\nEva Novak\nCustomer Ltd",
        "Mit freundlichen Grüßen\n\nEva Novak",
        "Cordialement,\nEva",
        "Met vriendelijke groet,\nEva",
        "Pozdrawiam\nEva",
        "Med vänliga hälsningar\nEva",
        "Disclaimer: this is secret.",
        "-Eva Novak",
    ],
)
def test_signatures_are_told_apart(signature: str) -> None:
    found = quoting.split(f"The printer is broken.\n\n{signature}\n")
    assert (found.visible, found.signature) == ("The printer is broken.", signature)


def test_a_mail_that_is_all_greeting_keeps_its_words() -> None:
    assert quoting.split("Thanks!\n").visible == "Thanks!"
    assert quoting.split("").visible == ""


@pytest.mark.parametrize(
    ("subject", "text", "address"),
    [
        (
            "Fwd: x",
            "---------- Forwarded message ---------\nFrom: Jo Wu <jo@x.example>\nDate: Mon\nSubject: Old\nTo: Eva\n\nText",
            "jo@x.example",
        ),
        ("WG: x", "Bitte.\n\nVon: Jo Wu [mailto:jo@x.example]\nGesendet: Montag\nAn: Eva\nBetreff: Old\n\nText", "jo@x.example"),
        (
            "TR: x",
            "-----Message d'origine-----\nDe : Jo Wu <jo@x.example>\nEnvoyé : lundi\nÀ : Eva\nObjet : Old\n\nText",
            "jo@x.example",
        ),
        (
            "x",
            "Begin forwarded message:\n\n> From: Jo Wu <jo@x.example>\n> Subject: Old\n> Date: Monday\n>\n> Text",
            "jo@x.example",
        ),
    ],
)
def test_who_wrote_a_forwarded_mail_is_offered(subject: str, text: str, address: str) -> None:
    found = forwarding.original(about(subject, text))
    assert found is not None
    assert (found.sender.address, found.sender.name, found.subject) == (address, "Jo Wu", "Old")


def test_an_answer_is_no_forward() -> None:
    assert (
        forwarding.original(about("Re: x", "Yes\n\nFrom: Jo <jo@x.example>\nSent: Monday\nTo: Eva\nSubject: Old\n\nText")) is None
    )
    head = b"Subject: Fwd: x\nContent-Type: multipart/mixed; boundary=b\n\n"
    found = forwarding.original(message.parse(head + b"--b\nContent-Type: message/rfc822\n\nFrom: jo@x.example\n\nx\n--b--"))
    assert found is not None
    assert found.sender.address == "jo@x.example"


@pytest.mark.parametrize(
    "said",
    [
        *(
            "Thanks!",
            "Thank you very much, Maria.",
            "Danke",
            "Vielen Dank für die schnelle Hilfe!\n\nViele Grüße\nMaria",
            "Merci beaucoup",
        ),
        *(
            "Grazie mille!",
            "Muchas gracias, todo funciona",
            "Bedankt, het werkt",
            "Dziękuję bardzo",
            "Tack så mycket",
            "Muito obrigado",
        ),
        *("Perfect, thanks Jonas. You can close the ticket.", "Problem solved, thank you"),
    ],
)
def test_thanks_alone_are_only_thanks(said: str) -> None:
    assert thanks.is_thanks_only(said)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "Thanks, but it still does not work",
            "Thanks. Can you also reset Bob's password?",
            "No thanks",
            "Danke, geht aber noch nicht",
        ),
        *(
            "Thanks, when will it be done",
            "Merci, mais ça ne marche pas",
            "Thanks. The printer is broken",
            "Bedankt maar het werkt niet",
        ),
        *("Thanks for nothing", "Thanks, problem is back again", "Thanks, my number is 12345", "Gracias pero no funciona"),
        *("Thanks " * 40, "ok", ""),
    ],
)
def test_thanks_with_anything_else_are_more(said: str) -> None:
    assert not thanks.is_thanks_only(said)
