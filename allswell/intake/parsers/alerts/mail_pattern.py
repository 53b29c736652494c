"""Mails of monitoring tools, backup programs and appliances: an alert read by patterns that people write on a sample.

A pattern is what a mail says, with holes in it: its first line is the subject, `[{state}] {host}: {summary}`, every further one is found
in a line of the text. Nothing in it is an expression: text is looked for from left to right, and a hole takes what stands between two
texts. `{state}` is a word for what became of it, `{key}` names the alert, `{severity}` is how bad it is, `{summary}` its title, `{*}` is
left out; every other hole becomes a label. Without patterns, a mail is an alert whose subject says that something began or is over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from fnmatch import translate
from typing import Any

from .reading import instant, json_object, listed, said
from .severities import SEVERITIES, severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, clean_report, refusal
from .states import action_of, chosen
from .titles import said_in, without_state

_HOLE = re.compile(r"\{([a-z_][a-z0-9_]{0,40}|\*)\}")
_SUBJECT, _HOLES = 1_000, 12
#: patterns of a source, lines of one, characters of a line, words; lines of a mail that are looked at
PATTERNS, LINES, LINE, WORDS, LOOKED_AT = 20, 8, 300, 100, 200
SETTINGS = {"patterns", "subjects", "senders", "words", "key", "otherwise", "only_proven"}
#: what becomes of a mail that no pattern fits
OTHERWISE = ("hold", "ticket")
NO_PATTERN = "No pattern fits this mail."
_FIELDS = ("from", "subject", "date")


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """The alert of a mail: `{"subject", "from", "text", "date", "url"}` as the desk keeps it, or as people paste it, with its head."""
    try:
        if request.body.lstrip()[:1] == b"{":
            mail: dict[str, Any] = json_object(request.body)
        else:
            mail = _pasted(request.body)
        at = instant(mail.get("date"))
        url = said(mail.get("url"))
        found = report_of(said(mail.get("subject")), said(mail.get("from")), said(mail.get("text")), at, options, url=url)
    except Malformed as error:
        return refusal(str(error))
    return refusal(NO_PATTERN) if found is None else accepted([found])


def report_of(
    subject: str, sender: str, text: str, happened_at: datetime | None, options: Options, *, url: str = ""
) -> AlertReport | None:
    """The alert of a mail by the settings of its source. None for a mail that is no alert by them."""
    senders = [said(one).lower() for one in listed(options.get("senders"))]
    if senders and not any(re.fullmatch(translate(one), sender.strip().lower()[:300]) for one in senders if one.count("*") <= 2):
        return None
    subject = _plain(subject)
    lines = [plain for line in text[:50_000].splitlines()[: LOOKED_AT * 2] if (plain := _plain(line))][:LOOKED_AT]
    patterns = _patterns(options)
    holes = next((found for one in patterns if (found := _fitted_all(one, subject, lines)) is not None), None)
    state = (holes or {}).pop("state", "")
    meant = chosen(options.get("words"), state) if state else None
    action = _meaning(meant) or action_of(state) or said_in(subject)
    if holes is None and (patterns or action is None):
        return None
    labels = dict(holes or {})
    named = "/".join(value for name in listed(options.get("key")) if (value := labels.get(said(name))))
    return clean_report(
        action or Action.FIRE,
        labels.pop("key", "") or named or without_state(subject) or subject,
        title=labels.pop("summary", "") or subject,
        text=text,
        severity=severity_of(labels.get("severity"), meant, state),
        labels=labels,
        links=[("Mail", url)] if url else [],
        happened_at=happened_at,
    )


def judge(options: Options) -> None:
    """Whether these settings make sense. Raises Malformed with what is wrong."""
    if unknown := set(options) - SETTINGS:
        raise Malformed(f"There is no setting “{min(map(str, unknown))}”.")
    for name in ("patterns", "subjects", "senders", "key"):
        some = options.get(name, [])
        if not isinstance(some, list) or not all(isinstance(one, str) and one.strip() for one in some):
            raise Malformed(f"“{name}” is a list of texts.")
        if len(some) > PATTERNS:
            raise Malformed(f"“{name}” holds at most {PATTERNS}.")
    holes = {hole for pattern in _patterns(options) for line in _judged(pattern) for hole in _HOLE.findall(line)}
    for name in options.get("key", []):
        if name not in holes:
            raise Malformed(f"No pattern has the hole “{name}”, which the key asks for.")
    words = options.get("words", {})
    if not isinstance(words, dict) or len(words) > WORDS:
        raise Malformed(f"“words” is an object of at most {WORDS} words.")
    for name, meant in words.items():
        if _meaning(meant) is None:
            raise Malformed(f"“{name}” means neither that it fires, nor how bad it is, nor that it is over.")
    if options.get("otherwise", "hold") not in OTHERWISE:
        raise Malformed("“otherwise” is hold or ticket.")
    if not isinstance(options.get("only_proven", False), bool):
        raise Malformed("“only_proven” is true or false.")


def fitted(pattern: str, subject: str) -> dict[str, str] | None:
    """What stands in the holes of a pattern, None when it does not fit. Raises Malformed for a pattern that could mean two things."""
    texts, names = _parts(pattern)
    if not subject.startswith(texts[0]):
        return None
    if not names:
        return {} if subject == texts[0] else None
    found, at = {}, len(texts[0])
    for number, (name, text) in enumerate(zip(names, texts[1:], strict=True), start=1):
        # the last text ends the line; every other is looked for once, from where the one before it ended
        end = len(subject) - len(text) if number == len(names) else subject.find(text, at)
        if end < at or not subject.startswith(text, end):
            return None
        if name != "*":
            found[name] = subject[at:end].strip()
        at = end + len(text)
    return found


def _fitted_all(pattern: str, subject: str, lines: Sequence[str]) -> dict[str, str] | None:
    """What stands in the holes of all lines of a pattern; what an earlier one found stays."""
    first, *others = _lines(pattern)
    found = fitted(first, subject)
    for wanted in others if found is not None else ():
        more = next((holes for line in lines if (holes := fitted(wanted, line)) is not None), None)
        if more is None:
            return None
        found = more | (found or {})
    return found


def _parts(pattern: str) -> tuple[Sequence[str], Sequence[str]]:
    parts: Sequence[str] = _HOLE.split(pattern)
    texts, names = parts[::2], parts[1::2]
    if len(names) > _HOLES or any(not text for text in texts[1:-1]):
        raise Malformed("Between two holes of a pattern there is some text.")
    return texts, names


def _judged(pattern: str) -> list[str]:
    lines = _lines(pattern)
    if len(lines) > LINES or any(len(line) > LINE for line in lines):
        raise Malformed(f"A pattern has at most {LINES} lines of {LINE} characters.")
    for line in lines:
        _parts(line)
        if "{" in _HOLE.sub("", line):
            raise Malformed("A hole is a name of small letters between { and }.")
    return lines


def _patterns(options: Options) -> list[str]:
    """The patterns of a source; `subjects` are such that look at nothing else."""
    some = [*listed(options.get("patterns")), *listed(options.get("subjects"))]
    return [one for pattern in some if (one := said(pattern)).strip()]


def _lines(pattern: str) -> list[str]:
    return [plain for line in pattern.splitlines() if (plain := _plain(line))] or [""]


def _plain(line: str) -> str:
    return " ".join(line[:_SUBJECT].split())


def _meaning(word: object) -> Action | None:
    """What a word of a source stands for: what became of it, or how bad it is, which says that it fires."""
    if word is None:
        return None
    return action_of(word) or (Action.FIRE if said(word).strip().lower() in SEVERITIES else None)


def _pasted(body: bytes) -> dict[str, Any]:
    """A mail as people see it: From, Subject and Date, an empty line, its text. Without a head, its first line is the subject."""
    lines = body.decode(errors="replace").replace("\r\n", "\n").lstrip().split("\n")
    found: dict[str, Any] = {}
    for number, line in enumerate(lines):
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() in _FIELDS and name.strip().lower() not in found:
            found[name.strip().lower()] = value.strip()
            continue
        if not found:
            return {"subject": line, "text": "\n".join(lines[number + 1 :]).strip()}
        return found | {"text": "\n".join(lines[number:]).strip()}
    return found
