"""What is done to rules of alerts and to rules of mail alike: left out and asked again, put into another order, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allswell.api.contract import Call, operation


def declare(
    desk: Any,
    *,
    of: str,
    answer: Any,
    order: Any,
    make: Callable[[Any], Any],
    list_rules: Callable[[Call], Any],
    **values: str,
) -> None:
    """Declare these operations on the rules of something: "alert" or "mail". `desk` has their use cases, `values` their tag and scope."""
    place, name, plural = f"/{of}-rules", f"{of.title()}Rule", {"alert": "alerts", "mail": "mails"}[of]
    kind = "alerts" if of == "alert" else "mail"

    def switched(is_active: bool) -> Callable[[Call], Any]:
        return lambda call: desk.switch(call.path["id"], is_active=is_active, actor=call.actor, now=call.now)

    one: dict[str, Any] = {"answer": answer, "present": lambda call, row: make(row), **values}
    operation("POST", f"{place}/{{id}}/activate", id=f"activate{name}", summary="Ask it again", **one)(switched(True))
    operation("POST", f"{place}/{{id}}/deactivate", id=f"deactivate{name}", summary="Leave it out; it keeps its place", **one)(
        switched(False)
    )
    operation(
        "POST",
        f"{place}/order",
        id=f"order{name}s",
        summary=f"Put all rules of {kind} into another order",
        body=order,
        answer=list[answer],
        present=lambda call, done: list_rules(call),
        **values,
    )(lambda call: desk.reorder(call.body.order, actor=call.actor, now=call.now))
    operation(
        "DELETE",
        f"{place}/{{id}}",
        id=f"remove{name}",
        summary=f"Forget a rule; {plural} it decided about stay as they are",
        status=204,
        **values,
    )(lambda call: desk.remove(call.path["id"], actor=call.actor, now=call.now))
