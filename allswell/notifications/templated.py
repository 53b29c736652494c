"""The words an organization chose, filled: as plain text, and as HTML in which nothing that fills them is markup of its own."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import override

from .rules.templates import LONG, Hole, MailKind, Pieces, Template, filled, lines

_SENTENCES = {
    MailKind.RECEIVED: N_("We have received this. Its number is %(reference)s."),
    MailKind.REPLIED: N_("%(who)s wrote:"),
    MailKind.WAITING: N_("We wait for your answer."),
    MailKind.RESTORED: N_("It works again. The cause is still being looked at."),
    MailKind.RESOLVED: N_("It is solved. If it is not, answer in the ticket and it is open again."),
    MailKind.REOPENED: N_("It is open again."),
    MailKind.CLOSED: N_("It is closed."),
    MailKind.CANCELLED: N_("It was cancelled."),
}


def built_in(kind: MailKind, locale: str) -> tuple[str, str]:
    """The subject and the text that stand where nobody chose others, written as a template to begin with."""
    with override(locale):
        said = _(_SENTENCES[kind]) % {"reference": "{{ticket.reference}}", "who": "{{agent.name}}"}
    quoted = "\n\n{{reply}}" if kind is MailKind.REPLIED else ""
    return "[{{ticket.reference}}] {{ticket.title}}", f"{said}{quoted}\n\n{{{{link}}}}"


def plain(template: Template, values: Mapping[str, str]) -> list[str]:
    """The lines of the plain part."""
    return "\n".join(filled(row, values) for row in lines(template.text, values)).splitlines()


def page(template: Template, values: Mapping[str, str], *, rich: Callable[[str], str]) -> list[str]:
    """The paragraphs of the HTML part. A reply or resolution on a line of its own keeps its formatting, as `rich` makes it harmless."""
    parts: list[str] = []
    open_rows: list[str] = []
    for row in (*lines(template.text, values), ()):
        alone = row[0] if len(row) == 1 else None
        is_rich = isinstance(alone, Hole) and alone.name in LONG
        if (is_rich or not row) and open_rows:
            parts.append(f"<p>{'<br>'.join(open_rows)}</p>")
            open_rows = []
        if isinstance(alone, Hole) and is_rich:
            parts.append(f"<blockquote>{rich(values.get(alone.name, ''))}</blockquote>")
        elif row:
            open_rows.append(_inline(row, values))
    return parts


def _inline(row: Pieces, values: Mapping[str, str]) -> str:
    found = []
    for piece in row:
        said = html.escape(values.get(piece.name, "") if isinstance(piece, Hole) else piece).replace("\n", "<br>")
        is_link = isinstance(piece, Hole) and piece.name == "link" and said
        found.append(f'<a href="{said}">{said}</a>' if is_link else said)
    return "".join(found)
