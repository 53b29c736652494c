"""Every address of the site, opened and sent to by every role, and with another organization's records: nothing is left undecided.

`DECIDED` says who is let in where, for reading (GET) and for doing (POST). Everybody else is sent to the sign-in page or the
portal, or told 403, 404 or 405; with the header of our script too. An address that is missing here fails the test. Each call is
taken back before the next, so all of them meet the same desk.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from allswell.desk import (
    announcements,
    attachments,
    bulk,
    calendars,
    contacts,
    covering,
    page_links,
    policies,
    rotas,
    shifts,
    views,
    webhooks,
)
from allswell.desk import people as people_desk
from allswell.desk import tickets as desk
from allswell.desk.alerts import heartbeats, rules, silences, sources, windows
from allswell.desk.mail import keeping, unsubscribing
from allswell.desk.mail import rules as mail_rules
from allswell.desk.mail import templates as mail_templates
from allswell.intake.models import InboundMessage, MaintenanceWindow, RawReport, Silence
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel import clock
from allswell.notifications.rules import Topic
from allswell.oncall.models import Handover, Leave, Override, Page, Rota, ShiftRequest
from allswell.people.models import EmailAddress, Person, RoleGrant
from allswell.people.rules import TokenScope
from allswell.tickets.models import Category, CustomField, Ticket
from allswell.web.agent.acting import ACTS
from tests.conftest import WORLD
from tests.support import early
from tests.support.boxes import a_mailbox, a_picture
from tests.support.kept import Keeper, Scene, begins_with
from tests.support.monitoring import Monitoring
from tests.support.promises import promise
from tests.support.world import World

#: who opens the pages: everything below is the bank's, "branch_administrator" administers the branch alone, "team_agent" is agent
#: of the service desk's tickets only; "outsider" and "outside_agent" belong to another customer
ROLES = (
    "anonymous",
    "requester",
    "colleague",
    "team_agent",
    "agent",
    "lead",
    "duty_manager",
    "administrator",
    "branch_administrator",
    "auditor",
    "outsider",
    "outside_agent",
)
NOBODY: frozenset[str] = frozenset()
EVERYBODY = frozenset(ROLES)
SIGNED_IN = EVERYBODY - {"anonymous"}
AT_THE_DESK = SIGNED_IN - {"requester", "colleague", "outsider"}
WORKING = frozenset({"team_agent", "agent", "lead", "duty_manager"})
LEADING = frozenset({"lead", "duty_manager"})
READING = WORKING | {"auditor"}
SETUP = frozenset({"administrator", "branch_administrator", "auditor"})
ADMIN = frozenset({"administrator"})
ADMINS = ADMIN | {"branch_administrator"}


#: the addresses of one escalation policy
POLICY = ("policy", "policy_edit", "policy_activate", "policy_deactivate")


@dataclass(frozen=True)
class Address:
    """One address: its name in the table, its path with the stage's values in it, what a form sends there."""

    name: str
    path: str
    sent: dict[str, Any] = field(default_factory=dict)


@dataclass
class Stage:
    """The desk that is tried, and who tries."""

    world: World
    ticket: Ticket
    cast: dict[str, Person | None]
    values: dict[str, Any]
    sent: dict[str, dict[str, Any]]
    sessions: dict[str, str] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        """A browser of this role."""
        client = Client()
        if role in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client

    def sign_in(self, role: str) -> None:
        """Everybody but nobody has a session."""
        person = self.cast[role]
        if person is not None:
            client = Client()
            client.force_login(person)
            self.sessions[role] = client.cookies[settings.SESSION_COOKIE_NAME].value

    def address(self, name: str) -> Address:
        """An address by its name in the table."""
        return Address(name, PATTERNS[name].format(**self._values(name)), self.sent.get(name, {}))

    def _values(self, name: str) -> dict[str, Any]:
        first = PATTERNS[name].strip("/").split("/")
        place = first[1] if first[0] == "setup" and len(first) > 1 else first[0]
        return {**self.values, **self.values["by_place"].get(place, {}), **self.values["by_place"].get(name, {})}


def _patterns(found: list[URLPattern | URLResolver]) -> Iterator[tuple[str, str]]:
    """Every address by name, as a format string; the acts on a ticket one by one."""
    for one in found:
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns)
        elif one.name == "reference":
            yield "reference", "/INC-{number}"
        else:
            path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(one.pattern))
            if one.name == "act":
                yield from ((f"act:{verb}", path.replace("{verb}", verb)) for verb in ACTS)
            else:
                yield str(one.name), path


PATTERNS = dict(_patterns(get_resolver().url_patterns))


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside has not happened afterwards."""
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)


def words_of(answer: Any) -> str:
    """All of an answer, read to its end."""
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(errors="replace")


def is_let_in(answer: HttpResponseBase) -> bool:
    """Whether the role came in, whatever the form then said; fails on a fault of ours."""
    assert answer.status_code < 500, answer.status_code
    if answer.status_code in (403, 404, 405):
        return False
    there = answer.headers.get("Location", "") or answer.headers.get("HX-Redirect", "")
    return not (answer.status_code in (302, 204) and (there == "/" or there.startswith("/sign-in")))


#: where the files of the stage are kept
FILES = early.FOLDER / "stage of the pages"


def set_stage(world: World) -> Stage:
    """Everything of which there is one to try, and everybody signed in."""
    with at_its_time(world), override_settings(MEDIA_ROOT=FILES):
        stage = _set(world)
        for role in stage.cast:
            stage.sign_in(role)
    return stage


@contextmanager
def at_its_time(world: World) -> Iterator[None]:
    """Every page reads the clock of the world."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: world.now)
        yield


STAGE = Scene(set_stage, below=WORLD)


@pytest.fixture
@begins_with(STAGE)
def stage(world: World, keeper: Keeper, settings: Any, tmp_path: Path) -> Iterator[Stage]:
    settings.MEDIA_ROOT = shutil.copytree(FILES, tmp_path / "files")
    with at_its_time(world):
        yield keeper.copy(STAGE)


def _set(world: World) -> Stage:
    for team in (world.desk_team, world.dba_team):
        team.organization = world.bank
        team.save()
    world.printing.organization = world.branch
    world.lookup.organization = world.ledger.organization = world.bank
    for service in (world.printing, world.lookup, world.ledger):
        service.save()
    world._grant(world.lena, "lead", organization=world.bank)
    cast: dict[str, Person | None] = {
        "anonymous": None,
        "requester": world.maria,
        "colleague": world.rolf,
        "team_agent": world._person("Tessa Team", world.bank),
        "agent": world.jonas,
        "lead": world.lena,
        "duty_manager": world.olga,
        "administrator": world.ada,
        "branch_administrator": world._person("Bruno Branch", world.branch),
        "auditor": world.audrey,
        "outsider": world.otto,
        "outside_agent": world.oskar,
    }
    world._grant(cast["team_agent"], "agent", team=world.desk_team)  # type: ignore[arg-type]
    world._grant(cast["branch_administrator"], "administrator", organization=world.branch)  # type: ignore[arg-type]
    by_jonas = world.by(world.jonas)
    ticket = world.report(title="Ledger is slow", service=world.printing.slug)
    other = world.report(world.rolf, title="Also slow", service=world.printing.slug)
    comment = desk.reply(ticket.pk, body="Looking at it", **by_jonas)
    upload = attachments.upload(BytesIO(b"log"), name="log.txt", content_type="text/plain", **by_jonas)
    drawn = attachments.upload(BytesIO(a_picture()), name="shot.png", content_type="image/png", **by_jonas)
    desk.note(ticket.pk, body="Suspicious", attachments=(upload.token, drawn.token), **by_jonas)
    told = announcements.announce(other.pk, title="Slow", audience=(world.bank.pk,), **world.by(world.olga))
    hook, _ = webhooks.create(name="Chat", url="https://chat.example.org/", **world.by(world.ada))
    am, unread = _watched(world)
    known, upgrade = _quiet(world)
    jobs, _key = sources.create(name="Jobs", kind="heartbeat", **world.by(world.ada))
    beat = heartbeats.create(jobs.pk, name="nightly", every=86_400, **world.by(world.ada))
    rule = rules.create(name="Ledger", definition={"severities": ["critical"]}, **world.by(world.ada))
    read = mail_rules.create(name="Ledger", definition={"words": ["ledger"]}, **world.by(world.ada))
    words = mail_templates.create(
        kind="closed", locale="en", subject="Bye", text="Bye", organization=world.branch.pk, **world.by(world.ada)
    )
    view = views.save("Slow ones", filters={"q": "slow"}, **by_jonas)
    job = bulk.start([ticket.pk], verb="watch", params={}, **by_jonas)
    token, _ = people_desk.create_token(world.maria.pk, name="x", scopes=[TokenScope.ALL.value], **world.by(world.maria))
    address = EmailAddress.objects.get(person=world.maria)
    promised = promise(world, name="Branch", organization=world.branch)
    calendar = calendars.create_calendar(
        name="Office hours", zone="UTC", hours=calendars.Hours([((540, 1020),)] * 7), **world.by(world.ada)
    )
    category = Category.objects.create(name="Paper", slug="paper")
    custom = CustomField.objects.create(key="floor", label="Floor", ticket_kind="incident")
    rota, asked, changed, away = _on_call(world)
    handed = handed_over(world, rota)
    contact = contacts.add_contact(kind="chat", address="https://chat.example.org/x", flavor="slack", **by_jonas)
    first = [{"targets": [{"kind": "rota", "rota": rota.pk, "level": 1}], "wait": 300}]
    paging = policies.create_policy(name="Databases", team="databases", definition={"steps": first}, **world.by(world.lena))
    policies.use_for_team("databases", policy=paging.pk, **world.by(world.lena))
    link, secret = shifts.make_calendar_link(**by_jonas)
    drill = Page.objects.create(person=world.amir, urgency="urgent", created_at=world.now)
    values: dict[str, Any] = {
        "number": ticket.pk,
        "action": uuid.uuid4(),
        "secret": secret,
        "link": link.pk,
        "contact": contact.pk,
        "size": 192,
        "job": job.pk,
        "token": token.pk,
        "person": world.rolf.pk,
        "address": address.pk,
        "session": 1,
        "ref": "1-x",
        "announcement": told.pk,
        "category": category.pk,
        "key": custom.key,
        "name": "attainment",
        "language": "de",
        "call": 1,
        "signed": "x",
        "by_place": {
            "files": {"token": upload.token},
            "pictures": {"token": drawn.token},
            "unsubscribe": {"token": unsubscribing.link(world.maria.pk, [Topic.ANNOUNCED]).rpartition("/")[2]},
            "p": {"token": page_links.link(drill.pk, now=world.now).rpartition("/p/")[2]},
            "desk": {"slug": view.slug},
            "queue": {"slug": world.desk_team.slug},
            "teams": {"slug": world.dba_team.slug},
            "services": {"slug": world.printing.slug},
            "organizations": {"slug": world.branch.slug},
            "agreements": {"slug": promised.slug},
            "calendars": {"slug": calendar.slug},
            "webhooks": {"number": hook.pk},
            "alerts": {"number": am.alert().pk},
            **{name: {"number": known.pk} for name in ("silence_edit", "silence_end")},
            **{name: {"number": upgrade.pk} for name in ("maintenance_edit", "maintenance_end")},
            "mail": {"number": _mail(world)},
            "ticket_mail": {"mail": _mail_on(ticket, world)},
            "mailboxes": {"number": a_mailbox(world, "http")[0].pk},
            "setup_mailbox_try": {"number": a_mailbox(world, "imap", "x@example.org", connection=NOWHERE)[0].pk},
            "alert-sources": {"number": am.source.pk},
            "alert-rules": {"number": rule.pk},
            "mail-rules": {"number": read.pk},
            "mail-templates": {"number": words.pk},
            **{
                f"setup_heartbeat{verb}": {"number": beat.source_id, "beat": beat.pk}
                for verb in ("", "_pause", "_resume", "_remove")
            },
            "setup_heartbeats": {"number": beat.source_id},
            "alert-reports": {"report": unread.pk},
            "announce_update": {"number": other.pk},
            "oncall": {
                "slug": rota.slug,
                "asked": asked.pk,
                "handover": handed.pk,
                "word": "accept",
                "override": changed.pk,
                "leave": away.pk,
            },
            **{name: {"slug": paging.slug} for name in POLICY},
        },
    }
    grant = RoleGrant.objects.filter(person=world.amir).get()
    sent: dict[str, dict[str, Any]] = {
        "act:assign": {"person": world.jonas.pk},
        "act:hand-over": {"team": world.dba_team.pk, "reason": "x"},
        "act:escalate": {"reason": "x"},
        "act:wait": {"on": "supplier"},
        "act:resolve": {"code": "fixed", "resolution": "x"},
        "act:cancel": {"reason": "mistake"},
        "act:priority": {"priority": 1, "reason": "x"},
        "act:refile": {"kind": "request"},
        "act:link": {"kind": "related", "other": other.pk},
        "act:unlink": {"kind": "related", "other": other.pk},
        "act:merge": {"into": other.pk},
        "act:split": {"comment": comment.pk, "title": "x"},
        "act:follow-up": {"description": "x"},
        "act:copy": {"person": "rolf@example.org"},
        "act:edit": {"title": "Ledger is very slow"},
        "act:tag": {"name": "x"},
        "act:untag": {"name": "x"},
        "act:promise": {"minutes": 30},
        "act:page": {"person": "amir@example.org"},
        "act:stop-paging": {"reason": "x"},
        "say": {"body": "x", "place": "note"},
        "draft": {"body": "x", "place": "note"},
        "my_reply": {"body": "x"},
        "my_draft": {"body": "x"},
        "my_rate": {"stars": 5},
        "my_copy": {"person": "rolf@example.org"},
        "my_copy_remove": {"person": world.amir.pk},
        "new_ticket": {"title": "x"},
        "silence_import": {"body": "[]"},
        "silence_edit": {"reason": "x"},
        "silence_new": {"service": world.printing.pk, "reason": "x", "span": "1h"},
        "maintenance_new": {
            "title": "x",
            "services": world.printing.pk,
            "ends_at": f"{world.now + timedelta(days=1):%Y-%m-%dT%H:%M}",
        },
        "bulk": {"n": ticket.pk, "verb": "watch"},
        "save_view": {"name": "x", "q": "x"},
        "announce": {"title": "x", "organization": world.bank.pk},
        "announce_update": {"body": "x"},
        "contact_rules": {"urgency": "normal", "usual": "1"},
        "contact_quiet": {"never": "1"},
        "contact_practice": {"urgency": "normal"},
        "setup_person_grant": {"role": "agent", "scope": f"organization-{world.branch.pk}"},
        "setup_person_revoke": {"grant": grant.pk},
        "setup_person_join": {"team": world.dba_team.pk},
        "setup_person_leave": {"team": world.dba_team.pk},
        "setup_person_add_address": {"email": "x@example.org"},
        "setup_team_join": {"person": "rolf@example.org"},
        "setup_team_leave": {"person": world.amir.pk},
        "team_policy": {"policy": paging.slug},
        "setup_heartbeat": {"every": "7", "every_unit": "86400", "grace": "1", "grace_unit": "3600"},
        "setup_heartbeats": {"beat": "weekly", "every": "7", "every_unit": "86400", "grace": "1", "grace_unit": "3600"},
    }
    return Stage(world, ticket, cast, values, sent)


#: a server that may not be called
NOWHERE = {"host": "127.0.0.1", "user": "x"}


def _mail(world: World) -> int:
    """A mail that is held."""
    number = keeping.keep(b"Subject: x\r\n\r\nx", mailbox=None, **world.by(world.ada))
    InboundMessage.objects.filter(pk=number).update(state="held")
    assert number is not None
    return number


def _mail_on(ticket: Ticket, world: World) -> int:
    """A mail that is on a ticket."""
    number = keeping.keep(b"Subject: y\r\n\r\ny", mailbox=None, **world.by(world.ada))
    InboundMessage.objects.filter(pk=number).update(state="taken", ticket=ticket)
    assert number is not None
    return number


def _watched(world: World) -> tuple[Monitoring, RawReport]:
    """A source with two keys, an alert of a service that changes nothing else, and a request that could not be read."""
    am = Monitoring(world, service=world.printing.pk)
    am.send(am.fires(severity="info"))
    sources.rotate(am.source.pk, **world.by(world.ada))
    amazon = Monitoring(world, "sns")
    topic = "arn:aws:sns:eu-west-1:123456789012:alarms"
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    amazon.post({"Type": "SubscriptionConfirmation", "TopicArn": topic, "SubscribeURL": url})
    amazon.read()
    return am, RawReport.objects.exclude(error="").get()


def _quiet(world: World) -> tuple[Silence, MaintenanceWindow]:
    """A silence and announced work of Jonas, about a service of the branch, both to come."""
    time = {"starts_at": world.now + timedelta(days=1), "ends_at": world.now + timedelta(days=2)}
    known = silences.create(reason="known", service=world.printing.pk, **time, **world.by(world.jonas))
    return known, windows.announce(title="Upgrade", services=[world.printing.pk], **time, **world.by(world.jonas))


def _on_call(world: World) -> tuple[Rota, ShiftRequest, Override, Leave]:
    """A rota of the databases in which Amir asks everybody to cover him; an override and a leave of his, both in spring."""
    layer = {
        "name": "Week",
        "people": [world.amir.pk, world.priya.pk],
        "first_on": f"{world.now:%Y-%m-%d}",
        "first_time": "00:00",
    }
    definition = {"zone": "UTC", "layers": [layer]}
    rota = rotas.create_rota(name="Databases", team=world.dba_team.pk, definition=definition, **world.by(world.lena))
    until, spring = world.now + timedelta(hours=8), world.now + timedelta(days=120)
    asked = covering.ask_cover(rota.pk, level=1, starts_at=world.now, ends_at=until, **world.by(world.amir))
    days = {"starts_at": spring, "ends_at": spring + timedelta(days=2)}
    changed = shifts.add_override(rota.pk, level=1, person=world.priya.pk, **days, **world.by(world.lena))
    return rota, asked, changed, shifts.add_leave(person=world.amir.pk, **days, **world.by(world.amir))


def handed_over(world: World, rota: Rota) -> Handover:
    """A handover in it that waits, from Jonas, who stood in, to Amir."""
    day = timedelta(days=1)
    return Handover.objects.create(
        rota=rota,
        level=1,
        outgoing=world.jonas,
        incoming=world.amir,
        begun_at=world.now - day,
        changes_at=world.now,
        until=world.now + day,
        drafted_at=world.now,
        due_at=world.now + day,
        lapses_at=world.now + day,
        draft={"major": [], "came_in": list(Ticket.objects.values_list("pk", flat=True))},
        notes="The *printer* again.",
    )


@dataclass(frozen=True)
class Row:
    """Who is let in: to read, and to do."""

    get: frozenset[str] = NOBODY
    post: frozenset[str] = NOBODY


def _rows(row: Row, *names: str) -> dict[str, Row]:
    return dict.fromkeys(names, row)


DECIDED: dict[str, Row] = {
    # at the door
    **_rows(Row(EVERYBODY, EVERYBODY), "sign_in", "sign_in_code", "forgot"),
    **_rows(Row(post=EVERYBODY), "sign_out"),
    **_rows(Row(), "new_password", "new_password_link", "confirm_address"),  # nobody was sent the link that is tried here
    # one's own account; what is tried is Maria's
    **_rows(Row(SIGNED_IN, SIGNED_IN), "profile", "second_factor"),
    **_rows(Row(SIGNED_IN), "more", "security", "home", "status", "my", "notices"),
    **_rows(Row(post=SIGNED_IN), "profile_away", "profile_told", "change_password", "second_factor_off", "end_session"),
    **_rows(Row(post=SIGNED_IN), "sign_out_everywhere", "add_address", "create_token", "notices_read"),
    **_rows(Row(post=frozenset({"requester"})), "address_confirm"),
    **_rows(Row(post=ADMINS | {"requester"}), "address_primary", "address_remove", "revoke_token"),
    # how one is reached by pages; the contact that is tried is one of Jonas, the rooms are of the databases
    "contacts": Row(AT_THE_DESK, AT_THE_DESK),
    "contact_push_key": Row(post=AT_THE_DESK),
    **_rows(Row(EVERYBODY), "service_worker", "manifest", "app_icon"),  # the same for everybody, and nobody's
    **_rows(Row(post=AT_THE_DESK), "contact_rules", "contact_quiet", "contact_test", "contact_practice"),
    **_rows(Row(post=frozenset({"agent"})), "contact_code", "contact_verify", "contact_remove"),
    "team_rooms": Row(LEADING | ADMIN, LEADING | ADMIN),
    # the portal
    **_rows(Row(SIGNED_IN, SIGNED_IN), "report", "need"),
    **_rows(Row(post=SIGNED_IN), "report_draft", "upload"),
    "same_for_me": Row(post=SIGNED_IN - {"outsider", "outside_agent"}),  # it is announced to the bank
    "my_ticket": Row(frozenset({"requester"})),
    **_rows(Row(post=frozenset({"requester"})), "my_reply", "my_draft", "my_reopen", "my_confirm", "my_rate", "my_leave"),
    **_rows(Row(post=frozenset({"requester"})), "my_copy", "my_copy_remove"),
    # the desk: lists are open to all of it and hold only what the viewer may see (tested below)
    **_rows(Row(AT_THE_DESK, AT_THE_DESK), "desk", "queue_filter", "export", "save_view", "new_ticket", "styleguide"),
    **_rows(Row(AT_THE_DESK, AT_THE_DESK), "reports", "report_numbers", "report_card", "report_rows", "report_csv"),
    "report_subscribe": Row(post=AT_THE_DESK),
    "report_unsubscribe": Row(),  # one's own only
    "bulk": Row(AT_THE_DESK, WORKING | {"outside_agent"}),
    **_rows(Row(AT_THE_DESK, AT_THE_DESK), "find_people", "search", "palette"),
    **_rows(Row(AT_THE_DESK), "oncall", "announcements", "people", "teams", "services", "calendars", "calendar"),
    **_rows(Row(AT_THE_DESK - {"outside_agent"}), "person", "service"),
    "team": Row(AT_THE_DESK - {"outside_agent", "branch_administrator"}),
    "queue": Row(
        AT_THE_DESK - {"outside_agent", "branch_administrator"}, AT_THE_DESK - {"outside_agent", "branch_administrator"}
    ),
    # a rota of the databases; who asks, and is not there in spring, is Amir
    **_rows(Row(AT_THE_DESK), "oncall_simulate", "oncall_replay", "oncall_coverage"),  # of what each may know
    "oncall_me": Row(AT_THE_DESK),
    **_rows(Row(post=AT_THE_DESK), "oncall_leave", "oncall_calendar"),
    "oncall_leave_file": Row(AT_THE_DESK, AT_THE_DESK),
    "oncall_calendar_end": Row(post=frozenset({"agent"})),  # one of Jonas
    **_rows(Row(post=AT_THE_DESK - {"outside_agent", "branch_administrator"}), "oncall_take", "oncall_answer"),
    "oncall_rota": Row(AT_THE_DESK - {"outside_agent", "branch_administrator"}),
    "oncall_ask": Row(
        AT_THE_DESK - {"outside_agent", "branch_administrator"}, AT_THE_DESK - {"outside_agent", "branch_administrator"}
    ),
    # a handover of Jonas; only he writes, and who takes it is somebody else, which all who read it are told
    "oncall_handover": Row(LEADING | ADMIN | {"agent"}),
    "oncall_handover_write": Row(post=frozenset({"agent"})),
    "oncall_handover_accept": Row(post=LEADING | ADMIN | {"agent"}),
    "oncall_handovers": Row(LEADING | ADMIN),
    **_rows(Row(LEADING | ADMIN, LEADING | ADMIN), "oncall_new", "oncall_edit", "oncall_override"),
    **_rows(Row(post=LEADING | ADMIN), "oncall_override_cancel", "oncall_leave_cancel", "oncall_activate", "oncall_deactivate"),
    # the escalation policy of the databases
    "policies": Row(AT_THE_DESK),
    "alerts": Row(AT_THE_DESK),
    **_rows(Row(AT_THE_DESK), "alert_noise", "alert_noise_csv"),
    "alert": Row(AT_THE_DESK - {"outside_agent"}),
    **_rows(Row(AT_THE_DESK), "silences", "maintenance"),
    # about printing, a service of the branch with the service desk
    "silence_new": Row(WORKING | ADMINS | {"outside_agent"}, WORKING | ADMINS | {"outside_agent"}),
    "maintenance_new": Row(WORKING | ADMINS | {"outside_agent"}, WORKING | ADMINS | {"outside_agent"}),
    "silence_import": Row(ADMIN | {"agent", "duty_manager"}, ADMIN | {"agent", "duty_manager"}),
    "silence_edit": Row(WORKING | ADMINS, WORKING | ADMINS),
    "silence_end": Row(post=WORKING | ADMINS),
    "maintenance_edit": Row(WORKING | ADMINS, WORKING | ADMINS),
    "maintenance_end": Row(post=WORKING | ADMINS),
    "policy": Row(AT_THE_DESK - {"outside_agent", "branch_administrator"}),
    **_rows(Row(LEADING | ADMIN, LEADING | ADMIN), "policy_new", "policy_edit"),
    **_rows(Row(post=LEADING | ADMIN), "policy_activate", "policy_deactivate", "team_policy", "service_policy"),
    # a view and a job of Jonas
    **_rows(Row(frozenset({"agent"}), frozenset({"agent"})), "saved_view", "job"),
    **_rows(Row(post=frozenset({"agent"})), "remove_view", "job_cancel", "job_go_on"),
    # a ticket of the bank, with the service desk; the file hangs on a note
    "file": Row(READING),
    "picture": Row(READING),
    "shift_calendar": Row(EVERYBODY),  # the address is the key
    "my_pages": Row(AT_THE_DESK),
    "my_page": Row(),  # one's own; nobody here is called
    **_rows(Row(), "carrier_status", "carrier_digits", "carrier_sms"),  # for a carrier, and there is none here
    "unsubscribe": Row(EVERYBODY, EVERYBODY),  # whoever holds its address got the mail
    "page_link": Row(EVERYBODY, EVERYBODY),  # so it is here: whoever holds it was called
    "ticket": Row(READING, READING),
    "why": Row(READING, READING),
    **_rows(Row(READING, READING), "ticket_pages", "ticket_pages_csv"),
    **_rows(Row(READING), "ticket_mail", "ticket_alerts"),
    "reference": Row(READING | {"requester"}, READING | {"requester"}),
    **_rows(Row(post=WORKING), "say", "draft", "announce_update"),
    "presence": Row(post=READING),
    "mention": Row(READING, READING),
    "undo": Row(),  # one's own act only; nobody here did one
    "announce": Row(READING, WORKING),
    **{f"act:{verb}": Row(READING, WORKING) for verb in ACTS},
    "act:unrestrict": Row(READING, LEADING),
    # setup; what is tried belongs to the branch where it can, categories, fields, labels and webhooks to the installation
    **_rows(Row(SETUP), "setup", "setup_people", "setup_roles", "setup_teams", "setup_organizations", "setup_services"),
    **_rows(Row(SETUP), "setup_categories", "setup_fields", "setup_calendars", "setup_agreements", "setup_agreement"),
    "setup_agreement_new": Row(SETUP, ADMINS),
    "setup_agreement_edit": Row(ADMINS, ADMINS),
    "setup_agreement_what_if": Row(SETUP, SETUP),  # it writes nothing but the question
    "setup_what_if": Row(),  # one's own; nobody here asked
    **_rows(Row(post=ADMINS), "setup_agreement_activate", "setup_agreement_deactivate"),
    **_rows(Row(post=ADMIN), "setup_agreement_earlier", "setup_agreement_later", "setup_agreements_start"),
    **_rows(Row(ADMINS, ADMINS), "setup_import", "setup_oncall"),
    "setup_oncall_export": Row(ADMINS),
    **_rows(Row(SETUP, ADMINS), "setup_person_new", "setup_person", "setup_team_new", "setup_organization_new"),
    **_rows(Row(SETUP, ADMINS), "setup_organization", "setup_matrix", "setup_service_new", "setup_service"),
    **_rows(Row(post=ADMINS), "setup_person_activate", "setup_person_deactivate", "setup_person_invite"),
    **_rows(Row(post=ADMINS), "setup_person_second_step_off", "setup_person_grant", "setup_person_add_address"),
    **_rows(Row(post=ADMINS), "setup_address_primary", "setup_address_remove", "setup_token_revoke"),
    **_rows(Row(post=ADMINS), "setup_organization_activate", "setup_organization_deactivate"),
    **_rows(Row(post=ADMINS), "setup_service_activate", "setup_service_deactivate"),
    "setup_team": Row(SETUP - {"branch_administrator"}, ADMIN),
    **_rows(Row(post=ADMIN), "setup_person_revoke", "setup_person_join", "setup_person_leave", "setup_team_activate"),
    **_rows(Row(post=ADMIN), "setup_team_deactivate", "setup_team_join", "setup_team_leave"),
    **_rows(Row(SETUP, ADMIN), "setup_category_new", "setup_category", "setup_field_new", "setup_field"),
    **_rows(Row(SETUP, ADMIN), "setup_labels", "setup_labels_in", "setup_calendar_new", "setup_calendar"),
    **_rows(Row(post=ADMIN), "setup_calendar_activate", "setup_calendar_deactivate"),
    **_rows(Row(post=ADMIN), "setup_category_activate", "setup_category_deactivate"),
    **_rows(Row(post=ADMIN), "setup_field_activate", "setup_field_deactivate"),
    **_rows(Row(SETUP - {"branch_administrator"}, ADMIN), "setup_webhooks", "setup_webhook"),
    "setup_machinery": Row(SETUP - {"branch_administrator"}),
    **_rows(Row(SETUP - {"branch_administrator"}), "setup_mail", "setup_mail_message", "setup_mail_source"),
    **_rows(Row(post=ADMIN), "setup_mail_try_again", "setup_mail_release", "setup_mail_forget"),
    "setup_mailboxes": Row(SETUP - {"branch_administrator"}),
    **_rows(Row(SETUP - {"branch_administrator"}, ADMIN), "setup_mailbox", "setup_mailbox_new"),
    **_rows(Row(post=ADMIN), "setup_mailbox_try", "setup_mailbox_new_key", "setup_mailbox_switch", "setup_mailbox_remove"),
    **_rows(Row(SETUP - {"branch_administrator"}, ADMIN), "setup_mail_rule_new", "setup_mail_rule"),
    "setup_mail_rules": Row(SETUP - {"branch_administrator"}),
    **_rows(Row(post=ADMIN), "setup_mail_rule_earlier", "setup_mail_rule_later", "setup_mail_rule_remove"),
    **_rows(Row(post=ADMIN), "setup_mail_rule_activate", "setup_mail_rule_deactivate"),
    "setup_mail_templates": Row(SETUP),
    "setup_mail_template_new": Row(SETUP, ADMIN),
    "setup_mail_template": Row(SETUP, ADMINS),
    "setup_mail_template_forget": Row(post=ADMINS),
    **_rows(Row(SETUP - {"branch_administrator"}, ADMIN), "setup_alert_sources", "setup_alert_source"),
    "setup_alert_source_try": Row(SETUP - {"branch_administrator"}, ADMIN | {"auditor"}),  # it writes nothing
    **_rows(Row(post=ADMIN), "setup_alert_source_new_key", "setup_alert_source_end_former_key", "setup_alert_source_switch"),
    **_rows(Row(post=ADMIN), "setup_heartbeats", "setup_heartbeat", "setup_heartbeat_pause", "setup_heartbeat_resume"),
    "setup_heartbeat_remove": Row(post=ADMIN),
    **_rows(Row(SETUP - {"branch_administrator"}, ADMIN), "setup_alert_rule_new", "setup_alert_rule"),
    "setup_alert_rules": Row(SETUP - {"branch_administrator"}),
    **_rows(Row(post=ADMIN), "setup_alert_rule_earlier", "setup_alert_rule_later", "setup_alert_rule_remove"),
    **_rows(Row(post=ADMIN), "setup_alert_rule_activate", "setup_alert_rule_deactivate"),
    **_rows(Row(post=ADMIN), "setup_unread_read_again", "setup_unread_allow", "setup_unread_forget"),
    **_rows(Row(post=ADMIN), "setup_webhook_new_secret", "setup_webhook_switch"),
    "setup_webhook_redeliver": Row(),  # no webhook was called here
}


#: the address itself is the token that no other site can know
WITHOUT_A_FORM = frozenset({"page_link", "unsubscribe"})


def tried(stage: Stage, role: str, method: str, address: Address, **headers: str) -> bool:
    """Whether the role comes in; what it did there is taken back.

    Our script gets the refusal of an act in its dialog, as a form that is not right: then nothing may have been written.
    """
    with taken_back():
        client = stage.client(role)
        before = Entry.objects.count()
        answer = getattr(client, method)(address.path, address.sent if method == "post" else {}, headers=headers)
        words_of(answer)
        is_refused_in_dialog = bool(headers) and answer.status_code == 422 and Entry.objects.count() == before
    return is_let_in(answer) and not is_refused_in_dialog


def test_every_address_is_decided() -> None:
    assert set(PATTERNS) == set(DECIDED)


@pytest.mark.parametrize("name", sorted(DECIDED))
def test_A15_who_may(stage: Stage, name: str) -> None:
    row, address = DECIDED[name], stage.address(name)
    for method, allowed in (("get", row.get), ("post", row.post)):
        came_in = {role for role in ROLES if tried(stage, role, method, address)}
        assert came_in == allowed, method
        refused = EVERYBODY - allowed
        with_script = {role for role in refused if tried(stage, role, method, address, hx_request="true")}
        assert not with_script, method


OF_A_TICKET = sorted(
    name
    for name in DECIDED
    if "{number}" in PATTERNS[name]
    and not name.startswith(("my_", "setup_"))
    and not name.startswith(("alert", "silence", "maintenance"))
)


@pytest.mark.parametrize("name", OF_A_TICKET)
def test_A15_a_restricted_ticket_is_there_for_its_team_and_auditors_only(stage: Stage, name: str) -> None:
    world = stage.world
    number = PATTERNS[name].format(**stage._values(name)).split("/")[-2 if name == "announce_update" else 0]
    assert number is not None
    for ticket in Ticket.objects.all():
        desk.restrict(ticket.pk, **world.by(world.jonas))
    inside = {"agent", "auditor", "requester"}
    row, address = DECIDED[name], stage.address(name)
    for method, allowed in (("get", row.get), ("post", row.post)):
        came_in = {role for role in ROLES if tried(stage, role, method, address)}
        assert came_in == allowed & inside, method


#: what only the bank may read; the outsiders open every list
OURS = ("Maria Keller", "Jonas Berg", "Northbank", "Lindenhof", "Ledger is slow", "Also slow", "Service desk", "Suspicious")
LISTS = (
    *("/", "/status/", "/my/", "/my/?q=slow", "/report?q=ledger+is+slow", "/profile", "/profile/notices", "/more"),
    *(
        "/desk/",
        "/desk/all",
        "/desk/triage",
        "/desk/waiting",
        "/desk/watching",
        "/desk/all?state=any&q=slow",
        "/desk/all?q=maria",
    ),
    *("/desk/filter", "/desk/export.csv?view=all&state=any", "/desk/save-view", "/tickets/new", "/announcements"),
    *("/search?q=slow", "/search?q=1001", "/search?q=Maria", "/search?q=Service", "/search?q=suspicious"),
    *("/palette?q=slow", "/palette?q=1001", "/palette?q=maria", "/palette?q=service", "/palette?on=1001"),
    *("/find/people?q=maria", "/find/people?requester=jonas", "/people/", "/people/?q=maria", "/teams/", "/services/"),
    *("/desk/change?n=1001&n=1002", "/oncall/", "/oncall/?team=databases&days=7", "/oncall/me", "/oncall/policies"),
    *("/alerts/", "/alerts/silences", "/alerts/maintenance"),
    *("/reports", "/reports/attainment?by=service", "/reports/attainment?by=organization"),
    *("/reports/attainment/rows?part=open", "/reports/attainment/csv?by=team", "/reports/attainment/csv?part=open"),
    *(
        "/reports/resolve?by=service",
        "/reports/resolve/rows",
        "/reports/resolve/rows?part=median",
        "/reports/attainment/csv?part=share",
        "/reports/teams",
        "/reports/teams/rows",
        "/reports/waiting",
    ),
)


@pytest.mark.parametrize("role", ["outsider", "outside_agent"])
@pytest.mark.parametrize("path", LISTS)
def test_A15_lists_of_another_customer_hold_nothing_of_ours(stage: Stage, role: str, path: str) -> None:
    for headers in ({}, {"hx_request": "true"}):
        answer = stage.client(role).get(path, headers=headers)
        text = words_of(answer)
        assert not [name for name in OURS if name in text]


@pytest.mark.parametrize("path", LISTS)
def test_A25_a_restricted_ticket_is_in_no_list_and_no_count(stage: Stage, path: str) -> None:
    world = stage.world
    desk.restrict(stage.ticket.pk, **world.by(world.jonas))
    for role in ("team_agent", "lead", "duty_manager", "administrator"):
        answer = stage.client(role).get(path)
        text = words_of(answer)
        assert "Ledger is slow" not in text
        assert "Suspicious" not in text


@pytest.mark.parametrize("name", sorted(name for name, row in DECIDED.items() if row.post and name not in WITHOUT_A_FORM))
def test_A45_nothing_is_done_without_the_token_of_the_form(stage: Stage, name: str) -> None:
    address = stage.address(name)
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.world.ada)
    for headers in ({}, {"origin": "https://evil.example"}, {"hx_request": "true"}):
        answer = client.post(address.path, address.sent, headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize("name", sorted(DECIDED))
def test_A45_reading_changes_nothing(stage: Stage, name: str) -> None:
    before = Entry.objects.count()
    address = stage.address(name)
    for role in ("requester", "agent", "administrator"):
        words_of(stage.client(role).get(address.path, address.sent))
    wrote = (
        Entry.objects.exclude(verb=Verb.EXPORTED) if name in ("export", "report_csv") else Entry.objects.all()
    )  # who took what is kept
    assert wrote.count() == before
