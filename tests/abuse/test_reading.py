"""Who may not see a ticket learns nothing of it: no word, no count, no different refusal (A15, A17, A18, A22, A25)."""

from __future__ import annotations

import re
import string
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from allswell.api.contract import OPERATIONS
from allswell.desk import announcements, attachments, exporting
from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.tickets.models import Attachment, Ticket
from allswell.tickets.rules import LinkKind, WaitingOn
from tests.engine.test_mail import send
from tests.engine.test_webhooks import call as make_calls
from tests.engine.test_webhooks import hook
from tests.support.mailbox import Mailbox
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.world import World
from tests.web.test_who_may import DECIDED, LISTS, PATTERNS, Stage, taken_back, words_of

NO_TICKET = 999_999
#: what shows more than one record, beside the lists of the table of who may what
PLACES = (
    *LISTS,
    *("/people/{maria}", "/people/{jonas}", "/teams/service-desk", "/services/printing", "/desk/service-desk"),
    *("/desk/all?service=printing&state=any", "/desk/all?assignee={jonas}", "/desk/all?tag=kestrel", "/search?q=kestrel"),
    *("/desk/all?organization=lindenhof-branch", "/desk/all?category=none&priority=1", "/palette?q=kestrel", "/setup/"),
    *("/setup/people", "/setup/people/{maria}", "/setup/teams/service-desk", "/setup/services/printing", "/setup/roles"),
)
CALLS = (
    *("/tickets", "/tickets?q=kestrel", "/tickets?requester={maria}", "/tickets?assignee={jonas}", "/tickets?is_open=true"),
    *("/tickets?priority=1&priority=2&priority=3", "/search?q=kestrel", "/search?q=maria", "/views/all/tickets", "/views"),
    *("/people/{maria}", "/teams", "/services", "/announcements", "/tickets?updated_since=2026-01-01T00:00:00Z"),
)


def seen(answer: Any, number: int = 0) -> tuple[int, str]:
    """A page as far as it says something: without the tokens of its forms, and without the number that was asked for."""
    text = re.sub(r'(value|data-csrf|content)="[A-Za-z0-9]{64}"', "", words_of(answer))
    return answer.status_code, text.replace(str(number), "N") if number else text


def hidden_ticket(world: World) -> Ticket:
    """A restricted ticket of the bank with everything that could show somewhere."""
    ticket = world.report(title="Kestrel", description="Kestrel", service=world.printing.slug, impact=1, urgency=1)
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.restrict(ticket.pk, **world.by(world.jonas))
    desk.tag(ticket.pk, name="kestrel", **world.by(world.jonas))
    desk.reply(ticket.pk, body="Kestrel", **world.by(world.jonas))
    desk.note(ticket.pk, body="Kestrel", **world.by(world.jonas))
    return ticket


def names(world: World) -> dict[str, int]:
    return {"maria": world.maria.pk, "jonas": world.jonas.pk}


OUTSIDE_OF_IT = ("colleague", "team_agent", "lead", "duty_manager", "administrator", "outsider", "outside_agent")


@pytest.mark.parametrize("role", OUTSIDE_OF_IT)
def test_A15_A18_A25_a_hidden_ticket_changes_no_page_by_a_single_character(stage: Stage, role: str) -> None:
    """Lists, counters, filters, suggestions, the palette and the export are the same with and without it."""
    world = stage.world
    paths = [path.format(**names(world)) for path in PLACES]
    client = stage.client(role)
    before = {path: seen(client.get(path)) for path in paths}
    with taken_back():
        hidden_ticket(world)
        after = {path: seen(stage.client(role).get(path)) for path in paths}
    assert [path for path in paths if before[path] != after[path]] == []


@pytest.mark.parametrize("role", OUTSIDE_OF_IT)
def test_A15_A18_A25_a_hidden_ticket_changes_no_answer_of_the_api(stage: Stage, role: str) -> None:
    world, person = stage.world, stage.cast[role]
    assert person is not None
    program = Program(world, person)
    paths = [path.format(**names(world)) for path in CALLS]
    before = {path: seen(program.get(path)) for path in paths}
    with taken_back():
        hidden_ticket(world)
        after = {path: seen(program.get(path)) for path in paths}
    assert [path for path in paths if before[path] != after[path]] == []


OF_A_TICKET = sorted(name for name in DECIDED if "{number}" in PATTERNS[name] and not name.startswith("setup_"))


@pytest.mark.parametrize("name", OF_A_TICKET)
@pytest.mark.parametrize("role", ["outside_agent", "lead", "colleague"])
def test_A15_a_hidden_ticket_is_refused_like_one_that_is_not_there(stage: Stage, name: str, role: str) -> None:
    number = hidden_ticket(stage.world).pk
    for method in ("get", "post"):
        for headers in ({}, {"hx_request": "true"}):
            answers = []
            for asked in (number, NO_TICKET):
                values = {**stage._values(name), "number": asked}
                sent = stage.sent.get(name, {}) if method == "post" else {}
                with taken_back():
                    answers.append(
                        seen(getattr(stage.client(role), method)(PATTERNS[name].format(**values), sent, headers=headers), asked)
                    )
            assert answers[0] == answers[1], (method, headers)


OF_A_TICKET_BY_API = sorted(made.id for made in OPERATIONS if "{number}" in made.path)


@pytest.mark.parametrize("role", ["outside_agent", "lead", "colleague"])
def test_A15_programs_are_refused_alike_too(stage: Stage, role: str) -> None:
    person = stage.cast[role]
    assert person is not None
    number, program = hidden_ticket(stage.world).pk, Program(stage.world, person)
    body = {"body": "x", "title": "x", "reason": "x", "name": "x", "kind": "related", "target": 1, "person": 1, "team": 1}
    for made in OPERATIONS:
        if made.id not in OF_A_TICKET_BY_API or made.is_upload:
            continue
        fields = {key: value for key, value in body.items() if made.body and key in made.body.__struct_fields__}
        answers = []
        for asked in (number, NO_TICKET):
            with taken_back():
                content = fields if made.body else None
                answers.append(
                    seen(
                        program.call(
                            made.method, made.path.format(**{**dict.fromkeys(made.parameters, "1"), "number": asked}), content
                        ),
                        asked,
                    )
                )
        assert answers[0] == answers[1], made.id
        assert answers[0][0] in (404, 422), made.id


def test_A18_who_is_in_copy_cannot_ask_about_what_the_desk_keeps_for_itself(stage: Stage) -> None:
    """Oskar is agent of another customer and in copy here: filters and words find no fact and no note of the desk."""
    world, number = stage.world, stage.ticket.pk
    desk.add_participant(number, person=world.otto.pk, **world.by(world.olga))
    desk.add_participant(number, person=world.oskar.pk, **world.by(world.olga))
    desk.note(number, body="Kestrel suspects fraud", **world.by(world.jonas))
    desk.take(number, **world.by(world.jonas))
    desk.tag(number, name="kestrel", **world.by(world.jonas))
    program = Program(world, world.oskar)
    assert [one["number"] for one in program.get("/tickets").json()["items"]] == [number]
    for query in ("q=kestrel", "q=slow+kestrel", f"assignee={world.jonas.pk}", f"team={world.desk_team.pk}"):
        assert program.get(f"/tickets?{query}").json()["items"] == [], query
    for query in ("sort=assignee", "order=handover_count", "is_restricted=true", "reopened_count=0", "custom=x", "tag=kestrel"):
        assert program.get(f"/tickets?{query}").status_code == 422, query
    client = stage.client("outside_agent")
    for path in ("/desk/all?q=kestrel", "/search?q=kestrel", "/palette?q=kestrel", "/my/?q=kestrel", "/desk/all?tag=kestrel"):
        assert f"INC-{number}" not in client.get(path).content.decode(), path
    assert f"INC-{number}" in client.get("/my/").content.decode()


def test_A17_notes_leave_the_desk_by_no_way(stage: Stage, settings: Any) -> None:
    """Neither the portal nor the API, mail, notices, webhooks, exports or what is announced holds a word of the desk's own."""
    world = stage.world
    world.now = clock.now()
    number = world.report(title="Scanner broken").pk
    upload = attachments.upload(BytesIO(b"Kestrel"), name="kestrel.txt", content_type="text/plain", **world.by(world.jonas))
    with Mailbox() as mailbox, Receiver() as receiver:
        hook(world, receiver, owner=world.jonas.pk)
        hook(world, receiver, owner=world.maria.pk)
        desk.take(number, **world.by(world.jonas))
        desk.note(number, body="Kestrel", attachments=(upload.token,), mentions=(world.maria.pk,), **world.by(world.jonas))
        desk.wait(number, on=WaitingOn.REQUESTER, reason="Kestrel", **world.by(world.jonas))
        desk.escalate(number, reason="Kestrel", **world.by(world.jonas))
        desk.tag(number, name="kestrel", **world.by(world.jonas))
        desk.override_priority(number, priority=1, reason="Kestrel", **world.by(world.jonas))
        desk.reply(number, body="We look into it", **world.by(world.jonas))
        announcements.announce(number, title="Scanners", is_for_all=True, **world.by(world.olga))
        desk.hand_over(number, team=world.dba_team.pk, reason="Kestrel", tried="Kestrel", **world.by(world.jonas))
        send(world, mailbox.url)
        make_calls(world)
        letters = [mail.as_string() for mail in mailbox.received if "maria" in mail["To"] or "rolf" in mail["To"]]
        called = b"".join(one.body for one in receiver.calls)
    assert letters
    assert "kestrel" not in "".join(letters).lower()
    assert receiver.calls
    assert b"kestrel" not in called.lower()
    maria = stage.client("requester")
    pages = ["/", "/my/", f"/my/{number}", "/my/?q=kestrel", "/status/", "/report?q=kestrel", "/profile", "/profile/notices"]
    for path in (*pages, f"/files/{upload.token}"):
        page = maria.get(path)
        assert "kestrel" not in words_of(page).lower().replace('value="kestrel"', "").replace("q=kestrel", ""), path
    program = Program(world, world.maria)
    for path in ("", "/comments", "/journal", "/links", "/attachments"):
        assert "kestrel" not in program.get(f"/tickets/{number}{path}").content.decode().lower(), path
    for path in ("/tickets?q=kestrel", "/search?q=kestrel", f"/attachments/{upload.token}", "/announcements"):
        assert "kestrel" not in program.get(path).content.decode().lower(), path
    mine = Ticket.objects.filter(pk=number)
    rows = [*exporting.tickets_csv(mine, **world.by(world.jonas)), *exporting.tickets_json(mine, **world.by(world.jonas))]
    assert "Scanner broken" in "".join(rows)
    assert "kestrel" not in "".join(rows).lower()


def test_A22_a_file_is_there_for_who_may_see_where_it_hangs(stage: Stage) -> None:
    """Everybody else is answered as if there were none, signed in or not; its address holds 256 random bits."""
    world = stage.world
    tokens = {}
    for name, is_public in (("said.txt", True), ("noted.txt", False)):
        upload = attachments.upload(BytesIO(b"x" * 9), name=name, content_type="text/plain", **world.by(world.jonas))
        attachments.attach(stage.ticket.pk, tokens=(upload.token,), is_public=is_public, **world.by(world.jonas))
        tokens[name] = upload.token
    unsent = attachments.upload(BytesIO(b"x"), name="unsent.txt", content_type="text/plain", **world.by(world.jonas)).token
    for path in (f"/files/{tokens['said.txt']}", f"/files/{tokens['noted.txt']}", f"/files/{unsent}"):
        for role in ("anonymous", "outsider", "outside_agent", "colleague", "administrator"):
            assert seen(stage.client(role).get(path))[0] == seen(stage.client(role).get("/files/" + "A" * 43))[0], (path, role)
            assert words_of(stage.client(role).get(path)) != "x" * 9
    assert stage.client("requester").get(f"/files/{tokens['noted.txt']}").status_code == 404
    assert words_of(stage.client("requester").get(f"/files/{tokens['said.txt']}")) == "x" * 9
    assert stage.client("lead").get(f"/files/{unsent}").status_code == 404
    desk.restrict(stage.ticket.pk, **world.by(world.jonas))
    assert stage.client("duty_manager").get(f"/files/{tokens['said.txt']}").status_code == 404
    for person in (world.otto, world.oskar, world.olga):
        program = Program(world, person)
        wrong = program.get("/attachments/" + "A" * 43)
        for token in (*tokens.values(), unsent):
            answer = program.get(f"/attachments/{token}")
            assert (answer.status_code, answer.content) == (wrong.status_code, wrong.content)
    for row in Attachment.objects.all():
        assert len(row.token) == 43
        assert set(row.token) <= set(string.ascii_letters + string.digits + "-_")
        assert Path(row.name).stem not in row.stored_as
        assert row.token not in row.stored_as


def test_A22_the_folder_of_files_is_not_served(stage: Stage) -> None:
    row = Attachment.objects.first()
    assert row is not None
    for path in (
        f"/media/{row.stored_as}",
        f"/attachments/{row.stored_as}",
        f"/files/{row.stored_as}",
        f"/static/{row.stored_as}",
    ):
        assert stage.client("agent").get(path).status_code == 404
    assert Client().get(f"/static/../attachments/{row.stored_as}").status_code == 404


def test_A15_who_works_in_a_team_for_everybody_is_not_told_to_another_customer(world: World, browser: Any) -> None:
    """The service desk serves all organizations; its agents and leads are known to those who may know them."""
    program = Program(world, world.oskar)
    for path in ("/teams/service-desk", "/teams/", "/teams/databases"):
        page = words_of(browser(world.oskar).get(path))
        assert "Service desk" in page or "Databases" in page
        assert not [name for name in ("Jonas", "Julia", "Lena", "Olga", "Amir") if name in page], path
    for path in ("/teams", "/teams/service-desk"):
        assert not [name for name in ("Jonas", "Lena") if name in program.get(path).content.decode()], path
    assert "Jonas Berg" in words_of(browser(world.julia).get("/teams/service-desk"))
    assert "Lena Frei" in Program(world, world.julia).get("/teams/service-desk").content.decode()


def test_A15_the_journal_of_a_ticket_names_no_hidden_one(world: World, browser: Any, settings: Any, tmp_path: Path) -> None:
    """Linked, merged, split, followed up, resolved together: of what is restricted not even the number is told."""
    seen_one, hidden = world.report(title="Everybody's"), world.report(title="Kestrel")
    merged = world.report(title="The same")
    desk.link(hidden.pk, kind=LinkKind.CHILD_OF, target=seen_one.pk, **world.by(world.jonas))
    desk.unlink(hidden.pk, kind=LinkKind.CHILD_OF, target=seen_one.pk, **world.by(world.jonas))
    desk.link(seen_one.pk, kind=LinkKind.CHILD_OF, target=hidden.pk, **world.by(world.jonas))
    desk.merge(merged.pk, into=hidden.pk, **world.by(world.jonas))
    desk.resolve(hidden.pk, **world.by(world.jonas))
    desk.restrict(hidden.pk, **world.by(world.jonas))
    number = re.compile(rf"\b{hidden.pk}\b")
    for person, told in ((world.jonas, True), (world.amir, False)):
        program = Program(world, person)
        for ticket in (seen_one.pk, merged.pk):
            said = [words_of(browser(person).get(f"/tickets/{ticket}"))]
            said += [words_of(program.get(f"/tickets/{ticket}{part}")) for part in ("", "/journal", "/links")]
            assert bool(number.search("".join(said))) == told, (person.name, ticket)
            assert "Resolved" in said[0] or "Cancelled" in said[0] or "resolved" in said[0]
