"""Mail is read in a process that can be killed: what takes too long is put aside, and the next mail is read."""

from __future__ import annotations

from allswell.intake.apart import Apart, Unreadable, read
from allswell.intake.parsers.mail.references import Own
from allswell.intake.parsers.mail.understanding import Understood

MAIL = b"From: maria@example.org\nSubject: Printer\n\nIt hums.\n"


def test_it_says_the_same_as_reading_here_and_lives_from_mail_to_mail() -> None:
    apart = Apart()
    try:
        assert apart.understand(MAIL, Own(key=b"secret")) == read(MAIL, Own())
        parts = b"".join(b"--b\n\n%d\n" % number for number in range(300))
        assert apart.understand(b"Content-Type: multipart/mixed; boundary=b\n\n" + parts, Own()) == Unreadable("parts")
        process = apart._process
        assert process is not None
        process.kill()
        process.wait()
        assert isinstance(apart.understand(MAIL, Own()), Understood)
    finally:
        apart.close()


def test_what_takes_too_long_is_given_up() -> None:
    apart = Apart(patience=0.0)
    assert apart.understand(MAIL, Own()) == Unreadable("too long")
    assert apart._process is None
