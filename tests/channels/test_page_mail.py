"""A page by e-mail: it stands out, is never behind other mails, and says what acknowledges."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from allswell.notifications.channels import calling
from allswell.notifications.letters import Way
from allswell.notifications.rules import Outcome
from tests.channels.pages import PAGE, send
from tests.support.mailbox import Mailbox

LENA = Way("email", "lena.frei@northbank.example")


@pytest.fixture
def mailbox(settings: object) -> Iterator[Mailbox]:
    with Mailbox() as box:
        settings.SMTP_URL, settings.MAIL_FROM = box.url, "Service desk <desk@example.org>"  # type: ignore[attr-defined]
        yield box


def test_a_page_is_a_mail_of_its_own_that_stands_out(mailbox: Mailbox) -> None:
    answer = send(LENA)
    assert (answer.outcome, answer.reference, answer.address) == (Outcome.SENT, "page.7.41@127.0.0.1", LENA.address)
    (mail,) = mailbox.received
    assert mail["Subject"] == f"[INC-1042] {PAGE.headline}"
    assert (mail["Message-ID"], mail["References"]) == ("<page.7.41@127.0.0.1>", "<ticket.1042@127.0.0.1>")
    assert (mail["Importance"], mail["X-Priority"], mail["Priority"]) == ("high", "1", "urgent")
    assert (mail["Auto-Submitted"], mail["X-Allswell-Page"]) == ("auto-generated", "urgent")
    assert mail["To"] == LENA.address
    plain = mail.get_body(("plain",))
    page = mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().replace("\r\n", "\n") == (
        f"{PAGE.headline}\n\n{PAGE.text}\n\n{PAGE.link}\n\n"
        "Opening this mail or the link acknowledges nothing; the button on the page does.\n"
    )
    assert "&lt;stuck&gt;" in page.get_content()
    assert "<stuck>" not in page.get_content()
    assert 'href="https://desk.example.org/p/abc?x=1&amp;y=2"' in page.get_content()


def test_what_is_not_urgent_does_not_shout_and_is_read_in_ones_own_language(mailbox: Mailbox) -> None:
    send(LENA, replace(PAGE, urgency="normal", locale="de", reference="", headline="Zwei\r\nBcc: x@example.org"))
    (mail,) = mailbox.received
    assert mail["Subject"] == "Zwei Bcc: x@example.org"
    assert (mail["Importance"], mail["X-Priority"], mail["References"], mail["Bcc"]) == (
        None,
        None,
        "<ticket.1042@127.0.0.1>",
        None,
    )
    assert "bestätigt nichts" in mailbox.received[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_what_needs_no_answer_says_nothing_of_buttons(mailbox: Mailbox) -> None:
    send(LENA, replace(PAGE, link=""))
    send(LENA, replace(PAGE, number=0, reference="", link="https://desk.example.org/me/contacts"))
    for mail in mailbox.received:
        assert "button" not in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert mailbox.received[1]["References"] is None


def test_an_address_nobody_has_is_told_as_such(mailbox: Mailbox) -> None:
    mailbox.refuse["RCPT"] = "550 5.1.1 no such user"
    answer = send(LENA)
    assert (answer.outcome, answer.is_bad_address, answer.status) == (Outcome.FAILED, True, 550)
    mailbox.refuse["RCPT"] = "451 4.3.0 later"
    assert send(LENA).outcome == Outcome.RETRY


def test_a_server_that_is_not_there_has_taken_nothing(settings: object) -> None:
    with Mailbox() as gone:
        pass
    settings.SMTP_URL, settings.MAIL_FROM = gone.url, "desk@example.org"  # type: ignore[attr-defined]
    answer = send(LENA)
    assert (answer.outcome, answer.is_certain) == (Outcome.RETRY, True)


@pytest.mark.parametrize(("url", "sender"), [("", "desk@example.org"), ("smtp://mail.example.org", "")])
def test_without_a_mail_server_the_next_channel_begins(url: str, sender: str, settings: object) -> None:
    settings.SMTP_URL, settings.MAIL_FROM = url, sender  # type: ignore[attr-defined]
    assert send(LENA).outcome == Outcome.FAILED


@pytest.mark.parametrize("address", ["", "no address", "a@b@c", "\x00@example.org", "x" * 70 + "@" + "y" * 300])
def test_an_address_that_is_none_does_not_stop_anything(address: str, mailbox: Mailbox) -> None:
    assert send(Way("email", address)).outcome in (Outcome.FAILED, Outcome.RETRY, Outcome.SENT)


class Mute:
    """A mail server that greets, answers the first `lines` commands and then says nothing any more."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.is_over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        taken, _where = self.listening.accept()
        with taken, taken.makefile("rwb") as talk:
            talk.write(b"220 mute\r\n")
            talk.flush()
            for _line in range(self.lines):
                word = talk.readline().split(b" ")[0].strip().upper()
                talk.write(b"354 go on\r\n" if word == b"DATA" else b"250 ok\r\n")
                talk.flush()
            self.is_over.wait(20)

    def __enter__(self) -> Mute:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.listening.close()


@pytest.mark.parametrize(("lines", "within", "is_certain"), [(0, 0.5, True), (2, 0.5, True), (4, 3.0, False)])
def test_a_server_that_falls_silent_is_not_waited_for(
    lines: int, within: float, is_certain: bool, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "DEADLINE", within)
    with Mute(lines) as server:
        settings.SMTP_URL = f"smtp+plain://127.0.0.1:{server.port}"  # type: ignore[attr-defined]
        settings.MAIL_FROM = "desk@example.org"  # type: ignore[attr-defined]
        answer = send(LENA)
    assert (answer.outcome, answer.is_certain) == (Outcome.RETRY, is_certain)
