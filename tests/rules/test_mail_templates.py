"""Texts with holes: only the names that are listed, filled once, and nothing that fills them is looked at again."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.kernel.errors import Invalid
from allswell.notifications.rules import Topic
from allswell.notifications.rules.templates import (
    MOST_HOLES,
    TEXT_LIMIT,
    Hole,
    MailKind,
    Template,
    filled,
    kind_of,
    lines,
    names,
    subject_of,
)

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="{}"), min_size=1, max_size=40)


def parsed(text: str, kind: MailKind = MailKind.REPLIED) -> Template:
    return Template.parse("Hello", text, kind=kind)


@given(st.text(alphabet="{}abc. \n", max_size=40))
def test_any_braces_are_understood_or_refused_beside_their_field(text: str) -> None:
    if not text.strip() or "{{" in text or "}}" in text:  # none of the names can be written with these letters
        with pytest.raises(Invalid) as refused:
            parsed(text)
        assert refused.value.field == "text"
    else:
        assert parsed(text).text == (text.strip(),)


@given(st.lists(st.one_of(ANY_TEXT, st.sampled_from(names(MailKind.RECEIVED)).map(Hole)), min_size=1, max_size=20), st.data())
def test_what_is_filled_is_the_text_with_the_values_in_it(parts: list[str | Hole], data: st.DataObject) -> None:
    values = {
        name: data.draw(st.sampled_from(["", "{{link}}", "}}", "%s", "{0.__class__}", "\\g<0>"]))
        for name in names(MailKind.RECEIVED)
    }
    written = "".join(f"{{{{ {one.name} }}}}" if isinstance(one, Hole) else one for one in parts)
    if not written.strip():
        return
    template = parsed(written, MailKind.RECEIVED)
    again = "".join(f"{{{{ {one.name} }}}}" if isinstance(one, Hole) else one for one in template.text)
    assert again.strip() == again
    assert filled(template.text, values) == "".join(
        values[piece.name] if isinstance(piece, Hole) else piece for piece in template.text
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ticket.__class__}}",
        "{{ticket.requester.password}}",
        "{{ticket}}",
        "{{settings.SECRET_KEY}}",
        "{{ticket.title|upper}}",
        "{{ticket.title()}}",
        "{{ticket.title[0]}}",
        "{{ticket.title!r:>99999}}",
        "{{TICKET.TITLE}}",
        "{{}}",
        "{{{ticket.title}}}",
        "{{ticket.{{link}}}}",
        "{{ticket.title",
        "ticket.title}}",
        "}}{{",
        "{{reply}} {{reply}}",
        "{{resolution}}",
        "x" * (TEXT_LIMIT + 1),
        "{{link}}" * (MOST_HOLES + 1),
        " \n ",
    ],
)
def test_what_is_no_listed_name_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed(text)
    assert refused.value.field == "text"


def test_what_is_wrong_says_which_names_there_are() -> None:
    with pytest.raises(Invalid) as refused:
        parsed("Dear {{ticket.requester}}")
    assert "“ticket.requester”" in str(refused.value)
    assert all(f"{{{{{name}}}}}" in str(refused.value) for name in names(MailKind.REPLIED))


@pytest.mark.parametrize("subject", ["{{reply}}", "{{link}}", "{{resolution}}", "{{x}}", "x" * 201, "", "{{"])
def test_a_subject_holds_what_is_short(subject: str) -> None:
    with pytest.raises(Invalid) as refused:
        Template.parse(subject, "Hello", kind=MailKind.RESOLVED)
    assert refused.value.field == "subject"


@given(st.text(alphabet=string.printable, max_size=60))
def test_the_reference_stands_in_every_subject_on_one_line(title: str) -> None:
    values = {"ticket.reference": "INC-7", "ticket.title": title}
    for written in (
        "Hello",
        "{{ticket.title}}",
        "[{{ticket.reference}}] {{ticket.title}}",
        "{{ticket.title}} [{{ticket.reference}}]",
    ):
        said = subject_of(Template.parse(written, "x", kind=MailKind.REPLIED), values)
        assert said.count("[INC-7]") == 1 + title.count("[INC-7]") or "[INC-7]" in title
        assert "[INC-7]" in said
        assert len(said.splitlines()) == 1


def test_a_line_whose_hole_is_empty_is_left_out() -> None:
    template = parsed("Dear {{requester.name}}\n\n{{service.name}}\n\n\n\nBye\n")
    assert lines(template.text, {"requester.name": "Maria"}) == [("Dear ", Hole("requester.name")), (), ("Bye",)]


def test_where_it_stands_counts_more_than_what_was_said() -> None:
    replied, resolved = (Topic.REPLIED, "ticket.replied"), (Topic.STATE, "ticket.resolved")
    assert kind_of([(Topic.RECEIVED, "incident.reported")]) is MailKind.RECEIVED
    assert kind_of([(Topic.RECEIVED, "incident.reported"), replied]) is MailKind.REPLIED
    assert kind_of([replied, resolved]) is kind_of([resolved, replied]) is MailKind.RESOLVED
    assert kind_of([(Topic.STATE, "request.fulfilled")]) is MailKind.RESOLVED
    assert kind_of([resolved, (Topic.STATE, "ticket.merged")]) is None
    assert kind_of([replied, (Topic.MENTIONED, "ticket.noted")]) is None, "the desk's own news"
    assert kind_of([]) is None
