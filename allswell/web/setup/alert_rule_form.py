"""The form of an alert rule: what was typed, what it means, and what a rule says in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from allswell.intake.parsers.alerts.shape import Severity
from allswell.intake.rules.routing import Act, Clear, Rule
from allswell.kernel.errors import DeskError, Invalid
from allswell.web import conditions, inputs
from allswell.web.pages import field_errors

ACTS = {
    Act.OPEN: N_("Open an incident, or join the one that is open"),
    Act.ATTACH: N_("Join an incident that is open, open none"),
    Act.RECORD: N_("Only show it among the alerts"),
}
ACTS_IN_SHORT = {
    Act.OPEN: N_("opens an incident or joins one"),
    Act.ATTACH: N_("joins an open incident"),
    Act.RECORD: N_("is only shown"),
}
CLEARS = {
    Clear.AUTO: N_("Resolve it when nobody took it, else say that the service works again"),
    Clear.RESOLVE: N_("Resolve it, whoever works on it"),
    Clear.RESTORE: N_("Say that the service works again; a person resolves it"),
    Clear.NOTE: N_("Only write it into its story"),
}
SEVERITIES = {
    Severity.CRITICAL: N_("Critical"),
    Severity.ERROR: N_("Error"),
    Severity.WARNING: N_("Warning"),
    Severity.INFO: N_("Information"),
}
_TEXTS = (
    "name",
    "source",
    "act",
    "service",
    "service_label",
    "team",
    "impact",
    "urgency",
    "policy",
    "group_by",
    "window",
    "on_clear",
)


@dataclass
class RuleForm:
    """What stands in the form, as texts."""

    name: str = ""
    source: str = ""
    act: str = Act.OPEN.value
    service: str = ""
    service_label: str = ""
    team: str = ""
    impact: str = ""
    urgency: str = ""
    policy: str = ""
    group_by: str = ""
    window: str = "30"
    on_clear: str = Clear.AUTO.value
    severities: list[str] = field(default_factory=list)
    rows: list[conditions.Row] = field(default_factory=lambda: conditions.rows_of(()))
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule) -> RuleForm:
        """A rule to be changed."""
        ids: dict[str, Any] = {
            name: str(getattr(rule, name) or "") for name in ("source", "service", "team", "impact", "urgency", "policy")
        }
        return cls(
            name=rule.name,
            act=rule.act.value,
            service_label=rule.service_label,
            group_by=", ".join(rule.group_by),
            window=f"{rule.window / 60:g}",
            on_clear=rule.on_clear.value,
            severities=[one.value for one in rule.severities],
            rows=conditions.rows_of(rule.matchers),
            **ids,
        )

    def take(self, sent: QueryDict) -> None:
        """What was sent stands in it now."""
        for name in _TEXTS:
            setattr(self, name, sent.get(name, "").strip())
        self.severities = sent.getlist("severities")
        self.rows = conditions.typed(sent)

    def make_room(self) -> None:
        """One more row, nothing else."""
        self.rows = [*self.rows, conditions.Row(len(self.rows))]

    def definition(self, sent: QueryDict) -> dict[str, Any]:
        """The rule as the use cases take it. Raises Invalid."""
        said: dict[str, Any] = {
            name: inputs.number(sent, name) for name in ("source", "service", "team", "impact", "urgency", "policy")
        }
        return said | {
            "matchers": conditions.read(self.rows),
            "severities": self.severities,
            "act": self.act,
            "service_label": self.service_label,
            "group_by": [one.strip() for one in self.group_by.split(",") if one.strip()],
            "window": self._window(),
            "on_clear": self.on_clear,
        }

    def _window(self) -> int:
        try:
            seconds = float(self.window.replace(",", ".")) * 60
            return int(seconds) if 0 <= seconds <= 1e9 else -1
        except ValueError:
            raise Invalid("Use a whole number.", field="window") from None

    def refused(self, error: DeskError) -> None:
        """What was wrong, beside its field."""
        self.errors = field_errors(error)


def in_words(rule: Rule, names: Mapping[str, Mapping[int, str]]) -> tuple[str, str]:
    """Which alerts a rule is about, and what is done about them. `names`: ids -> names of sources, services, teams, policies."""
    about = [conditions.said(one) for one in rule.matchers]
    if rule.source is not None:
        about.insert(0, _("from %(source)s") % {"source": names["source"].get(rule.source, f"#{rule.source}")})
    if rule.severities:
        about.append(_("severity: %(list)s") % {"list": ", ".join(_(SEVERITIES[one]) for one in rule.severities)})
    does = [_(ACTS_IN_SHORT[rule.act])]
    if rule.service is not None or rule.service_label:
        named = names["service"].get(rule.service or 0, f"#{rule.service}") if rule.service else ""
        labelled = _("the service its label %(label)s names") % {"label": rule.service_label} if rule.service_label else ""
        does.append(_(", else ").join(one for one in (labelled, named) if one))
    named_too = [(part, getattr(rule, part)) for part in ("team", "policy")]
    does += [names[part].get(number, f"#{number}") for part, number in named_too if number is not None]
    return "; ".join(about) or _("every alert"), " · ".join(does)
