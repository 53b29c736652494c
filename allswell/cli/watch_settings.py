"""The settings of the watcher: its own, from its own environment or a file. It shares none with what it watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from allswell.kernel.errors import CannotStart

PREFIX = "ALLSWELL_WATCH_"


@dataclass(frozen=True)
class Setting:
    """One setting of the watcher. A secret one also takes `<NAME>_FILE`."""

    name: str
    default: str
    doc: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(f"{PREFIX}NAME", "", "What the watcher calls itself; empty: the name of its machine."),
    Setting(f"{PREFIX}TOKEN", "", "What ALLSWELL_WATCHER_TOKEN is there: the desk then shows when the watcher looked.", True),
    Setting(f"{PREFIX}SMTP_URL", "", "smtp://, smtps:// or smtp+plain://: a mail server other than that of the desk.", True),
    Setting(f"{PREFIX}MAIL_FROM", "", "From address of its mails."),
    Setting(f"{PREFIX}MAIL_TO", "", "Addresses that get its mails, separated by spaces."),
    Setting(f"{PREFIX}NTFY", "", "Topics of ntfy, such as https://ntfy.example.org/topic, separated by spaces.", True),
    Setting(f"{PREFIX}WEBHOOK", "", "An address that is called, and after a space the secret that signs the calls.", True),
    Setting(f"{PREFIX}SMS_URL", "", "twilio+https://SID:TOKEN@host/?from=%2B15550100: a carrier of text messages.", True),
    Setting(f"{PREFIX}SMS_TO", "", "Numbers that get its text messages, separated by spaces."),
    Setting(f"{PREFIX}LANGUAGE", "en", "Language of its words (en, de)."),
    Setting(f"{PREFIX}TIME_ZONE", "UTC", "Time zone of its times."),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_NAMES = set(_BY_NAME) | {f"{setting.name}_FILE" for setting in SETTINGS if setting.secret}


def read(environment: Mapping[str, str], file: str = "") -> dict[str, str]:
    """Every setting by its name without the prefix; what stands in the environment goes before the file. Raises CannotStart."""
    given = _from_file(file) if file else {}
    given |= {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    if unknown := sorted(set(given) - _NAMES):
        raise CannotStart(f"Unknown setting {', '.join(unknown)}. The list is in docs/operate/paging.md.", code=2)
    return {setting.name.removeprefix(PREFIX): _value(setting, given) for setting in SETTINGS}


def _value(setting: Setting, given: Mapping[str, str]) -> str:
    path = given.get(f"{setting.name}_FILE") if setting.secret else None
    if not path:
        return given.get(setting.name, setting.default).strip()
    if setting.name in given:
        raise CannotStart(f"Give {setting.name} or {setting.name}_FILE, not both.", code=2)
    return _text(path, setting.name).strip()


def _from_file(path: str) -> dict[str, str]:
    """Lines NAME=value, as systemd reads them; # begins a comment line."""
    found = {}
    for number, text in enumerate(_text(path, "--settings").splitlines(), 1):
        bare = text.strip()
        if not bare or bare.startswith("#"):
            continue
        name, equals, value = bare.partition("=")
        if not equals or not name.strip().startswith(PREFIX):
            raise CannotStart(f"{path}, line {number}: it must be {PREFIX}…=value.", code=2)
        value = value.strip()
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[name.strip()] = value[1:-1] if is_quoted else value
    return found


def _text(path: str, name: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CannotStart(f"{name}: cannot read {path}: {error.strerror}.", code=2) from error
    except UnicodeDecodeError:
        raise CannotStart(f"{name}: {path} is no text.", code=2) from None
