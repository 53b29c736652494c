"""Templates of mail over the API."""

from __future__ import annotations

from allswell.notifications.models import MailTemplate
from tests.support.program import Program
from tests.support.world import World

WORDS = {"kind": "received", "locale": "de", "subject": "{{ticket.title}}", "text": "Guten Tag {{recipient.name}}"}


def test_words_are_chosen_changed_looked_at_and_forgotten(world: World) -> None:
    world._grant(world.ada, "agent")
    ada, ticket = Program(world, world.ada), world.report()
    made = ada.post("/mail-templates", organization=world.bank.pk, **WORDS)
    assert (made.status_code, made.json()["organization"], made.json()["trouble"]) == (201, world.bank.pk, "")
    one = f"/mail-templates/{made.json()['id']}"
    assert made.headers["Location"].endswith(one)
    assert ada.patch(one, text="Grüezi").json()["text"] == "Grüezi"
    assert ada.get(one).json()["subject"] == WORDS["subject"]
    shown = ada.post("/mail-templates/preview", ticket=f"INC-{ticket.pk}", **WORDS).json()
    assert shown["subject"] == f"[INC-{ticket.pk}] Account look-up is down"
    assert shown["plain"].startswith("Guten Tag Maria Keller\n")
    assert "<p>Guten Tag Maria Keller</p>" in shown["html"]
    refused = ada.post("/mail-templates/preview", ticket="INC-999999", **WORDS)
    assert (refused.status_code, "you may not see it" in refused.text) == (404, True)
    assert ada.post("/mail-templates", organization=world.bank.pk, **WORDS).status_code == 422, "there is one already"
    wrong = (
        {"kind": "x"},
        {"locale": "xx"},
        {"text": "{{ticket.requester.password}}"},
        {"text": "{{"},
        {"subject": "{{link}}"},
        {"text": " "},
        {"organization": 999_999},
    )
    for part in wrong:
        assert ada.post("/mail-templates", **{**WORDS, **part}).status_code == 422, part
    MailTemplate.objects.update(text="{{ticket.gone}}")
    assert "ticket.gone" in ada.get("/mail-templates").json()[0]["trouble"]
    assert ada.call("DELETE", one).status_code == 204
    assert not MailTemplate.objects.exists()


def test_an_organizations_administrator_knows_only_its_own(world: World) -> None:
    world._grant(world.oskar, "administrator", organization=world.other)
    theirs = Program(world, world.ada).post("/mail-templates", organization=world.bank.pk, **WORDS).json()["id"]
    oskar = Program(world, world.oskar)
    assert oskar.get("/mail-templates").json() == []
    assert oskar.get(f"/mail-templates/{theirs}").status_code == 404
    assert oskar.patch(f"/mail-templates/{theirs}", text="x").status_code == 404
    assert oskar.call("DELETE", f"/mail-templates/{theirs}").status_code == 404
    assert oskar.post("/mail-templates", **WORDS).status_code == 403
    assert oskar.post("/mail-templates", organization=world.other.pk, **WORDS).status_code == 201
