"""A program that speaks to the API with somebody's token."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from allswell.api import bearer
from allswell.desk.rates import Rate
from allswell.people.models import Person, Token
from allswell.people.queries import digest
from tests.support.world import START, World


def forget_calls() -> None:
    """Nobody has called yet."""
    bearer.calls, bearer.guesses = Rate(), Rate()
    bearer._USED.clear()


class Program:
    """Calls `/api/v1` with a token of `person`: program.post("/tickets", title="…")."""

    def __init__(self, world: World, person: Person, *scopes: str) -> None:
        forget_calls()  # a new program, not an earlier test's
        secret = f"secret of {person.name} {Token.objects.count()}"
        self.token = Token.objects.create(
            person=person, name="test", digest=digest(secret), hint="secret", scopes=list(scopes) or ["all"], created_at=START
        )
        self.secret = secret
        self.client = Client(raise_request_exception=True)

    def call(self, method: str, path: str, content: Any = None, *, headers: dict[str, str] | None = None, **extra: Any) -> Any:
        """One call; `content` is sent as JSON."""
        sent = {"Authorization": f"Bearer {self.secret}", **(headers or {})}
        if content is not None:
            extra = {"data": json.dumps(content), "content_type": "application/json", **extra}
        return self.client.generic(method, f"/api/v1{path}", headers=sent, **extra)

    def get(self, path: str, *, headers: dict[str, str] | None = None) -> Any:
        """Read."""
        return self.call("GET", path, headers=headers)

    def post(self, path: str, *, headers: dict[str, str] | None = None, **content: Any) -> Any:
        """Do; keyword arguments are the body."""
        return self.call("POST", path, content or None, headers=headers)

    def patch(self, path: str, *, headers: dict[str, str] | None = None, **content: Any) -> Any:
        """Change; keyword arguments are the body."""
        return self.call("PATCH", path, content, headers=headers)
