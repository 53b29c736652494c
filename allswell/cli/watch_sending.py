"""The short-lived process in which the watcher tells somebody, so that nothing it meets there stops the watch.

It reads what to do as JSON from stdin and writes what came of each way as JSON to stdout. It knows no database, and no other settings
than those it is given.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django
from django.conf import settings

import allswell
from allswell.kernel import clock


def prepare(told: dict[str, str]) -> None:
    """Make the words and the carrier known to the parts that are shared with the desk."""
    settings.configure(
        USE_I18N=True,
        LANGUAGE_CODE="en",
        LANGUAGES=[("en", "English"), ("de", "Deutsch")],
        LOCALE_PATHS=[str(Path(allswell.__file__).parent / "locale")],
        SMS_URL=told["SMS_URL"],
        VOICE_URL="",
        SMTP_URL="",
        MAIL_FROM="",
    )
    django.setup(set_prefix=False)


def main() -> int:
    """Do what stdin says; 0 whenever the answer on stdout tells what came of it."""
    asked = json.load(sys.stdin)
    told = asked["settings"]
    prepare(told)
    from . import watch_ways  # noqa: PLC0415 - its words need the settings

    wrong = list(watch_ways.wrong(told))
    sent = []
    if asked["word"] is not None and not wrong:
        said = watch_ways.message(asked["word"], told, url=asked["url"])
        sent = list(watch_ways.deliver(said, told, now=clock.now))
    json.dump({"wrong": wrong, "ways": [kind for kind, _address in watch_ways.ways(told)], "sent": sent}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
