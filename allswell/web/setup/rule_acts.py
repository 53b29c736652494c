"""What is done to one of several rules that are asked in their order, the same for those of alerts and of mail."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from allswell.web.pages import PageRequest, SeeOther, toast


def acted(request: PageRequest, desk: ModuleType, number: int, verb: str, *, place: str) -> HttpResponse:
    """Do it, say so, and show the rules again, which stand at `place`. `desk` is the module of their use cases."""
    by: dict[str, Any] = {"actor": request.actor, "now": request.now}
    if verb in ("earlier", "later"):
        desk.move(number, by=-1 if verb == "earlier" else 1, **by)
    elif verb == "remove":
        name = desk.one(number, actor=request.actor).name
        desk.remove(number, **by)
        toast(request, _("%(name)s is forgotten.") % {"name": name})
    else:
        row = desk.switch(number, is_active=verb == "activate", **by)
        if verb == "activate":
            toast(request, _("%(name)s is in use again.") % {"name": row.name})
        else:
            toast(request, _("%(name)s is out of use.") % {"name": row.name}, undo=f"{place}/{number}/activate")
    return SeeOther(place)
