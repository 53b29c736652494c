"""What holds for every call: who is let in, what is refused and how, calls that happen once, rates."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from allswell.api import bearer
from allswell.desk import calls
from allswell.desk.rates import Rate
from allswell.kernel import actor, clock
from allswell.people.models import IdempotentCall, Token
from allswell.tickets.models import Ticket
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def jonas(world: World) -> Program:
    return Program(world, world.jonas)


def test_without_a_token_nothing_opens(world: World) -> None:
    for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer wrong"}):
        answer = Client().get("/api/v1/tickets", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "not-signed-in"


def test_a_session_cookie_does_not_open_the_api(world: World) -> None:
    client = Client()
    client.force_login(world.jonas, backend="allswell.web.sign_in.EmailBackend")
    assert client.get("/api/v1/tickets").status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "deactivated"])
def test_an_ended_token_is_dead_at_once(world: World, jonas: Program, end: str) -> None:
    assert jonas.get("/me").status_code == 200
    past = clock.now() - timedelta(seconds=1)
    if end == "deactivated":
        world.jonas.is_active = False
        world.jonas.save()
    else:
        Token.objects.update(**{"revoked_at" if end == "revoked" else "expires_at": past})
    assert jonas.get("/me").status_code == 401


def test_guessing_is_slowed_down_but_locks_nobody_out(world: World, jonas: Program) -> None:
    bearer.guesses = Rate()
    answers = [Client().get("/api/v1/me", headers={"Authorization": f"Bearer {count}"}) for count in range(bearer.GUESSES + 1)]
    assert [answer.status_code for answer in answers] == [401] * bearer.GUESSES + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert jonas.get("/me").status_code == 200


def test_a_scope_is_needed(world: World) -> None:
    reader = Program(world, world.jonas, "tickets:read")
    assert reader.get("/tickets").status_code == 200
    refused = reader.post("/tickets", title="x")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    assert Program(world, world.jonas, "tickets:write").get("/tickets").status_code == 200


def test_every_error_is_a_problem_document(jonas: Program) -> None:
    jonas.client.raise_request_exception = False
    number = jonas.post("/tickets", title="x").json()["number"]
    text = {"data": "a", "content_type": "text/plain"}
    broken = {"data": "{", "content_type": "application/json"}
    for answer, status in [
        (jonas.get("/nothing"), 404),
        (jonas.get("/tickets/0"), 404),
        (jonas.get("/tickets/99999999999999999999"), 404),
        (jonas.call("DELETE", "/tickets"), 405),
        (jonas.call("OPTIONS", "/tickets"), 405),
        (jonas.call("POST", "/tickets", **text), 415),
        (jonas.call("POST", "/tickets", **broken), 400),
        (jonas.call("POST", "/tickets", [1]), 422),
        (jonas.post("/tickets", title="x" * 3_000_000), 413),
        (jonas.post("/tickets", title="x", impact=5), 422),
        (jonas.post("/tickets", title="x", impact="1"), 422),
        (jonas.post(f"/tickets/{number}/take", who=1), 422),
        (jonas.post(f"/tickets/{number}/wait", on="requester", until="2020-01-01T00:00:00Z"), 422),
        (jonas.get("/tickets?limit=201"), 422),
        (jonas.get("/tickets?team=99999999999999999999"), 422),
        (Client().get("/api/v2/tickets"), 404),
        (Client().get("/api/"), 404),
        (jonas.get("/tickets/1%00"), 404),
        (jonas.get("/services/%00"), 404),
        (jonas.get("/tickets?q=%00%ff"), 200),
    ]:
        assert answer.status_code == status, answer.content
        if status != 200:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == status
    assert jonas.call("DELETE", "/tickets").headers["Allow"] == "GET, HEAD, POST"


def test_our_own_fault_shows_nothing(jonas: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("allswell.tickets.queries.visible_to", broken)
    answer = jonas.get("/tickets")
    assert answer.status_code == 500
    assert b"secret" not in answer.content


def test_a_repeated_call_happens_once(jonas: Program) -> None:
    key = {"Idempotency-Key": "alert 17"}
    first = jonas.post("/tickets", title="Disk full", headers=key)
    again = jonas.post("/tickets", title="Disk full", headers=key)
    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Ticket.objects.count() == 1
    other = jonas.post("/tickets", title="Another", headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_what_dies_before_its_answer_is_kept_never_happened(jonas: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*args: object, **kwargs: object) -> None:
        raise SystemError

    key = {"Idempotency-Key": "k"}
    with monkeypatch.context() as patched:
        patched.setattr("allswell.people.api_calls.keep_answer", dies)
        assert jonas.post("/tickets", title="Disk full", headers=key).status_code == 500
    assert not Ticket.objects.exists()
    assert not IdempotentCall.objects.exists()
    assert jonas.post("/tickets", title="Disk full", headers=key).status_code == 201


def test_a_refused_call_may_be_tried_again(jonas: Program) -> None:
    key = {"Idempotency-Key": "k"}
    assert jonas.post("/tickets", title="x", service="no-such", headers=key).status_code == 422
    assert not IdempotentCall.objects.exists()
    assert jonas.post("/tickets", title="x", headers=key).status_code == 201


def test_answers_are_kept_for_a_day(jonas: Program) -> None:
    key = {"Idempotency-Key": "k"}
    jonas.post("/tickets", title="x", headers=key)
    IdempotentCall.objects.update(created_at=clock.now() - timedelta(hours=25))
    assert jonas.post("/tickets", title="x", headers=key).status_code == 201
    assert Ticket.objects.count() == 2
    IdempotentCall.objects.update(created_at=clock.now() - timedelta(hours=25))
    assert calls.forget_calls(actor=actor.engine(), now=clock.now()) == 1


def test_the_same_key_of_another_token_is_another_key(world: World, jonas: Program) -> None:
    key = {"Idempotency-Key": "k"}
    jonas.post("/tickets", title="x", headers=key)
    assert Program(world, world.julia).post("/tickets", title="x", headers=key).status_code == 201
    assert Ticket.objects.count() == 2


def test_a_token_has_a_rate(jonas: Program, settings: object) -> None:
    settings.API_RATE = 2  # type: ignore[attr-defined]
    answers = [jonas.get("/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Limit"] == "2"
    assert answers[1].headers["RateLimit-Remaining"] == "0"
    assert int(answers[2].headers["Retry-After"]) >= 1


def test_the_last_use_is_written_down_once_a_minute(jonas: Program) -> None:
    jonas.get("/me")
    first = Token.objects.get().last_used_at
    assert first is not None
    jonas.get("/me")
    assert Token.objects.get().last_used_at == first


def test_the_description_is_readable_and_runs_nothing(db: None) -> None:
    document = json.loads(Client().get("/api/v1/openapi.json").content)
    assert document["openapi"].startswith("3.1")
    page = Client().get("/api/v1/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "createTicket" in page.content.decode()
    assert "script" not in page.headers["Content-Security-Policy"]
    assert "<script" not in page.content.decode()
    assert Client().get("/api/v1/reference.css").headers["Content-Type"].startswith("text/css")
