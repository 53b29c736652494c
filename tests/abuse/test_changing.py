"""Nobody changes what is not theirs (A16, A19, A20, A24): ids of others, fields no form has, roles that only read, the journal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from allswell.api.contract import OPERATIONS, Operation
from allswell.desk import announcements, bulk
from allswell.desk import people as desk_people
from allswell.desk import tickets as desk
from allswell.jobs.models import Job
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import DeskError, NotFound
from allswell.people.models import EmailAddress, Membership, Person, RoleGrant, Token
from allswell.people.rules import TokenScope
from allswell.tickets.models import Attachment, Comment, Link, Ticket
from tests.support.program import Program
from tests.support.world import World
from tests.web.test_who_may import DECIDED, PATTERNS, Stage, taken_back, words_of

NOTHING = 999_999


def path_of(made: Operation, **values: Any) -> str:
    """The address of an operation, with "1" for what is not given."""
    return made.path.format(**{**dict.fromkeys(made.parameters, "1"), **values})


# A16: ids of others


class Fence:
    """Two customers, each with an administrator who is also their agent; ids of the one in calls of the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.eve = world._person("Eve Other", world.other, teams=[world.other_team])
        world._grant(self.eve, "administrator", organization=world.other)
        world._grant(self.eve, "agent", organization=world.other)
        for team in (world.desk_team, world.dba_team):
            team.organization = world.bank
            team.save()
        for service in (world.ledger, world.lookup, world.printing):
            service.organization = world.bank
            service.save()
        # who works for the whole installation works for this customer, too; Jonas is the bank's alone
        RoleGrant.objects.filter(person=world.jonas).update(scope="organization", organization=world.bank)
        self.theirs = world.report(title="Ledger is slow")
        self.own = world.report(world.otto, title="Our own")
        self.own_service = world._service("Othertown service", organization=world.other, team=world.other_team)
        self.staff = world._person("Stella Staff", world.bank)
        Person.objects.filter(pk=self.staff.pk).update(organization=None)

    def calls(self) -> list[tuple[str, str, dict[str, Any], str, dict[str, Any]]]:
        """(method, path, body, name of the field, values of the other customer) of every id that a call takes."""
        world, own = self.world, f"/tickets/{self.own.pk}"
        people = {"person": world.jonas.pk, "staff": self.staff.pk, "address": "jonas@example.org"}
        person = f"/people/{world.otto.pk}"
        services = {"id": world.ledger.pk, "slug": world.ledger.slug}
        teams = {"id": world.dba_team.pk}
        tickets = {"number": self.theirs.pk}
        organizations = {"id": world.bank.pk, "slug": world.bank.slug}
        ids = {"person": world.jonas.pk, "staff": self.staff.pk}
        return [
            ("POST", "/tickets", {"title": "x"}, "service", services),
            ("POST", "/tickets", {"title": "x"}, "requester", people),
            ("POST", "/tickets", {"title": "x"}, "team", teams),
            ("POST", "/tickets", {"title": "x"}, "assignee", ids),
            ("PATCH", own, {}, "service", services),
            ("PATCH", own, {}, "requester", people),
            ("POST", f"{own}/assign", {}, "person", ids),
            ("POST", f"{own}/hand_over", {"reason": "x"}, "team", teams),
            ("POST", f"{own}/link", {"kind": "child_of"}, "target", tickets),
            ("POST", f"{own}/link", {"kind": "related"}, "target", tickets),
            ("POST", f"{own}/unlink", {"kind": "related"}, "target", tickets),
            ("POST", f"{own}/merge", {}, "into", tickets),
            ("POST", f"{own}/watch", {}, "person", ids),
            ("POST", f"{own}/add_participant", {}, "person", people),
            ("POST", f"{own}/announce", {"title": "x", "is_for_all": False}, "audience", {"id": [world.bank.pk]}),
            ("POST", f"{own}/announce", {"title": "x", "audience": [world.other.pk]}, "service", services),
            ("POST", f"{own}/restrict", {}, "people", {"person": [world.jonas.pk], "staff": [self.staff.pk]}),
            ("POST", "/people", {"name": "x", "email": "x@example.org"}, "organization", organizations),
            ("POST", "/people", {"name": "x", "organization": world.other.pk}, "manager", ids),
            ("PATCH", person, {}, "organization", organizations),
            ("PATCH", person, {}, "manager", ids),
            ("POST", f"{person}/roles", {"role": "agent"}, "organization", organizations),
            ("POST", f"{person}/roles", {"role": "agent"}, "team", {"id": world.dba_team.pk, "slug": world.dba_team.slug}),
            ("POST", "/teams", {"name": "x"}, "organization", organizations),
            ("PATCH", f"/teams/{world.other_team.slug}", {}, "organization", organizations),
            ("PATCH", f"/teams/{world.other_team.slug}", {}, "lead", ids),
            ("POST", f"/teams/{world.other_team.slug}/members", {}, "person", ids),
            ("POST", "/organizations", {"name": "x"}, "parent", organizations),
            ("PATCH", f"/organizations/{world.other.slug}", {}, "parent", organizations),
            ("POST", "/services", {"name": "x"}, "organization", organizations),
            ("POST", "/services", {"name": "x", "organization": world.other.pk}, "needs", {"id": [world.ledger.pk]}),
            ("POST", "/services", {"name": "x", "organization": world.other.pk}, "owner", ids),
            ("PATCH", f"/services/{self.own_service.slug}", {}, "team", {"id": world.dba_team.pk, "slug": world.dba_team.slug}),
            ("PATCH", f"/services/{self.own_service.slug}", {}, "owner", ids),
            ("PATCH", f"/services/{self.own_service.slug}", {}, "needs", {"slug": [world.ledger.slug]}),
        ]


def unknown(value: Any) -> Any:
    """The same reference to something that is not there."""
    if isinstance(value, list):
        return [unknown(one) for one in value]
    if isinstance(value, int):
        return NOTHING
    return "nobody-ever@example.org" if "@" in value else "never-there"


def test_A16_ids_of_another_customer_are_refused_like_ids_of_nothing(world: World) -> None:
    fence = Fence(world)
    program = Program(world, fence.eve)
    for method, path, body, field, values in fence.calls():
        for kind, value in values.items():
            answers = []
            for given in (value, unknown(value)):
                with taken_back():
                    answers.append(program.call(method, path, {**body, field: given}))
            assert answers[0].status_code in (403, 404, 422), (path, field, kind, answers[0].content)
            assert answers[0].content == answers[1].content, (path, field, kind)


def test_A16_what_those_calls_take_of_ones_own_is_taken(world: World) -> None:
    """So that the test above refuses the ids, not the calls."""
    fence = Fence(world)
    program = Program(world, fence.eve)
    own = {"service": fence.own_service.pk, "requester": world.otto.pk, "team": world.other_team.pk, "assignee": fence.eve.pk}
    own |= {"person": world.oskar.pk, "owner": world.oskar.pk, "lead": world.oskar.pk, "organization": world.other.slug}
    own |= {"people": [world.oskar.pk], "needs": [fence.own_service.pk], "audience": [world.other.pk], "manager": world.oskar.pk}
    taken = set()
    for method, path, body, field, _values in fence.calls():
        if field in own:
            with taken_back():
                answer = program.call(method, path, {**body, field: own[field]})
            if answer.status_code < 300:
                taken.add(field)
    assert taken == set(own)


def test_A16_a_change_of_many_tickets_touches_none_of_another_customer(world: World, browser: Any) -> None:
    """Not by their numbers, not as the target of a link, not through a filter; and it says of them what it says of nothing."""
    fence = Fence(world)
    before = Ticket.objects.values().get(pk=fence.theirs.pk)
    for verb, params in (
        ("assign", {"person": world.oskar.pk}),
        ("note", {"body": "x"}),
        ("tag", {"name": "x"}),
        ("watch", {}),
        ("link", {"kind": "related", "target": fence.own.pk}),
    ):
        job = bulk.start([fence.theirs.pk, NOTHING], verb=verb, params=params, **world.by(world.oskar))
        run(world)
        problems = {problem.pop("ticket"): problem for problem in Job.objects.get(pk=job.pk).problems}
        assert problems[fence.theirs.pk] == problems[NOTHING], verb
    for target in (fence.theirs.pk, NOTHING):
        job = bulk.start([fence.own.pk], verb="link", params={"kind": "child_of", "target": target}, **world.by(world.oskar))
        run(world)
        assert Job.objects.get(pk=job.pk).changed == 0
    assert Ticket.objects.values().get(pk=fence.theirs.pk) == before
    assert not Link.objects.exists()
    assert not Comment.objects.filter(ticket=fence.theirs).exists()
    page = words_of(browser(world.oskar).get(f"/desk/change?n={fence.theirs.pk}&all=1&view=all"))
    assert "Ledger is slow" not in page
    page = words_of(browser(world.oskar).get(f"/jobs/{job.pk}"))
    assert "Ledger" not in page
    assert browser(world.jonas).get(f"/jobs/{job.pk}").status_code == 404


def run(world: World) -> None:
    """The engine does what is to be done."""
    by: dict[str, Any] = {"actor": engine(), "now": world.now}
    job = bulk.claim(**by)
    assert job is not None
    while bulk.run_batch(job, **by):
        pass


def test_A16_who_lost_the_right_meanwhile_changes_nothing(world: World) -> None:
    ticket = world.report()
    for person in (world.jonas, world.julia):
        job = bulk.start([ticket.pk], verb="note", params={"body": "x"}, **world.by(person))
        if person == world.jonas:
            RoleGrant.objects.filter(person=person).delete()
        else:
            desk_people.deactivate_person(person.pk, **world.by(world.ada))
        run(world)
        assert Job.objects.get(pk=job.pk).changed == 0
    assert not Comment.objects.exists()


def test_A16_words_of_the_public_are_changed_by_its_agents_alone(world: World) -> None:
    """An announcement of another customer is not there, whatever its number is tried for."""
    fence = Fence(world)
    told = announcements.announce(fence.theirs.pk, title="Slow", audience=(world.bank.pk,), **world.by(world.olga))
    for act in (announcements.update, announcements.end):
        said = []
        for announcement in (told.pk, NOTHING):
            with pytest.raises(NotFound) as refused:
                act(announcement, body="x", **world.by(world.oskar))
            said.append(str(refused.value))
        assert said[0] == said[1]


# A19: fields that are nobody's to set


FORBIDDEN = {
    **dict.fromkeys(["id", "pk", "number", "reference", "kind_", "version", "url", "created_by", "created_at", "opened_at"], 7),
    **dict.fromkeys(["updated_at", "closed_at", "done_at", "resolved_at", "first_response_at", "channel", "external_ref_"], "x"),
    **dict.fromkeys(["is_staff", "is_superuser", "is_admin", "is_active", "is_restricted", "is_major", "is_public_"], True),
    **dict.fromkeys(["sla_due", "next_due_at", "queue_rank", "escalation_level", "merged_into", "rating", "reopened_count"], 1),
    **dict.fromkeys(
        ["password", "secret", "digest", "scopes_", "permissions", "roles", "groups", "token", "mailbox.out_server"], "x"
    ),
    **dict.fromkeys(
        ["organisation", "organization_id", "tenant", "on_behalf_of", "actor", "person_id", "author", "__class__"], 1
    ),
}


def _objects(schema: Any) -> Any:
    """Every object described in a piece of the description."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)


def test_A19_every_body_of_the_api_is_a_closed_list_of_fields(world: World) -> None:
    """Read from the description, so a body that is open fails here before anybody finds it."""
    described = json.loads(Client().get("/api/v1/openapi.json").content)
    schemas = described["components"]["schemas"]
    bodies = set()
    for operations in described["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {}) if isinstance(operation, dict) else {}
            for media in content.values():
                bodies |= {one.rpartition("/")[2] for one in json.dumps(media).split('"') if one.startswith("#/")}
    assert len(bodies) > 20
    for name in bodies:
        for described_object in _objects(schemas[name]):
            assert described_object.get("additionalProperties") is False or "properties" not in described_object, name


def test_A19_a_field_that_is_not_the_callers_is_refused_by_name(world: World) -> None:
    ada = Program(world, world.ada)
    ticket = world.report()
    program = Program(world, world.jonas)
    for made in OPERATIONS:
        if made.body is None or made.is_upload:
            continue
        path = path_of(made, number=ticket.pk, id=world.maria.pk)
        asking = ada if made.scope in ("people:write", "setup:write", "webhooks:write") else program
        for field, value in FORBIDDEN.items():
            if field in made.body.__struct_fields__:
                continue
            answer = asking.call(made.method, path, {field: value})
            assert answer.status_code == 422, (made.id, field, answer.content)
    assert Person.objects.get(pk=world.maria.pk).password == "!"


EXTRAS = {
    "is_staff": "1",
    "is_superuser": "1",
    "is_active": "1",
    "role": "administrator",
    "roles": "administrator",
    "scope": "installation",
    "organization_id": "1",
    "person_id": "1",
    "requester_id": "1",
    "created_by": "1",
    "author": "1",
    "actor": "1",
    "password": "x",
    "proof": "confirmed",
    "is_primary": "1",
    "confirmed_at": "2026-01-01",
    "version_": "1",
    "opened_at": "2020-01-01T00:00",
    "assignee_id": "1",
    "team_id": "1",
    "is_restricted": "",
    "is_major": "1",
    "queue_rank": "0",
    "channel": "api",
    "manager": "1",
    "away_person": "1",
    "keep_session": "x",
    "digest": "x",
    "token": "x",
    "merged_into": "1",
    "external_ref": "x",
    "grants": "1",
}


@pytest.mark.parametrize("role", ["requester", "agent", "auditor"])
def test_A19_fields_a_form_does_not_have_change_nothing_on_any_page(stage: Stage, role: str) -> None:
    """Whoever sends them everywhere gets no role, no other organization, no other account, no address that is proven."""
    world, client = stage.world, stage.client(role)

    def state() -> list[Any]:
        people = list(
            Person.objects.order_by("pk").values("pk", "organization", "password", "is_active", "manager", "external_ref")
        )
        roles = list(RoleGrant.objects.order_by("pk").values())
        addresses = list(EmailAddress.objects.exclude(proof="claimed").order_by("pk").values())
        tickets = list(
            Ticket.objects.order_by("pk").values("pk", "opened_at", "is_major", "channel", "external_ref", "organization")
        )
        return [people, roles, addresses, list(Token.objects.values()), list(Membership.objects.values()), tickets]

    before = state()
    for name in sorted(DECIDED):
        if name in ("sign_in", "sign_out", "address_remove", "revoke_token", "new_ticket", "report", "need"):
            continue
        address = stage.address(name)
        with taken_back():
            client = stage.client(role)
            words_of(client.post(address.path, {**EXTRAS, **address.sent}))
            after = state()
            after[5] = [row for row in after[5] if row["pk"] in {known["pk"] for known in before[5]}]
        if name == "create_token":
            after[3] = before[3]
        assert after == before, name
    assert world.now


def test_A19_a_report_is_ones_own_whatever_the_form_says(stage: Stage) -> None:
    world = stage.world
    for path in ("/report", "/request"):
        sent = {
            "q": "Mine",
            "can_work": "yes",
            **EXTRAS,
            "requester": world.rolf.pk,
            "organization": world.other.pk,
            "team": world.dba_team.pk,
        }
        stage.client("requester").post(path, {**sent, "assignee": world.amir.pk, "priority": "1", "impact": "1"})
        made = Ticket.objects.latest("pk")
        assert (made.title, made.requester, made.reporter, made.organization) == ("Mine", world.maria, world.maria, world.branch)
        assert (made.assignee, made.opened_at, made.channel, made.is_major) == (None, world.now, "portal", False)
        assert made.team != world.dba_team
        assert made.priority > 1


# A20: who only reads


def test_A20_an_auditor_writes_nothing_by_no_use_case_of_tickets(world: World) -> None:
    """The pages and the API are walked by the tables of who may what; here the use cases themselves are asked."""
    ticket = world.report()
    other = world.report(title="Another")
    before = (Entry.objects.count(), Ticket.objects.values().get(pk=ticket.pk))
    arguments: dict[str, dict[str, Any]] = {
        "assign": {"person": world.audrey.pk},
        "hand_over": {"team": world.dba_team.pk, "reason": "x"},
        "escalate": {"reason": "x"},
        "reply": {"body": "x"},
        "note": {"body": "x"},
        "wait": {"on": "supplier"},
        "resolve": {},
        "cancel": {"reason": "mistake"},
        "edit": {"changes": {"title": "x"}},
        "override_priority": {"priority": 1, "reason": "x"},
        "tag": {"name": "x"},
        "untag": {"name": "x"},
        "add_participant": {"person": world.rolf.pk},
        "link": {"kind": "related", "target": other.pk},
        "merge": {"into": other.pk},
        "follow_up": {"description": "x"},
        "rate": {"score": 5},
    }
    for name in (
        *arguments,
        "take",
        "resume",
        "restore",
        "confirm",
        "reopen",
        "close",
        "watch",
        "unwatch",
        "restrict",
        "unrestrict",
    ):
        with pytest.raises(DeskError) as refused:
            getattr(desk, name)(ticket.pk, **arguments.get(name, {}), **world.by(world.audrey))
        assert refused.value.http in (403, 404), name
    assert (Entry.objects.count(), Ticket.objects.values().get(pk=ticket.pk)) == before


def test_A20_a_reading_token_of_an_administrator_writes_nothing(world: World) -> None:
    reading = [scope.value for scope in TokenScope if scope.value.endswith(":read")]
    program = Program(world, world.ada, *reading)
    ticket = world.report()
    entries = Entry.objects.count()
    for made in OPERATIONS:
        if made.method == "GET" or made.id == "revokeToken":
            continue
        path = path_of(made, number=ticket.pk, id=world.maria.pk)
        assert program.call(made.method, path, {} if made.body else None).status_code == 403, made.id
    assert Entry.objects.count() == entries


# A24: what was done stays written down


@pytest.mark.parametrize("how", ["update", "delete", "raw update", "raw delete", "truncate"])
def test_A24_an_entry_of_the_journal_is_never_changed_nor_removed(world: World, how: str) -> None:
    world.report()
    entry = Entry.objects.latest("id")
    rows = Entry.objects.filter(pk=entry.pk)

    def attack() -> None:
        with connection.cursor() as cursor:
            if how == "update":
                rows.update(verb="ticket.noted")
            elif how == "delete":
                rows.delete()
            elif how == "raw update":
                cursor.execute("UPDATE journal_entry SET data = '{}', person_id = NULL WHERE id = %s", [entry.pk])
            elif how == "raw delete":
                cursor.execute("DELETE FROM journal_entry WHERE id = %s", [entry.pk])
            else:
                cursor.execute("DELETE FROM journal_entry" if connection.vendor == "sqlite" else "TRUNCATE journal_entry CASCADE")

    with pytest.raises(DatabaseError), transaction.atomic():
        attack()
    assert Entry.objects.values().get(pk=entry.pk) == Entry.objects.filter(pk=entry.pk).values().get()
    assert Entry.objects.get(pk=entry.pk).verb == entry.verb


def test_A24_nothing_the_desk_keeps_is_deleted_through_pages_or_programs(stage: Stage) -> None:
    """There is no address that deletes a ticket, a comment, a person or an entry; what can be removed leaves an entry with a name."""
    removing = {made.id for made in OPERATIONS if made.method == "DELETE"}
    words = ("delete", "purge", "erase", "destroy", "wipe")
    assert not [name for name in PATTERNS if any(word in name or word in PATTERNS[name] for word in words)]
    assert removing <= {
        "removeAttachment",
        "revokeRole",
        "leaveTeam",
        "revokeToken",
        "removeView",
        "removeParticipant",
        "removeAddress",
        "removeReportSubscription",
        "cancelOverride",
        "clearTeamPolicy",
        "clearServicePolicy",
        "cancelLeave",
        "revokeCalendarLink",
        "removeContact",
        "removeAlertRule",
        "removeMailRule",
        "forgetMailTemplate",
        "removeMailbox",
        "removeHeartbeat",
    }
    assert not [made.id for made in OPERATIONS if any(word in made.id.lower() for word in words)]
    world, token = stage.world, stage.values["by_place"]["files"]["token"]
    rows = [Ticket.objects.count(), Comment.objects.count(), Person.objects.count()]
    for made in OPERATIONS:
        if made.method == "DELETE":
            values = {"number": stage.ticket.pk, "token": token, "id": stage.values["token"], "grant": 1, "ref": "databases"}
            path = path_of(made, **values, person=world.amir.pk, slug="slow-ones")
            with taken_back():
                before = Entry.objects.count()
                for person in (world.jonas, world.ada, world.maria):
                    if Program(world, person).call("DELETE", path).status_code == 204:
                        assert Entry.objects.count() > before, made.id
    assert [Ticket.objects.count(), Comment.objects.count(), Person.objects.count()] == rows


def test_A24_a_removed_file_leaves_who_when_and_its_hash(stage: Stage) -> None:
    world, token = stage.world, stage.values["by_place"]["files"]["token"]
    row = Attachment.objects.get(token=token)
    for person in (world.maria, world.audrey, world.oskar, world.ada):
        assert Program(world, person).call("DELETE", f"/attachments/{token}").status_code in (403, 404)
    assert Program(world, world.jonas).call("DELETE", f"/attachments/{token}").status_code == 204
    entry = Entry.objects.latest("id")
    assert (entry.verb, entry.person, entry.data["sha256"]) == ("ticket.detached", world.jonas, row.sha256)


def test_A20_a_narrow_token_neither_knows_nor_ends_the_others_of_its_person(world: World) -> None:
    """Who found a reading token cannot cut off the programs that hold another."""
    whole, narrow = Program(world, world.jonas), Program(world, world.jonas, "tickets:read")
    assert [row["id"] for row in narrow.get("/tokens").json()["items"]] == [narrow.token.pk]
    assert narrow.call("DELETE", f"/tokens/{whole.token.pk}").status_code == 404
    assert whole.get("/me").status_code == 200
    assert len(whole.get("/tokens").json()["items"]) == 2
    assert whole.call("DELETE", f"/tokens/{narrow.token.pk}").status_code == 204
    assert narrow.get("/me").status_code == 401
