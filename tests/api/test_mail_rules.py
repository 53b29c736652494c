"""Rules of mail over the API."""

from __future__ import annotations

from allswell.intake.models import MailRule
from tests.support.boxes import a_mailbox
from tests.support.program import Program
from tests.support.world import World


def test_rules_are_written_ordered_and_forgotten(world: World) -> None:
    ada, box = Program(world, world.ada), a_mailbox(world)[0].pk
    definition = {"senders": ["bank.example"], "words": ["ledger"], "act": "hold"}
    first = ada.post("/mail-rules", name="Ledger", mailbox=box, definition=definition)
    assert (first.status_code, first.json()["mailbox"], first.json()["definition"]) == (201, box, definition)
    second = ada.post("/mail-rules", name="All", definition={}).json()["id"]
    one = f"/mail-rules/{first.json()['id']}"
    assert [row["name"] for row in ada.post("/mail-rules/order", order=[second, first.json()["id"]]).json()] == ["All", "Ledger"]
    assert [row["name"] for row in ada.get("/mail-rules").json()] == ["All", "Ledger"]
    changed = ada.patch(one, definition={"urgency": 2}).json()
    assert (changed["mailbox"], changed["definition"]) == (box, {"act": "take", "urgency": 2})
    assert ada.patch(one, mailbox=None).json()["mailbox"] is None
    assert ada.post(f"{one}/deactivate").json()["is_active"] is False
    assert ada.post(f"{one}/activate").json()["is_active"] is True
    for wrong in ({"act": "x"}, {"impact": 5}, {"service": 999_999}, {"x": 1}, {"words": ["x" * 201]}, {"header_says": "x"}):
        assert ada.post("/mail-rules", name="X", definition=wrong).status_code == 422, wrong
    assert ada.post("/mail-rules", name="X", mailbox=999_999, definition={}).status_code == 422
    assert ada.call("DELETE", one).status_code == 204
    assert list(MailRule.objects.values_list("pk", flat=True)) == [second]
