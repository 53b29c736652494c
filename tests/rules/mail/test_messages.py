"""What is read out of a mail: its head, its text, its files, the mails inside."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from allswell.intake.parsers.mail import message
from allswell.intake.parsers.mail.message import Address

from .letters import HEAD, mail


def _parts(*parts: str, kind: str = "mixed", more: str = "") -> message.ParsedMail:
    body = "".join(f"--b\n{part}\n" for part in parts)
    return mail(f"{body}--b--\n", more=f"Content-Type: multipart/{kind}; boundary=b\n{more}")


def test_a_plain_mail_says_who_wrote_what_to_whom() -> None:
    found = mail(
        "The printer is on fire.\n",
        more="Date: Mon, 23 Nov 2026 10:00:00 +0100\nCc: Jonas <jonas@desk.example>\nIn-Reply-To: <a@x>\nReferences: <r@x>\n <a@x>\n",
    )
    assert found.from_ == Address("Eva Novak", "eva@customer.example")
    assert (found.subject, found.message_id, found.text) == ("Printer", "1@customer.example", "The printer is on fire.")
    assert found.date == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert found.cc == (Address("Jonas", "jonas@desk.example"),)
    assert (found.in_reply_to, found.references) == (("a@x",), ("r@x", "a@x"))
    assert found.return_path is None
    assert found.defects == ()


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_any_line_ends_are_line_ends(end: str) -> None:
    raw = f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\nthere\n--b\nContent-Type: text/csv; name=x.csv\n\n1;2\n--b--\n"
    found = message.parse(raw.replace("\n", end).encode())
    assert found.text == "Hello\nthere"
    assert [one.name for one in found.attachments] == ["x.csv"]


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("=?utf-8?B?Rm9vLCBCYXI=?= <Foo.Bar@Example.com>", "Foo, Bar", "foo.bar@example.com"),
        ('"Novak, Eva" <eva@x.example>', "Novak, Eva", "eva@x.example"),
        ("eva@x.example (Eva Novak)", "Eva Novak", "eva@x.example"),
        ("Eva Novak eva@x.example", "Eva Novak", "eva@x.example"),
        ("boss@bank.example <thief@x.example>", "boss@bank.example", "thief@x.example"),
        ('"boss@bank.example"@x.example', "boss@bank.example@x.example", ""),
        ("<a@b@c.example>", "", ""),
        ("MAILER-DAEMON <>", "MAILER-DAEMON", ""),
        ("Team: eva@x.example, jo@x.example;", "", "eva@x.example"),
        ("\u202eEva\u200b\x00 <eva@x.example>", "Eva", "eva@x.example"),
    ],
)
def test_a_sender_is_one_address_or_none(written: str, name: str, address: str) -> None:
    assert mail(head=f"From: {written}\n").from_ == Address(name, address)


def test_two_senders_are_noted_for_they_prove_nothing() -> None:
    assert "several senders" in mail(head="From: a@x.example, b@y.example\n").defects
    assert "several senders" in mail(head="From: <a@x.example> <b@y.example>\n").defects
    assert "more than one from" in mail(head="From: a@x.example\nFrom: b@y.example\n").defects


def test_the_null_path_is_not_the_same_as_none_noted() -> None:
    assert mail(more="Return-Path: <>\n").return_path == ""
    assert mail(more="Return-Path: <Eva@X.example>\n").return_path == "eva@x.example"
    assert mail().return_path is None


def test_encoded_words_are_read_also_where_a_letter_is_cut_in_two() -> None:
    letters = "Grüße aus Köln".encode()
    cut = letters.index("ü".encode()) + 1
    words = " ".join(f"=?utf-8?B?{base64.b64encode(piece).decode()}?=" for piece in (letters[:cut], letters[cut:]))
    assert mail(head=f"Subject: Re: {words} (2)\n").subject == "Re: Grüße aus Köln (2)"
    assert mail(head="Subject: =?iso-8859-1?q?Gr=FC=DFe_aus?= =?x-nobody?q?_K?=\n").subject == "Grüße aus K"
    assert mail(head="Subject: =?utf-8?q?unfinished\n").subject == "=?utf-8?q?unfinished"


def test_a_subject_cannot_bring_headers_of_its_own() -> None:
    found = mail(head="Subject: =?utf-8?q?x=0D=0ABcc:_evil@x.example=00?=\n")
    assert found.subject == "x Bcc: evil@x.example"
    assert "\n" not in found.subject


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Grüße".encode("cp1252"), "utf-8", "Grüße"),
        ("Grüße €".encode("cp1252"), "iso-8859-1", "Grüße €"),
        ("Grüße".encode("cp1252"), "us-ascii", "Grüße"),
        ("сообщение".encode("cp1251"), "us-ascii", "сообщение"),
        ("сообщение".encode("koi8-r"), "koi8-r", "сообщение"),
        ("日本語".encode("iso2022_jp"), "", "日本語"),
        ("日本語".encode("cp932"), "shift_jis", "日本語"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        (b"plain", "punycode", "plain"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
        (b"plain", "x" * 500, "plain"),
    ],
)
def test_text_is_read_whatever_the_sender_calls_its_character_set(octets: bytes, charset: str, text: str) -> None:
    raw = f'{HEAD}Content-Type: text/plain; charset="{charset}"\nContent-Transfer-Encoding: 8bit\n\n'.encode() + octets
    assert message.parse(raw).text == text


def test_eight_bit_headers_are_read() -> None:
    raw = b"From: Ingo L\xfctkebohle <ingo@x.example>\nSubject: Gr\xc3\xbc\xc3\x9fe\n\n"
    assert (message.parse(raw).from_.name, message.parse(raw).subject) == ("Ingo Lütkebohle", "Grüße")


def test_plain_text_is_taken_before_html_and_html_is_kept() -> None:
    found = _parts("Content-Type: text/plain\n\nHello", "Content-Type: text/html\n\n<b>Hello</b>", kind="alternative")
    assert (found.text, found.html, found.attachments) == ("Hello", "<b>Hello</b>", ())
    only = _parts("Content-Type: text/plain\n\n \n", "Content-Type: text/html\n\n<b>Hello</b>", kind="alternative")
    assert only.text == "Hello"


def test_html_is_read_as_text_with_its_images_in_place() -> None:
    page = (
        "<html><head><title>t</title><style>p{}</style></head><body><p>Dear&nbsp;desk,</p><p>see <a href='https://x.example/a'>here</a>:"
        "<img src='cid:pic1'></p><ul><li>one<li>two</ul><script>alert(1)</script><!-- no --><blockquote>old<br>text</blockquote>"
        "<a href='javascript:x'>no link</a><a title='a>b' href=https://y.example>https://y.example</a></body></html>"
    )
    found = mail(page, more="Content-Type: text/html\n")
    assert found.text == (
        "Dear desk,\n\nsee here <https://x.example/a>:[cid:pic1]\n\n- one\n- two\n\n> old\n> text\nno linkhttps://y.example"
    )


def test_files_are_known_by_harmless_names() -> None:
    def name(said: str) -> str:
        return _parts(f"Content-Type: application/x-any\nContent-Disposition: attachment; {said}\n\nx").attachments[0].name

    assert name('filename="..\\\\..\\\\evil.exe"') == "evil.exe"
    assert name('filename="../../etc/passwd"') == "passwd"
    assert name('filename=".htaccess"') == "htaccess"
    assert name('filename="a.php\u200b"') == "a.php"
    assert name('filename="invoice\u202efdp.exe"') == "invoicefdp.exe"
    assert name("filename*=utf-8''Pr%C3%BCfung%2Fb%00.pdf") == "b.pdf"
    assert name("filename*0*=utf-8''Pr%C3%BC; filename*1=fung.pdf") == "Prüfung.pdf"
    assert name('filename="=?utf-8?q?Pr=C3=BCfung.pdf?="') == "Prüfung.pdf"
    assert name("filename=my file.pdf") == "my file.pdf"
    assert name('filename="..."') == "file-1"
    assert len(name(f'filename="{"x" * 300}.pdf"')) == 150
    assert name(f'filename="{"x" * 300}.pdf"').endswith(".pdf")


def test_inline_images_are_told_from_files() -> None:
    found = _parts(
        "Content-Type: text/html\n\n<img src=cid:p@x>",
        "Content-Type: image/png; name=p.png\nContent-ID: <p@x>\nContent-Transfer-Encoding: base64\n\niVBORw0K",
        "Content-Type: image/png; name=q.png\nContent-ID: <q@x>\nContent-Disposition: attachment\n\nx",
    )
    assert [(one.name, one.content_id, one.is_inline) for one in found.attachments] == [
        ("p.png", "p@x", True),
        ("q.png", "q@x", False),
    ]
    assert found.attachments[0].payload == b"\x89PNG\r\n"
    assert found.text == "[cid:p@x]"


def test_a_mail_inside_is_read_and_kept_as_a_file() -> None:
    found = _parts(
        "\nSee below", "Content-Type: message/rfc822\n\nFrom: Jo <jo@x.example>\nSubject: Old\nMessage-ID: <old@x>\n\nInside"
    )
    assert [(one.from_.address, one.subject, one.message_id, one.text) for one in found.nested] == [
        ("jo@x.example", "Old", "old@x", "Inside")
    ]
    assert [one.name for one in found.attachments] == ["Old.eml"]
    assert found.text == "See below"


def test_uuencoded_files_come_out_of_the_text() -> None:
    found = mail("Look:\n\nbegin 644 ../cat.txt\n#0V%T\n`\nend\nBye")
    assert [(one.name, one.payload) for one in found.attachments] == [("cat.txt", b"Cat")]
    assert found.text == "Look:\n\nBye"


def test_what_needs_other_programs_is_noted() -> None:
    assert _parts("\nx", "Content-Type: application/ms-tnef; name=winmail.dat\n\nx").has_tnef
    assert _parts("Content-Type: application/pgp-encrypted\n\nVersion: 1", kind="encrypted").is_encrypted
    assert mail("MIAG", more="Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n").is_encrypted
    invitation = "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR"
    assert _parts("\nx", invitation).calendar_method == "REQUEST"


@pytest.mark.parametrize(
    ("more", "body", "text"),
    [
        ("Content-Type: multipart/alternative; boundary=b\n", "\n\n", ""),
        ("Content-Type: multipart/mixed; boundary=b\n", "just text", "just text"),
        ("Content-Type: multipart/mixed\n", "--b\n\nguessed\n--b--", "guessed"),
        ("Content-Type: multipart/mixed; boundary=b\n", "--b\n\nno end", "no end"),
        ("Content-Type: multipart/mixed; boundary=b\n", "--bb\n\nother\n--b\n\nmine\n--b--", "mine"),
        ("Content-Type: multipart/mixed;\nboundary=b\n", "--b\n\nunfolded\n--b--", "unfolded"),
        ("Content-Type: text/plain\nContent-Type: text/html\n", "<b>", "<b>"),
        ("Content-Type: nonsense\n", "text", "text"),
        (
            "Content-Type: text/plain; format=flowed\n",
            "> Hi \nHello \nthere \n\nBye\n-- \nEva",
            "> Hi \nHello there \n\nBye\n-- \nEva",
        ),
        ("Content-Transfer-Encoding: base64\n", "This is no base64, though it says so!", "This is no base64, though it says so!"),
        ("Content-Transfer-Encoding: x-unknown\n", "text", "text"),
        ("Content-Transfer-Encoding: quoted-printable\n", "a=3Db=\nc=ZZ", "a=bc=ZZ"),
    ],
)
def test_broken_mails_are_read_as_far_as_they_go(more: str, body: str, text: str) -> None:
    assert mail(body, more=more).text == text
