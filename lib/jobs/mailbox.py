"""Take in what arrived in the mailbox: by command, and every few minutes beside the app.

Each mail is stored in a transaction of its own together with how far the mailbox was read, so a reading that is
interrupted goes on from there, and a mail that is read twice is stored once.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from email.utils import parseaddr

from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing
from lib.db.identities import normalise_email
from lib.db.lease import lease
from lib.db.service import customer_wrote
from lib.db.store import read_store
from lib.db.tables.columns import now
from lib.errors import EncoreError, JobBusy, MailboxUnavailable
from lib.importers.load_mail import take_in
from lib.importers.mail_message import MailRecord, read_mail, unreadable
from lib.importers.mailbox import Arrived, MailboxAddress, OpenMailbox, mailbox_address, open_mailbox
from lib.importers.watermarks import keep_watermarks, read_watermarks
from lib.settings import Settings

log = logging.getLogger("encore")
LEASE = "mailbox"
# How old a mail may be to become a ticket when a mailbox is read for the first time.
FIRST_DAYS = 30
_MARK = "uid"


@dataclass(frozen=True, slots=True)
class Polled:
    """What a reading of the mailbox brought: mails by outcome, and how many began a ticket."""

    outcomes: Counter[str] = field(default_factory=Counter)
    begun: int = 0

    @property
    def read(self) -> int:
        return sum(self.outcomes.values())


def place_of(settings: Settings) -> str:
    """The mailbox in words, without its password; empty when none is set."""
    if not settings.imap_url:
        return ""
    address = mailbox_address(settings.imap_url)
    return f"{address.user} at {address.host}, folder {address.folder}"


def poll(settings: Settings, *, since: date | None = None, wait_seconds: float = 0.0) -> Polled:
    """Read what is new in the mailbox and store it.

    Args:
        since: read again from this day on; what is known already stays as it is.
        wait_seconds: how long to wait while another process reads it.

    Raises:
        MailboxUnavailable: no mailbox is set, it cannot be opened, or this is the demo store.
        JobBusy: another process reads it.
    """
    if not settings.imap_url:
        raise MailboxUnavailable("No mailbox is set: name it in ENCORE_IMAP_URL.")
    engine = order_database(settings)
    address = mailbox_address(settings.imap_url)
    with reading(engine) as connection:
        if read_store(connection, settings).is_demo:
            raise MailboxUnavailable("This is the demo store: real mails do not go into it. Import your shop first.")
    started = time.monotonic()
    while True:
        try:
            with lease(engine, LEASE), open_mailbox(address, mark_seen=settings.imap_mark_seen) as box:
                return _read(settings, address, box, since)
        except JobBusy:
            if time.monotonic() - started >= wait_seconds:
                raise
            time.sleep(0.2)


def _read(settings: Settings, address: MailboxAddress, box: OpenMailbox, since: date | None) -> Polled:
    engine = order_database(settings)
    polled, begun = Counter[str](), 0
    with reading(engine) as connection:
        last = _last_read(connection, address, box)
    for uid in _new(box, last, since):
        arrived = box.fetch(uid)
        if arrived is None:
            continue
        mail = _understood(settings, arrived)
        with writing(engine) as connection:
            taken = take_in(connection, mail, data_dir=settings.data_dir, customer_wrote=customer_wrote)
            if last is None or uid > last:
                last = uid
                _keep(connection, address, box, uid)
        box.mark_seen(uid)
        polled[taken.outcome] += 1
        begun += taken.is_new
    if last is None:
        with writing(engine) as connection:
            _keep(connection, address, box, box.last_uid())
    return Polled(polled, begun)


def _new(box: OpenMailbox, last: int | None, since: date | None) -> Iterator[int]:
    if since is not None:
        return box.uids_since(since)
    if last is not None:
        return box.uids_after(last)
    return box.uids_since((now() - timedelta(days=FIRST_DAYS)).date())


def _last_read(connection: Connection, address: MailboxAddress, box: OpenMailbox) -> int | None:
    """The last UID that was taken in; null when the mailbox is new or has numbered its mails anew."""
    validity, _, uid = read_watermarks(connection, address.place).get(_MARK, "").partition(":")
    return int(uid) if uid and validity == str(box.uid_validity) else None


def _keep(connection: Connection, address: MailboxAddress, box: OpenMailbox, uid: int) -> None:
    keep_watermarks(connection, address.place, {_MARK: f"{box.uid_validity}:{uid}"})


def _understood(settings: Settings, arrived: Arrived) -> MailRecord:
    """The mail as a record; one that breaks the reading becomes a ticket that says so."""
    try:
        mail = read_mail(
            arrived.raw,
            arrived_at=arrived.arrived_at,
            own=normalise_email(parseaddr(settings.mail_from)[1]) or "",
            authserv=settings.mail_authserv,
            most_bytes=settings.attachment_limit_mb * 1_000_000,
        )
    except Exception as error:
        # Anybody may send anything: one mail must not keep the others out.
        log.warning("A mail (UID %s) could not be read", arrived.uid, exc_info=error)
        return unreadable(arrived.raw, arrived_at=arrived.arrived_at, why="It breaks the rules that mails follow.")
    if arrived.is_cut:
        size = f"{arrived.size / 1_000_000:.0f} MB"
        return replace(mail, body=f"This mail has {size}, too much to take in. It is still in the mailbox.", files=())
    return mail


@dataclass(frozen=True, slots=True)
class Looked:
    """When this process last looked into the mailbox, and in words what came of it."""

    at: datetime
    words: str
    is_fault: bool


_LOOKED: dict[str, Looked] = {}


def last_look(settings: Settings) -> Looked | None:
    """What became of the last look; null when this process has not looked yet."""
    return _LOOKED.get(settings.imap_url)


def look(settings: Settings) -> Looked:
    """Read the mailbox and remember in words what came of it, also when nothing could be read."""
    try:
        done = poll(settings)
    except JobBusy:
        looked = Looked(now(), "Another process is reading it just now.", False)
    except EncoreError as error:
        looked = Looked(now(), str(error), True)
    else:
        mails, tickets = f"{done.read:,} mail{'' if done.read == 1 else 's'}", f"{done.begun:,} new tickets"
        words = f"{mails} read, {'1 new ticket' if done.begun == 1 else tickets}." if done.read else "Nothing new."
        looked = Looked(now(), words, False)
    _LOOKED[settings.imap_url] = looked
    return looked


_STARTED: set[str] = set()
_STARTING = threading.Lock()


def start_background(settings: Settings) -> None:
    """Read the mailbox every ``ENCORE_IMAP_MINUTES``, once per process; with 0, or no mailbox, nothing runs."""
    if settings.imap_minutes <= 0 or not settings.imap_url:
        return
    with _STARTING:
        if settings.imap_url in _STARTED:
            return
        _STARTED.add(settings.imap_url)
    threading.Thread(target=_run, args=(settings,), name="mailbox", daemon=True).start()


def _run(settings: Settings) -> None:
    while True:
        try:
            looked = look(settings)
            if looked.is_fault:
                log.warning("The mailbox could not be read: %s", looked.words)
        except Exception:
            # A bug must not end the reading for good; the next round may find other mails.
            log.exception("The mailbox could not be read")
        time.sleep(settings.imap_minutes * 60)
