"""The words of notices about handing over a shift. `step` is what happened."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from .letters import Said

_SUBJECTS = {
    "drafted": N_("Hand over your shift: %(rota)s"),
    "late": N_("Hand over your shift: %(rota)s"),
    "signed": N_("Take the shift: %(rota)s"),
    "begins": N_("Take the shift: %(rota)s"),
    "missed": N_("Take the shift: %(rota)s"),
    "accepted": N_("The shift is taken: %(rota)s"),
    "escalated": N_("Nobody has taken the shift: %(rota)s"),
    "lapsed": N_("Nobody took the shift: %(rota)s"),
    "called_off": N_("Nothing to hand over: %(rota)s"),
}
_SENTENCES = {
    "drafted": N_("Your shift goes to %(other)s soon. What they must know is drafted: read it, add what is missing, sign it."),
    "late": N_(
        "Your shift went to %(other)s. The handover is drafted late, because nothing was watching at the change: sign it."
    ),
    "signed": N_("%(other)s has signed the handover. Read it and take the shift."),
    "begins": N_("Your shift has begun. %(other)s waits for you to take it."),
    "accepted": N_("%(other)s has taken the shift."),
    "escalated": N_("%(other)s has not taken the shift in time."),
    "missed": N_("You have not taken the shift of %(other)s in time. Their lead is told."),
    "lapsed": N_("Nobody took the shift: the handover to %(other)s is over."),
    "called_off": N_("The shifts have moved, and there is nothing to hand over any more."),
}


def subject(said: Said) -> str:
    """The subject line."""
    return _(_SUBJECTS.get(str(said.facts.get("step")), _SUBJECTS["begins"])) % {"rota": said.facts.get("title", "")}


def sentence(said: Said) -> str:
    """What happened, in one sentence or two."""
    names = {"other": said.facts.get("other_name") or _("Somebody")}
    return _(_SENTENCES.get(str(said.facts.get("step")), _SENTENCES["begins"])) % names
