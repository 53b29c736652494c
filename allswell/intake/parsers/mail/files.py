"""Files that come with a mail, under names that harm nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import head
from .limits import Limits

_PATH = re.compile(r"[/\\]+")
_UNSAFE = re.compile(r"[<>:\"|?*\x00-\x1f\x7f]")
_ENDINGS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/ms-tnef": ".dat",
    "message/rfc822": ".eml",
    "message/global": ".eml",
}
NAME_LIMIT = 150


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail. `is_inline`: meant to stand in the text, where `[cid:content_id]` is."""

    name: str
    content_type: str
    content_id: str
    size: int
    payload: bytes
    is_inline: bool


def safe_name(said: str, content_type: str, number: int, limits: Limits) -> str:
    """The last part of the name a sender gave, without what a file system or a screen could misread; a made-up one where none is left."""
    name = _PATH.split(head.words(said[:4_000], limits, 2_000).rstrip("/\\ "))[-1]
    name = _UNSAFE.sub("_", name).strip(". ")
    if not name.strip("_"):
        return f"file-{number}{_ENDINGS.get(content_type, '')}"
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 20:
        return name[:NAME_LIMIT]
    return stem[: NAME_LIMIT - len(ending) - 1] + dot + ending
