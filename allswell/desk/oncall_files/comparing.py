"""What differs between what a document says and what holds here."""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from allswell.kernel.actor import Actor

from .names import Inwards
from .reaching import reach_as_asked, reach_said, read_reach, require_all
from .reading import read, said_in, slugs_in
from .said import RotaSaid, WatchSaid
from .saying import as_form, said_here

_LINES = 3


def differences(raw: bytes, *, actor: Actor, now: datetime) -> list[str]:
    """What differs, as a unified diff from what holds here to what the document says; nothing when both say the same.

    Raises Invalid.
    """
    document = read(raw)
    names = Inwards(slugs_in(document))
    asked = replace(said_in(document, names, now=now), contacts=read_reach(document, names))
    here = said_here(actor=actor, now=now, has_leave=asked.leave is not None)
    here = WatchSaid(tuple(_as_asked(one, asked) for one in here.rotas), here.policies, here.leave)
    if asked.contacts is not None:
        require_all(actor)
        reach = {(one.person, one.team): one for one in reach_said(asked.contacts)}
        here = replace(
            here,
            contacts=tuple(
                reach_as_asked(reach[one.person, one.team], one) for one in asked.contacts if (one.person, one.team) in reach
            ),
        )
    before, after = _text(as_form(here)), _text(as_form(asked, names.new_rotas))
    return list(difflib.unified_diff(before, after, "here", "file", n=_LINES, lineterm=""))


def _as_asked(one: RotaSaid, asked: WatchSaid) -> RotaSaid:
    """A rota of here without its overrides where the document says nothing of them."""
    other = next((rota for rota in asked.rotas if rota.slug == one.slug), None)
    if other is None or other.overrides is not None:
        return one
    return RotaSaid(one.slug, one.name, one.team, one.is_active, one.versions, None)


def _text(form: dict[str, Any]) -> list[str]:
    return json.dumps(form, indent=2, ensure_ascii=False).splitlines()
