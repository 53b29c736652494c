"""Setup of services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk import services as desk
from allswell.people import queries as people
from allswell.people.rules import Act, may, place_of
from allswell.services import queries as services
from allswell.web.pages import PageRequest, SeeOther, page, toast

from . import choices
from .forms import Field, Form
from .gate import is_for_all, sets_up, setup_page

if TYPE_CHECKING:
    from allswell.services.models import ConfigurationItem


@require_GET
@setup_page
def service_list(request: PageRequest) -> HttpResponse:
    """All services the viewer sets up."""
    inside = people.setup_reach(request.actor)
    rows = services.services().select_related("team", "owner", "organization").order_by("-is_active", "name", "id")
    if inside is not None:
        rows = rows.filter(organization__in=sorted(inside))
    return page(request, "setup/services.html", rows=rows, here="setup", tab="services")


def _fields(request: PageRequest, row: ConfigurationItem | None = None) -> list[Field]:
    team, organization = (row.team, row.organization) if row else (None, None)
    needed = choices.named_services(request, (other.pk for other in services.needs(row.pk))) if row else []
    return [
        Field("name", _("Name"), is_required=True, limit=120, hint=_("As the business says it.")),
        Field("kind", _("Kind"), "select", choices.service_kinds()),
        Field("description", _("What it is for"), "area", limit=4000),
        Field(
            "team",
            _("Team that looks after it"),
            "select",
            choices.and_chosen(choices.teams(request), choices.chosen(team)),
            empty=_("None yet"),
            is_key=True,
        ),
        Field("owner", _("Owner"), "person", hint=_("Name or e-mail address of who answers for it.")),
        Field("criticality", _("How critical it is"), "select", choices.criticalities(), is_key=True),
        Field("support_hours", _("Support hours"), limit=200, hint=_("Such as Mon to Fri 07:00 to 19:00.")),
        Field(
            "organization",
            _("Who uses it"),
            "select",
            choices.and_chosen(choices.organizations(request), choices.chosen(organization)),
            empty=_("Everybody") if is_for_all(request) else None,
            is_key=True,
        ),
        Field(
            "needs",
            _("What it needs"),
            "many",
            choices.and_chosen(choices.all_services(request, but=row.pk if row else 0), needed),
        ),
    ]


@require_http_methods(["GET", "POST"])
@setup_page
def new_service(request: PageRequest) -> HttpResponse:
    """A new service."""
    values = {"kind": "business_service", "criticality": 3, "needs": []}
    form = Form(_fields(request), values, _("Add the service"), can_save=sets_up(request), colleagues=choices.colleagues(request))
    if request.method == "POST" and (
        row := form.send(request, lambda sent: desk.create_service(**sent, actor=request.actor, now=request.now))
    ):
        toast(request, _("%(name)s is added.") % {"name": row.name})
        return SeeOther(f"/setup/services/{row.slug}")
    return form.show(request, "setup/form.html", title=_("New service"), tab="services", back="/setup/services")


@require_http_methods(["GET", "POST"])
@setup_page
def edit_service(request: PageRequest, slug: str) -> HttpResponse:
    """Everything about a service."""
    row = desk.service_for(slug, Act.READ_SETUP, actor=request.actor)
    can_save = may(request.actor, Act.SET_UP, place_of(row.organization_id))
    fields = _fields(request, row)
    values: dict[str, Any] = {one.name: getattr(row, one.name) for one in fields if one.name != "needs"}
    values |= {
        "organization": row.organization_id,
        "team": row.team_id,
        "owner": row.owner.name if row.owner else "",
        "needs": [str(other.pk) for other in services.needs(row.pk)],
    }
    colleagues = choices.colleagues(request)
    form = Form(fields, values, _("Save the service"), can_save=can_save, colleagues=colleagues, is_change=True)
    if request.method == "POST" and form.send(
        request, lambda sent: desk.edit_service(slug, **sent, actor=request.actor, now=request.now)
    ):
        toast(request, _("%(name)s is saved.") % {"name": form.values["name"]})
        return SeeOther(f"/setup/services/{slug}")
    return form.show(
        request,
        "setup/service.html",
        row=row,
        title=row.name,
        tab="services",
        back="/setup/services",
        place=f"/setup/services/{slug}",
    )


@require_POST
@setup_page
def change_service(request: PageRequest, slug: str, verb: str) -> HttpResponse:
    """Deactivate or activate."""
    there = f"/setup/services/{slug}"
    if verb == "deactivate":
        row = desk.deactivate_service(slug, actor=request.actor, now=request.now)
        toast(request, _("%(name)s is out of use.") % {"name": row.name}, undo=f"{there}/activate")
    else:
        row = desk.activate_service(slug, actor=request.actor, now=request.now)
        toast(request, _("%(name)s is in use again.") % {"name": row.name})
    return SeeOther(there)
