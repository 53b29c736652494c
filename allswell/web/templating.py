"""The Jinja2 environment of our pages."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment


def environment(**options: Any) -> Environment:
    """The environment every template is rendered in."""
    return Environment(**options)  # noqa: S701 - autoescape comes in the options
