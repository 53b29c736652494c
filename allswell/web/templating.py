"""The Jinja2 environment of our pages."""

from __future__ import annotations

import functools
from typing import Any

from django.template import engines
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from jinja2 import Environment, Template
from markupsafe import Markup

from . import show, static_files, words
from .setup import places


@functools.cache
def _sprite() -> str:
    return static_files.url("vendor/icons.svg")


@functools.lru_cache(maxsize=512)
def icon(name: str, extra: str = "") -> Markup:
    """An icon of the sprite; decorative, so always beside a word or inside a labelled control. `extra` is "s" or "l" for size."""
    return Markup('<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(extra, _sprite(), name)


def link(name: str, *args: object, **kwargs: object) -> str:
    """The address of a named page."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


@functools.cache
def link_if_any(name: str) -> str:
    """The address of a named page without arguments, "" when this installation has none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@functools.lru_cache(maxsize=4096)
def avatar(name: str, key: object = "", extra: str = "") -> Markup:
    """Initials in the person's color; the name stands beside it or in the title."""
    return Markup('<span class="av hue-{} {}" title="{}" aria-hidden="true">{}</span>').format(
        show.hue(key or name), extra, name, show.initials(name)
    )


@functools.lru_cache(maxsize=8192)
def _translated(language: str, string: str) -> Markup:
    return Markup(translation.gettext(string)) % {}  # noqa: S704 - our own words


def text(string: str, **variables: object) -> Markup:
    """A string of ours in the viewer's language, its places filled with escaped values.

    Jinja's own wrapper resolves three calls for each of the 300 strings of a page; this looks one up.
    """
    language = translation.get_language() or ""
    if not variables:
        return _translated(language, string)
    return Markup(translation.gettext(string)) % variables  # noqa: S704 - our own words, escaped values


@functools.lru_cache(maxsize=64)
def _fixed(language: str, name: str) -> Markup:
    return Markup(template(name).render())  # noqa: S704 - a template that escapes


def fixed(name: str) -> Markup:
    """A part that is the same for everybody who speaks a language, rendered once."""
    return _fixed(translation.get_language() or "", name)


def environment(**options: Any) -> Environment:
    """The environment every template is rendered in: escaping on, words translated at render time."""
    options.update(auto_reload=False, trim_blocks=True, lstrip_blocks=True, cache_size=-1)
    env = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], **options)  # noqa: S701 - autoescape comes in the options
    env.policies["ext.i18n.trimmed"] = True  # a translated block may be wrapped in the template
    env.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext, translation.ngettext, newstyle=True, pgettext=translation.pgettext, npgettext=translation.npgettext
    )
    env.globals.update(
        _=text,
        gettext=text,
        fixed=fixed,
        icon=icon,
        static=static_files.url,
        url=link,
        url_if_any=link_if_any,
        avatar=avatar,
        when=show.when,
        clock_text=show.clock_text,
        full_text=show.full_text,
        for_input=show.for_input,
        day=show.day,
        since=show.since,
        duration=show.duration,
        size=show.size,
        capped=show.capped,
        initials=show.initials,
        reference=show.reference,
        markdown=show.markdown,
        words=words,
        setup_places=places,
    )
    return env


@functools.cache
def template(name: str) -> Template:
    """A compiled template of ours."""
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    found: Template = env.get_template(name)
    return found
