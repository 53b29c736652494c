"""Setup of people: who they are, what they may do, how they sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk import people as desk
from allswell.desk import sign_in, teams
from allswell.kernel import text
from allswell.kernel.actor import Role
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.people.rules import Act, may
from allswell.web.account.profile import zones
from allswell.web.oncall import sure
from allswell.web.pages import PageRequest, SeeOther, page, toast

from . import choices
from .forms import Field, Form
from .gate import is_for_all, sets_up, setup_page

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.people.models import Person

PAGE = 50


def _known(request: PageRequest) -> QuerySet[Person]:
    inside = people.setup_reach(request.actor)
    rows = people.people().select_related("organization")
    return rows if inside is None else rows.filter(organization__in=sorted(inside))


@require_GET
@setup_page
def people_list(request: PageRequest) -> HttpResponse:
    """Everybody, by name; `q` searches names and addresses, `state` shows those out of use."""
    q = text.clean(request.GET.get("q", "")).strip()[:100]
    is_off = request.GET.get("state") == "inactive"
    rows = _known(request).filter(is_active=not is_off)
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(addresses__address__icontains=q.lower())).distinct()
    after = request.GET.get("after", "")
    if "|" in after:
        name, _bar, pk = text.clean(after).rpartition("|")
        if pk.isascii() and pk.isdigit() and len(pk) < 19:
            rows = rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=int(pk)))
    found = list(rows.order_by("name", "id")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    found = found[:PAGE]
    addresses = people.primary_addresses([row.pk for row in found])
    return page(
        request,
        "setup/people.html",
        rows=[(row, addresses.get(row.pk, "")) for row in found],
        q=q,
        is_off=is_off,
        after=f"{last.name}|{last.pk}" if last else "",
        here="setup",
        tab="people",
    )


def _fields(request: PageRequest, organizations: list[tuple[int, str]], *, is_new: bool) -> list[Field]:
    fields = [
        Field("name", _("Name"), is_required=True, limit=120),
        Field(
            "organization",
            _("Organization"),
            "select",
            organizations,
            empty=_("None") if is_for_all(request) else None,
            is_key=True,
        ),
        Field("title", _("What they do"), limit=120),
        Field("phone", _("Phone"), "tel", limit=40),
        Field("location", _("Where they work"), limit=120),
        Field("manager", _("Their manager"), "person", hint=_("Name or e-mail address; escalations go this way.")),
        Field("locale", _("Language"), "select", choices.languages(), empty=_("As the browser asks")),
        Field("time_zone", _("Time zone"), "select", [(zone, zone) for zone in zones()], empty=_("As the browser says")),
        Field(
            "external_ref",
            _("Key in another system"),
            limit=120,
            hint=_("Such as the personnel number; imports find them by it."),
        ),
    ]
    if is_new:
        fields.insert(1, Field("email", _("E-mail"), "email", limit=254))
    return fields


@require_http_methods(["GET", "POST"])
@setup_page
def new_person(request: PageRequest) -> HttpResponse:
    """Somebody new, and an invitation if wanted."""
    invited = Field("is_invited", _("Mail them a link to choose a password"), "check")
    form = Form(
        [*_fields(request, choices.organizations(request), is_new=True), invited],
        {"organization": request.actor.organization, "is_invited": True},
        _("Add the person"),
        can_save=sets_up(request),
        colleagues=choices.colleagues(request),
    )
    if request.method == "POST":

        def use(values: dict[str, Any]) -> Person:
            is_invited = values.pop("is_invited")
            person = desk.create_person(**values, actor=request.actor, now=request.now)
            if is_invited and values["email"]:
                sign_in.invite(person.pk, actor=request.actor, now=request.now)
            return person

        if person := form.send(request, use):
            toast(request, _("%(name)s is added.") % {"name": person.name})
            return SeeOther(f"/setup/people/{person.pk}")
    return form.show(request, "setup/form.html", title=_("New person"), tab="people", back="/setup/people")


@require_http_methods(["GET", "POST"])
@setup_page
def edit_person(request: PageRequest, person: int) -> HttpResponse:
    """Everything about a person."""
    row = desk.person_for(person, Act.READ_SETUP, actor=request.actor)
    can_save = may(request.actor, Act.SET_UP, people.person_facts(row))
    organizations, teams_ = choices.organizations(request), choices.teams_around(request, row.pk)
    fields = _fields(request, organizations, is_new=False)
    values = {one.name: getattr(row, one.name, "") for one in fields}
    values |= {"organization": row.organization_id, "manager": row.manager.name if row.manager else ""}
    form = Form(fields, values, _("Save the person"), can_save=can_save, colleagues=choices.colleagues(request))
    if request.method == "POST" and form.send(
        request, lambda sent: desk.edit_person(row.pk, **sent, actor=request.actor, now=request.now)
    ):
        toast(request, _("%(name)s is saved.") % {"name": form.values["name"]})
        return SeeOther(f"/setup/people/{row.pk}")
    held = [choice for choice in teams_ if choice.is_held]
    return form.show(
        request,
        "setup/person.html",
        row=row,
        title=row.name,
        tab="people",
        back="/setup/people",
        addresses=people.addresses(row.pk),
        grants=people.held_by(row),
        roles=dict(choices.roles()),
        scopes=_scopes(request, organizations, [(team.pk, team.name) for team in teams_ if team.is_open]),
        teams=held,
        joinable=[(team.pk, team.name) for team in teams_ if team.is_open and not team.is_held],
        tokens=people.tokens(row.pk).filter(revoked_at__isnull=True),
        has_second_factor=people.has_second_factor(row.pk),
    )


def _scopes(request: PageRequest, organizations: list[tuple[int, str]], teams_: list[tuple[int, str]]) -> list[tuple[str, str]]:
    """Where a role can be given, as the select sends it."""
    all_of_it = [("all", _("The whole installation"))] if is_for_all(request) else []
    inside = [(f"organization-{pk}", _("In %(name)s and below") % {"name": name}) for pk, name in organizations]
    return all_of_it + inside + [(f"team-{pk}", _("In the team %(name)s") % {"name": name}) for pk, name in teams_]


def _scope(sent: str) -> dict[str, Any]:
    kind, _dash, pk = sent.partition("-")
    if sent == "all":
        return {}
    if kind not in ("organization", "team") or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        raise Invalid("Choose one of the list.", field="scope")
    return {kind: int(pk)}


def _number(sent: str, field: str) -> int:
    if not (sent.isascii() and sent.isdigit() and len(sent) < 19):
        raise Invalid("Choose one of the list.", field=field)
    return int(sent)


@require_POST
@setup_page
@sure.asks_first
def change_person(request: PageRequest, person: int, verb: str) -> HttpResponse:
    """The small buttons of a person's page, one verb each."""
    by: dict[str, Any] = {"actor": request.actor, "now": request.now}
    sent = request.POST
    there = f"/setup/people/{person}"
    if verb == "deactivate":
        with sure.watching(request, people=(person,)):
            row = desk.deactivate_person(person, **by)
        text_ = _("%(name)s is deactivated and signed out everywhere.") % {"name": row.name}
        toast(request, text_, undo=f"{there}/activate")
        return SeeOther(there)
    said = {
        "activate": _("This person is active again."),
        "invite": _("A link to choose a password is on its way."),
        "second-step-off": _("The second step is off. Tell them to set it up again."),
        "grant": _("The role is given."),
        "revoke": _("The role is taken away."),
        "join": _("They are in the team."),
        "leave": _("They left the team."),
        "add-address": _("The address is added."),
    }[verb]
    if verb == "activate":
        desk.activate_person(person, **by)
    elif verb == "invite":
        sign_in.invite(person, **by)
    elif verb == "second-step-off":
        sign_in.turn_off_second_factor(person, **by)
    elif verb == "grant":
        if sent.get("role") not in dict(choices.roles()):
            raise Invalid("Choose one of the list.", field="role")
        desk.grant_role(person, role=Role(sent["role"]), **_scope(sent.get("scope", "")), **by)
    elif verb == "revoke":
        desk.revoke_role(_number(sent.get("grant", ""), "grant"), **by)
    elif verb == "join":
        teams.join_team(person, team=_number(sent.get("team", ""), "team"), **by)
    elif verb == "leave":
        team = _number(sent.get("team", ""), "team")
        with sure.watching(request, people=(person,)):
            teams.leave_team(person, team=team, **by)
    else:
        desk.add_address(person, email=sent.get("email", ""), **by)
    toast(request, said)
    return SeeOther(there)


@require_POST
@setup_page
def change_address(request: PageRequest, person: int, address: int, verb: str) -> HttpResponse:
    """Send mail to this address, or forget it."""
    act = desk.make_primary if verb == "primary" else desk.remove_address
    act(address, actor=request.actor, now=request.now)
    toast(request, _("Mail goes to this address from now on.") if verb == "primary" else _("The address is removed."))
    return SeeOther(f"/setup/people/{person}")


@require_POST
@setup_page
def revoke_token(request: PageRequest, person: int, token: int) -> HttpResponse:
    """End a token of somebody."""
    desk.revoke_token(token, actor=request.actor, now=request.now)
    toast(request, _("The token is revoked. Nothing can use it any more."))
    return SeeOther(f"/setup/people/{person}")


@require_GET
@setup_page
def roles(request: PageRequest) -> HttpResponse:
    """What each role may do, and who holds it where."""
    known = _known(request).filter(is_active=True)
    grants = people.all_grants(known)
    return page(request, "setup/roles.html", grants=grants, roles=choices.roles(), here="setup", tab="roles")
