"""Deliver what is queued: by command, and every few seconds beside the app.

Several processes may deliver at once without harm, since each message is claimed; the lease only spares the others
the looking.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Engine, update

from lib.db.engine import order_database, reading, writing, writing_for_good
from lib.db.lease import lease
from lib.db.tables.columns import now
from lib.db.tables.tickets import ticket_messages
from lib.errors import Conflict, EncoreError, JobBusy
from lib.outbox import claims
from lib.outbox.claims import MAYBE_SENT, Message
from lib.outbox.email import NotNow, Refused, Sender, Unknown, compose, mail_server, message_id, with_thread
from lib.outbox.queue import EMAIL, WEBHOOK
from lib.outbox.switch import sending_since
from lib.outbox.thread import mails_of_ticket
from lib.outbox.webhook import Wait, post
from lib.settings import Settings

log = logging.getLogger("encore")
LEASE = "outbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What one round did. ``why``: why nothing was tried, where nothing was."""

    sent: int = 0
    later: int = 0
    failed: int = 0
    unknown: int = 0
    why: str = ""

    @property
    def tried(self) -> int:
        return self.sent + self.later + self.failed + self.unknown


def channels_of(settings: Settings) -> tuple[str, ...]:
    """The channels that the settings name a server or an address for."""
    given = ((EMAIL, settings.smtp_url), (WEBHOOK, settings.webhook_secret))
    return tuple(channel for channel, address in given if address)


def ways_out(settings: Settings) -> list[str]:
    """How messages leave, in words; without passwords."""
    ways = []
    if settings.smtp_url:
        ways.append(f"mail through {mail_server(settings.smtp_url).host} as {settings.mail_from}")
    if settings.webhook_url:
        ways.append(f"webhooks to {urlsplit(settings.webhook_url).hostname}")
    return ways


def deliver(settings: Settings, *, clock: Callable[[], datetime] = now) -> Delivered:
    """Send everything that is due now.

    A mail server that cannot be reached ends the round for mails: the next would meet the same.
    """
    engine = order_database(settings)
    with writing_for_good(engine) as connection:
        claims.recover(connection, at=clock())
    with reading(engine) as connection:
        if sending_since(connection) is None:
            return Delivered(
                why="Sending is off: an owner turns it on under Outbox, or by `python -m lib outbox enable`."
            )
    open_channels = list(channels_of(settings))
    if not open_channels:
        return Delivered(why="No mail server and no webhook is set: see ENCORE_SMTP_URL and ENCORE_WEBHOOK_URL.")
    counts = {"sent": 0, "later": 0, "failed": 0, "unknown": 0}
    # A connection that stays open spares SQLite from copying its log into the file after every transaction.
    with engine.connect(), _sender(settings) as sender:
        while open_channels:
            with writing_for_good(engine) as connection:
                # Asked each time: an owner who turns sending off stops it at the next message.
                if sending_since(connection) is None:
                    break
                message = claims.claim(connection, channels=open_channels, at=clock())
            if message is None:
                break
            try:
                outcome, is_down = _deliver(settings, engine, sender, message, clock)
            except Conflict as taken_over:
                log.warning("Message %s: %s", message.outbox_message_id, taken_over)
                continue
            counts[outcome] += 1
            if is_down:
                open_channels.remove(message.channel)
    return Delivered(sent=counts["sent"], later=counts["later"], failed=counts["failed"], unknown=counts["unknown"])


def _sender(settings: Settings) -> Sender:
    return Sender(mail_server(settings.smtp_url or "smtp://127.0.0.1"))


def _deliver(
    settings: Settings, engine: Engine, sender: Sender, message: Message, clock: Callable[[], datetime]
) -> tuple[str, bool]:
    """Try one message; returns its outcome and whether its channel is down."""
    held = message
    try:
        if message.channel == EMAIL:
            held = _prepared(settings, engine, message)
            mail = compose(held, sender=settings.mail_from, at=clock())

            def before_data() -> None:
                nonlocal held
                with writing_for_good(engine) as connection:
                    held = claims.hand_over(connection, held, mail_id=held.mail_id, at=clock())

            sender.send(mail, before_data=before_data)
        else:
            post(
                message,
                url=message.recipient or settings.webhook_url,
                secret=settings.webhook_secret,
                allow=settings.webhook_allow,
                at=clock(),
            )
    except Refused as refused:
        reason = str(refused)
        return _noted(engine, "failed", lambda c: claims.give_up(c, held, reason, at=clock())), False
    except Unknown:
        return _noted(engine, "unknown", lambda c: claims.hold_back(c, held, MAYBE_SENT, at=clock())), True
    except NotNow as failed:
        reason, wait = str(failed), failed.wait if isinstance(failed, Wait) else None
        noted = _noted(engine, "later", lambda c: claims.try_later(c, held, reason, at=clock(), wait=wait))
        return noted, failed.is_down
    except EncoreError:
        raise
    except Exception as error:
        # A message that breaks the sender must not block those behind it.
        log.exception("Message %s could not be sent", message.outbox_message_id)
        reason = f"Encore could not make this message: {type(error).__name__}. The log of this computer says more."
        return _noted(engine, "failed", lambda c: claims.give_up(c, held, reason, at=clock())), False
    with writing_for_good(engine) as connection:
        claims.mark_sent(connection, held, at=clock())
        if held.mail_id:
            connection.execute(
                update(ticket_messages)
                .where(ticket_messages.c.outbox_message_id == held.outbox_message_id)
                .values(mail_id=held.mail_id)
            )
    return "sent", False


def _prepared(settings: Settings, engine: Engine, message: Message) -> Message:
    """The message with its Message-ID and, for a ticket, the mails it answers."""
    if message.about == "ticket" and message.about_id is not None:
        with reading(engine) as connection:
            message = with_thread(message, mails_of_ticket(connection, message.about_id))
    return replace(message, mail_id=message.mail_id or message_id(message, settings.mail_from))


def _noted(engine: Engine, outcome: str, note: Callable[..., None]) -> str:
    with writing(engine) as connection:
        note(connection)
    return outcome


_STARTED: set[str] = set()
_STARTING = threading.Lock()
_WOKEN = threading.Event()


def wake() -> None:
    """Have the background delivery look now, as after an answer was queued."""
    _WOKEN.set()


def start_background(settings: Settings) -> None:
    """Deliver every ``ENCORE_OUTBOX_SECONDS``, once per process and database; with 0 nothing runs beside the app."""
    if settings.outbox_seconds <= 0 or not channels_of(settings):
        return
    with _STARTING:
        if settings.database_url in _STARTED:
            return
        _STARTED.add(settings.database_url)
    threading.Thread(target=_run, args=(settings,), name="outbox", daemon=True).start()


def _run(settings: Settings) -> None:
    while True:
        _WOKEN.clear()
        try:
            engine = order_database(settings)
            # Looking costs a reader nothing; the lease is a write, and most rounds find nothing.
            with reading(engine) as connection:
                has_work = sending_since(connection) is not None and claims.is_anything_due(connection, at=now())
            if has_work:
                with lease(engine, LEASE):
                    deliver(settings)
        except JobBusy:
            pass  # another process delivers, which serves as well
        except EncoreError as error:
            log.warning("The outbox could not be delivered: %s", error)
        except Exception:
            # A bug must not end the delivering for good; the next round may find other messages.
            log.exception("The outbox could not be delivered")
        _WOKEN.wait(settings.outbox_seconds)
