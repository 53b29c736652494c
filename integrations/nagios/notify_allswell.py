#!/usr/bin/env python3
"""Tell an Allswell desk what Nagios or Icinga 2 notifies about. Python 3.7 or newer, nothing else.

    notify_allswell.py --url-file /etc/allswell/nagios.url type=PROBLEM host=db1 service=disk state=CRITICAL "output=98 % full"
    notify_allswell.py --url-file /etc/allswell/nagios.url --flush

The file holds the address of the source, https://desk.example/in/nagios/KEY, in one line: so the key stands in no list of processes.
A message is written to the spool before it is sent, and deleted once the desk has answered. What the desk could not be told stays
there, with the time at which it happened, and goes out before the next message, oldest first, or with --flush (let cron do that every
minute). What the desk refuses for good is put aside below `refused`. The exit code is 0 when nothing is left to send.
"""

import argparse
import contextlib
import fcntl
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

MOST_WAITING = 10000


def read_address(path):
    """The first line of a file that is no comment."""
    with open(path, encoding="utf-8") as lines:
        return next(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def put_by(spool, fields):
    """Write a message to the spool, whole or not at all; the oldest of very many gives way."""
    waiting = messages_in(spool)
    for name in waiting[: max(0, len(waiting) - MOST_WAITING + 1)]:
        os.unlink(os.path.join(spool, name))
    name = "%020d-%d" % (time.time_ns(), os.getpid())
    unfinished = os.path.join(spool, "." + name)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(urllib.parse.urlencode(fields, errors="replace"))
        out.flush()
        os.fsync(out.fileno())
    os.rename(unfinished, os.path.join(spool, name + ".form"))


def messages_in(spool):
    """What waits, the oldest first."""
    return sorted(name for name in os.listdir(spool) if name.endswith(".form"))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The address is the desk's; anywhere else the key has no business."""

    def redirect_request(self, *arguments):
        """Follow nothing."""
        return None


def send(url, body, timeout):
    """Send one message: "sent", "refused" for good, or "later"; and why."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-www-form-urlencoded"})
    request.add_header("User-Agent", "notify-allswell/1")
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=timeout) as answer:
            return "sent", str(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            words = error.read(300).decode("utf-8", "replace")
        return ("refused" if error.code in (400, 413, 422) else "later"), "%d %s" % (error.code, words)
    except (OSError, ValueError) as error:
        return "later", str(error)


def send_all(url, spool, timeout):
    """Send what waits, in its order, and stop at what must wait longer. One process at a time; how many are left, and why."""
    with open(os.path.join(spool, "lock"), "a") as lock:
        until = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > until:
                    return len(messages_in(spool)), "another process is sending"
                time.sleep(0.1)
        waiting = messages_in(spool)
        for number, name in enumerate(waiting):
            if time.monotonic() > until:
                return len(waiting) - number, "out of time"
            path = os.path.join(spool, name)
            with open(path, "rb") as message:
                outcome, why = send(url, message.read(), timeout)
            if outcome == "later":
                return len(waiting) - number, why
            if outcome == "refused":
                print("notify_allswell: refused: " + why, file=sys.stderr)
                os.makedirs(os.path.join(spool, "refused"), exist_ok=True)
                os.rename(path, os.path.join(spool, "refused", name))
            else:
                os.unlink(path)
    return 0, ""


def main():
    """Send the message of the arguments, and what waited before it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url-file", help="a file with the address of the source")
    where.add_argument("--url", help="the address itself; it can be seen in the list of processes")
    parser.add_argument("--spool", default="/var/spool/allswell", help="where messages wait (%(default)s)")
    parser.add_argument("--timeout", type=float, default=20.0, help="seconds; less than the tool gives its commands")
    parser.add_argument("--flush", action="store_true", help="send what waits, and no message")
    parser.add_argument("fields", nargs="*", metavar="NAME=VALUE")
    asked = parser.parse_args()
    fields = dict(field.split("=", 1) for field in asked.fields if "=" in field)
    # macros a tool knows nothing for stay as they are
    fields = {name: value for name, value in fields.items() if value and not (value.startswith("$") and value.endswith("$"))}
    if not asked.flush and not fields.get("host"):
        parser.error("host=… is missing")
    with contextlib.suppress(FileExistsError):
        os.makedirs(asked.spool, 0o700)
    if not asked.flush:
        fields.setdefault("t", str(int(time.time())))
        put_by(asked.spool, fields)
    left, why = send_all(asked.url or read_address(asked.url_file), asked.spool, asked.timeout)
    if left:
        print("notify_allswell: %d wait: %s" % (left, why), file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
