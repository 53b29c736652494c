"""German is whole, and every page stands a language that is longer and uses other letters."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from django.conf import LazySettings
from django.test import Client
from django.utils.translation import trans_real

from allswell.desk import announcements
from allswell.desk import tickets as desk
from tests.support.world import World
from tools import messages

Browser = Callable[..., Client]
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}|<[^>]+>|%%")
ACCENTS = str.maketrans("aeiounAEIOUNcsyz", "áéíöüñÁÉÍÖÜÑçšýž")


def forms(text: object) -> list[str]:
    return [str(form) for form in text] if isinstance(text, list | tuple) else [str(text)]


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_no_word_lacks_its_translation(language: str) -> None:
    catalog = messages.read(language)
    known = {(message.context, message.id) for message in catalog}
    missing = [message.id for message in messages.template() if message.id and (message.context, message.id) not in known]
    assert not missing, "run make messages"
    assert not messages.untranslated(catalog)


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_translation_has_the_places_of_its_message(language: str) -> None:
    for message in messages.read(language):
        if not message.id or not all(forms(message.string)):
            continue
        expected = set(PLACE.findall(forms(message.id)[-1]))
        for form in forms(message.string):
            # a singular may say "one" in a word
            assert set(PLACE.findall(form)) == expected or set(PLACE.findall(form)) == set(PLACE.findall(forms(message.id)[0])), (
                form
            )


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_the_compiled_catalog_says_what_the_catalog_says(language: str) -> None:
    compiled = messages.po_path(language).with_suffix(".mo").read_bytes()
    assert messages.same_words(compiled, messages.read(language)), "run make messages"


def stretched(text: str) -> str:
    """A text as a longer language with other letters would have it, places kept: Home -> ⟦Höméxx⟧."""
    parts = PLACE.split(text)
    kept = PLACE.findall(text)
    accented = [part.translate(ACCENTS) for part in parts]
    body = "".join(part + place for part, place in zip(accented, [*kept, ""], strict=True))
    return f"⟦{body}{'x' * (len(text) * 35 // 100)}⟧"


@pytest.fixture
def stretched_language(tmp_path: Path, settings: LazySettings) -> Iterator[str]:
    """A language "xx" in which every word of ours is stretched."""
    catalog = Catalog(locale="de", charset="utf-8")
    for message in messages.template():
        if message.id:
            texts = forms(message.id)
            string = tuple(map(stretched, texts)) if len(texts) > 1 else stretched(texts[0])
            catalog.add(message.id, string, context=message.context)  # type: ignore[arg-type]
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    (folder / "django.mo").write_bytes(compiled.getvalue())
    settings.LOCALE_PATHS = [*settings.LOCALE_PATHS, tmp_path]
    settings.LANGUAGES = [*settings.LANGUAGES, ("xx", "Stretched")]
    yield "xx"
    trans_real._translations.pop("xx", None)


class Words(HTMLParser):
    """What a page says, outside of elements that hold what people wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        for name, value in attrs:
            if name in ("aria-label", "placeholder") and value:
                self.said.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, text: str) -> None:
        if not self._silent and text.strip():
            self.said.append(text.strip())


def test_every_word_of_the_portal_is_translated(world: World, browser: Browser, stretched_language: str) -> None:
    world.maria.locale = stretched_language
    world.maria.save()
    ticket = world.report(title="0001", description="0002", service=world.lookup.slug)
    announcement = announcements.announce(ticket.pk, title="0003", body="0004", is_for_all=True, **world.by(world.jonas))
    announcements.update(announcement.pk, body="0005", **world.by(world.jonas))
    desk.reply(ticket.pk, body="0006", **world.by(world.jonas))
    done = world.report(title="0007")
    desk.resolve(done.pk, resolution="0008", **world.by(world.jonas))
    client = browser(world.maria)
    names = [row.name for row in (world.lookup, world.printing, world.maria, world.jonas, world.branch)]
    ours = re.compile(r"⟦[^⟦⟧]*⟧")
    for address in (
        "/",
        "/report?q=0003",
        "/request",
        "/my/",
        f"/my/{ticket.pk}",
        f"/my/{done.pk}",
        "/status/",
        "/profile/notices",
    ):
        response = client.get(address)
        assert response.status_code == 200
        html = response.content.decode()
        assert html.count("⟦") > 10
        page = Words()
        page.feed(html)
        said = "\n".join(page.said)
        while "⟦" in said:  # a word of ours may stand inside a sentence of ours
            said = ours.sub("", said)
        for name in sorted(names, key=len, reverse=True):
            said = said.replace(name, "")
        left = set(re.findall(r"[A-Za-z]{3,}", said)) - {"Allswell", "INC", "Maria", "min", "You"}
        assert not left, f"{address} says {left} in no language"


def test_the_desk_stands_a_longer_language(world: World, browser: Browser, stretched_language: str) -> None:
    for person in (world.jonas, world.ada):
        person.locale = stretched_language
        person.save()
    ticket = world.report(service=world.lookup.slug)
    for person in (world.jonas, world.ada):
        client = browser(person)
        first = client.get("/desk/").content.decode()
        rail = re.findall(r'href="(/[^"#?]*)"', first[first.index('class="nav"') : first.index("</nav>")])
        assert rail
        for address in {*rail, "/profile", f"/tickets/{ticket.pk}", f"/tickets/{ticket.pk}/announce"} - {"/"}:
            response = client.get(address)
            assert response.status_code in (200, 404) if person == world.ada else response.status_code == 200, address
            assert response.content.decode().count("⟦") > 2, address


def test_german_people_read_german(world: World, browser: Browser) -> None:
    world.maria.locale = "de"
    world.maria.save()
    client = browser(world.maria)
    html = client.get("/").content.decode()
    assert '<html lang="de"' in html
    assert "Maria. Was ist los?" in html
    refused = client.post("/report", {"q": "Drucker", "can_work": "yes", "description": "x" * 100_001})
    assert "Höchstens 100000 Zeichen." in refused.content.decode()
