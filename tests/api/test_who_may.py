"""Every operation, asked by every role, and with another organization's records: nothing is left undecided.

`DECIDED` says who may do each operation on a ticket, person, team … of the bank. Everybody not named there is refused with 403 or
404, and so is everybody of another organization. An operation that is missing here fails the test.
"""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from allswell.api import front  # declares the operations
from allswell.api.contract import OPERATIONS, Operation
from allswell.desk import (
    announcements,
    attachments,
    bulk,
    calendars,
    contacts,
    covering,
    people,
    policies,
    report_mails,
    rotas,
    setup,
    shifts,
    views,
    webhooks,
)
from allswell.desk import tickets as desk
from allswell.desk.alerts import heartbeats, rules, silences, sources, windows
from allswell.desk.mail import keeping
from allswell.desk.mail import rules as mail_rules
from allswell.desk.mail import templates as mail_templates
from allswell.people.models import RoleGrant
from allswell.reporting import telling
from allswell.tickets.models import Ticket
from tests.conftest import WORLD
from tests.support import early
from tests.support.boxes import a_mailbox
from tests.support.kept import Keeper, Scene, begins_with
from tests.support.monitoring import Monitoring
from tests.support.program import Program, forget_calls
from tests.support.promises import promise
from tests.support.promises import target as promised_target
from tests.support.world import World
from tests.web.test_who_may import handed_over

assert front.answer

#: the cast: requester is Maria, who asked for the ticket; colleague is Rolf of the same branch
ROLES = ("requester", "colleague", "agent", "lead", "duty_manager", "administrator", "auditor", "outsider", "outside_agent")
EVERYBODY = frozenset(ROLES)
DESK = frozenset({"agent", "lead", "duty_manager"})
READERS = DESK | {"auditor"}
#: who sees the ticket, in any part
SEEING = READERS | {"requester"}
SPEAKING = DESK | {"requester"}
ADMIN = frozenset({"administrator"})
#: of the bank: they know each other; the requester and the colleague know themselves only
KNOWING = READERS | ADMIN
#: about the rotas of a team
DECIDING = ADMIN | {"lead", "duty_manager"}

DECIDED: dict[str, frozenset[str]] = {
    **dict.fromkeys(["getMe", "listTokens", "revokeToken"], EVERYBODY),
    # lists are open to everybody and hold only what the caller may see (tested below)
    **dict.fromkeys(["listTickets", "search", "listPeople", "listTeams", "listOrganizations", "listServices"], EVERYBODY),
    **dict.fromkeys(["listAnnouncements", "createTicket", "uploadAttachment"], EVERYBODY),
    **dict.fromkeys(
        ["getTicket", "listComments", "listJournal", "listClocks", "listLinks", "listAttachments", "downloadAttachment"], SEEING
    ),
    **dict.fromkeys(["addParticipant", "removeParticipant"], SPEAKING),
    **dict.fromkeys(["replyToTicket", "attachToTicket", "reopenTicket", "followUpTicket"], SPEAKING),
    **dict.fromkeys(["confirmTicket", "rateTicket"], frozenset({"requester"})),
    **dict.fromkeys(
        [
            "takeTicket",
            "assignTicket",
            "handOverTicket",
            "escalateTicket",
            "noteOnTicket",
            "waitWithTicket",
            "resumeTicket",
            "resolveTicket",
            "closeTicket",
            "cancelTicket",
            "updateTicket",
            "overridePriority",
            "refileTicket",
            "restoreTicket",
            "watchTicket",
            "unwatchTicket",
            "tagTicket",
            "untagTicket",
            "restrictTicket",
            "namePeople",
            "unnamePerson",
            "linkTicket",
            "unlinkTicket",
            "mergeTicket",
            "unmergeTicket",
            "splitTicket",
            "removeAttachment",
            "announceTicket",
            "updateAnnouncement",
            "endAnnouncement",
        ],
        DESK,
    ),
    "unrestrictTicket": frozenset({"lead", "duty_manager"}),
    # who is called for the ticket; nobody here was called by a page
    "listEscalations": DESK | {"auditor"},
    **dict.fromkeys(["pageForTicket", "acknowledgePaging", "promiseWord", "stopPaging"], DESK),
    "listMyPages": EVERYBODY,  # their own
    **dict.fromkeys(["answerPage", "passPageOn"], frozenset()),
    "undoOnTicket": frozenset(),  # one's own act only; nobody here did one
    "joinAnnouncement": EVERYBODY - {"outsider", "outside_agent"},  # it is announced to the bank
    **dict.fromkeys(["listNotices", "readNotices", "getPreferences", "updatePreferences", "updateMe"], EVERYBODY),  # their own
    "listWatchers": SEEING,
    "listJobs": EVERYBODY,  # their own
    "startJob": DESK | {"outside_agent"},  # over what each may change
    **dict.fromkeys(["getJob", "cancelJob"], frozenset({"agent"})),  # the agent's own
    **dict.fromkeys(["listViews", "listViewTickets"], KNOWING | {"outside_agent"}),
    "createView": KNOWING | {"outside_agent"},  # their own
    **dict.fromkeys(["updateView", "removeView"], frozenset({"agent"})),  # the agent's own
    "getPerson": KNOWING | {"requester"},  # Maria herself
    "setPersonAway": ADMIN | {"requester"},
    **dict.fromkeys(["createPerson", "updatePerson", "deactivatePerson", "activatePerson", "grantRole", "revokeRole"], ADMIN),
    "listAddresses": ADMIN | {"auditor", "requester"},
    **dict.fromkeys(["addAddress", "makeAddressPrimary", "removeAddress"], ADMIN | {"requester"}),
    "confirmAddress": frozenset({"requester"}),  # the link goes to oneself
    "invitePerson": ADMIN,
    # words: the desk reads them, in every organization; the portal's fields are everybody's
    **dict.fromkeys(["listCategories", "getCategory", "getLabels"], KNOWING | {"outside_agent"}),
    **dict.fromkeys(["createCategory", "updateCategory", "deactivateCategory", "activateCategory"], ADMIN),
    **dict.fromkeys(["listFields", "getField"], EVERYBODY),
    **dict.fromkeys(["createField", "updateField", "deactivateField", "activateField", "updateLabels"], ADMIN),
    **dict.fromkeys(
        ["listReports", "getReport", "listReportRows", "listReportSubscriptions"], KNOWING | {"outside_agent"}
    ),  # of what each sees
    "createReportSubscription": KNOWING | {"outside_agent"},  # their own
    "removeReportSubscription": frozenset({"agent"}),  # the agent's own
    "getTeam": KNOWING,
    **dict.fromkeys(["createTeam", "updateTeam", "deactivateTeam", "activateTeam", "joinTeam", "leaveTeam"], ADMIN),
    **dict.fromkeys(["listCalendars", "getCalendar", "listCalendarVersions"], KNOWING | {"outside_agent"}),  # the desk, all of it
    **dict.fromkeys(["dueInCalendar", "workingTimeInCalendar", "listCalendarDays"], KNOWING | {"outside_agent"}),
    **dict.fromkeys(["createCalendar", "updateCalendar", "addCalendarVersion", "importCalendarDays"], ADMIN),
    **dict.fromkeys(["activateCalendar", "deactivateCalendar"], ADMIN),
    **dict.fromkeys(["listAgreements", "getAgreement"], ADMIN | {"auditor"}),
    **dict.fromkeys(["createAgreement", "updateAgreement", "addAgreementVersion", "orderAgreements"], ADMIN),
    **dict.fromkeys(["activateAgreement", "deactivateAgreement"], ADMIN),
    # rotas: everybody at the desk reads; who leads or administers decides, the people of the rota do among themselves
    **dict.fromkeys(["listRotas", "listShiftRequests", "listBlindTimes", "exportOncall"], KNOWING | {"outside_agent"}),
    **dict.fromkeys(["listPolicies"], KNOWING | {"outside_agent"}),
    **dict.fromkeys(["getPolicy", "listPolicyVersions"], KNOWING),
    **dict.fromkeys(["listAlerts", "listChanges", "listNoisyAlerts"], KNOWING | {"outside_agent"}),
    "getAlert": KNOWING,
    # what is set up about alerts, and what is quiet: about printing, where all of the bank work
    **dict.fromkeys(["listAlertSources", "getAlertSource", "listHeartbeats"], ADMIN | {"auditor"}),
    **dict.fromkeys(["listAlertRules", "getAlertRule"], ADMIN | {"auditor"}),
    **dict.fromkeys(["createAlertSource", "updateAlertSource", "rotateAlertSourceKey", "endFormerAlertSourceKey"], ADMIN),
    **dict.fromkeys(["disableAlertSource", "enableAlertSource"], ADMIN),
    **dict.fromkeys(["createHeartbeat", "updateHeartbeat", "removeHeartbeat"], ADMIN),
    **dict.fromkeys(["createAlertRule", "updateAlertRule", "activateAlertRule", "deactivateAlertRule"], ADMIN),
    **dict.fromkeys(["orderAlertRules", "removeAlertRule"], ADMIN),
    # what a mail becomes
    **dict.fromkeys(["listMailRules", "getMailRule"], ADMIN | {"auditor"}),
    **dict.fromkeys(["createMailRule", "updateMailRule", "activateMailRule", "deactivateMailRule"], ADMIN),
    **dict.fromkeys(["orderMailRules", "removeMailRule"], ADMIN),
    **dict.fromkeys(["listMailTemplates", "getMailTemplate"], ADMIN | {"auditor"}),
    **dict.fromkeys(["createMailTemplate", "updateMailTemplate", "forgetMailTemplate"], ADMIN),
    "previewMailTemplate": {"auditor"},  # of a ticket that one sees; it writes nothing
    "tryMailRule": ADMIN | {"auditor"},  # it writes nothing
    **dict.fromkeys(["listMailboxes", "getMailbox"], ADMIN | {"auditor"}),
    **dict.fromkeys(["createMailbox", "updateMailbox", "rotateMailboxKey", "tryMailbox", "removeMailbox"], ADMIN),
    **dict.fromkeys(["disableMailbox", "enableMailbox"], ADMIN),
    **dict.fromkeys(["listMailMessages", "getMailMessage", "downloadMailMessage"], ADMIN | {"auditor"}),
    **dict.fromkeys(["releaseMailMessage", "tryMailMessageAgain", "forgetMailMessage"], ADMIN),
    **dict.fromkeys(["listSilences", "listMaintenanceWindows"], KNOWING | {"outside_agent"}),
    **dict.fromkeys(["getSilence", "getMaintenanceWindow"], KNOWING),
    "importSilences": ADMIN | {"agent", "duty_manager"},
    **dict.fromkeys(["createSilence", "announceMaintenance"], DECIDING | {"agent", "outside_agent"}),  # there is no such service
    **dict.fromkeys(["endSilence", "updateSilence", "endMaintenance", "updateMaintenanceWindow"], DECIDING | {"agent"}),
    **dict.fromkeys(["createPolicy", "updatePolicy", "activatePolicy", "deactivatePolicy"], DECIDING),
    **dict.fromkeys(["setTeamPolicy", "clearTeamPolicy", "setServicePolicy", "clearServicePolicy"], DECIDING),
    **dict.fromkeys(["getRota", "listRotaVersions", "listShifts", "listOverrides", "whoIsOnCall", "getShiftRequest"], KNOWING),
    "simulatePaging": KNOWING,
    "replayPaging": KNOWING,  # of tickets each may see
    "getCoverage": KNOWING | {"outside_agent"},  # of the services of which each knows who answers for them
    **dict.fromkeys(["createRota", "updateRota", "previewRota", "importOncall", "activateRota", "deactivateRota"], DECIDING),
    **dict.fromkeys(["addOverride", "cancelOverride"], DECIDING),
    **dict.fromkeys(["takeShift", "askCover", "askSwap"], DECIDING | {"agent"}),
    **dict.fromkeys(["acceptShiftRequest", "declineShiftRequest"], frozenset({"agent"})),  # offered to him alone
    "withdrawShiftRequest": DECIDING,
    "listHandovers": KNOWING | {"outside_agent"},  # those each may read
    "getHandover": DECIDING | {"agent"},
    **dict.fromkeys(["updateHandover", "signHandover"], frozenset({"agent"})),  # who hands over
    "acceptHandover": frozenset(),  # who takes over; nobody here
    **dict.fromkeys(["listCalendarLinks", "makeCalendarLink"], EVERYBODY),  # their own
    "revokeCalendarLink": frozenset({"agent"}),  # the agent's own
    **dict.fromkeys(["listLeaves", "addLeave", "importLeaves", "cancelLeave"], ADMIN | {"requester"}),  # of Maria
    # how one is reached: everybody at the desk says it of themselves; the contact that is tried is the agent's
    **dict.fromkeys(["listContacts", "addContact", "getPaging", "listPracticePages"], KNOWING | {"outside_agent"}),
    **dict.fromkeys(["setPagingRules", "setQuietHours", "sendTestPage", "sendPracticePage"], KNOWING | {"outside_agent"}),
    **dict.fromkeys(["sendContactCode", "verifyContact", "removeContact"], frozenset({"agent"})),
    **dict.fromkeys(["listRooms", "addRoom", "getTeamReach"], DECIDING),
    "tryAlertPayload": ADMIN | {"auditor"},  # it writes nothing
    "askWhatIf": ADMIN | {"auditor"},  # it writes nothing but the question
    "getWhatIf": frozenset(),  # one's own; nobody here asked
    "getOrganization": KNOWING | {"requester", "colleague"},  # their own
    **dict.fromkeys(["createOrganization", "updateOrganization", "deactivateOrganization", "activateOrganization"], ADMIN),
    "getService": KNOWING | {"requester", "colleague"},
    **dict.fromkeys(["createService", "updateService", "deactivateService", "activateService"], ADMIN),
    **dict.fromkeys(["listWebhooks", "getWebhook", "listDeliveries"], ADMIN | {"auditor"}),
    **dict.fromkeys(
        ["createWebhook", "updateWebhook", "rotateWebhookSecret", "disableWebhook", "enableWebhook", "redeliver"], ADMIN
    ),
}
#: changes of one's own profile, which auditors have too
OWN = ("readNotices", "updatePreferences", "updateMe")
TARGET = promised_target("resolution", 60)
#: what must be asked for
QUESTIONS = {
    "search": "?q=slow",
    "dueInCalendar": "?start=2026-03-27T16:00:00Z&minutes=480",
    "workingTimeInCalendar": "?start=2026-03-27T16:00:00Z&end=2026-03-28T16:00:00Z",
    "listCalendarDays": "?first=2026-01-01&last=2026-12-31",
    "whoIsOnCall": "?team=service-desk",
    "simulatePaging": "?team=service-desk",
    "replayPaging": "?policy=desk&from=2026-11-22T00:00:00Z",
}
PUBLIC = {"getOpenApi", "readReference", "readReferenceStyle"}


@dataclass
class Stage:
    """What the operations are tried on, all of the bank, and who tries."""

    programs: dict[str, Program]
    values: dict[str, dict[str, Any]]
    bodies: dict[str, dict[str, Any]]
    ticket: Ticket


#: where the files of the stage are kept
FILES = early.FOLDER / "stage of the operations"


def set_stage(world: World) -> Stage:
    """Everything of which there is one to try, and a token for everybody."""
    with override_settings(MEDIA_ROOT=FILES):
        return _set(world)


STAGE = Scene(set_stage, below=WORLD)


@pytest.fixture
@begins_with(STAGE)
def stage(world: World, keeper: Keeper, settings: Any, tmp_path: Path) -> Stage:
    forget_calls()
    settings.MEDIA_ROOT = shutil.copytree(FILES, tmp_path / "files")
    made: Stage = keeper.copy(STAGE)
    return made


def _set(world: World) -> Stage:
    world._grant(world.lena, "lead", organization=world.bank)
    for team in (world.desk_team, world.dba_team):
        team.organization = world.bank
        team.save()
    world.printing.organization = world.branch
    world.printing.save()
    ticket = world.report(title="Ledger is slow", service=world.printing.slug)
    other = world.report(world.rolf, title="Also slow")
    desk.restrict(other.pk, people=(), **world.by(world.olga))
    desk.unrestrict(other.pk, **world.by(world.olga))
    comment = desk.reply(ticket.pk, body="Looking at it", **world.by(world.julia))
    upload = attachments.upload(BytesIO(b"log"), name="log.txt", content_type="text/plain", **world.by(world.maria))
    attachments.attach(ticket.pk, tokens=(upload.token,), **world.by(world.maria))
    told = announcements.announce(ticket.pk, title="Slow", audience=(world.bank.pk,), **world.by(world.olga))
    am = Monitoring(world, service=world.printing.pk)
    am.send(am.fires(severity="info"))
    jobs, _ = sources.create(name="Jobs", kind="heartbeat", **world.by(world.ada))
    beat = heartbeats.create(jobs.pk, name="nightly", every=86_400, **world.by(world.ada))
    rule = rules.create(name="Ledger", definition={}, **world.by(world.ada))
    said = {"locale": "en", "subject": "Bye", "text": "Bye"}
    words = mail_templates.create(kind="closed", **said, **world.by(world.ada))
    read = mail_rules.create(name="Ledger", definition={}, **world.by(world.ada))
    quiet = {"service": world.printing.pk, "reason": "x", "ends_at": world.now + timedelta(hours=1)}
    work = {"services": [world.printing.pk], "title": "x", "ends_at": quiet["ends_at"]}
    silence = silences.create(**quiet, **world.by(world.jonas))
    window = windows.announce(starts_at=None, **work, **world.by(world.jonas))
    hook, _ = webhooks.create(name="Chat", url="https://chat.example.org/", **world.by(world.ada))
    view = views.save("Slow ones", filters={"q": "slow"}, **world.by(world.jonas))
    second = people.add_address(world.maria.pk, email="mk@example.org", **world.by(world.ada))
    category = setup.create_category(name="Paper", **world.by(world.ada))
    custom = setup.create_custom_field(key="floor", label="Floor", is_in_portal=True, **world.by(world.ada))
    promised = promise(world)
    calendar = calendars.create_calendar(
        name="Office hours", zone="UTC", hours=calendars.Hours([((540, 1020),)] * 7), **world.by(world.ada)
    )
    mail = report_mails.subscribe(
        "teams", telling.asked("teams", {}, zone="UTC", now=world.now), every="week", **world.by(world.jonas)
    )
    turns = {"zone": "UTC", "layers": [{"name": "x", "first_on": "2026-11-23", "people": [world.julia.pk, world.jonas.pk]}]}
    rota = rotas.create_rota(name="Desk", team=world.desk_team.pk, definition=turns, **world.by(world.lena))
    named = {"zone": "UTC", "layers": [{**turns["layers"][0], "people": ["julia@example.org"]}]}
    in_file = {"slug": "x", "name": "x", "team": world.desk_team.slug, "versions": [{"definition": named}]}
    called = {"steps": [{"targets": [{"kind": "rota", "rota": rota.pk}], "wait": 300}]}
    policy = policies.create_policy(name="Desk", team=world.desk_team.pk, definition=called, **world.by(world.lena))
    span = {"starts_at": world.now + timedelta(days=1), "ends_at": world.now + timedelta(days=2)}
    later = {"starts_at": world.now + timedelta(days=8), "ends_at": world.now + timedelta(days=9)}
    override = shifts.add_override(rota.pk, level=1, person=world.julia.pk, **later, **world.by(world.lena))
    handed = handed_over(world, rota)
    asked = covering.ask_cover(rota.pk, level=1, offered_to=world.jonas.pk, **span, **world.by(world.julia))
    leave = shifts.add_leave(person=world.maria.pk, **span, **world.by(world.maria))
    link, _ = shifts.make_calendar_link(**world.by(world.jonas))
    chat = {"kind": "chat", "address": "https://chat.example.org/x", "flavor": "slack"}
    contact = contacts.add_contact(**chat, **world.by(world.jonas))
    time = {name: instant.isoformat() for name, instant in span.items()}
    job = bulk.start([ticket.pk], verb="watch", params={}, **world.by(world.jonas))
    world._person("Clara Colleague", world.branch)
    grant = RoleGrant.objects.filter(person=world.amir).first()
    cast = {
        "requester": world.maria,
        "colleague": world.rolf,
        "agent": world.jonas,
        "lead": world.lena,
        "duty_manager": world.olga,
        "administrator": world.ada,
        "auditor": world.audrey,
        "outsider": world.otto,
        "outside_agent": world.oskar,
    }
    values: dict[str, dict[str, Any]] = {
        "tickets": {"number": ticket.pk},
        "attachments": {"token": upload.token},
        "announcements": {"id": told.pk},
        "people": {"id": world.maria.pk, "grant": grant.pk, "address": second.pk, "leave": leave.pk},
        "categories": {"id": category.pk},
        "fields": {"key": custom.key},
        "labels": {"language": "de"},
        "teams": {"ref": world.dba_team.slug, "person": world.amir.pk},
        "organizations": {"ref": world.branch.slug},
        "services": {"ref": world.printing.slug},
        "webhooks": {"id": hook.pk, "delivery": 1},
        "alerts": {"id": am.alert().pk},
        "alert-sources": {"id": jobs.pk, "heartbeat": beat.pk},
        "alert-rules": {"id": rule.pk},
        "mail-rules": {"id": read.pk},
        "mail-templates": {"id": words.pk},
        "mailboxes": {"id": a_mailbox(world, "http")[0].pk},
        "mail-messages": {"id": keeping.keep(b"Subject: x\r\n\r\nx", mailbox=None, **world.by(world.ada))},
        "silences": {"id": silence.pk},
        "maintenance-windows": {"id": window.pk},
        "views": {"slug": view.slug},
        "jobs": {"id": job.pk},
        "pages": {"id": 1},
        "calendars": {"ref": calendar.slug},
        "agreements": {"slug": promised.slug},
        "me": {"id": link.pk},
        "contacts": {"id": contact.pk},
        "policies": {"ref": policy.slug},
        "rotas": {"ref": rota.slug, "override": override.pk},
        "shift-requests": {"id": asked.pk},
        "handovers": {"id": handed.pk},
        "what-ifs": {"id": 1},
        "reports": {"slug": "attainment"},
        "report-subscriptions": {"id": mail.pk},
    }
    words = {"body": "x", "reason": "mistake", "description": "x", "title": "x", "name": "x", "q": "x"}
    bodies: dict[str, dict[str, Any]] = {
        "createTicket": {"title": "x"},
        "assignTicket": {"person": None},
        "handOverTicket": {"team": world.dba_team.pk, "reason": "x"},
        "waitWithTicket": {"on": "supplier"},
        "overridePriority": {"priority": 1, "reason": "x"},
        "refileTicket": {"kind": "request"},
        "rateTicket": {"score": 5},
        "addParticipant": {"person": "clara@example.org"},
        "removeParticipant": {"person": world.priya.pk},
        "unnamePerson": {"person": world.priya.pk},
        "linkTicket": {"kind": "related", "target": other.pk},
        "unlinkTicket": {"kind": "related", "target": other.pk},
        "mergeTicket": {"into": other.pk},
        "splitTicket": {"comment": comment.pk, "title": "x"},
        "undoOnTicket": {"action": str(uuid.uuid4())},
        "announceTicket": {"title": "x", "audience": [world.bank.pk]},
        "setPersonAway": {"away_from": None, "away_until": None},
        "grantRole": {"role": "agent"},
        "joinTeam": {"person": world.rolf.pk},
        "createWebhook": {"name": "x", "url": "https://x.example.org"},
        "replyToTicket": {"body": "x"},
        "pageForTicket": {"person": world.amir.pk},
        "promiseWord": {"minutes": 30},
        "stopPaging": {"reason": "x"},
        "noteOnTicket": {"body": "x"},
        "cancelTicket": {"reason": words["reason"]},
        "escalateTicket": {"reason": "x"},
        "followUpTicket": {"description": "x"},
        "tagTicket": {"name": "x"},
        "untagTicket": {"name": "x"},
        "updateAnnouncement": {"body": "x"},
        "createPerson": {"name": "x"},
        "createTeam": {"name": "x"},
        "createOrganization": {"name": "x"},
        "createService": {"name": "x"},
        "readNotices": {"up_to": 1},
        "createAgreement": {"name": "x", "definition": {"targets": [TARGET]}},
        "updateAgreement": {"name": "x"},
        "addAgreementVersion": {"definition": {"targets": [TARGET]}},
        "orderAgreements": {"order": [promised.slug]},
        "tryAlertPayload": {"body": "{}"},
        "askWhatIf": {"definition": {"targets": [TARGET]}, "since": "2026-11-01T00:00:00Z", "until": "2026-11-30T00:00:00Z"},
        "createPolicy": {"name": "x", "team": world.desk_team.slug, "definition": called},
        "updatePolicy": {"name": "x"},
        "setTeamPolicy": {"policy": policy.slug},
        "setServicePolicy": {"policy": policy.slug},
        "createRota": {"name": "x", "team": world.desk_team.slug, "definition": turns},
        "updateRota": {"name": "x"},
        "importOncall": {"document": {"form": 1, "rotas": [in_file]}},
        "previewRota": {"rota": rota.slug, "definition": turns},
        "addOverride": {"person": world.julia.pk, **time},
        "askCover": time,
        "askSwap": {
            "offered_to": world.julia.pk,
            "in_return_starts_at": time["starts_at"],
            "in_return_ends_at": time["ends_at"],
            **time,
        },
        "addLeave": time,
        "addContact": {**chat, "address": "https://chat.example.org/y"},
        "addRoom": chat,
        "verifyContact": {"code": "x"},
        "setPagingRules": {"urgency": "normal", "rules": []},
        "setQuietHours": {},
        "updateHandover": {"notes": "x"},
        "signHandover": {},
        "createCalendar": {"name": "x", "zone": "UTC", "week": [["09:00-17:00"]] * 7},
        "addCalendarVersion": {"days": {"12-31": {"name": "x"}}},
        "updateCalendar": {"name": "x"},
        "updatePreferences": {"topics": {"replied": {"app": True, "email": False}}},
        "addAddress": {"email": "third@example.org"},
        "createCategory": {"name": "x"},
        "createField": {"label": "x"},
        "updateLabels": {"labels": {"state.new": "x"}},
        "startJob": {"verb": "watch", "numbers": [ticket.pk]},
        "createView": {"name": "x", "filters": {"state": "waiting"}},
        "createAlertSource": {"name": "x", "kind": "nagios"},
        "updateAlertSource": {"name": "x"},
        "createHeartbeat": {"name": "weekly", "every": 604_800},
        "updateHeartbeat": {"grace": 5},
        "createAlertRule": {"name": "x", "definition": {"act": "record"}},
        "updateAlertRule": {"name": "x"},
        "orderAlertRules": {"order": [rule.pk]},
        "createMailRule": {"name": "x", "definition": {"act": "hold"}},
        "updateMailRule": {"name": "x"},
        "orderMailRules": {"order": [read.pk]},
        "createMailTemplate": {"kind": "received", **said},
        "updateMailTemplate": {"text": "x"},
        "previewMailTemplate": {"kind": "received", "ticket": str(ticket.pk), **said},
        "tryMailRule": {"definition": {"act": "hold"}},
        "createMailbox": {"name": "x", "address": "more@example.org", "kind": "pipe"},
        "updateMailbox": {"name": "x"},
        "releaseMailMessage": {},
        "createSilence": {**quiet, "ends_at": quiet["ends_at"].isoformat()},
        "announceMaintenance": {**work, "ends_at": quiet["ends_at"].isoformat()},
        "updateMaintenanceWindow": {"title": "x"},
        "updateSilence": {"reason": "y"},
        "importSilences": {"silences": []},
        "createReportSubscription": {"report": "resolve", "every": "week"},
    }
    programs = {role: Program(world, person) for role, person in cast.items()}
    return Stage(programs, values, bodies, ticket)


def call(stage: Stage, made: Operation, role: str) -> int:
    """The status of the operation when a role asks for it."""
    program = stage.programs[role]
    values = {"id": program.token.pk} if made.path.startswith("/tokens") else stage.values.get(made.path.split("/")[1], {})
    if made.id == "listViewTickets":
        values = {"slug": "all"}
    path = made.path.format(**values)
    headers = {"Authorization": f"Bearer {program.secret}"}
    path += QUESTIONS.get(made.id, "")
    if made.is_upload:
        upload = BytesIO(b"log")
        upload.name = "log.txt"
        return Client().post(f"/api/v1{path}", {"file": upload}, headers=headers).status_code
    body = stage.bodies.get(made.id)
    content = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
    answer = Client().generic(made.method, f"/api/v1{path}", headers=headers, **content)
    if answer.streaming:
        b"".join(answer)  # read to its end it is closed, without the connection of the test
    assert answer.status_code < 500
    if answer.status_code == 422:
        assert "does not fit" not in answer.json()["detail"], (made.id, answer.json())
    return int(answer.status_code)


def test_every_operation_is_decided() -> None:
    assert {made.id for made in OPERATIONS if not made.is_public} == set(DECIDED)
    assert {made.id for made in OPERATIONS if made.is_public} == PUBLIC


@pytest.mark.parametrize("made", [made for made in OPERATIONS if not made.is_public], ids=lambda made: made.id)
def test_who_may(made: Operation, stage: Stage) -> None:
    allowed = DECIDED[made.id]
    for role in sorted(EVERYBODY - allowed) + sorted(allowed):
        status = call(stage, made, role)
        if role in allowed:
            # 409: it was let in, and the ticket is in another state, or another role just did it; 404: what was named is gone
            assert status in (200, 201, 204, 409, 422) or _is_gone(made, status), (role, status)
        else:
            assert status in (403, 404), (role, status)


def _is_gone(made: Operation, status: int) -> bool:
    """Whether the thing was removed or hidden by the role that came before, or was never there (no webhook has a delivery here)."""
    return status == 404 and made.id in (
        "removeAttachment",
        "revokeRole",
        "leaveTeam",
        "redeliver",
        "endAnnouncement",
        "restrictTicket",
        "removeAddress",
        "revokeCalendarLink",
    )


@pytest.mark.parametrize("made", [made for made in OPERATIONS if made.method != "GET"], ids=lambda made: made.id)
def test_reading_tokens_and_auditors_write_nothing(made: Operation, stage: Stage) -> None:
    before = Ticket.objects.get(pk=stage.ticket.pk).version
    if made.scope:
        stage.programs["agent"].token.scopes = ["tickets:read", "people:read", "services:read"]
        stage.programs["agent"].token.save()
        assert call(stage, made, "agent") == 403
    free = (
        "createTicket",
        "uploadAttachment",
        "joinAnnouncement",
        "revokeToken",
        "createView",
        "createReportSubscription",
        "tryAlertPayload",
        "tryMailRule",
        "previewMailTemplate",
        "askWhatIf",
        "makeCalendarLink",
        "addContact",
        "setPagingRules",
        "setQuietHours",
        "sendTestPage",
        "sendPracticePage",
    )
    if made.id not in (*free, *OWN):
        assert call(stage, made, "auditor") in (403, 404)
    assert Ticket.objects.get(pk=stage.ticket.pk).version == before


def test_without_a_token_nothing_but_the_description(stage: Stage) -> None:
    for made in OPERATIONS:
        path = made.path.format(**dict.fromkeys(made.parameters, "1"))
        status = Client().generic(made.method, f"/api/v1{path}").status_code
        assert status == (200 if made.is_public else 401), made.id


@pytest.mark.parametrize("role", ["outsider", "outside_agent"])
def test_lists_of_another_organization_hold_nothing_of_ours(world: World, stage: Stage, role: str) -> None:
    program = stage.programs[role]
    ours = {
        "Maria Keller",
        "Jonas Berg",
        "Northbank",
        "Lindenhof branch",
        "Ledger is slow",
        "Printing",
        "Service desk",
        "Slow",
        "HighLatency on all",
    }
    for path in (
        "/tickets",
        f"/tickets?requester={world.maria.pk}",
        "/tickets?q=slow",
        "/people",
        f"/people?organization={world.bank.pk}",
        "/people?q=maria@example.org",
        "/teams",
        "/organizations",
        "/services",
        "/announcements",
        "/search?q=slow",
        "/search?q=maria",
        f"/search?q={stage.ticket.pk}",
        "/views/all/tickets",
        "/alerts",
        "/alert-noise",
        "/changes",
        "/silences",
        "/maintenance-windows",
    ):
        answer = program.get(path)
        if answer.status_code == 200:
            text = answer.content.decode()
            assert not [name for name in ours if f'"{name}"' in text], path


def test_filters_by_facts_of_the_desk_tell_a_requester_nothing(world: World, stage: Stage) -> None:
    maria = stage.programs["requester"]
    desk.take(stage.ticket.pk, **world.by(world.jonas))
    assert len(maria.get("/tickets").json()["items"]) == 1
    assert maria.get(f"/tickets?assignee={world.jonas.pk}").json()["items"] == []
    assert maria.get(f"/tickets?team={world.desk_team.pk}").json()["items"] == []


def test_notes_reach_no_requester(world: World, stage: Stage) -> None:
    desk.note(stage.ticket.pk, body="Kestrel suspects fraud", **world.by(world.jonas))
    maria = stage.programs["requester"]
    number = stage.ticket.pk
    for path in (
        f"/tickets/{number}",
        f"/tickets/{number}/comments",
        f"/tickets/{number}/journal",
        "/search?q=kestrel",
        "/tickets?q=kestrel",
    ):
        text = maria.get(path).content.decode()
        assert "Kestrel" not in text
        assert "ticket.noted" not in text
        assert "Jonas" not in text
    assert stage.programs["agent"].get("/tickets?q=kestrel").json()["items"]


def test_a_restricted_ticket_is_nowhere(world: World, stage: Stage) -> None:
    desk.restrict(stage.ticket.pk, people=(), **world.by(world.jonas))
    amir = Program(world, world.amir)
    number = stage.ticket.pk
    assert amir.get(f"/tickets/{number}").status_code == 404
    for path in ("/tickets", "/tickets?q=ledger", f"/search?q={number}", "/views/all/tickets"):
        text = amir.get(path).content.decode()
        assert "Ledger is slow" not in text, path


def test_tickets_of_others_cannot_be_named_in_links(world: World, stage: Stage) -> None:
    theirs = world.report(world.otto, title="Theirs").pk
    agent = stage.programs["agent"]
    grant = RoleGrant.objects.get(person=world.jonas, role="agent")
    RoleGrant.objects.filter(pk=grant.pk).update(scope="organization", organization=world.bank)
    for verb, body in (("link", {"kind": "related", "target": theirs}), ("merge", {"into": theirs})):
        answer = agent.post(f"/tickets/{stage.ticket.pk}/{verb}", **body)
        missing = agent.post(
            f"/tickets/{stage.ticket.pk}/{verb}", **{key: 999_999 if key != "kind" else kind for key, kind in body.items()}
        )
        assert (answer.status_code, answer.content) == (missing.status_code, missing.content)
        assert answer.status_code == 422
