"""The style page: every part with real and with extreme content. What axe and screenshots look at."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from django.http.response import HttpResponseBase

from allswell.web import words
from allswell.web.pages import PageRequest, desk_page, page

_LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft does not print, for 1,284 people"
_MARKDOWN = """A paragraph with **bold**, *italic*, `code`, ~~struck~~, a link to https://example.org and to INC-1042.

- first
- second

1. one
2. two

> What she said.

```
SELECT count(*) FROM ledger;
```

| node | pool |
|---|---|
| pg-cust-01 | 400 of 400 |
"""


@desk_page
def styleguide(request: PageRequest) -> HttpResponseBase:
    """All parts on one page."""
    toasts = [
        SimpleNamespace(level_tag="success", message="Sent to Maria.", extra_tags="/styleguide"),
        SimpleNamespace(level_tag="error", message="Somebody else just changed this ticket.", extra_tags=""),
    ]
    return page(
        request,
        "styleguide.html",
        long=_LONG,
        text=_MARKDOWN,
        states=list(words.STATES),
        samples=toasts,
        instants=[
            request.now - timedelta(**delta)
            for delta in ({}, {"hours": 3}, {"days": 1}, {"days": 4}, {"days": 80}, {"days": 900})
        ],
        lengths=[
            timedelta(seconds=40),
            timedelta(minutes=12),
            timedelta(minutes=112),
            timedelta(days=3, hours=4),
            timedelta(days=400),
        ],
        names=["Maria Keller", "Jonas Berg", "Ng", "Jean-Luc d'Arc", "Olga Brandt", "李 小龍", "Øystein Ås", "x"],
        icons=(
            "inbox",
            "send",
            "lock",
            "transfer",
            "arrow-up-right",
            "check",
            "player-pause",
            "urgent",
            "bell",
            "users",
            "tag",
            "link",
        ),
        errors={"wrong": "This is needed.", "": "Somebody else just changed this. Look at it again."},
    )
