"""HTML of mails as text, in one pass and without a browser's patience: whatever is broken ends at its own tag."""

from __future__ import annotations

import html
import re

from .limits import Limits

_NAME = re.compile(r"/?[A-Za-z][A-Za-z0-9:_-]{0,30}")
_ANY = re.compile(r"<[!/?A-Za-z]")
_STOP = re.compile(r"[\"'>]")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}+;?")
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_BLANKS = re.compile(r"\n[ \t\n]*\n[ \t]*\n")
_ATTRIBUTE = re.compile(r"(?:^|\s)(href|src|alt)\s{0,5}=\s{0,5}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_SKIPPED = {"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "select", "textarea", "iframe"}
_BLOCKS = {
    "p",
    "div",
    "table",
    "tr",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "blockquote",
    "section",
    "article",
} | {
    "header",
    "footer",
    "center",
    "dl",
    "dd",
    "dt",
    "form",
    "fieldset",
    "address",
    "figure",
}
_SPACED = {"p", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table"}
_EMPTY = {"br", "hr", "img", "input", "meta", "link", "col", "area", "base", "wbr", "embed", "source", "track", "param"}
_DEEPEST_QUOTE = 8


class _Scan:
    """Finds the tags of a page, each character looked at a bounded number of times."""

    def __init__(self, page: str) -> None:
        self.page, self.missing = page, {"-->": False, ">": False, '"': False, "'": False}

    def _find(self, what: str, at: int) -> int:
        if self.missing[what]:
            return -1
        hit = self.page.find(what, at)
        self.missing[what] = hit < 0
        return hit

    def end_of(self, at: int) -> int:
        """Where the tag that begins at `at` ends; -1 where it never does. A > between quotes after = does not end it."""
        page = self.page
        if page.startswith("<!--", at):
            hit = self._find("-->", at + 2)
            return hit + 3 if hit >= 0 else self._find(">", at) + 1 or -1
        at += 1
        while stop := _STOP.search(page, at):
            at = stop.end()
            if stop.group() == ">":
                return at
            if page[max(0, at - 8) : at - 1].rstrip().endswith("="):
                closing = self._find(stop.group(), at)
                at = closing + 1 if closing >= 0 else at
        return -1


def too_costly(page: str, limits: Limits) -> str:
    """Why this page should not go through a sanitizer; "" where it may."""
    if len(page) > limits.html:
        return "the page is too long to be shown"
    depth = most = 0
    for match in _ANY.finditer(page):
        following = _NAME.match(page, match.start() + 1)
        if following is None or following.group().lstrip("/").lower() in _EMPTY:
            continue
        depth = max(0, depth - 1) if following.group()[0] == "/" else depth + 1
        most = max(most, depth)
    return "the page is nested too deeply to be shown" if most > limits.html_depth else ""


def page_of(text: str) -> str:
    """A plain text as a page."""
    return f"<pre>{html.escape(text)}</pre>"


def text_of(page: str, limits: Limits) -> str:
    """What a page says, as text: paragraphs, lists, quotes (`> `), links with where they lead, images as `[cid:…]` or their words."""
    page = page[: limits.html]
    if not page.strip():
        return ""
    writer = _Writer()
    scan, at = _Scan(page), 0
    while match := _ANY.search(page, at):
        writer.say(page[at : match.start()])
        end = scan.end_of(match.start())
        if end < 0:
            at = len(page)
            break
        name = _NAME.match(page, match.start() + 1)
        if name is not None:
            writer.tag(name.group().lower(), page[name.end() : end - 1])
        at = end
    writer.say(page[at:])
    return writer.done()


class _Writer:
    """Puts the text of a page together, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.skipping = ""
        self.quotes = self.pre = 0
        self.links: list[tuple[str, int]] = []

    def say(self, said: str) -> None:
        """Text between two tags."""
        if self.skipping or not said:
            return
        if "&" in said:
            said = html.unescape(_LONG_NUMBER.sub("\ufffd", said))
        if self.pre:
            first, *others = said.split("\n")
            self.line.append(first)
            for one in others:
                self._end(keep=True)
                self.line.append(one)
            return
        self.line.append(_SPACE.sub(" ", said))

    def tag(self, name: str, rest: str) -> None:
        """A tag, opening or closing (`/p`), with its attributes unread."""
        is_closing, name = name[0] == "/", name.lstrip("/")
        if self.skipping:
            if (is_closing and name == self.skipping) or name == "body":
                self.skipping = ""
            return
        if name in _SKIPPED:
            self.skipping = name if not is_closing and not rest.endswith("/") else ""
        elif name == "br":
            self._end(keep=True)
        elif name in _BLOCKS:
            self._block(name, is_closing)
        elif name == "hr":
            self._end()
            self.lines.append(self._quoted("-" * 20))
        elif name == "li" and not is_closing:
            self._end()
            self.line.append("- ")
        elif name in ("td", "th") and is_closing:
            self.line.append(" ")
        elif name == "a":
            self._link(is_closing, rest)
        elif name == "img":
            self._image(rest)

    def _block(self, name: str, is_closing: bool) -> None:
        self._end()
        if name in _SPACED and self.lines and self.lines[-1].strip("> "):
            self.lines.append(self._quoted(""))
        if name == "blockquote":
            self.quotes = max(0, self.quotes - 1) if is_closing else min(_DEEPEST_QUOTE, self.quotes + 1)
        elif name == "pre":
            self.pre = 0 if is_closing else 1

    def _link(self, is_closing: bool, rest: str) -> None:
        if not is_closing:
            self.links = [(_attributes(rest).get("href", ""), len(self.line))]
        elif self.links:
            target, begun = self.links.pop()
            said = "".join(self.line[begun:]).strip()
            if target.lower().startswith(("http://", "https://")) and said and target.rstrip("/") not in (said, said.rstrip("/")):
                self.line.append(f" <{target[:2_000]}>")

    def _image(self, rest: str) -> None:
        given = _attributes(rest)
        if given.get("src", "").lower().startswith("cid:"):
            self.line.append(f"[{given['src'][:200]}]")
        elif given.get("alt", "").strip():
            self.line.append(f"[{_SPACE.sub(' ', given['alt'])[:200]}]")

    def _quoted(self, line: str) -> str:
        return ("> " * self.quotes + line).rstrip() if self.quotes else line

    def _end(self, *, keep: bool = False) -> None:
        said = "".join(self.line)
        said = said.rstrip() if self.pre else _SPACE.sub(" ", said).strip()
        self.line, self.links = [], []
        if said or keep:
            self.lines.append(self._quoted(said))

    def done(self) -> str:
        """The whole text."""
        self._end()
        return _BLANKS.sub("\n\n", "\n".join(self.lines).replace("\u200b", "").replace("\u00ad", "")).strip("\n")


def _attributes(rest: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(rest[:20_000]):
        value = next((one for one in match.groups()[1:] if one is not None), "")
        found.setdefault(match.group(1).lower(), html.unescape(_LONG_NUMBER.sub("", value)).strip())
    return found
