"""A page into a channel of a chat: Slack, Mattermost, Microsoft Teams (Workflows) and Matrix, each in its own form."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from allswell.notifications import addresses, page_wording
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer

from . import calling, guarded_http

#: Slack refuses a section of more than 3000 characters; Teams a message of more than 28 KB
TEXT_LIMIT = 2500
_SECTION_LIMIT = 3000
_HEADER_LIMIT = 150


def _mrkdwn(text: str) -> str:
    """Text in which Slack finds no mention, no link and no entity of somebody's making."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack(message: PageMessage) -> dict[str, Any]:
    """Blocks of Slack: a heading, the text as it is, a button that opens the page. `text` is what the phone shows."""
    text = _mrkdwn(page_wording.cut(message.text, TEXT_LIMIT)) or "-"
    if len(text) > _SECTION_LIMIT:
        text = _mrkdwn(page_wording.cut(message.text, _SECTION_LIMIT // len("&amp;")))
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": page_wording.cut(message.headline, _HEADER_LIMIT)}},
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}},
    ]
    if message.link:
        opens: dict[str, Any] = {
            "type": "button",
            "text": {"type": "plain_text", "text": page_wording.buttons(message.locale).open},
            "url": message.link,
            "style": "primary",
        }
        blocks.append({"type": "actions", "elements": [opens]})
    return {"text": _mrkdwn(message.headline), "blocks": blocks}


def _unmarked(text: str) -> str:
    """Text in which Markdown and mentions stay what they look like."""
    for mark in "\\`*_[]()#!|<>~":
        text = text.replace(mark, "\\" + mark)
    return text.replace("@", "@\u200b")


def mattermost(message: PageMessage) -> dict[str, Any]:
    """An attachment of Mattermost, its title the link that opens the page. Nobody is mentioned by a ticket's title."""
    return {
        "text": "",
        "attachments": [
            {
                "fallback": message.headline,
                "color": "#c62828" if message.urgency == "urgent" else "#1565c0",
                "title": _unmarked(message.headline),
                "title_link": message.link,
                "text": _unmarked(page_wording.cut(message.text, TEXT_LIMIT)),
            }
        ],
    }


def teams(message: PageMessage) -> dict[str, Any]:
    """An adaptive card in the envelope Workflows asks for. Texts are runs, which know no Markdown."""

    def run(text: str, **more: Any) -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **more}]}

    lines = [line for line in page_wording.cut(message.text, TEXT_LIMIT).splitlines() if line]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": message.headline,
        "body": [
            run(
                message.headline,
                size="Large",
                weight="Bolder",
                color="Attention" if message.urgency == "urgent" else "Default",
            ),
            *(run(line) for line in lines),
        ],
    }
    if message.link:
        title = page_wording.buttons(message.locale).open
        card["actions"] = [{"type": "Action.OpenUrl", "title": title, "url": message.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def matrix(message: PageMessage) -> dict[str, Any]:
    """A message of Matrix in plain text and in HTML."""
    plain = "\n".join(part for part in (message.headline, message.text, message.link) if part)
    lines = [f"<strong>{html.escape(message.headline)}</strong>", *(html.escape(line) for line in message.text.splitlines())]
    if message.link:
        lines.append(f'<a href="{html.escape(message.link)}">{html.escape(page_wording.buttons(message.locale).open)}</a>')
    return {
        "msgtype": "m.text",
        "body": plain,
        "format": "org.matrix.custom.html",
        "formatted_body": "<br>".join(lines),
        "m.mentions": {},
    }


BODIES: Mapping[str, Callable[[PageMessage], dict[str, Any]]] = {
    "slack": slack,
    "mattermost": mattermost,
    "teams": teams,
    "matrix": matrix,
}


def send(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One attempt. Matrix knows the key again and takes the same page only once; the others take what they are given."""
    written = BODIES.get(to.flavor)
    try:
        endpoint = addresses.chat(to.address, flavor=to.flavor)
    except addresses.BadAddress:
        written = None
    if written is None:
        return calling.unusable("This is no address of such a chat.", started_at=started_at, now=now)
    said, headers = calling.as_json(written(message)), {"content-type": "application/json"}
    if to.flavor != "matrix":
        call = calling.Outgoing(endpoint.url, said, headers)
        return calling.attempt(call, allowed=allowed, started_at=started_at, now=now)
    headers["authorization"] = endpoint.authorization
    call = calling.Outgoing(endpoint.url + quote(message.key, safe=""), said, headers, method="PUT")
    return calling.attempt(
        call,
        allowed=allowed,
        started_at=started_at,
        now=now,
        read=lambda reply, answer: calling.named(answer, calling.read_json(reply.body).get("event_id")),
    )
