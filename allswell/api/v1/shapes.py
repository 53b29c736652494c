"""Small shapes that many answers share, and the way to read them from rows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct

from allswell.api.contract import Id

Level = Annotated[int, Meta(ge=1, le=4, description="1 (highest) to 4.")]
Instant = Annotated[datetime, Meta(tz=True)]
Slug = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]


class PersonRef(Struct):
    """A person, as far as anyone who sees the thing may know them."""

    id: int
    name: str


class NamedRef(Struct):
    """A team, organization or service: its id, its short name for addresses, its name."""

    id: int
    slug: str
    name: str


def person_ref(id: int | None, name: str | None) -> PersonRef | None:
    """From two columns of a row."""
    return None if id is None else PersonRef(id, name or "")


def named_ref(id: int | None, slug: str | None, name: str | None) -> NamedRef | None:
    """From three columns of a row."""
    return None if id is None else NamedRef(id, slug or "", name or "")


def changes(body: Any) -> dict[str, Any]:
    """The fields of a PATCH that were sent."""
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}


#: an id, or a short name
Ref = Id | Annotated[str, Meta(min_length=1, max_length=60, pattern="^[A-Za-z0-9_-]+$")]
Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"\S")]
Email = Annotated[str, Meta(max_length=254)]
