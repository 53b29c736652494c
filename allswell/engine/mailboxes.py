"""Fetching mail: a thread watches each mailbox, so that a slow or broken server holds up no other.

A mail is kept first, word for word, and only after that commit is it marked as read or put into another folder. Of several engines
one watches a mailbox: which one follows from who is alive. Should two do so for a moment, the second finds what the first kept.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, connection

from allswell.desk.mail import fetching
from allswell.desk.mail.fetching import Post
from allswell.desk.mail.mailboxes import MOST_BYTES
from allswell.intake.servers import imap, oauth
from allswell.intake.servers.trouble import Problem, Trouble
from allswell.jobs import queries as jobs
from allswell.jobs.rules import is_alive
from allswell.kernel import clock
from allswell.kernel.actor import engine as engine_actor
from allswell.notifications.channels.guarded_http import Allowed

from . import steady
from .loop import NOTHING, Work, described, node_name

log = logging.getLogger("allswell.engine")

#: RFC 2177 asks to renew IDLE at least every 29 minutes
IDLES_FOR = 28 * 60.0
LOOKS_EVERY = 60.0
#: pauses after trouble: the first, and the longest
PAUSE, LONGEST_PAUSE = 5.0, 300.0
#: a server that answers is noted so often
NOTES_EVERY = 60.0
#: mails that came before a mailbox was set up are left alone, as far as clocks agree
AGREE = timedelta(minutes=5)


class Watcher:
    """One mailbox, watched by a thread of its own until it is stopped."""

    def __init__(self, post: Post, now: Callable[[], datetime] = steady.now) -> None:
        self.mailbox, self.mark, self.name = post.mailbox, post.mark, post.name
        self._now = now
        self._stop = threading.Event()
        self._ear, self._mouth = socket.socketpair()
        self._allowed = Allowed.parse(settings.OUTGOING_ALLOW)
        self._token, self._token_until = "", 0.0
        self._noted_at: float | None = None
        self._pause = 0.0
        self._went_well = False
        self._thread = threading.Thread(target=self._run, name=f"mailbox-{post.mailbox}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; it does so at once while it waits, else after the mail at hand."""
        self._stop.set()
        with suppress(OSError):
            self._mouth.send(b".")

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        self._thread.join(seconds)

    @property
    def is_alive(self) -> bool:
        """Whether it still watches."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._once()
                connection.close()
                self._stop.wait(self._pause)
        finally:
            connection.close()
            self._ear.close()
            self._mouth.close()

    def _once(self) -> None:
        """One connection, from the sign-in until something ends it."""
        try:
            post = fetching.post(self.mailbox)
            if post is None or post.mark != self.mark:
                self._stop.set()
                return
            self._watch(post)
        except Trouble as trouble:
            self._noted_at = None
            if trouble.problem is Problem.SILENT and self._went_well:
                # servers end connections that wait for long; it is trouble when the next one does not work either
                self._went_well, self._pause = False, 1.0
                return
            self._wait_longer()
            self._token = ""
            log.warning("mailbox %s: %s", self.mailbox, trouble.note)
            try:
                fetching.note_trouble(self.mailbox, trouble.note, actor=engine_actor(), now=self._now())
            except DatabaseError as error:
                log.warning("mailbox %s: %s", self.mailbox, described(error))
        except Exception as error:  # noqa: BLE001 - whatever comes up with one mailbox, it is tried again and the others go on
            self._wait_longer()
            log.error("mailbox %s: %s", self.mailbox, described(error))

    def _wait_longer(self) -> None:
        self._pause = min(LONGEST_PAUSE, max(PAUSE, self._pause * 2))

    def _watch(self, post: Post) -> None:
        if post.trouble is not None or post.box is None:
            raise post.trouble or RuntimeError("a mailbox without a server")
        server = post.box.server
        if post.box.grant is not None:
            server = post.box.with_token(self._access(post.box.grant))
        with imap.opened(server, allowed=self._allowed, most=MOST_BYTES) as folder:
            done = self._start_at(post, folder)
            while not self._stop.is_set():
                trouble = None
                while not self._stop.is_set() and (found := folder.after(done)):
                    for one in found:
                        if self._stop.is_set():
                            return
                        trouble = self._take(folder, one) or trouble
                        done = one.uid
                        fetching.go_to(
                            self.mailbox, uid_validity=folder.uid_validity, uid=done, actor=engine_actor(), now=self._now()
                        )
                if trouble is not None:
                    raise trouble
                self._pause, self._went_well = 0.0, True
                self._note_look()
                connection.close()
                if folder.has_idle:
                    folder.wait(IDLES_FOR, wake=self._ear)
                else:
                    self._stop.wait(LOOKS_EVERY)
                    folder.nothing()

    def _start_at(self, post: Post, folder: imap.Mailbox) -> int:
        """The number up to which mails are done. What a server numbers anew is looked at again from the start."""
        if post.uid_validity is not None and post.uid_validity == folder.uid_validity:
            return post.last_uid
        done = 0
        if not post.takes_all:
            since = post.created_at - AGREE
            while found := folder.after(done):
                old = 0
                for one in found:
                    if one.came_at is None or one.came_at >= since:
                        break
                    done, old = one.uid, old + 1
                if old < len(found):
                    break
        fetching.go_to(self.mailbox, uid_validity=folder.uid_validity, uid=done, actor=engine_actor(), now=self._now())
        return done

    def _take(self, folder: imap.Mailbox, one: imap.Waiting) -> Trouble | None:
        """Keep one mail, then put it aside. Trouble with the latter is told when the others are done."""
        if one.size > MOST_BYTES:
            place = f"{folder.uid_validity}/{one.uid}"
            fetching.leave_there(
                folder.head(one.uid), size=one.size, place=place, mailbox=self.mailbox, actor=engine_actor(), now=self._now()
            )
            return None
        raw = folder.message(one.uid)
        if raw is None:
            return None
        # another engine that keeps the same bytes at this moment has kept them for both
        with suppress(IntegrityError):
            fetching.keep_fetched(raw, mailbox=self.mailbox, actor=engine_actor(), now=self._now())
        try:
            folder.put_aside(one.uid)
        except Trouble as trouble:
            return trouble
        return None

    def _access(self, grant: oauth.Grant) -> str:
        at = clock.monotonic()
        if not self._token or at > self._token_until:
            got = oauth.access(grant, allowed=self._allowed)
            self._token, self._token_until = got.token, at + got.seconds - 60
            if got.refresh_token and got.refresh_token != grant.refresh_token:
                mark = fetching.keep_refresh_token(
                    self.mailbox, got.refresh_token, mark=self.mark, actor=engine_actor(), now=self._now()
                )
                self.mark = mark or self.mark
        return self._token

    def _note_look(self) -> None:
        at = clock.monotonic()
        if self._noted_at is None or at - self._noted_at >= NOTES_EVERY:
            fetching.note_look(self.mailbox, actor=engine_actor(), now=self._now())
            self._noted_at = at


class Mailboxes:
    """The module that has a watcher for each mailbox of ours, and ends those that are not or were changed."""

    name, idle, limit = "mailboxes", 3.0, 60.0

    def __init__(self, now: Callable[[], datetime] = steady.now, node: str = "") -> None:
        self.now = now
        self.node = node or node_name()
        self.watchers: dict[int, Watcher] = {}

    def is_due(self, now: datetime) -> bool:
        """Always: what was set up may have changed."""
        return True

    def tick(self, now: datetime) -> Work:
        """Start and stop watchers as the set-up says."""
        posts = fetching.posts()
        ours = self._ours(posts, now) if posts else {}
        for number, watcher in list(self.watchers.items()):
            post = ours.get(number)
            if post is None or post.mark != watcher.mark or not watcher.is_alive:
                watcher.stop()
                if not watcher.is_alive:
                    del self.watchers[number]
        for number, post in ours.items():
            if number not in self.watchers:
                self.watchers[number] = Watcher(post, self.now)
                self.watchers[number].start()
        return NOTHING

    def _ours(self, posts: list[Post], now: datetime) -> dict[int, Post]:
        """The mailboxes that fall to this engine among those alive."""
        alive = {one.node for one in jobs.pulses() if one.module == self.name and is_alive(one.beat_at, now=now)} | {self.node}
        return {one.mailbox: one for one in posts if max(alive, key=lambda node: _draw(node, one.mailbox)) == self.node}

    def finish(self) -> None:
        """The engine stops."""
        for watcher in self.watchers.values():
            watcher.stop()
        until = clock.monotonic() + 5
        for watcher in self.watchers.values():
            watcher.join(max(0.0, until - clock.monotonic()))


def _draw(node: str, mailbox: int) -> str:
    return hashlib.sha256(f"{node} {mailbox}".encode()).hexdigest()
