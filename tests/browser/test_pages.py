"""Every page, on a desk and on a phone, light and dark: axe finds nothing, nothing scrolls sideways, no console complains."""

from __future__ import annotations

import re

import pytest
from django.test import RequestFactory

from allswell.web import errors, middleware

from .conftest import PASSWORD, Desk, Enter, Visitor

pytestmark = pytest.mark.browser

OPEN = ("/sign-in", "/forgot")
PORTAL = ("/", "/report", "/report?q=No+color+prints", "/request", "/my/", "/my/{moved}", "/my/{solved}", "/status/")
MINE = ("/profile", "/account/security", "/account/second-step", "/profile/notices")
QUEUES = (
    "/desk/service-desk",
    "/desk/all?service=printing&q=paper",
    "/desk/watching",
    "/desk/filter?view=all",
    "/search?q=paper",
)
TICKETS = (
    "/tickets/{moved}",
    "/tickets/{solved}",
    "/tickets/{told}/announce",
    "/tickets/{moved}/announce",
    "/tickets/new",
    "/tickets/{moved}/why",
)
ACTS = tuple("/tickets/{moved}/" + verb for verb in ("hand-over", "escalate", "wait", "edit", "resolve", "link", "priority"))
LOOK_UP = ("/people/", "/people/{maria}", "/teams/", "/teams/databases", "/services/", "/services/account-look-up", "/calendars/")
ANSWERS = (
    "/calendars/office-hours",
    "/calendars/office-hours?start=2026-12-24T11:00&amount=8&unit=hours",
    "/calendars/office-hours?start=2026-12-24T11:00&amount=3&unit=working_days&cutoff=17:00",
)
OTHERS = (
    "/oncall/",
    "/oncall/service-desk/",
    "/oncall/service-desk/?days=1",
    "/oncall/service-desk/ask",
    "/oncall/me",
    "/oncall/policies",
    "/oncall/policies/at-night/",
    "/oncall/coverage",
    "/oncall/simulate?about=policy:at-night&at=2026-10-25T02:30&priority=1",
    "/oncall/me/leave/file",
    "/oncall/replay",
    "/alerts/",
    "/alerts/{alert}",
    "/alerts/noise",
    "/alerts/silences",
    "/alerts/silences/new?alert={alert}",
    "/alerts/silences/{silence}",
    "/alerts/silences/import",
    "/alerts/maintenance",
    "/alerts/maintenance/new",
    "/alerts/maintenance/{work}",
    "/tickets/{paged}",
    "/tickets/{paged}/pages",
    "/pages",
    "/me/contacts?add=chat",
    "/announcements",
    "/desk/change?n={moved}",
    "/profile/notices",
    "/more",
    "/styleguide",
    "/api/v1/",
)
SETUP = tuple(
    "/setup/" + place
    for place in (
        *("", "people", "people/new", "people/{maria}", "teams", "teams/databases", "organizations", "organizations/northbank"),
        *("organizations/northbank/priorities", "services", "services/account-look-up", "roles", "categories", "categories/new"),
        *(
            "fields",
            "fields/new",
            "labels",
            "webhooks",
            "mail",
            "mail/{letter}",
            "mailboxes",
            "mailboxes/new",
            "mailboxes/{box}",
            "mail-rules",
            "mail-rules/new",
            "mail-rules/{sorted_out}",
            "mail-templates",
            "mail-templates/new?kind=replied&locale=de",
            "mail-templates/{worded}",
            "alert-sources",
            "alert-sources/{watch}",
            "alert-sources/{jobs}",
            "alert-sources/{watch}/try",
            "alert-rules",
            "alert-rules/new",
            "alert-rules/{rule}",
            "import",
            "oncall",
            "calendars",
            "calendars/new",
            "calendars/office-hours",
        ),
        *("agreements", "agreements/new", "agreements/othertown", "agreements/othertown/edit"),
        *("agreements/othertown/what-if", "what-ifs/{asked}"),
    )
)
WATCH = (
    "/oncall/new",
    "/oncall/service-desk/edit",
    "/oncall/service-desk/override",
    "/oncall/policies/new",
    "/oncall/policies/at-night/edit",
    "/setup/machinery",
)
REPORTS = (
    "/reports",
    "/reports/attainment?by=service",
    "/reports/resolve",
    "/reports/teams",
    "/reports/resolve/rows?part=n",
    "/reports/resolve/rows?part=median",
    "/reports/attainment/rows?part=share",
)
WALKS = {
    "": OPEN,
    "maria": PORTAL + MINE,
    "jonas": QUEUES + TICKETS + ACTS + LOOK_UP + ANSWERS + REPORTS + OTHERS,
    "ada": (*SETUP, *WATCH, "/teams/databases/rooms?add=chat"),
}
#: where every color is looked at on a desk and on a telephone
THOROUGH = {"/", "/desk/service-desk", "/tickets/{moved}", "/oncall/", "/oncall/service-desk/", "/setup/", "/reports"}


@pytest.mark.parametrize("name", WALKS)
def test_a_page_is_for_everybody(enter: Enter, desk: Desk, name: str) -> None:
    visitor = enter(name)
    wrong = []
    for place in WALKS[name]:
        answer = visitor.page.goto(place.format(**desk.numbers))
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{visitor.page.url} answers {answer.status}")
            continue
        if re.search(r"/desk/(all|service)", place):
            visitor.page.locator("#preview .prevt").wait_for()
        try:
            visitor.accessible_everywhere(is_thorough=place in THOROUGH)
        except AssertionError as found:
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def _asked_for_a_code(visitor: Visitor) -> int:
    """The page between the password and the desk."""
    visitor.page.goto("/sign-in")
    visitor.page.get_by_label("E-mail").fill("audrey@example.org")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.wait_for_url("**/sign-in/code")
    return 200


def _wrong_code(visitor: Visitor) -> int:
    """The same after a code that is not right."""
    _asked_for_a_code(visitor)
    visitor.page.locator("input[name=code]").fill("000000")
    with visitor.page.expect_navigation() as answer:
        visitor.page.locator("main form button[type=submit], main form button:not([type])").first.click()
    return _status(answer.value)


def _too_many_attempts(visitor: Visitor) -> int:
    """The sign-in page after too many guesses."""
    status = 0
    for _ in range(6):
        visitor.page.goto("/sign-in")
        visitor.page.get_by_label("E-mail").fill("stranger@example.org")
        visitor.page.get_by_label("Password", exact=True).fill("wrong")
        with visitor.page.expect_navigation() as answer:
            visitor.page.get_by_role("button", name="Sign in").click()
        status = _status(answer.value)
    return status


def _too_large(visitor: Visitor) -> int:
    """What a form answers that holds too much."""
    visitor.page.goto("/forgot")
    with visitor.page.expect_navigation() as answer:
        visitor.page.evaluate(
            "() => { const form = document.querySelector('main form'), field = form.querySelector('[name=email]');"
            " field.type = 'text'; field.value = 'x'.repeat(3000000); HTMLFormElement.prototype.submit.call(form); }"
        )
    return _status(answer.value)


def _expired(visitor: Visitor) -> int:
    """What a form answers whose token is not right any more."""
    visitor.page.goto("/forgot")
    with visitor.page.expect_navigation() as answer:
        visitor.page.evaluate(
            "() => { const form = document.querySelector('main form');"
            " form.querySelector('[name=csrfmiddlewaretoken]').value = 'x'; HTMLFormElement.prototype.submit.call(form); }"
        )
    return _status(answer.value)


def _broken(visitor: Visitor) -> int:
    """The page of a fault of ours, which the running desk has none of: shown at an address as the desk would answer it."""
    page = errors.broken(RequestFactory().get("/")).content.decode()
    headers = {"Content-Security-Policy": middleware.CSP, "Content-Type": "text/html; charset=utf-8"}
    visitor.page.route("**/broken", lambda route: route.fulfill(status=500, headers=headers, body=page))
    return _status(visitor.page.goto("/broken"))


def _status(answer: object) -> int:
    return int(getattr(answer, "status", 0))


REFUSALS = {
    "a code": (_asked_for_a_code, 200),
    "a wrong code": (_wrong_code, 422),
    "an expired form": (_expired, 403),
    "no such page": (lambda visitor: _status(visitor.page.goto("/nothing/here")), 404),
    "a dead link": (lambda visitor: _status(visitor.page.goto("/account/new-password/1-x")), 404),
    "too large": (_too_large, 413),
    "too many": (_too_many_attempts, 429),
    "broken": (_broken, 500),
}


def test_a_refusal_is_for_everybody_too(enter: Enter) -> None:
    """The pages nobody wants to see: errors, and the one that asks for a code."""
    wrong = []
    for name, (show, status) in REFUSALS.items():
        visitor = enter()
        found = show(visitor)
        if found != status:
            wrong.append(f"{name} answers {found}")
        try:
            visitor.accessible_everywhere()
        except AssertionError as complaint:
            wrong.append(f"{name}: {complaint}")
        visitor.troubles[:] = [trouble for trouble in visitor.troubles if "Failed to load resource" not in trouble]
    assert not wrong, "\n".join(wrong)


def test_what_one_may_not_do_is_said_to_everybody(enter: Enter) -> None:
    """Refusals to people who are signed in."""
    for name, place, status in (("jonas", "/setup/people", 403), ("jonas", "/tickets/999999", 404), ("maria", "/my/999999", 404)):
        visitor = enter(name)
        assert _status(visitor.page.goto(place)) == status
        visitor.accessible_everywhere()
        visitor.troubles[:] = [trouble for trouble in visitor.troubles if "Failed to load resource" not in trouble]
