"""Pictures of mails stand where their writer put them, and only those that came with the mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from allswell.desk import attachments
from allswell.desk import tickets as desk
from allswell.intake.parsers.mail.references import Own
from allswell.intake.parsers.mail.understanding import understand
from allswell.kernel import pictures
from allswell.tickets.models import Attachment, Comment, Ticket
from allswell.web import show
from tests.support.boxes import a_picture
from tests.support.post import Post
from tests.support.shared import folder
from tests.support.world import World

Browser = Callable[..., Client]
MARIA = "Maria Keller <maria@example.org>"


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def letter(page: str, *files: tuple[str, bytes], to: str = "support@desk.example", subject: str = "Color", **heads: str) -> bytes:
    """A mail with a page and files that stand in it, called c1, c2, …"""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = MARIA, to, subject, f"<{subject.lower()}@example.org>"
    mail["Authentication-Results"] = "mx.example.org; dmarc=pass header.from=example.org"
    for name, said in heads.items():
        mail[name.replace("_", "-")] = said
    mail.set_content(page, subtype="html")
    for number, (name, payload) in enumerate(files, 1):
        kind, _, sub = (pictures.kind_of(payload) or "application/octet-stream").partition("/")
        mail.add_related(payload, maintype=kind, subtype=sub, cid=f"<c{number}>", filename=name, disposition="inline")
    return mail.as_bytes()


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    return Post(world)


def drawn(page: str) -> list[str]:
    """Addresses of the pictures in the messages of a page, in their order."""
    return re.findall(r'<img src="([^"]+)"', page)


def test_each_picture_stands_at_its_place_though_all_have_one_name(world: World, post: Post, browser: Browser) -> None:
    first, second = a_picture(marked=b"1"), a_picture(marked=b"2")
    page = "<p>Before <img src='cid:c2'> between <img src='cid:c1'> after</p><img src='https://spy.example/x.png'>"
    raw = letter(page, ("image.png", first), ("image.png", second))
    post.comes(raw)
    ticket = Ticket.objects.get()
    tokens = {row.name: f"/pictures/{row.token}" for row in Attachment.objects.filter(ticket=ticket)}
    assert set(tokens) == {"image.png", "image-2.png"}
    for person, path in ((world.jonas, f"/tickets/{ticket.pk}"), (world.maria, f"/my/{ticket.pk}")):
        said = browser(person).get(path).content.decode()
        assert drawn(said) == [tokens["image-2.png"], tokens["image.png"]]
        assert re.search(r'Before <img src="[^"]+" alt="image-2.png"> between <img', said)
        assert "spy.example" not in "".join(drawn(said))
    answer = browser(world.maria).get(tokens["image.png"])
    assert (answer.headers["Content-Type"], b"".join(answer)) == ("image/png", first)
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Content-Security-Policy"]) == (
        "nosniff",
        "sandbox; default-src 'none'",
    )
    assert browser(world.otto).get(tokens["image.png"]).status_code == 404


def test_ornaments_are_not_in_the_text_and_a_mark_that_comes_again_is_not_drawn_again(
    world: World, post: Post, browser: Browser
) -> None:
    icon, mark = a_picture(24, 24), a_picture(200, 80)
    page = "<p>It is gray.</p><p>Maria<br><img src='cid:c1'></p><img src='cid:c2'>"
    post.comes(letter(page, ("icon.png", icon), ("mark.png", mark)))
    ticket = Ticket.objects.get()
    assert "icon" not in ticket.description
    assert "[mark.png]" in ticket.description
    again = letter("<p>Still gray</p><img src='cid:c1'>", ("mark.png", mark), subject=f"Re: [INC-{ticket.pk}] Color")
    post.comes(again)
    assert Comment.objects.filter(ticket=ticket, author=world.maria, body__contains="[mark.png]").count() == 1
    shown = browser(world.jonas).get(f"/tickets/{ticket.pk}").content.decode()
    assert len(drawn(shown)) == 1
    assert Attachment.objects.filter(ticket=ticket).count() == 3


def test_what_is_no_picture_is_never_shown_as_one(world: World, browser: Browser) -> None:
    ticket = world.report()
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for number, (name, content) in enumerate((("a.svg", svg), ("b.png", svg), ("c.png", b"<html>"))):
        row = attachments.upload(BytesIO(content), name=name, content_type="image/png", **world.by(world.jonas))
        desk.reply(ticket.pk, body=f"See [{name}] {number}", attachments=(row.token,), **world.by(world.jonas))
        assert browser(world.jonas).get(f"/pictures/{row.token}").status_code == 404
        assert browser(world.jonas).get(f"/files/{row.token}").headers["Content-Type"] == "application/octet-stream"


def test_the_picture_of_a_note_is_not_the_requesters(world: World, browser: Browser) -> None:
    ticket = world.report()
    row = attachments.upload(BytesIO(a_picture()), name="shot.png", content_type="image/png", **world.by(world.jonas))
    desk.note(ticket.pk, body="See [shot.png]", attachments=(row.token,), **world.by(world.jonas))
    desk.reply(ticket.pk, body="See [shot.png]", **world.by(world.jonas))
    place = f"/pictures/{row.token}"
    assert drawn(browser(world.jonas).get(f"/tickets/{ticket.pk}").content.decode()) == [place]
    assert drawn(browser(world.maria).get(f"/my/{ticket.pk}").content.decode()) == []
    assert browser(world.maria).get(place).status_code == 404
    assert browser(world.jonas).get(place).status_code == 200


def test_no_address_that_somebody_wrote_becomes_an_image() -> None:
    shot = {"shot.png": "/pictures/x"}
    for text in ("![x](https://example.org/pixel.png)", "<img src=/pictures/y>", "![shot.png](/pictures/y)", "`[shot.png]`"):
        assert drawn(show.markdown(text, shot)) in ([], ["/pictures/x"]), text
        assert "<img" not in show.markdown(text), text
    assert drawn(show.markdown("[other.png] [shot.png](https://example.org/)", shot)) == []
    assert drawn(show.markdown("*[shot.png]*", shot)) == ["/pictures/x"]


def test_pictures_are_told_by_their_bytes() -> None:
    jpeg = b"\xff\xd8\xff\xe0\x00\x10" + bytes(14) + b"\xff\xc0\x00\x11\x08\x00\x30\x00\x40" + bytes(20)
    assert (pictures.kind_of(jpeg), pictures.measured(jpeg)) == ("image/jpeg", (64, 48))
    assert pictures.measured(b"GIF89a\x01\x00\x02\x00") == (1, 2)
    assert pictures.measured(a_picture(7, 9)) == (7, 9)
    assert pictures.kind_of(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    for cut in range(24):
        assert pictures.measured(a_picture()[:cut]) is None
        assert pictures.measured(jpeg[:cut]) is None


def test_real_mails_name_their_pictures_apart() -> None:
    found = 0
    for path in sorted(folder("mail").rglob("*.eml")):
        raw = path.read_bytes()
        if b"content-id:" not in raw.lower():
            continue
        said = understand(raw, Own())
        names = [one.name for one in said.mail.attachments]
        assert len(names) == len(set(names)), path
        assert "cid:" not in said.said, path
        found += 1
    assert found
