"""217 real mails from the tests of other mail programs: all are read, and what programs sent is known as such."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from allswell.intake.parsers.mail import delivery, message, quoting
from allswell.intake.parsers.mail.kinds import MailKind, classify
from tests.support.shared_files import real

from .letters import understand

#: what the files are, by the beginning of their names; the first that fits. What is not listed was written by a person or a list.
LABELS = [
    ("sisimai/not/rb-issue", MailKind.BOUNCE),  # a real bounce, kept there for a bug in the program it tested
    ("sisimai/not/", MailKind.PERSON),
    ("sisimai/bsd/rfc3834-", MailKind.AUTO_REPLY),
    ("sisimai/bsd/arf-", MailKind.COMPLAINT),
    ("sisimai/", MailKind.BOUNCE),
    ("flanker/bounce/no-mx", MailKind.DELIVERY_REPORT),
    ("flanker/bounce/", MailKind.BOUNCE),
    ("flanker/complaints/", MailKind.COMPLAINT),
    ("flanker/disposition-notification", MailKind.RECEIPT),
]
BY_PROGRAMS = {MailKind.BOUNCE, MailKind.AUTO_REPLY, MailKind.DELIVERY_REPORT, MailKind.COMPLAINT, MailKind.RECEIPT}


def _folder() -> Path:
    return real("mail/sisimai/LICENSE").parent.parent


def _files() -> dict[str, bytes]:
    folder = _folder()
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "LICENSE"
    }


def _label(name: str) -> MailKind | None:
    return next((kind for beginning, kind in LABELS if name.startswith(beginning)), None)


def test_every_real_mail_is_read_and_the_mail_of_programs_is_known() -> None:
    files = _files()
    assert len(files) > 200
    found = {name: understand(raw).kind for name, raw in files.items()}
    programs = {name for name in files if _label(name) in BY_PROGRAMS}
    assert len(programs) == 109
    wrong = {name: found[name] for name in programs if found[name] is not _label(name)}
    assert len(wrong) <= 0.03 * len(programs), wrong
    assert [name for name in programs if found[name].is_answered or found[name].opens_ticket] == []
    assert [name for name in files if name not in programs and found[name] in BY_PROGRAMS] == []


def test_bounces_are_known_where_the_headers_that_tell_are_missing() -> None:
    telling = re.compile(
        rb"^(?:return-path|auto-submitted|x-failed-recipients|precedence|x-auto-response-suppress|x-ms-exchange-inbox-rules-loop|x-envelope-from):.*\n?",
        re.IGNORECASE | re.MULTILINE,
    )
    missed = []
    for name, raw in _files().items():
        if _label(name) not in (MailKind.BOUNCE, MailKind.AUTO_REPLY) or "/mac/" in name:
            continue
        if classify(message.parse(telling.sub(b"", raw.replace(b"\r\n", b"\n")))).kind not in BY_PROGRAMS:
            missed.append(name)
    assert missed == []


def test_bounces_say_whom_they_are_about() -> None:
    silent = []
    for name, raw in _files().items():
        if _label(name) is MailKind.BOUNCE:
            told = delivery.reports(message.parse(raw))
            silent += [] if told and told[0].recipient and told[0].action == "failed" else [name]
    assert len(silent) <= 3, silent


#: what is visible of the answers in the tests of talon and zapier, by file; of the others it is "Hello"
VISIBLE = {
    "reply-quotations-share-block.eml": "Hi Katharine.",
    "email_1_2.txt": "Hi,\n\nYou can list",
    "email_1_5.txt": "One: Here's what I've got.",
    "email_1_6.txt": "I get proper rendering as well.",
    "email_2_2.txt": "Outlook with a reply directly above line",
    "email_bullets.txt": "test 2 this should list second",
    "email_gmail.txt": "This is a test for inbox replying to a github message.",
    "email_headers_no_delimiter.txt": "And another reply!",
    "email_iPhone.txt": "Here is another email",
    "email_sig_delimiter_in_middle_of_line.txt": "Hi there!",
}
OLD = ("wrote:", "Original Message", "From: ", "> ", "Sent from my ", "riak-users@")


def test_answers_of_real_programs_are_told_from_what_they_quote() -> None:
    folder = _folder()
    kept = []
    for path in [*folder.glob("talon/talon/tests/*.eml"), *folder.glob("zapier-email-reply-parser/*.txt")]:
        raw = path.read_bytes()
        text = message.parse(raw).text if path.suffix == ".eml" else raw.decode()
        visible = quoting.split(text).visible
        expected = VISIBLE.get(path.name, "Hello" if path.suffix == ".eml" else "")
        assert re.sub(r"\s+", " ", visible).startswith(re.sub(r"\s+", " ", expected)), path.name
        kept += [path.name] if any(old in visible for old in OLD) and path.name != "email_sent_from_my_not_signature.txt" else []
    assert kept == []


@pytest.mark.parametrize("style", ["dos", "mac"])
def test_line_ends_change_nothing(style: str) -> None:
    files = _files()
    pairs = [
        (raw, files[name.replace(style, "bsd")])
        for name, raw in files.items()
        if f"/{style}/" in name and name.replace(style, "bsd") in files
    ]
    assert len(pairs) >= 9
    for one, other in pairs:
        ours, theirs = message.parse(one), message.parse(other)
        assert (ours.subject, ours.text, ours.message_id, len(ours.nested)) == (
            theirs.subject,
            theirs.text,
            theirs.message_id,
            len(theirs.nested),
        )
