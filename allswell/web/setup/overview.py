"""The first page of setup: what is still to be done, what there is, how mail goes out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from allswell.people import queries as people
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.web.pages import PageRequest, page

from .gate import is_for_all, setup_page


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first five steps."""

    label: str
    hint: str
    href: str
    is_done: bool


def _steps() -> list[Step]:
    sizes = people.team_sizes()
    return [
        Step(
            _("Mail goes out"),
            _("Set ALLSWELL_SMTP_URL and ALLSWELL_MAIL_FROM, then start again."),
            "#mail",
            bool(settings.SMTP_URL and settings.MAIL_FROM),
        ),
        Step(
            _("A team has members"),
            _("Two at least, or one of them is always alone."),
            "/setup/teams",
            max(sizes.values(), default=0) > 1,
        ),
        Step(
            _("The first service"),
            _("What people report about, and who looks after it."),
            "/setup/services",
            services.services().exists(),
        ),
        Step(_("People are in"), _("One by one, or from a file."), "/setup/import", people.people().count() > 2),
        Step(_("The first ticket"), _("Report something yourself and see it arrive."), "/", tickets.any_ticket()),
    ]


@require_GET
@setup_page
def overview(request: PageRequest) -> HttpResponse:
    """What is still to be done, and how mail goes out. Secrets stay in the settings; only where mail goes is shown."""
    steps = _steps() if is_for_all(request) else []
    smtp = urlsplit(settings.SMTP_URL)
    return page(
        request,
        "setup/overview.html",
        steps=steps,
        is_finished=all(step.is_done for step in steps),
        mail_host=f"{smtp.hostname}:{smtp.port}" if smtp.port else smtp.hostname or "",
        mail_kind=smtp.scheme,
        mail_from=settings.MAIL_FROM,
        public_url=settings.PUBLIC_URL,
        here="setup",
        tab="setup",
    )
