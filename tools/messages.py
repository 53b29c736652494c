"""The words of the screens: collect them from the code, bring the catalogs up to date, compile them.

    make messages

An error of the desk is an English sentence given to its class (`Invalid("This is needed.")`); entry points translate it, so these
classes are collected from like `gettext`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "allswell" / "locale"
LANGUAGES = ("de",)
_NO_DATE = datetime(2026, 11, 23, tzinfo=UTC)

_METHODS = [("**/migrations/**", "ignore"), ("**.py", "python"), ("web/templates/**.html", "jinja2")]
_OPTIONS = {
    "web/templates/**.html": {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do", "encoding": "utf-8"},
    "**.py": {"encoding": "utf-8"},
}
_ERRORS = ("DeskError", "Invalid", "NotAllowed", "NotFound", "Stale", "Conflict", "TooMany", "NeverOpen", "NeverCloses")
KEYWORDS: dict[str, object] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    **dict.fromkeys(_ERRORS),
}


def collected() -> Iterator[tuple[str, int, object, list[str], str | None]]:
    """(file, line, message, comments, context) of every string marked in the code."""
    yield from extract_from_dir(ROOT / "allswell", _METHODS, _OPTIONS, KEYWORDS, comment_tags=("For translators:",))


_ABOUT: dict[str, Any] = {
    "project": "Allswell",
    "version": "0",
    "copyright_holder": "The Allswell developers",
    "charset": "utf-8",
    "fuzzy": False,
    "header_comment": "# The words of Allswell. Brought up to date by `make messages`.",
    # a date in the header would make every two branches conflict
    "creation_date": _NO_DATE,
    "revision_date": _NO_DATE,
    "last_translator": "The Allswell developers",
    "language_team": "German",
    "msgid_bugs_address": "see SECURITY.md and README.md",
}


def template() -> Catalog:
    """All messages of the code, without translations."""
    catalog = Catalog(**_ABOUT)
    for file, _line, message, comments, context in sorted(collected(), key=lambda found: (found[0], found[1])):
        if isinstance(message, str) and not message.strip():
            continue  # " ".join(…) in an error
        catalog.add(message, None, [(file, None)], auto_comments=comments, context=context)  # type: ignore[arg-type]
    return catalog


def po_path(language: str) -> Path:
    """Where a language's catalog stands."""
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """A language's catalog as it is committed."""
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """A catalog as the program reads it."""
    written = io.BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def _forms(text: object) -> list[str]:
    return [str(form) for form in text] if isinstance(text, list | tuple) else [str(text)]


def same_words(mo: bytes, catalog: Catalog) -> bool:
    """Whether a compiled catalog says what the catalog says."""

    def words(found: Catalog) -> dict[object, str]:
        # what is not translated is not compiled; one form or several, lists or tuples, say the same
        return {(message.context, *_forms(message.id)): "|".join(_forms(message.string)) for message in found if message.id}

    return words(read_mo(io.BytesIO(mo))) == words(read_mo(io.BytesIO(compiled(catalog))))


def update(language: str) -> list[str]:
    """Bring a catalog up to date with the code and compile it; answers what is not translated yet."""
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = read(language) if path.exists() else Catalog(locale=language, **_ABOUT)
    catalog.update(template(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write(file, catalog)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return untranslated(catalog)


def write(file: IO[bytes], catalog: Catalog) -> None:
    """A catalog as it is committed: no line numbers, so that a moved line changes nothing."""
    write_po(file, catalog, width=120, include_lineno=False, sort_output=True, ignore_obsolete=True)


def untranslated(catalog: Catalog) -> list[str]:
    """The messages without (or with half) a translation."""
    missing = []
    for message in catalog:
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, list | tuple) else [message.string]
        if message.fuzzy or not all(strings):
            missing.append(str(message.id))
    return missing


if __name__ == "__main__":
    left = {language: update(language) for language in LANGUAGES}
    for language, missing in left.items():
        print(f"{language}: {len(missing)} not translated yet")
        for text in missing:
            print(f"  {text!r}")
