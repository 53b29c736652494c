"""The articles that come with the product: whole, in order, and leading nowhere that is not there."""

from __future__ import annotations

import re

import pytest

from allswell.kernel.documents import NotReadable
from allswell.knowledge import shipped
from allswell.knowledge.shipped import Shipped

ARTICLES = shipped.articles()
HEAD = "---\ntitle: T\nsection: start\nslug: a-b\nsummary: S\nlevel: beginner\nminutes: 3\nterms: [incident]\nrelated: [c]\n---\n\nWords.\n"
#: articles that others lead to and that are not written yet
TO_COME = frozenset(
    (
        "a-good-ticket",
        "difficult-conversations",
        "escalation",
        "how-clocks-run",
        "knowledge-centered-service",
        "learning-on-the-job",
        "priority-impact-urgency",
        "resolving-and-closing-well",
        "sla-and-ola",
        "the-service-catalogue",
        "triage-at-the-desk",
        "writing-for-users",
    )
)


def test_a_file_is_read() -> None:
    assert shipped.read("start/07-a-b.md", HEAD + "See [c](article:c) and [d](article:d).\n") == Shipped(
        7, "start", "a-b", "T", "S", "beginner", 3, ("incident",), ("c",), "Words.\nSee [c](article:c) and [d](article:d).\n"
    )
    assert shipped.read("start/07-a-b.md", HEAD + "[d](article:d)").links == {"c", "d"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("start/a-b.md", HEAD),
        ("elsewhere/07-a-b.md", HEAD),
        ("start/07-other.md", HEAD),
        ("start/07-a-b.md", "Words."),
        ("start/07-a-b.md", HEAD.replace("title: T", "title:")),
        ("start/07-a-b.md", HEAD.replace("minutes: 3", "minutes: soon")),
        ("start/07-a-b.md", HEAD.replace("[incident]", "{a: b}")),
        ("start/07-a-b.md", HEAD.replace("title: T", "title: T: x: [")),
    ],
)
def test_what_is_wrong_is_said_with_its_file(name: str, words: str) -> None:
    with pytest.raises(NotReadable):
        shipped.read(name, words)


def test_they_are_in_a_learning_order_and_each_has_one_home() -> None:
    assert len({one.slug for one in ARTICLES}) == len({one.number for one in ARTICLES}) == len(ARTICLES)
    assert [shipped.SECTIONS.index(one.section) for one in ARTICLES] == sorted(
        shipped.SECTIONS.index(one.section) for one in ARTICLES
    )


def test_they_lead_to_articles_that_are_there() -> None:
    known = {one.slug for one in ARTICLES}
    assert {link for one in ARTICLES for link in one.links} - known == TO_COME


@pytest.mark.parametrize("article", ARTICLES, ids=lambda one: one.slug)
def test_each_is_whole(article: Shipped) -> None:
    headings = re.findall(
        r"^#{2,3} (.+)$", re.sub(r"^```.*?^```", "", article.body, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    assert [one for one in headings if one in ("Example", "Exercise", "Answer", "Sources")] == [
        "Example",
        "Exercise",
        "Answer",
        "Sources",
    ]
    assert headings[-1] == "Sources"
    assert len(article.body.rpartition("## Sources")[2].strip().splitlines()) >= 2
    assert len(article.summary) <= 160
    assert article.level in shipped.LEVELS
    assert 500 <= len(article.body.split()) <= 1600
    assert not re.search(r"^# ", re.sub(r"^```.*?^```", "", article.body, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    assert article.body.count("\n```") % 2 == 0
    assert article.slug not in article.links
