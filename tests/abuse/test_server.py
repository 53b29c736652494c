"""What is typed stays text (A23, A35 to A39): no statement, no template, no formula, no file, no errand for our server."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from msgspec import inspect

from allswell.api.contract import OPERATIONS
from allswell.desk import announcements, attachments, exporting
from allswell.desk import people as desk_people
from allswell.desk import setup as desk_setup
from allswell.desk import tickets as desk
from allswell.engine.outbox import Calls
from allswell.kernel import clock
from allswell.kernel.errors import DeskError
from allswell.notifications.models import Attempt
from allswell.people.models import Person, Token
from allswell.tickets.models import CustomField, Ticket
from allswell.web import own_words, show, static_files
from tests.engine.test_mail import send
from tests.engine.test_mail import text as words_of_mail
from tests.engine.test_webhooks import call as make_calls
from tests.engine.test_webhooks import hook
from tests.support.mailbox import Mailbox
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.world import World
from tests.web.test_abuse import ADMIN, MINE, PAGES
from tests.web.test_who_may import DECIDED, Stage, taken_back, words_of

Browser = Callable[[Person | None], Client]


# A23: nothing but the desk


LEFT_OPEN = (
    *("/admin", "/admin/", "/install", "/install.php", "/installer/", "/setup/install", "/setup/first", "/setup/run", "/wizard"),
    *(
        "/debug",
        "/debug/",
        "/__debug__/",
        "/_debug_toolbar/",
        "/console",
        "/phpinfo.php",
        "/server-status",
        "/test",
        "/test.html",
    ),
    *(
        "/.env",
        "/.git/config",
        "/secret.key",
        "/allswell.db",
        "/allswell.sqlite3",
        "/db.sqlite3",
        "/backup.tar.gz",
        "/config.yml",
    ),
    *(
        "/accounts/",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/3rdparty/",
        "/_allauth/",
        "/graphql",
        "/api/",
        "/api/v1/debug",
    ),
    *("/media/", "/attachments/", "/files/", "/static/", "/static", "/docs", "/schema", "/jsi18n/", "/silk/", "/.well-known/x"),
)
CLIMBING = (
    *(
        "/static/../secret.key",
        "/static/..%2fsecret.key",
        "/static/%2e%2e/secret.key",
        "/static/....//secret.key",
        "/static//etc/passwd",
    ),
    *(
        "/static/..\\secret.key",
        "/static/%c0%ae%c0%ae/secret.key",
        "/static/css/../../boot/settings.py",
        "/static/%00",
        "/static/app.css",
    ),
    *(
        "/static/css/tokens.css",
        "/static/js/base.js",
        "/static/../templates/error.html",
        "/files/../secret.key",
        "/files/%2e%2e%2fsecret.key",
    ),
)


@pytest.mark.parametrize("path", LEFT_OPEN + CLIMBING)
def test_A23_nothing_was_left_open(world: World, browser: Browser, path: str) -> None:
    """Neither an installer nor a debugger nor files: not for strangers, not for administrators."""
    for person in (None, world.ada):
        answer = browser(person).get(path)
        assert answer.status_code in (404, 302) if path in ("/admin", "/install") else answer.status_code == 404, path
        body = words_of(answer)
        assert "Traceback" not in body
        assert "SECRET_KEY" not in body


def test_A23_what_is_served_as_static_is_what_was_put_there_for_it() -> None:
    kinds = {Path(url).suffix for url in static_files.shelf().files}
    assert kinds <= {".css", ".js", ".svg", ".woff2", ".png", ".ico", ".json", ".txt", ".webmanifest"}
    assert all(url.startswith("/static/") and ".." not in url for url in static_files.shelf().files)


def test_A23_an_error_shows_nothing_of_the_inside(world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from allswell.tickets import queue

    def broken(*_: Any, **__: Any) -> None:
        canary = "canary-hunter2"
        raise RuntimeError(f"password={canary}")

    monkeypatch.setattr(queue, "first_rows", broken)
    client = browser(world.jonas)
    client.raise_request_exception = False
    for query in ("", "?debug=1", "?__debugger__=yes&cmd=resource", "?_=1"):
        answer = client.get(f"/desk/all{query}", headers={"x-debug": "1", "accept": "text/plain"})
        page = words_of(answer)
        assert answer.status_code == 500
        for word in ("canary", "hunter2", "RuntimeError", "Traceback", "allswell/", "django", "sqlite", "SELECT"):
            assert word not in page.replace("data-allswell", ""), word


# A35: words are never statements


MARK = "kestrel"
STATEMENTS = (
    f"{MARK}' OR '1'='1",
    f'{MARK}" OR ""="',
    f"{MARK}'); DROP TABLE tickets_ticket; --",
    f"{MARK}' UNION SELECT password, 1 FROM people_person --",
    f"{MARK}\\' OR 1=1 #",
    f"{MARK}%' ESCAPE '",
    f'{MARK}" OR internal : *',
    f"{MARK} NEAR(a b, 3) AND NOT -x ^y *",
    f"{MARK}' | !x:* <-> (a & b)",
    f"{MARK}$1%s%(x)s?:p{{0}}",
)
FILTERS = ("state", "kind", "priority", "service", "team", "assignee", "organization", "category", "tag", "q", "after")
ASKED = (
    *(f"/desk/all?{name}={{}}" for name in FILTERS),
    *(f"/desk/export.csv?view=all&{name}={{}}" for name in FILTERS),
    *(f"/desk/filter?apply=1&{name}={{}}" for name in FILTERS),
    *(
        "/desk/export.csv?view={}",
        "/desk/filter?view={}",
        "/desk/{}",
        "/desk/v/{}",
        "/desk/change?all=1&view={}&q={}",
        "/desk/change?n={}",
    ),
    *("/search?q={}", "/search?q=x&after={}", "/palette?q={}&on={}", "/people/?q={}", "/people/?after={}", "/find/people?q={}"),
    *(
        "/find/people?requester={}",
        "/tickets/new?title={}&requester={}&service={}",
        "/my/?q={}",
        "/my/?before={}",
        "/report?q={}",
    ),
    *(
        "/setup/people?q={}",
        "/setup/people?organization={}&after={}",
        "/teams/{}",
        "/services/{}",
        "/files/{}",
        "/desk/save-view?q={}",
    ),
    *("/profile/notices?before={}", "/sign-in?next={}", "/INC-{}", "/setup/webhooks/1?before={}", "/setup/labels/{}"),
)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The text of every statement that goes to the database, without the values that go beside it."""
    found: list[str] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        yield found


@pytest.mark.parametrize("said", STATEMENTS)
def test_A35_no_word_of_an_address_becomes_part_of_a_statement(world: World, browser: Browser, said: str) -> None:
    """It is a value beside the statement, so it finds what is called like this: nothing; and breaks nothing."""
    world.report(title="Scanner broken")
    for person in (world.jonas, world.ada, world.maria):
        client = browser(person)
        with statements() as sent:
            for path in ASKED:
                answer = client.get(path.replace("{}", quote(said, safe="")))
                assert answer.status_code in (200, 302, 303, 400, 403, 404), (path, answer.status_code)
                if "q=" in path and person == world.jonas and path.startswith(("/desk/all", "/desk/export", "/search")):
                    assert "Scanner broken" not in words_of(answer), path
            client.get("/desk/", headers={"accept-language": said, "user-agent": said, "referer": said, "x-forwarded-for": said})
            client.cookies["zone"] = quote(said)
            client.cookies["csrf"] = quote(said)
            client.get("/desk/")
        assert sent
        assert not [sql for sql in sent if MARK in sql]
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("said", STATEMENTS)
def test_A35_no_word_of_a_program_becomes_part_of_a_statement(world: World, said: str) -> None:
    """Every parameter of every operation, every text and every key of its JSON."""
    ticket = world.report(title="Scanner broken")
    program = Program(world, world.jonas)
    ada = Program(world, world.ada)
    with statements() as sent:
        for made in OPERATIONS:
            if made.is_upload or made.is_public or made.id == "revokeToken":
                continue
            asking = ada if made.scope in ("people:write", "setup:write", "webhooks:write") else program
            values = {"number": ticket.pk, "id": world.rolf.pk, "ref": quote(said), "slug": quote(said)}
            path = made.path.format(**{**dict.fromkeys(made.parameters, 1), **values})
            for field in inspect.type_info(made.query).fields if made.query else ():  # type: ignore[attr-defined]
                answer = asking.call(made.method, f"{path}?{field.encode_name}={quote(said)}")
                assert answer.status_code < 500, (made.id, field.encode_name)
            if made.body:
                bodies: list[Any] = [dict.fromkeys(made.body.__struct_fields__, said), {said: 1}]
                bodies += [{**bodies[0], name: {said: said}} for name in made.body.__struct_fields__]
                for body in bodies:
                    with taken_back():
                        answer = asking.call(made.method, path, body, headers={"If-Match": said, "Idempotency-Key": said})
                    assert answer.status_code < 500, (made.id, body)
        for custom in ({said: said}, {"floor": {said: 1}}, {"a' OR 1=1": 1}):
            assert program.post("/tickets", title=said, description=said, custom=custom).status_code == 422
        assert program.post("/tickets", title=said, description=said).status_code == 201
        assert program.post("/views", name=said, filters={said: said}).status_code == 422
        assert program.post("/views", name=said, filters={"q": said}).status_code == 201
    assert len(sent) > 100
    assert not [sql for sql in sent if MARK in sql]
    assert Token.objects.exists()


def test_A35_columns_orders_and_operators_are_none_of_the_callers(world: World) -> None:
    program = Program(world, world.jonas)
    world.report()
    for query in (
        "sort=password",
        "order_by=requester__password",
        "ordering=-id",
        "requester__password__startswith=a",
        "q__icontains=x",
    ):
        assert program.get(f"/tickets?{query}").status_code == 422, query
        assert program.get(f"/people?{query}").status_code == 422, query
    before = len(program.get("/tickets").json()["items"])
    client = Client()
    client.force_login(world.jonas)
    for query in ("requester__password__startswith=argon", "_connector=OR", "pk__gt=0", "assignee__isnull=True"):
        with statements() as sent:
            assert client.get(f"/desk/all?{query}").status_code == 200
        assert not [sql for sql in sent if "password" in sql.partition(" FROM ")[2]]
    assert before == 1


# A36: errands


def test_A36_who_sets_up_a_webhook_learns_nothing_about_our_network(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forbidden address, a closed port and a name nobody has leave the same line in the log, and nobody is called."""
    from allswell.desk import webhooks

    with Receiver() as canary:
        urls = [canary.url(), canary.url().replace("127.0.0.1", "localhost"), f"http://[::ffff:127.0.0.1]:{canary.port}/"]
        urls += [f"http://2130706433:{canary.port}/", f"http://0x7f.1:{canary.port}/", "http://169.254.169.254/latest/meta-data/"]
        urls += [
            "http://10.0.0.1/",
            "http://no-such-name.invalid/",
            f"http://127.0.0.1:{canary.port + 1 if canary.port < 65535 else 1}/",
        ]
        for url in urls:
            webhooks.create(name="x", url=url, owner=world.jonas.pk, verbs=["incident.reported"], **world.by(world.ada))
        world.report()
        Calls([], now=lambda: world.now).tick(world.now)
        for _ in range(20):
            Calls([], now=lambda: world.now).tick(world.now)
        assert (canary.connections, canary.calls) == (0, [])
    tried = {(attempt.outcome, attempt.detail) for attempt in Attempt.objects.all()}
    assert len(Attempt.objects.values_list("delivery", flat=True).distinct()) == len(urls)
    assert tried == {("retry", "The address cannot be reached.")}


def test_A36_no_picture_and_no_link_in_a_text_makes_us_call_anybody(world: World, browser: Browser, settings: Any) -> None:
    with Receiver() as canary:
        body = f"![x]({canary.url()}) <img src={canary.url()}> [x]({canary.url()})\n\n{canary.url()}"
        ticket = world.report(title=canary.url(), description=body)
        desk.reply(ticket.pk, body=body, **world.by(world.jonas))
        page = browser(world.jonas).get(f"/tickets/{ticket.pk}").content.decode()
        with Mailbox() as mailbox:
            send(world, mailbox.url)
            assert mailbox.received
        assert canary.connections == 0
    assert f'<img src="{canary.url()}' not in page


# A37: no text is a template


SUM = "62710561"  # what 7919*7919 would come to
TEMPLATES = (
    "{{7919*7919}} ${7919*7919} #{7919*7919} <%= 7919*7919 %> {% if 1 %}x{% endif %}",
    "{{config}} {{self.__init__.__globals__}} {0.__class__} {actor} {{ ''.__class__.__mro__ }}",
    "%(name)s %s %d %(filter)s 100% {name} {{name}} $name ${jndi:ldap://x}",
)


@pytest.mark.parametrize("said", TEMPLATES)
def test_A37_every_text_is_shown_as_it_was_typed(world: World, browser: Browser, said: str) -> None:
    """On pages, in mails, to webhooks, in exports: whoever typed it, wherever."""
    world.now = clock.now()
    for row in (world.maria, world.jonas, world.bank, world.desk_team, world.printing):
        row.name = said[:100]
        row.save()
    CustomField.objects.create(key="x", label=said[:60], ticket_kind="incident", is_in_portal=True)
    own_words._kept.clear()  # so that the pages ask for the label
    desk_setup.set_labels(language="en", labels={"state.new": said[:40]}, **world.by(world.ada))
    upload = attachments.upload(BytesIO(b"x"), name="{{7919*7919}}.txt", content_type="text/plain", **world.by(world.maria))
    with Mailbox() as mailbox, Receiver() as receiver:
        hook(world, receiver)
        ticket = world.report(title=said, description=said, service="printing", attachments=(upload.token,))
        desk.take(ticket.pk, **world.by(world.jonas))
        desk.reply(ticket.pk, body=said, **world.by(world.jonas))
        desk.hand_over(ticket.pk, team=world.dba_team.pk, reason=said, **world.by(world.jonas))
        desk.tag(ticket.pk, name=said[:30], **world.by(world.jonas))
        announcements.announce(ticket.pk, title=said, body=said, is_for_all=True, **world.by(world.olga))
        send(world, mailbox.url)
        make_calls(world)
        letters = [
            words_of_mail(mail) + str(mail["Subject"]) + mail.get_body(("html",)).get_content() for mail in mailbox.received
        ]  # type: ignore[union-attr]
        called = b"".join(one.body for one in receiver.calls).decode()
    assert said.partition(" ")[0] in "".join(letters)
    assert SUM not in "".join(letters) + called
    for person, pages in ((world.jonas, PAGES), (world.maria, MINE), (world.ada, ADMIN)):
        client = browser(person)
        for page in pages:
            answer = client.get(page.replace("{}", str(ticket.pk)).replace("{q}", quote(said)))
            assert answer.status_code == 200, page
            assert SUM not in words_of(answer), page
    shown = words_of(browser(world.jonas).get(f"/tickets/{ticket.pk}"))
    assert said.partition(" ")[0].replace("'", "&#39;") in shown
    line = json.loads(next(exporting.tickets_json(Ticket.objects.filter(pk=ticket.pk), **world.by(world.jonas))))
    assert line["title"] == " ".join(said.split())


# A38: whatever renders a text opens no file and loads nothing


@pytest.mark.parametrize(
    "said",
    [
        "<img src=file:///etc/passwd>",
        "![x](file:///etc/passwd)",
        "[x](file:///etc/passwd)",
        "<iframe src=php://filter/read=convert.base64-encode/resource=/etc/passwd></iframe>",
        "<div style='background:url(file:///etc/passwd)'>x</div>",
        "<link rel=attachment href=file:///etc/passwd>",
        "![x](http://127.0.0.1/x.png)",
        "<style>@import url(http://127.0.0.1)</style>",
    ],
)
def test_A38_a_text_names_no_file_and_no_picture_to_load(said: str) -> None:
    """Nothing here prints or makes PDF; the two that render texts, for pages and for mails, leave no address to load."""
    from allswell.notifications import mail

    for html in (str(show.markdown(said)), mail.harmless_html(said)):
        for piece in ("<img", "<iframe", "<link", "<style", "<div", 'src="', 'href="file', 'href="php'):
            assert piece not in html, html


# A39: exports


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", " =", ";=", "x;=", "x\t+", "x;  @"])
def test_A39_no_cell_of_an_export_is_a_formula(world: World, browser: Browser, begin: str) -> None:
    """Whoever named the ticket, the person, the team, the service or the organization; JSON is as it was typed."""
    evil = f'{begin}HYPERLINK("http://evil.example";"x")'
    for row in (world.maria, world.jonas, world.branch, world.desk_team, world.printing):
        row.name = evil  # past the door, which would have folded the white space
        row.save()
    ticket = world.report(title="x", service="printing")
    Ticket.objects.filter(pk=ticket.pk).update(title=evil)
    desk.take(ticket.pk, **world.by(world.jonas))
    text = words_of(browser(world.jonas).get("/desk/export.csv?view=all"))
    for separator in ",;\t":
        for row_ in csv.reader(text.splitlines(), delimiter=separator):
            for cell in row_:
                assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝")), (separator, cell)
    line = json.loads(next(exporting.tickets_json(Ticket.objects.all(), **world.by(world.jonas))))
    assert (line["title"], line["requester"]) == (evil, evil)


# what comes in is bounded


def test_A11_what_is_too_large_is_refused_by_every_form(stage: Stage) -> None:
    """No form takes more than a field holds into the database: it is refused, or cut."""
    huge = dict.fromkeys(("title", "q", "body", "description", "reason", "name"), "A" * 150_000)
    for name in sorted(DECIDED):
        address = stage.address(name)
        with taken_back():
            role = "requester" if name.startswith(("my_", "report", "need")) else "administrator" if "setup" in name else "agent"
            assert stage.client(role).post(address.path, {**address.sent, **huge}).status_code < 500, name
            assert max(len(row.title) for row in Ticket.objects.all()) <= 200


def test_A35_numbers_that_are_none_are_no_ids_anywhere(world: World) -> None:
    for wrong in (0, -1, 2**63, 2**200):
        with pytest.raises(DeskError):
            desk.take(wrong, **world.by(world.jonas))
        with pytest.raises((DeskError, OverflowError)):
            desk_people.edit_person(wrong, name="x", **world.by(world.ada))
