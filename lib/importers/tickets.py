"""Support tickets: the exports of Gorgias, Zendesk and Freshdesk (CSV), told apart by their columns.

None of the three holds the conversation. The first human reply is told as a duration since the ticket
was opened (Gorgias in seconds, Zendesk in minutes, Freshdesk as HH:MM:SS or as a time), and becomes a
time here. Freshdesk leaves durations empty at times: then its time of the first reply counts.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lib.errors import UnknownFormat
from lib.importers.cells import cell, yes
from lib.importers.dates import DateReader, date_reader
from lib.importers.records import CustomerRecord, ReadContext, Rejected, TicketRecord
from lib.importers.rows import Row, Rows, read_rows
from lib.importers.source_file import SourceFile

CHANNELS = {
    "chat": "chat",
    "live chat": "chat",
    "messaging": "chat",
    "whatsapp": "chat",
    "email": "email",
    "mail": "email",
    "outbound email": "email",
    "phone": "phone",
    "voice": "phone",
    "aircall": "phone",
    "sms": "sms",
    "portal": "form",
    "web": "form",
    "web form": "form",
    "web service": "form",
    "contact_form": "form",
    "contact form": "form",
    "help-center": "form",
    "feedback widget": "form",
    "facebook": "social",
    "facebook-messenger": "social",
    "instagram": "social",
    "instagram-direct-message": "social",
    "twitter": "social",
    "x corp": "social",
}
STATUSES = {
    "new": "open",
    "open": "open",
    "in progress": "open",
    "hold": "open",
    "on-hold": "open",
    "pending": "waiting_for_customer",
    "waiting on customer": "waiting_for_customer",
    "waiting on third party": "open",
    "solved": "closed",
    "resolved": "closed",
    "closed": "closed",
    "deleted": "closed",
    "spam": "spam",
}
PRIORITIES = {"low": "low", "medium": "normal", "normal": "normal", "high": "high", "urgent": "urgent"}


_CLOCK = re.compile(r"\d{1,5}:\d{2}(?::\d{2})?")


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=float(text))


def _minutes(text: str) -> timedelta:
    return timedelta(minutes=float(text))


def _clock(text: str) -> timedelta:
    """``26:03:10`` is 26 hours and a bit; a bare number is hours."""
    parts = [float(part) for part in text.split(":")]
    return timedelta(hours=parts[0], minutes=parts[1] if parts[1:] else 0, seconds=parts[2] if parts[2:] else 0)


@dataclass(frozen=True, slots=True)
class TicketExport:
    """Where one platform's export writes what."""

    platform: str
    needed: tuple[str, ...]
    external_id: str
    opened_at: str
    closed_at: tuple[str, ...]
    channel: str
    response: str
    response_unit: Callable[[str], timedelta]
    email: str = ""
    name: str = ""
    responded_at: str = ""
    status: str = ""
    priority: str = "Priority"
    subject: str = "Subject"
    tags: str = "Tags"
    topic: str = ""
    assignee: str = ""
    satisfaction: str = ""
    reopens: str = ""
    started_by_us: str = ""


EXPORTS = (
    TicketExport(
        platform="Gorgias",
        needed=("Ticket id", "Creation date", "Initial channel"),
        external_id="Ticket id",
        opened_at="Creation date",
        closed_at=("Closed date",),
        channel="Initial channel",
        response="First response time (s)",
        response_unit=_seconds,
        email="Customer email",
        name="Customer name",
        topic="Ticket Field: AI Intent",
        assignee="Assignee name",
        satisfaction="Survey score",
        started_by_us="Created by an agent",
    ),
    TicketExport(
        platform="Zendesk",
        needed=("Id", "Requester", "Created at", "Via"),
        external_id="Id",
        opened_at="Created at",
        closed_at=("Solved at",),
        channel="Via",
        response="First reply time in minutes",
        response_unit=_minutes,
        email="Requester email",
        name="Requester",
        status="Status",
        topic="Ticket type",
        assignee="Assignee",
        satisfaction="Satisfaction Score",
        reopens="Reopens",
    ),
    TicketExport(
        platform="Freshdesk",
        needed=("Ticket ID", "Created time", "Source"),
        external_id="Ticket ID",
        opened_at="Created time",
        closed_at=("Closed time", "Resolved time"),
        channel="Source",
        response="First response time (in hrs)",
        response_unit=_clock,
        responded_at="Initial response time",
        email="Contact email",
        name="Full name",
        status="Status",
        topic="Type",
        assignee="Agent",
        satisfaction="Survey results",
    ),
)
SATISFACTION = {
    "good": 5,
    "good with comment": 5,
    "bad": 1,
    "bad with comment": 1,
    "extremely happy": 5,
    "happy": 4,
    "neutral": 3,
    "unhappy": 2,
    "extremely unhappy": 1,
}


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[TicketRecord | Rejected]:
    """Yield one record per ticket.

    Raises:
        UnknownFormat: a file is none of the three exports.
        AmbiguousDates: dates that can be read in two ways.
    """
    for file in files:
        yield from _read_file(file, context)


def export_of(header: Sequence[str]) -> TicketExport | None:
    """Which platform's export a header is of, or None."""
    known = {name.casefold() for name in header}
    return next((e for e in EXPORTS if all(name.casefold() in known for name in e.needed)), None)


def _read_file(file: SourceFile, context: ReadContext) -> Iterator[TicketRecord | Rejected]:
    rows = read_rows(file)
    export = export_of(rows.header)
    if export is None:
        raise UnknownFormat(
            f"{file.name} is no ticket export of Gorgias, Zendesk or Freshdesk. "
            f"Its columns: {', '.join(rows.header[:12])}. Any other table can be imported with `import table`."
        )
    columns = [name for name in (export.opened_at, *export.closed_at, export.responded_at) if name and rows.has(name)]
    # One file writes all its times alike, so what one column proves holds for the others.
    places = [rows.column(name) for name in columns]
    texts = (row.values[place] for row in read_rows(file) for place in places if row.values[place].strip())
    dates = date_reader(texts, context, column=export.opened_at, file=file.name)
    for row in rows:
        try:
            if row.problem:
                raise ValueError(row.problem)
            yield replace(_ticket(rows, row, export, dates), origin=rows.origin(row))
        except ValueError as error:
            yield rows.rejected(row, "ticket", str(error), external_id=cell(rows, row, export.external_id) or "")


def _ticket(rows: Rows, row: Row, export: TicketExport, dates: DateReader) -> TicketRecord:
    def get(column: str) -> str | None:
        return cell(rows, row, column) if column else None

    number, opened = get(export.external_id), get(export.opened_at)
    if number is None or opened is None:
        raise ValueError("a ticket without a number or without a time")
    opened_at = dates.at(opened)
    closed = next((text for column in export.closed_at if (text := get(column))), None)
    email = get(export.email)
    name = get(export.name)
    status = (get(export.status) or ("closed" if closed else "open")).lower()
    return TicketRecord(
        external_id=number,
        opened_at=opened_at,
        channel=CHANNELS.get((get(export.channel) or "").lower(), "other"),
        status=STATUSES.get(status, "closed" if closed else "open"),
        priority=PRIORITIES.get((get(export.priority) or "normal").lower(), "normal"),
        subject=get(export.subject),
        topic=get(export.topic),
        tags=get(export.tags),
        customer=CustomerRecord(email=email, name=name, is_guest=True) if email and "@" in email else None,
        first_response_at=_responded_at(get(export.response), get(export.responded_at), opened_at, export, dates),
        closed_at=max(dates.at(closed), opened_at) if closed else None,
        reopened_count=_count(get(export.reopens)),
        satisfaction=_satisfaction(get(export.satisfaction)),
        is_started_by_us=yes(get(export.started_by_us)),
        assignee=get(export.assignee),
    )


def _responded_at(
    duration: str | None, at: str | None, opened_at: datetime, export: TicketExport, dates: DateReader
) -> datetime | None:
    if at and not _CLOCK.fullmatch(at):
        return max(dates.at(at), opened_at)
    duration = duration or at
    if not duration:
        return None
    try:
        lasted = export.response_unit(duration)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{export.response} {duration!r} is not a duration") from error
    return opened_at + max(lasted, timedelta(0))


def _count(text: str | None) -> int:
    return int(float(text)) if text and text.replace(".", "", 1).isdigit() else 0


def _satisfaction(text: str | None) -> int | None:
    if text is None:
        return None
    if text.replace(".", "", 1).isdigit():
        stars = round(float(text))
        return stars if 1 <= stars <= 5 else None
    return SATISFACTION.get(text.lower())
