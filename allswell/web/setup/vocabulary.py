"""Setup of categories, custom fields and labels."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk import setup as desk
from allswell.kernel.errors import DeskError, NotFound
from allswell.tickets import setup_queries as queries
from allswell.web import own_words, words
from allswell.web.pages import PageRequest, SeeOther, page, toast

from .forms import Field, Form
from .gate import is_for_all, setup_page


@require_GET
@setup_page
def category_list(request: PageRequest) -> HttpResponse:
    """All categories."""
    return page(
        request,
        "setup/categories.html",
        rows=queries.categories(),
        can_save=is_for_all(request),
        here="setup",
        tab="categories",
    )


def _category_fields(*, but: int = 0) -> list[Field]:
    above = [(row.pk, row.name) for row in queries.categories().filter(is_active=True).exclude(pk=but)]
    return [
        Field("name", _("Name"), is_required=True, limit=80),
        Field("parent", _("Part of"), "select", above, empty=_("None, it stands at the top"), is_key=True),
    ]


@require_http_methods(["GET", "POST"])
@setup_page
def new_category(request: PageRequest) -> HttpResponse:
    """A new category."""
    form = Form(_category_fields(), {}, _("Add the category"), can_save=is_for_all(request))
    if request.method == "POST" and (
        row := form.send(request, lambda sent: desk.create_category(**sent, actor=request.actor, now=request.now))
    ):
        toast(request, _("%(name)s is added.") % {"name": row.name})
        return SeeOther("/setup/categories")
    return form.show(request, "setup/form.html", title=_("New category"), tab="categories", back="/setup/categories")


@require_http_methods(["GET", "POST"])
@setup_page
def edit_category(request: PageRequest, category: int) -> HttpResponse:
    """Rename a category, hang it elsewhere."""
    row = queries.category(category)
    if row is None:
        raise NotFound("There is no such category.")
    values = {"name": row.name, "parent": row.parent_id}
    form = Form(_category_fields(but=row.pk), values, _("Save the category"), can_save=is_for_all(request))
    if request.method == "POST" and form.send(
        request, lambda sent: desk.edit_category(category, **sent, actor=request.actor, now=request.now)
    ):
        toast(request, _("%(name)s is saved.") % {"name": form.values["name"]})
        return SeeOther("/setup/categories")
    return form.show(request, "setup/form.html", title=row.name, tab="categories", back="/setup/categories")


@require_POST
@setup_page
def change_category(request: PageRequest, category: int, verb: str) -> HttpResponse:
    """Deactivate or activate."""
    row = desk.set_category_active(category, is_active=verb == "activate", actor=request.actor, now=request.now)
    if verb == "activate":
        toast(request, _("%(name)s is in use again.") % {"name": row.name})
    else:
        text = _("%(name)s is out of use; tickets keep it.") % {"name": row.name}
        toast(request, text, undo=f"/setup/categories/{category}/activate")
    return SeeOther("/setup/categories")


# custom fields


def _kinds() -> list[tuple[str, str]]:
    return [
        ("text", _("Text")),
        ("number", _("Number")),
        ("date", _("Date")),
        ("boolean", _("Yes or no")),
        ("choice", _("One of a list")),
    ]


@require_GET
@setup_page
def field_list(request: PageRequest) -> HttpResponse:
    """All custom fields."""
    return page(
        request,
        "setup/fields.html",
        rows=queries.custom_fields(),
        kinds=dict(_kinds()),
        can_save=is_for_all(request),
        here="setup",
        tab="fields",
    )


def _field_fields(*, is_new: bool) -> list[Field]:
    fields = [
        Field("label", _("What it is called on forms"), is_required=True, limit=80),
        Field("kind", _("Kind"), "select", _kinds()),
        Field("choices", _("The list, one a line"), "lines", hint=_("For “one of a list” only.")),
        Field(
            "ticket_kind", _("On"), "select", [("incident", _("Incidents")), ("request", _("Requests"))], empty=_("All tickets")
        ),
        Field("hint", _("A hint below it"), limit=200),
        Field("is_required", _("It must be filled in"), "check"),
        Field("is_in_portal", _("It is asked in the portal"), "check"),
        Field("position", _("Place on the form"), "number", hint=_("Small numbers come first.")),
    ]
    if is_new:
        key = Field("key", _("Key"), limit=40, hint=_("Its name in the API and in exports, for ever. Empty: made from the name."))
        return [fields[0], key, *fields[1:]]
    return [one for one in fields if one.name != "kind"]


@require_http_methods(["GET", "POST"])
@setup_page
def new_field(request: PageRequest) -> HttpResponse:
    """A new custom field."""
    form = Form(_field_fields(is_new=True), {"position": 0}, _("Add the field"), can_save=is_for_all(request))
    if request.method == "POST" and (row := form.send(request, lambda sent: _create_field(request, sent))):
        toast(request, _("%(name)s is added.") % {"name": row.label})
        return SeeOther("/setup/fields")
    return form.show(request, "setup/form.html", title=_("New field"), tab="fields", back="/setup/fields")


def _create_field(request: PageRequest, sent: dict[str, Any]) -> Any:
    return desk.create_custom_field(**{**sent, "position": sent["position"] or 0}, actor=request.actor, now=request.now)


@require_http_methods(["GET", "POST"])
@setup_page
def edit_field(request: PageRequest, key: str) -> HttpResponse:
    """Change a custom field."""
    row = queries.custom_field(key)
    if row is None:
        raise NotFound("There is no such field.")
    fields = _field_fields(is_new=False)
    values = {one.name: getattr(row, one.name) for one in fields} | {"choices": "\n".join(row.choices)}
    form = Form(fields, values, _("Save the field"), can_save=is_for_all(request))

    def use(sent: dict[str, Any]) -> Any:
        sent["position"] = sent["position"] or 0
        return desk.edit_custom_field(key, **sent, actor=request.actor, now=request.now)

    if request.method == "POST" and form.send(request, use):
        toast(request, _("%(name)s is saved.") % {"name": form.values["label"]})
        return SeeOther("/setup/fields")
    return form.show(request, "setup/form.html", title=row.label, tab="fields", back="/setup/fields")


@require_POST
@setup_page
def change_field(request: PageRequest, key: str, verb: str) -> HttpResponse:
    """Deactivate or activate."""
    row = desk.set_custom_field_active(key, is_active=verb == "activate", actor=request.actor, now=request.now)
    if verb == "activate":
        toast(request, _("%(name)s is in use again.") % {"name": row.label})
    else:
        text = _("%(name)s is out of use; what was entered is kept.") % {"name": row.label}
        toast(request, text, undo=f"/setup/fields/{key}/activate")
    return SeeOther("/setup/fields")


# labels


def built_in(subject: str, categories: dict[str, str]) -> str:
    """Our own word for a subject, in the language that is active. `categories`: id -> name."""
    kind, _dot, name = subject.partition(".")
    if kind == "state":
        return words.state(name, own=False)
    if kind == "waiting_on":
        return words.state("waiting", name, own=False)
    if kind == "category":
        return categories.get(name, name)
    return words.code(name, own=False)


@require_http_methods(["GET", "POST"])
@setup_page
def labels(request: PageRequest, language: str = "") -> HttpResponse:
    """Words of the installation's own for states, codes and categories, language by language."""
    language = language or settings.LANGUAGE_CODE
    if language not in dict(settings.LANGUAGES):
        raise NotFound("There is no such language.")
    errors: dict[str, str] = {}
    if request.method == "POST":
        sent = {subject: request.POST.get(subject, "") for subject in desk.label_subjects() if subject in request.POST}
        try:
            desk.set_labels(language=language, labels=sent, actor=request.actor, now=request.now)
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors = {error.field: _(error.template) % error.params}
        else:
            own_words.forget()
            toast(request, _("The words are saved."))
            return SeeOther(f"/setup/labels/{language}")
    own = queries.labels(language)
    names = {str(row.pk): row.name for row in queries.categories()}
    with translation.override(language):
        rows = [(subject, built_in(subject, names)) for subject in desk.label_subjects()]
    values = {subject: request.POST.get(subject, own.get(subject, "")) for subject, _word in rows}
    return page(
        request,
        "setup/labels.html",
        status=422 if errors else 200,
        rows=rows,
        values=values,
        errors=errors,
        in_language=language,
        languages=settings.LANGUAGES,
        can_save=is_for_all(request),
        here="setup",
        tab="labels",
    )
