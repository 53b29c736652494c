"""How a document names things: people by e-mail address, the rest by short name; and what is meant by it here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext_noop as N_

from allswell.calendars import queries as calendars
from allswell.kernel import text
from allswell.kernel.errors import Invalid
from allswell.notifications import queries as notifications
from allswell.oncall import queries as rotas
from allswell.people import queries as people
from allswell.services import queries as services

#: people without an address, by their key in another system or their number here
_BY_KEY, _BY_ID = "ref:", "id:"


class Outwards:
    """The names of what is here."""

    def __init__(self, person_ids: Iterable[int]) -> None:
        wanted = set(person_ids)
        self.addresses = people.primary_addresses(sorted(wanted))
        rows = people.people().filter(pk__in=wanted - self.addresses.keys())
        self.keys = dict(rows.values_list("pk", "external_ref"))
        self.teams = dict(people.teams().values_list("pk", "slug"))
        self.calendars = dict(calendars.calendars().values_list("pk", "slug"))
        self.rotas = dict(rotas.rotas().values_list("pk", "slug"))
        self.services = dict(services.services().values_list("pk", "slug"))
        self.webhooks = dict(notifications.webhooks().values_list("pk", "name"))

    def person(self, pk: int | None) -> str | None:
        """An address; for people without one what they are known by elsewhere, or here."""
        if pk is None:
            return None
        if address := self.addresses.get(pk):
            return address
        key = self.keys.get(pk)
        return f"{_BY_KEY}{key}" if key else f"{_BY_ID}{pk}"

    def room(self, pk: int) -> tuple[str, str]:
        """A room of a team: the team, and what the room is called there."""
        row = notifications.contact(pk)
        if row is None or row.team_id is None:
            return "", ""
        return self.teams.get(row.team_id, ""), row.label or row.kind


class Inwards:
    """What is meant by a name. `new_rotas` are rotas of the document that are not here yet, with numbers of their own."""

    def __init__(self, new_rotas: Iterable[str] = ()) -> None:
        self.new_rotas = {slug: NEW + number for number, slug in enumerate(new_rotas)}
        self.known: dict[tuple[str, str], int | None] = {}

    def _found(self, kind: str, said: Any, at: str, look: Callable[[str], int | None], message: str) -> int:
        name = said if isinstance(said, str) else ""
        if not 0 < len(name) <= 254 or not name.isprintable():
            raise Invalid(message, field=at, name=name[:60] or "?")
        if (kind, name) not in self.known:
            self.known[kind, name] = look(name)
        found = self.known[kind, name]
        if found is None:
            raise Invalid(message, field=at, name=name[:60])
        return found

    def person(self, said: Any, at: str) -> int:
        """Whose address it is. Raises Invalid."""
        return self._found("person", said, at, _person, N_("Nobody here is known as %(name)s."))

    def team(self, said: Any, at: str) -> int:
        """A team by short name or name. Raises Invalid."""
        return self._found("team", said, at, _team, N_("There is no team %(name)s here."))

    def calendar(self, said: Any, at: str) -> int:
        """A calendar by short name. Raises Invalid."""
        return self._found("calendar", said, at, _calendar, N_("There is no calendar %(name)s here."))

    def service(self, said: Any, at: str) -> int:
        """A service by short name or name. Raises Invalid."""
        return self._found("service", said, at, _service, N_("There is no service %(name)s here."))

    def rota(self, said: Any, at: str) -> int:
        """A rota of here or of the document. Raises Invalid."""
        return self._found("rota", said, at, self._rota, N_("There is no rota %(name)s here or in this file."))

    def webhook(self, said: Any, at: str) -> int:
        """A webhook by name. Raises Invalid."""
        return self._found("webhook", said, at, _webhook, N_("There is no webhook %(name)s here, or there are several."))

    def room(self, team: int, said: Any, at: str) -> int:
        """A room of a team by its label, or its kind where it has none. Raises Invalid."""

        def look(name: str) -> int | None:
            return _only(row.pk for row in notifications.rooms_of(team) if (row.label or row.kind) == name)

        return self._found(f"room of {team}", said, at, look, N_("This team has no room %(name)s, or it has several."))

    def _rota(self, name: str) -> int | None:
        found = rotas.rotas().filter(slug=name).values_list("pk", flat=True).first()
        return found if found is not None else self.new_rotas.get(name)


#: numbers of rotas that are not here yet begin here
NEW = 2**62


def _only(found: Iterable[int]) -> int | None:
    several = list(found)
    return several[0] if len(several) == 1 else None


def _person(name: str) -> int | None:
    if name.startswith(_BY_KEY):
        row = people.person_by_ref(name.removeprefix(_BY_KEY))
    elif name.startswith(_BY_ID):
        number = text.whole(name.removeprefix(_BY_ID))
        row = people.any_person(number) if number is not None else None
    else:
        try:
            row = people.person_by_address(text.folded_address(name, field="person"))
        except Invalid:
            row = None
    return row.pk if row is not None else None


def _team(name: str) -> int | None:
    return _only(people.teams().filter(slug=name).values_list("pk", flat=True)) or _only(
        people.teams().filter(name=name).values_list("pk", flat=True)[:2]
    )


def _calendar(name: str) -> int | None:
    return _only(calendars.calendars().filter(slug=name).values_list("pk", flat=True))


def _service(name: str) -> int | None:
    return _only(services.services().filter(slug=name).values_list("pk", flat=True)) or _only(
        services.services().filter(name=name).values_list("pk", flat=True)[:2]
    )


def _webhook(name: str) -> int | None:
    return _only(notifications.webhooks().filter(name=name).values_list("pk", flat=True)[:2])
