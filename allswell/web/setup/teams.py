"""Setup of teams and organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk import people as desk_people
from allswell.desk import teams as desk
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.people.rules import Act, may, place_of
from allswell.tickets.rules import DEFAULT_MATRIX, Matrix
from allswell.web import inputs
from allswell.web.oncall import sure
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast

from . import choices
from .forms import Field, Form
from .gate import is_for_all, sets_up, setup_page

if TYPE_CHECKING:
    from allswell.people.models import Team

LEVELS = range(1, 5)


@require_GET
@setup_page
def team_list(request: PageRequest) -> HttpResponse:
    """All teams the viewer sets up."""
    inside = people.setup_reach(request.actor)
    rows = people.teams().select_related("organization", "lead").order_by("-is_active", "line", "name")
    if inside is not None:
        rows = rows.filter(organization__in=sorted(inside))
    sizes = people.team_sizes()
    return page(request, "setup/teams.html", rows=[(row, sizes.get(row.pk, 0)) for row in rows], here="setup", tab="teams")


def _team_fields(request: PageRequest, row: Team | None = None) -> list[Field]:
    return [
        Field("name", _("Name"), is_required=True, limit=120),
        Field("line", _("Line of support"), "select", choices.lines(), is_key=True),
        Field("lead", _("Lead"), "person", hint=_("Name or e-mail address; escalations go to them first.")),
        Field("email", _("E-mail of the team"), "email", limit=254),
        Field("description", _("What the team looks after"), "area", limit=2000),
        Field(
            "organization",
            _("Works for"),
            "select",
            choices.and_chosen(choices.organizations(request), choices.chosen(row.organization if row else None)),
            empty=_("All organizations") if is_for_all(request) else None,
            is_key=True,
        ),
        Field("assignment", _("New tickets are assigned"), "select", choices.assignments()),
    ]


@require_http_methods(["GET", "POST"])
@setup_page
def new_team(request: PageRequest) -> HttpResponse:
    """A new team."""
    values = {"line": 1, "assignment": "manual"}
    form = Form(
        _team_fields(request), values, _("Add the team"), can_save=sets_up(request), colleagues=choices.colleagues(request)
    )
    if request.method == "POST" and (
        row := form.send(request, lambda sent: desk.create_team(**sent, actor=request.actor, now=request.now))
    ):
        toast(request, _("%(name)s is added.") % {"name": row.name})
        return SeeOther(f"/setup/teams/{row.slug}")
    return form.show(request, "setup/form.html", title=_("New team"), tab="teams", back="/setup/teams")


@require_http_methods(["GET", "POST"])
@setup_page
def edit_team(request: PageRequest, slug: str) -> HttpResponse:
    """Everything about a team."""
    row = desk_people.team_for(slug, Act.READ_SETUP, actor=request.actor)
    can_save = may(request.actor, Act.SET_UP, people.team_facts(row))
    fields = _team_fields(request, row)
    values = {one.name: getattr(row, one.name) for one in fields}
    values |= {"organization": row.organization_id, "lead": row.lead.name if row.lead else ""}
    colleagues = choices.colleagues(request)
    form = Form(fields, values, _("Save the team"), can_save=can_save, colleagues=colleagues, is_change=True)
    if request.method == "POST" and form.send(
        request, lambda sent: desk.edit_team(slug, **sent, actor=request.actor, now=request.now)
    ):
        toast(request, _("%(name)s is saved.") % {"name": form.values["name"]})
        return SeeOther(f"/setup/teams/{slug}")
    return form.show(
        request,
        "setup/team.html",
        row=row,
        title=row.name,
        tab="teams",
        back="/setup/teams",
        place=f"/setup/teams/{slug}",
        members=people.members(row.pk),
    )


@require_POST
@setup_page
@sure.asks_first
def change_team(request: PageRequest, slug: str, verb: str) -> HttpResponse:
    """Deactivate, activate, let somebody join or leave."""
    by: dict[str, Any] = {"actor": request.actor, "now": request.now}
    if verb == "deactivate":
        row = desk.deactivate_team(slug, **by)
        toast(request, _("%(name)s is out of use.") % {"name": row.name}, undo=f"/setup/teams/{slug}/activate")
    elif verb == "activate":
        row = desk.activate_team(slug, **by)
        toast(request, _("%(name)s is in use again.") % {"name": row.name})
    elif verb == "join":
        person = inputs.person(request.POST, "person", actor=request.actor)
        if person is not None:
            desk.join_team(person, team=slug, **by)
            toast(request, _("They are in the team."))
    else:
        person = inputs.number(request.POST, "person") or 0
        with sure.watching(request, people=(person,)):
            desk.leave_team(person, team=slug, **by)
        toast(request, _("They left the team."))
    return SeeOther(f"/setup/teams/{slug}")


# organizations


@require_GET
@setup_page
def organization_list(request: PageRequest) -> HttpResponse:
    """Organizations as a tree."""
    inside = people.setup_reach(request.actor)
    rows = people.organizations()
    if inside is not None:
        rows = rows.filter(pk__in=sorted(inside))
    held = {row.pk: row for row in rows}

    def names(path: str) -> list[str]:
        return [held[int(part)].name.lower() for part in path.strip("/").split("/") if int(part) in held]

    ordered = sorted(held.values(), key=lambda row: names(row.path))
    lines = [(row, len(names(row.path)) - 1) for row in ordered]
    return page(request, "setup/organizations.html", rows=lines, here="setup", tab="organizations")


def _organization_fields(request: PageRequest) -> list[Field]:
    inherited = _("Empty: as the organization above has it; at the top 5 and 14.")
    return [
        Field("name", _("Name"), is_required=True, limit=120),
        Field("kind", _("Kind"), "select", choices.organization_kinds()),
        Field(
            "parent",
            _("Part of"),
            "select",
            choices.organizations(request),
            empty=_("None, it stands at the top") if is_for_all(request) else None,
            is_key=True,
        ),
        Field("closes_after_days", _("Solved tickets close after how many days"), "number", hint=inherited),
        Field("reopens_within_days", _("Can be reopened within how many days"), "number", hint=inherited),
        Field("note", _("Note"), "area", limit=2000),
    ]


@require_http_methods(["GET", "POST"])
@setup_page
def new_organization(request: PageRequest) -> HttpResponse:
    """A new organization."""
    form = Form(_organization_fields(request), {"kind": "business_unit"}, _("Add the organization"), can_save=sets_up(request))
    if request.method == "POST" and (
        row := form.send(request, lambda sent: desk.create_organization(**sent, actor=request.actor, now=request.now))
    ):
        toast(request, _("%(name)s is added.") % {"name": row.name})
        return SeeOther(f"/setup/organizations/{row.slug}")
    return form.show(request, "setup/form.html", title=_("New organization"), tab="organizations", back="/setup/organizations")


@require_http_methods(["GET", "POST"])
@setup_page
def edit_organization(request: PageRequest, slug: str) -> HttpResponse:
    """Everything about an organization, its priority matrix among it."""
    row = desk_people.organization_for(slug, Act.READ_SETUP, actor=request.actor)
    can_save = may(request.actor, Act.SET_UP, place_of(row.pk))
    fields = _organization_fields(request)
    if row.parent_id and row.parent_id not in dict(choices.organizations(request)):
        fields = [one for one in fields if one.name != "parent"]  # the one above is not the viewer's to change
    values = {one.name: getattr(row, one.name) for one in fields} | {"parent": row.parent_id}
    form = Form(fields, values, _("Save the organization"), can_save=can_save)
    if request.method == "POST" and form.send(
        request, lambda sent: desk.edit_organization(slug, **sent, actor=request.actor, now=request.now)
    ):
        toast(request, _("%(name)s is saved.") % {"name": form.values["name"]})
        return SeeOther(f"/setup/organizations/{slug}")
    return form.show(
        request,
        "setup/organization.html",
        row=row,
        title=row.name,
        tab="organizations",
        back="/setup/organizations",
        place=f"/setup/organizations/{slug}",
        has_own=row.priority_matrix is not None,
    )


@require_POST
@setup_page
def change_organization(request: PageRequest, slug: str, verb: str) -> HttpResponse:
    """Deactivate or activate."""
    there = f"/setup/organizations/{slug}"
    if verb == "deactivate":
        row = desk.deactivate_organization(slug, actor=request.actor, now=request.now)
        toast(request, _("%(name)s is out of use.") % {"name": row.name}, undo=f"{there}/activate")
    else:
        row = desk.activate_organization(slug, actor=request.actor, now=request.now)
        toast(request, _("%(name)s is in use again.") % {"name": row.name})
    return SeeOther(there)


@require_http_methods(["GET", "POST"])
@setup_page
def matrix(request: PageRequest, slug: str) -> HttpResponse:
    """Impact x urgency -> priority of an organization, as a table of selects."""
    row = desk_people.organization_for(slug, Act.READ_SETUP, actor=request.actor)
    can_save = may(request.actor, Act.SET_UP, place_of(row.pk))
    own = Matrix.parse(people.inherited(row, "priority_matrix"))
    cells = [[own.priority(impact, urgency) for urgency in LEVELS] for impact in LEVELS]
    errors: dict[str, str] = {}
    if request.method == "POST":
        sent: list[list[int]] | None = None
        if "inherit" not in request.POST:
            sent = [[inputs.number(request.POST, f"p{impact}{urgency}") or 0 for urgency in LEVELS] for impact in LEVELS]
        try:
            desk.edit_organization(slug, priority_matrix=sent, actor=request.actor, now=request.now)
        except Invalid as error:
            errors, cells = field_errors(error), sent or cells
        else:
            toast(request, _("The priorities are saved. Open tickets keep theirs until impact or urgency changes."))
            return SeeOther(f"/setup/organizations/{slug}")
    return page(
        request,
        "setup/matrix.html",
        status=422 if errors else 200,
        row=row,
        cells=cells,
        default=DEFAULT_MATRIX.rows,
        has_own=row.priority_matrix is not None,
        can_save=can_save,
        errors={"": next(iter(errors.values()))} if errors else {},
        here="setup",
        tab="organizations",
        levels=LEVELS,
    )
