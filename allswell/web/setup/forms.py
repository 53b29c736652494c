"""Forms of setup as data: fields, the values they show, what was sent back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse

from allswell.kernel.errors import DeskError, Invalid, NotAllowed
from allswell.web import inputs
from allswell.web.pages import PageRequest, field_errors, page


@dataclass(frozen=True, slots=True)
class Field:
    """One control. `kind`: text, email, tel, number, area, lines (a list, one a line), select, check, many (checkboxes),
    person. `empty` is the words of a select's empty choice; None: there is none. `is_key`: the choices are ids."""

    name: str
    label: str
    kind: str = "text"
    options: Sequence[tuple[Any, str]] = ()
    hint: str = ""
    is_required: bool = False
    limit: int = 0
    empty: str | None = None
    is_key: bool = False

    def read(self, request: PageRequest) -> Any:
        """What was sent, as the use case takes it. Raises Invalid."""
        sent = request.POST
        if self.kind == "check":
            return bool(sent.get(self.name))
        if self.kind == "many":
            return sent.getlist(self.name)
        if self.kind == "lines":
            return sent.get(self.name, "").splitlines()
        if self.kind == "number":
            return inputs.number(sent, self.name)
        if self.kind == "person":
            return inputs.person(sent, self.name, actor=request.actor)
        raw = sent.get(self.name, "")
        if self.kind == "select" and raw not in {str(key) for key, _ in self.options} | (
            {""} if self.empty is not None else set()
        ):
            raise Invalid("Choose one of the list.", field=self.name)
        if self.is_key:
            return int(raw) if raw else None
        return raw


@dataclass
class Form:
    """A form on a page: what it is called, where it goes, what stands in it.

    Where something is changed (`is_change`), what was chosen before and still is, is not asked for again: it may be out of use by now.
    """

    fields: Sequence[Field]
    values: dict[str, Any]
    submit: str
    action: str = ""
    can_save: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    colleagues: Sequence[str] = ()
    is_change: bool = False

    def send(self, request: PageRequest, use: Callable[[dict[str, Any]], Any]) -> Any:
        """Read what was sent and use it; what `use` answers, None when it was refused: then `errors` says why."""
        if not self.can_save:
            raise NotAllowed("Your role does not allow this.")
        given = {one.name: _as_sent(request, one) for one in self.fields}
        asked = [one for one in self.fields if not (self.is_change and _stays(one, self.values.get(one.name), given[one.name]))]
        self.values = {**self.values, **given}
        try:
            return use({one.name: one.read(request) for one in asked})
        except DeskError as error:
            if error.http in (403, 404):
                raise
            self.errors = field_errors(error)
            known = {one.name for one in self.fields}
            if not known & set(self.errors):
                self.errors[""] = next(iter(self.errors.values()))
            return None

    def show(self, request: PageRequest, template: str, **context: Any) -> HttpResponse:
        """The page with the form in it."""
        return page(request, template, status=422 if self.errors else 200, form=self, here="setup", **context)


def _stays(one: Field, before: Any, sent: Any) -> bool:
    if one.kind == "many":
        return sorted(before or ()) == sorted(sent)
    return one.kind in ("select", "person") and str("" if before is None else before) == sent


def _as_sent(request: PageRequest, one: Field) -> Any:
    if one.kind == "many":
        return request.POST.getlist(one.name)
    if one.kind == "check":
        return bool(request.POST.get(one.name))
    return request.POST.get(one.name, "")
