"""Files: uploaded, sent, served to the right people, forgotten."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import TestCase

from allswell.desk import attachments
from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.kernel.actor import engine
from allswell.kernel.errors import Invalid, NotFound
from allswell.tickets import operations as tickets
from allswell.tickets import queries, rules
from allswell.tickets.models import Attachment
from tests.support.world import World


@pytest.fixture(autouse=True)
def storage(settings: object, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return tmp_path


def upload(world: World, person: object, content: bytes = b"line 1\n", name: str = "server.log") -> Attachment:
    return attachments.upload(io.BytesIO(content), name=name, content_type="text/plain", **world.by(person))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_goes_with_a_report_and_is_read_by_who_may(world: World, storage: Path) -> None:
    file = upload(world, world.maria)
    assert file.sha256 == hashlib.sha256(b"line 1\n").hexdigest()
    assert "server" not in str(files(storage)[0])
    assert queries.attachment_for(file.token, world.actor(world.jonas)) is None
    world.report(attachments=(file.token,))
    with queries.content_of(queries.attachment_for(file.token, world.actor(world.jonas))) as content:
        assert content.read() == b"line 1\n"
    assert queries.attachment_for(file.token, world.actor(world.maria)) is not None
    for stranger in (world.otto, world.oskar, world.rolf):
        assert queries.attachment_for(file.token, world.actor(stranger)) is None


def test_what_hangs_on_a_note_is_not_for_the_requester(world: World) -> None:
    ticket = world.report()
    file = upload(world, world.jonas)
    desk.note(ticket.pk, body="See the log", attachments=(file.token,), **world.by(world.jonas))
    assert queries.attachment_for(file.token, world.actor(world.maria)) is None
    assert queries.attachment_for(file.token, world.actor(world.julia)) is not None
    with pytest.raises(NotFound):
        attachments.remove(file.token, **world.by(world.maria))


def test_nobody_sends_the_upload_of_another(world: World) -> None:
    file = upload(world, world.jonas)
    with pytest.raises(Invalid) as refused:
        world.report(attachments=(file.token,))
    assert refused.value.field == "attachments"
    assert queries.attachment_for(file.token, world.actor(world.jonas)) is not None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("..\\..\\x.txt", "x.txt"),
        ("/etc/passwd", "passwd"),
        (".htaccess", "htaccess"),
        ("a.php\u200b", "a.php"),
        ("cod\u202etxt.pdf", "codtxt.pdf"),
        ("a\x00b.txt", "ab.txt"),
        ("", "file"),
        ("x" * 300 + ".log", "x" * 196 + ".log"),
    ],
)
def test_names_are_made_harmless(name: str, shown: str) -> None:
    assert rules.file_name(name) == shown


@pytest.mark.parametrize(
    ("name", "content"), [("run.exe", b"x"), ("a.txt", b"MZ\x90"), ("b", b"\x7fELF"), ("run.exe.", b"x"), ("empty.txt", b"")]
)
def test_what_is_refused_leaves_nothing_behind(world: World, storage: Path, name: str, content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        upload(world, world.maria, content, name)
    assert refused.value.field == "file"
    assert files(storage) == []


def test_too_large(world: World, storage: Path, settings: object) -> None:
    settings.MAX_UPLOAD_BYTES = 100_000  # type: ignore[attr-defined]
    with pytest.raises(Invalid, match="too large"):
        upload(world, world.maria, b"x" * 100_001)
    assert files(storage) == []


def test_html_is_served_as_bytes() -> None:
    assert rules.content_type("text/html; charset=utf-8") == rules.content_type("image/svg+xml") == "application/octet-stream"
    assert rules.content_type("text/plain; charset=utf-8") == "text/plain"


def test_unsent_uploads_are_forgotten_after_a_day(world: World, storage: Path) -> None:
    upload(world, world.maria)
    sent = upload(world, world.maria)
    world.report(attachments=(sent.token,))
    world.forward(hours=25)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert attachments.forget_unsent_uploads(**world.by(world.ada)) == 1
    assert [path.name for path in files(storage)] == [Path(sent.stored_as).name]


def test_a_file_whose_writer_was_killed_is_swept_after_a_month(world: World, storage: Path) -> None:
    kept = upload(world, world.maria)
    world.report(attachments=(kept.token,))
    killed = tickets.store(io.BytesIO(b"left behind"), limit=1000)
    written = clock.now()  # the disk's own clock says when
    by = {"actor": engine(), "now": written + timedelta(days=29)}

    def rounds() -> int:
        return sum(attachments.forget_strays(**{**by, "now": by["now"] + timedelta(minutes=minute)}) for minute in range(256))

    assert rounds() == 0
    by["now"] += timedelta(days=2)
    assert rounds() == 1
    assert [path.name for path in files(storage)] == [Path(kept.stored_as).name]
    assert not (storage / killed.stored_as).exists()


def test_a_retracted_reply_gives_its_file_back(world: World) -> None:
    ticket = world.report()
    file = upload(world, world.jonas)
    by = world.by(world.jonas)
    desk.reply(ticket.pk, body="See here", attachments=(file.token,), **by)
    desk.undo(ticket.pk, action=by["actor"].action, **world.by(world.jonas))
    assert queries.attachment_for(file.token, world.actor(world.maria)) is None
    assert queries.attachment_for(file.token, world.actor(world.jonas)).ticket is None
