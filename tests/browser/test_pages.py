"""Every page, on a desk and on a phone, light and dark: axe finds nothing, nothing scrolls sideways, no console complains."""

from __future__ import annotations

import re

import pytest

from .conftest import Desk, Enter

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
TICKETS = ("/tickets/{moved}", "/tickets/{solved}", "/tickets/{told}/announce", "/tickets/{moved}/announce", "/tickets/new")
ACTS = tuple("/tickets/{moved}/" + verb for verb in ("hand-over", "escalate", "wait", "edit", "resolve", "link", "priority"))
LOOK_UP = ("/people/", "/people/{maria}", "/teams/", "/teams/databases", "/services/", "/services/account-look-up")
OTHERS = ("/announcements", "/desk/change?n={moved}", "/profile/notices", "/more", "/styleguide", "/api/v1/")
SETUP = tuple(
    "/setup/" + place
    for place in (
        *("", "people", "people/new", "people/{maria}", "teams", "teams/databases", "organizations", "organizations/northbank"),
        *("organizations/northbank/priorities", "services", "services/account-look-up", "roles", "categories", "categories/new"),
        *("fields", "fields/new", "labels", "webhooks", "import"),
    )
)
WALKS = {"": OPEN, "maria": PORTAL + MINE, "jonas": QUEUES + TICKETS + ACTS + LOOK_UP + OTHERS, "ada": SETUP}


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("name", WALKS)
def test_a_page_is_for_everybody(enter: Enter, desk: Desk, name: str, size: str) -> None:
    visitor = enter(name, size=size)
    wrong = []
    for place in WALKS[name]:
        answer = visitor.page.goto(place.format(**desk.numbers))
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{visitor.page.url} answers {answer.status}")
            continue
        if re.search(r"/desk/(all|service)", place) and size == "desktop":
            visitor.page.locator("#preview .prevt").wait_for()
        try:
            visitor.accessible(in_both_themes=True)
        except AssertionError as found:
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)
