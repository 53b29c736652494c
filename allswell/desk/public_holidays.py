"""The holidays of countries and their parts, as dates. Only what is written down here reaches a calendar."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable
from datetime import date
from types import ModuleType
from typing import Any

from babel import Locale
from django.conf import settings

from allswell.calendars.rules import Day
from allswell.kernel.errors import Invalid


def _library() -> ModuleType:
    import holidays  # noqa: PLC0415 - a tenth of a second, needed when a calendar is set up only

    return holidays


def countries(language: str) -> list[tuple[str, str]]:
    """(code, name) of the countries whose holidays are known, by name in a language."""
    names = Locale.parse(language, sep="-").territories
    return sorted(((code, names.get(code, code)) for code in codes()), key=lambda pair: pair[1].casefold())


@functools.cache
def codes() -> frozenset[str]:
    """The countries whose holidays are known, as ISO 3166-1 codes."""
    return frozenset(one[1] for one in _library().registry.COUNTRIES.values() if len(one[1]) == 2)


def subdivisions(country: str) -> list[tuple[str, str]]:
    """(code, name) of the parts of a country with holidays of their own; none for a country that is not known."""
    if country not in codes():
        return []
    found = _made(country, "", range(0))
    names: dict[str, str] = {}
    for name, code in getattr(found, "subdivisions_aliases", {}).items():
        names.setdefault(code, name)
    return sorted(((code, names.get(code, code)) for code in found.subdivisions), key=lambda pair: pair[1].casefold())


def days_of(country: str, subdivision: str, years: range, *, left_out: Iterable[str] = ()) -> dict[date, Day]:
    """The public holidays, closed all day, but those called by a name that is left out. Raises Invalid on country and subdivision."""
    if not country:
        return {}
    if country not in codes():
        raise Invalid("Choose one of the list.", field="country")
    if subdivision and subdivision not in dict(subdivisions(country)):
        raise Invalid("Choose one of the list.", field="subdivision")
    unwanted = set(left_out)
    found = _made(country, subdivision, years)
    named = {on: [name for name in found.get_list(on) if name not in unwanted] for on in found}
    return {on: Day("; ".join(names)[:120]) for on, names in sorted(named.items()) if names}


def names_of(country: str, subdivision: str, years: range) -> list[str]:
    """What the holidays of these years are called, in the order of the last of the years they are in."""
    if country not in codes() or (subdivision and subdivision not in dict(subdivisions(country))):
        return []
    found = _made(country, subdivision, years)
    names: dict[str, tuple[int, int]] = {}
    for on in sorted(found):
        names |= dict.fromkeys(found.get_list(on), (on.month, on.day))
    return sorted(names, key=lambda name: names[name])


def _made(country: str, subdivision: str, years: range) -> Any:
    library = _library()
    kind = getattr(library, country)
    spoken = {code: code for code in kind.supported_languages} | {
        code.partition("_")[0]: code for code in kind.supported_languages
    }
    language = spoken.get(settings.LANGUAGE_CODE.partition("-")[0], kind.default_language)
    known = range(max(years.start, kind.start_year), min(years.stop, kind.end_year + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so when some of a country's days are known for fewer years
        return library.country_holidays(country, subdiv=subdivision or None, years=known, language=language)
