"""Where one can go in setup, in groups: its navigation and its first page are both drawn from here."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop as N_


@dataclass(frozen=True, slots=True)
class Place:
    """One page of setup. `name` is its URL name, without "setup_" what views set as `tab`; `hint` says what is there."""

    name: str
    words: str
    hint: str
    icon: str

    @property
    def tab(self) -> str:
        return self.name.removeprefix("setup_")


#: group heading -> places
GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        N_("People and teams"),
        (
            Place("setup_people", N_("People"), N_("Who they are, what they may do"), "users"),
            Place("setup_teams", N_("Teams"), N_("Who works together, who leads"), "users-group"),
            Place("setup_organizations", N_("Organizations"), N_("Business units, customers, priorities"), "building"),
            Place("setup_roles", N_("Roles"), N_("Who may do what, where"), "shield"),
        ),
    ),
    (
        N_("Services and agreements"),
        (
            Place("setup_services", N_("Services"), N_("What people report about, what it needs"), "topology-star-3"),
            Place("setup_calendars", N_("Calendars"), N_("When work is done, and which days are not"), "calendar"),
            Place("setup_agreements", N_("Agreements"), N_("What is promised, and by when"), "target"),
        ),
    ),
    (
        N_("On call"),
        (Place("setup_oncall", N_("Rotas and policies"), N_("As a file, to look through and to bring in"), "phone-call"),),
    ),
    (
        N_("Intake: mail and alerts"),
        (
            Place("setup_mail", N_("Mail that came in"), N_("What became of each, and what waits"), "mail"),
            Place("setup_mailboxes", N_("Mailboxes"), N_("Where mail is taken, and how"), "inbox"),
            Place("setup_mail_rules", N_("Mail rules"), N_("What a mail becomes that belongs to no ticket"), "filter"),
            Place("setup_mail_templates", N_("Mail templates"), N_("What mails say to those who ask"), "writing"),
            Place("setup_alert_sources", N_("Alert sources"), N_("What tells alerts, and with which key"), "activity"),
            Place("setup_alert_rules", N_("Alert rules"), N_("What is done about an alert that fires"), "list-check"),
        ),
    ),
    (
        N_("Vocabulary"),
        (
            Place("setup_categories", N_("Categories"), N_("What tickets are about"), "tags"),
            Place("setup_fields", N_("Fields"), N_("What else you want to know"), "adjustments-horizontal"),
            Place("setup_labels", N_("Words"), N_("What states and codes are called here"), "language"),
        ),
    ),
    (
        N_("System"),
        (
            Place("setup_webhooks", N_("Webhooks"), N_("What other programs are told"), "webhook"),
            Place("setup_import", N_("Import"), N_("People, teams and services from a file"), "file-import"),
            Place("setup_machinery", N_("Machinery"), N_("Whether it watches, and who watches it"), "heartbeat"),
        ),
    ),
)


def words_of(tab: str) -> str:
    """What the place is called that a page belongs to, for translation; "" for the first page and for no place."""
    return next((place.words for _, places in GROUPS for place in places if place.tab == tab), "")
