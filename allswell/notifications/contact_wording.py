"""What a code and a test say, by every way, in the recipient's language."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from .letters import PageMessage
from .rules import Urgency


def code_message(code: str, *, key: str, contact: int, locale: str, is_push: bool) -> PageMessage:
    """The code that shows that messages arrive at a contact. A browser is told by the address, and fills it in."""
    said = {"code": code}
    path = f"/me/contacts#verify-{contact}-{code}" if is_push else f"/me/contacts#contact-{contact}"
    with translation.override(locale):
        return PageMessage(
            key=key,
            reference="",
            number=0,
            headline=_("Your code is %(code)s") % said,
            text=_(
                "Your code is %(code)s. Type it in where you added this contact, to show that messages arrive here. It opens for "
                "ten minutes. If you have not asked for it, ignore this message: nothing else will come."
            )
            % said,
            short=_("Allswell: your code is %(code)s. It opens for ten minutes.") % said,
            spoken=_("This is Allswell. Your code is: %(code)s. Once more: %(code)s.") % {"code": " ".join(code)},
            link=settings.PUBLIC_URL + path,
            urgency=Urgency.NORMAL.value,
            locale=locale,
        )


def test_message(*, key: str, name: str, locale: str) -> PageMessage:
    """A test somebody sent to themselves."""
    with translation.override(locale):
        return PageMessage(
            key=key,
            reference="",
            number=0,
            headline=_("Test page"),
            text=_("This is a test that %(name)s sent to themselves. Pages arrive here; nothing is to be done.") % {"name": name},
            short=_("Allswell: this is a test. Pages arrive here."),
            spoken=_("This is Allswell. This is a test; pages arrive here. Goodbye."),
            link=f"{settings.PUBLIC_URL}/me/contacts",
            urgency=Urgency.URGENT.value,
            locale=locale,
            is_drill=True,
        )
