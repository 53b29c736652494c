"""Corrections, links, files, search and webhooks through the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from allswell.people.models import IdempotentCall
from allswell.tickets.models import Attachment
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def jonas(world: World) -> Program:
    return Program(world, world.jonas)


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def upload(program: Program, path: str, *, name: str = "log.txt", content: bytes = b"ORA-00020", **headers: str) -> Any:
    """Send a file in a multipart request."""
    sent = {"Authorization": f"Bearer {program.secret}", **headers}
    return Client().post(f"/api/v1{path}", {"file": SimpleUploadedFile(name, content)}, headers=sent)


def test_a_ticket_is_corrected(jonas: Program) -> None:
    number = jonas.post("/tickets", title="Login fials", impact=3, urgency=3).json()["number"]
    answer = jonas.patch(f"/tickets/{number}", title="Login fails", impact=1)
    assert (answer.json()["title"], answer.json()["priority"], answer.json()["urgency"]) == ("Login fails", 3, 3)
    tag = answer.headers["ETag"]
    assert jonas.patch(f"/tickets/{number}", urgency=1, headers={"If-Match": tag}).status_code == 200
    assert jonas.patch(f"/tickets/{number}", urgency=2, headers={"If-Match": tag}).status_code == 412
    assert jonas.get(f"/tickets/{number}").json()["urgency"] == 1


@pytest.mark.parametrize(
    "field", ["priority", "state", "team", "assignee", "requester", "organization", "is_restricted", "closed_at"]
)
def test_what_verbs_do_no_patch_does(jonas: Program, field: str) -> None:
    number = jonas.post("/tickets", title="x").json()["number"]
    answer = jonas.patch(f"/tickets/{number}", **{field: 1})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_words_are_put_on_and_taken_off(jonas: Program) -> None:
    number = jonas.post("/tickets", title="x").json()["number"]
    jonas.post(f"/tickets/{number}/tag", name="VPN")
    assert jonas.post(f"/tickets/{number}/tag", name="Wi-Fi").json()["tags"] == ["vpn", "wi-fi"]
    assert jonas.post(f"/tickets/{number}/untag", name="vpn").json()["tags"] == ["wi-fi"]
    (listed,) = jonas.get("/tickets").json()["items"]
    assert listed["tags"] == ["wi-fi"]


def test_children_and_duplicates(jonas: Program) -> None:
    parent = jonas.post("/tickets", title="Look-up down", requester="maria@example.org").json()["number"]
    child = jonas.post("/tickets", title="Cannot look up", requester="rolf@example.org").json()["number"]
    assert jonas.post(f"/tickets/{child}/link", kind="child_of", target=parent).status_code == 200
    (link,) = jonas.get(f"/tickets/{parent}/links").json()["items"]
    assert (link["kind"], link["is_outgoing"], link["ticket"]["number"]) == ("child_of", False, child)
    assert jonas.post(f"/tickets/{parent}/link", kind="child_of", target=child).status_code == 409
    assert jonas.post(f"/tickets/{parent}/link", kind="related", target=999_999).json()["errors"][0]["field"] == "target"
    jonas.post(f"/tickets/{parent}/resolve")
    assert jonas.get(f"/tickets/{child}").json()["state"] == "resolved"


def test_merged_and_taken_apart(jonas: Program) -> None:
    one, other = (jonas.post("/tickets", title=title, requester="maria@example.org").json()["number"] for title in ("A", "B"))
    jonas.post(f"/tickets/{one}/reply", body="Is it B?")
    assert jonas.post(f"/tickets/{one}/merge", into=other).json()["number"] == other
    assert jonas.get(f"/tickets/{one}").json()["merged_into"] == other
    assert [row["body"] for row in jonas.get(f"/tickets/{other}/comments").json()["items"]] == ["Is it B?"]
    assert jonas.post(f"/tickets/{one}/unmerge").json()["merged_into"] is None


def test_an_act_is_taken_back(jonas: Program) -> None:
    number = jonas.post("/tickets", title="x").json()["number"]
    jonas.post(f"/tickets/{number}/take")
    action = jonas.get(f"/tickets/{number}/journal").json()["items"][0]["action"]
    assert jonas.post(f"/tickets/{number}/undo", action=action).json()["assignee"] is None


def test_a_file_is_sent_with_a_reply(world: World, jonas: Program) -> None:
    number = jonas.post("/tickets", title="x", requester="maria@example.org").json()["number"]
    uploaded = upload(jonas, "/attachments", name="../../pass<b>.html", content=b"<script>alert(1)</script>")
    assert uploaded.status_code == 201
    token = uploaded.json()["token"]
    assert len(token) >= 43
    assert Program(world, world.maria).get(f"/attachments/{token}").status_code == 404
    jonas.post(f"/tickets/{number}/reply", body="See the file", attachments=[token])
    (listed,) = jonas.get(f"/tickets/{number}/attachments").json()["items"]
    assert (listed["token"], listed["comment"] is not None) == (token, True)
    got = Program(world, world.maria).get(f"/attachments/{token}")
    assert b"".join(got.streaming_content) == b"<script>alert(1)</script>"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert Program(world, world.oskar).get(f"/attachments/{token}").status_code == 404
    assert Client().get(f"/api/v1/attachments/{token}").status_code == 401


def test_a_file_for_the_desk_only(world: World, jonas: Program) -> None:
    number = jonas.post("/tickets", title="x", requester="maria@example.org").json()["number"]
    token = upload(jonas, f"/tickets/{number}/attachments?is_public=false").json()["token"]
    maria = Program(world, world.maria)
    assert maria.get(f"/attachments/{token}").status_code == 404
    assert maria.get(f"/tickets/{number}/attachments").json()["items"] == []
    assert jonas.call("DELETE", f"/attachments/{token}").status_code == 204
    assert not Attachment.objects.exists()


def test_a_repeated_upload_is_one_file(jonas: Program) -> None:
    number = jonas.post("/tickets", title="x").json()["number"]
    first = upload(jonas, f"/tickets/{number}/attachments", **{"Idempotency-Key": "k"})
    again = upload(jonas, f"/tickets/{number}/attachments", **{"Idempotency-Key": "k"})
    assert again.json() == first.json()
    assert Attachment.objects.count() == 1
    assert upload(jonas, f"/tickets/{number}/attachments", content=b"else", **{"Idempotency-Key": "k"}).status_code == 422


def test_what_is_no_upload_is_refused(jonas: Program, settings: Any) -> None:
    headers = {"Authorization": f"Bearer {jonas.secret}"}
    assert jonas.post("/attachments", file="x").status_code == 415
    assert Client().post("/api/v1/attachments", {"other": "x"}, headers=headers).json()["errors"][0]["field"] == "other"
    assert upload(jonas, "/attachments", content=b"").status_code == 422
    settings.MAX_UPLOAD_BYTES = 10
    assert upload(jonas, "/attachments", content=b"x" * 11).status_code == 422
    assert upload(jonas, "/attachments", content=b"x" * 200_000).status_code == 413


def test_one_box_finds_everything(world: World, jonas: Program) -> None:
    number = jonas.post("/tickets", title="Ledger is slow", requester="maria@example.org").json()["number"]
    jonas.post(f"/tickets/{number}/note", body="deadlock in the ledger")
    found = jonas.get("/search?q=ledger").json()
    assert [row["number"] for row in found["tickets"]] == [number]
    assert [row["slug"] for row in found["services"]] == ["ledger-database"]
    assert [row["number"] for row in jonas.get(f"/search?q=INC-{number}").json()["tickets"]] == [number]
    assert [row["number"] for row in jonas.get("/search?q=deadlock").json()["tickets"]] == [number]
    assert [row["name"] for row in jonas.get("/search?q=keller").json()["people"]] == ["Maria Keller"]
    maria = Program(world, world.maria)
    assert maria.get("/search?q=deadlock").json()["tickets"] == []
    assert Program(world, world.jonas, "tickets:read").get("/search?q=keller").json()["people"] == []


def test_a_webhook_is_set_up(world: World) -> None:
    ada = Program(world, world.ada)
    key = {"Idempotency-Key": "k"}
    wanted = {"name": "Chat", "url": "https://chat.example.org/in", "verbs": ["incident.reported"]}
    made = ada.post("/webhooks", headers=key, **wanted)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert ada.post("/webhooks", headers=key, **wanted).json() == made.json() | {"secret": None}
    assert made.json()["secret"] not in IdempotentCall.objects.get().answer
    path = f"/webhooks/{made.json()['id']}"
    assert "secret" not in ada.get(path).json()
    assert ada.post(f"{path}/rotate_secret").json()["secret"] != made.json()["secret"]
    assert ada.post(f"{path}/disable").json()["is_active"] is False
    assert ada.post(f"{path}/enable").json()["is_active"] is True
    assert ada.patch(path, verbs=["no.such"]).json()["errors"][0]["field"] == "verbs"
    assert ada.get(f"{path}/deliveries").json() == {"items": [], "next": None}
    assert ada.post(f"{path}/deliveries/7/redeliver").status_code == 404
    assert Program(world, world.jonas).get("/webhooks").status_code == 403


def test_a_view_is_kept(world: World, jonas: Program) -> None:
    number = jonas.post("/tickets", title="Ledger is slow", service="ledger-database").json()["number"]
    jonas.post("/tickets", title="Printer jams", service="printing")
    made = jonas.post("/views", name="Ledger", filters={"service": "ledger-database"})
    assert made.status_code == 201
    listed = jonas.get(made.headers["Location"].removeprefix("/api/v1")).json()["items"]
    assert [row["number"] for row in listed] == [number]
    slug = made.json()["slug"]
    assert {"mine", slug} <= {row["slug"] for row in jonas.get("/views").json()["items"]}
    assert slug not in {row["slug"] for row in Program(world, world.julia).get("/views").json()["items"]}
    assert jonas.patch(f"/views/{slug}", name="Books").json()["name"] == "Books"
    assert jonas.call("DELETE", f"/views/{slug}").status_code == 204
    assert jonas.get(f"/views/{slug}/tickets").status_code == 404
