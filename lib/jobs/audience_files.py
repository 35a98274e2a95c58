"""An audience as a file: everybody with the reason that holds her back, or in another tool's form without those.

Written batch by batch into a private folder, so that a million customers need no more memory than a batch; swept
after a day. Contact rules and holdouts are asked of the order database for each batch as it is then.
"""

import csv
import os
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from lib.audience import Audience
from lib.db.engine import order_database, private_folder, reading, writing
from lib.errors import InvalidInput
from lib.metrics import audience as metric
from lib.metrics.definition import Mart
from lib.money import exponent
from lib.outbox.audience import PLATFORMS, Contact, can_match, header, lines
from lib.outbox.consent import Held, told
from lib.outbox.contact_rules import Message, held_back
from lib.outbox.people import Person, people_of
from lib.privacy import mask_email, mask_name
from lib.settings import Settings
from lib.staff import May, Staff
from lib.workflows.audit import record_export
from lib.workflows.holdouts import in_a_holdout

Progress = Callable[[int], None]
KEPT_SECONDS = 24 * 3600
NO_MATCH = "no_match"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_BOM = "\ufeff"
_OWNER = "owner"
_HEADINGS = (
    *("customer", "name", "email", "country", "language", "lifecycle", "purchases", "days since last", "net sales"),
    "held back",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file: ``rows`` customers are in it; ``left_out`` counts the others (in a list: who is held back) by reason."""

    token: str
    path: Path
    rows: int
    left_out: Mapping[str, int] = field(default_factory=dict)


def write_members(
    settings: Settings,
    mart: Mart,
    audience: Audience,
    as_of: date,
    message: Message,
    by: Staff,
    *,
    name: str,
    progress: Progress | None = None,
) -> Written:
    """Everybody in an audience as a CSV for people, each with the reason that holds her back now, if any.

    Names and addresses are masked for a role that may not see them.

    Raises:
        NotAllowed: the role may not download rows; nothing is written.
    """
    by.must(May.EXPORT)
    sees, places = by.may(May.SEE_PERSONAL_DATA), exponent(mart.about.currency or "EUR")
    counts: Counter[str] = Counter()
    rows = 0
    with _new_file(settings, name, by) as (token, path, file):
        file.write(_BOM)
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(_HEADINGS)
        for batch in metric.members(mart, audience, as_of):
            ids = batch["customer_id"].tolist()
            with reading(order_database(settings)) as connection:
                held = _held(connection, ids, message)
                people = people_of(connection, ids, with_address=False)
            counts.update(held.values())
            writer.writerows(
                (
                    key,
                    *_who(people.get(key), sees=sees),
                    _text(country),
                    _text(language),
                    _text(stage),
                    purchases,
                    days,
                    f"{minor / 10**places:.{places}f}",
                    told(held[key]) if key in held else "",
                )
                for key, stage, purchases, days, minor, country, language in batch.itertuples(index=False, name=None)
            )
            rows += len(ids)
            if progress:
                progress(rows)
        _note(settings, by, f"audience:{name}", rows, message, counts)
    return Written(token=token, path=path, rows=rows, left_out=dict(counts))


def write_for_tool(
    settings: Settings,
    mart: Mart,
    audience: Audience,
    as_of: date,
    message: Message,
    by: Staff,
    *,
    tool: str,
    name: str,
    progress: Progress | None = None,
) -> Written:
    """The audience in the form of another tool, without the holdouts and everyone whom a contact rule holds back.

    Raises:
        NotAllowed: the role may not plan offers, download rows or see addresses; nothing is written.
        InvalidInput: there is no such tool.
    """
    for what in (May.PLAN_OFFERS, May.EXPORT, May.SEE_PERSONAL_DATA):
        by.must(what)
    if tool not in PLATFORMS:
        raise InvalidInput(f"There is no file for {tool!r}. There are: {', '.join(PLATFORMS)}.")
    platform = PLATFORMS[tool]
    counts: Counter[str] = Counter()
    seen = rows = 0
    with _new_file(settings, f"{name}-{tool}", by) as (token, path, file):
        file.write(header(platform))
        for batch in metric.members(mart, audience, as_of):
            ids = batch["customer_id"].tolist()
            with reading(order_database(settings)) as connection:
                held = _held(connection, ids, message)
                free = [one for one in ids if one not in held]
                people = people_of(connection, free)
            worth = dict(zip(ids, batch["net_minor"].tolist(), strict=True))
            contacts = [_contact(people[one], worth[one]) for one in free if one in people]
            found = [one for one in contacts if can_match(platform, one)]
            file.write(lines(platform, found))
            counts.update(held.values())
            counts[NO_MATCH] += len(free) - len(found)
            rows += len(found)
            seen += len(ids)
            if progress:
                progress(seen)
        left_out = {reason: count for reason, count in counts.items() if count}
        _note(settings, by, f"audience_file:{tool}", rows, message, left_out)
    return Written(token=token, path=path, rows=rows, left_out=left_out)


def written_file(settings: Settings, token: str, by: Staff) -> Path | None:
    """The file of a token, while it is kept; only for who had it written."""
    if not _TOKEN.fullmatch(token):
        return None
    folder = settings.data_dir / "exports" / token
    owner = folder / _OWNER
    if not owner.is_file() or owner.read_text(encoding="ascii") != str(by.staff_id):
        return None
    return next(iter(sorted(folder.glob("*.csv"))), None)


def sweep(settings: Settings) -> None:
    """Remove files that are older than a day."""
    folder = settings.data_dir / "exports"
    for kept in folder.iterdir() if folder.exists() else ():
        if kept.is_dir() and time.time() - kept.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(kept, ignore_errors=True)


@contextmanager
def _new_file(settings: Settings, name: str, by: Staff) -> Iterator[tuple[str, Path, IO[str]]]:
    """A file nobody else can read; gone again when it is not finished."""
    sweep(settings)
    token = secrets.token_hex(16)
    folder = private_folder(private_folder(settings.data_dir / "exports") / token)
    path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-').lower()[:60] or 'audience'}.csv"
    try:
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield token, path, file
        # Last of all: a file without it is not finished, and nobody's.
        (folder / _OWNER).write_text(str(by.staff_id), encoding="ascii")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _held(connection: Connection, ids: list[int], message: Message) -> dict[int, str]:
    held = held_back(
        connection,
        ids,
        kind=message.kind,
        at=message.at,
        channel=message.channel,
        pays=message.pays,
        offer_id=message.offer_id,
        reorder=message.reorder,
    )
    for one in in_a_holdout(connection, ids):
        held.setdefault(one, Held.HOLDOUT.value)
    return held


def _note(settings: Settings, by: Staff, what: str, rows: int, message: Message, counts: Mapping[str, int]) -> None:
    with writing(order_database(settings)) as connection:
        record_export(connection, by, what[:200], rows=rows, at=message.at, kind=message.kind, held_back=dict(counts))


def _who(person: Person | None, *, sees: bool) -> tuple[str, str]:
    if person is None:
        return "", ""
    if sees:
        return _text(person.name), _text(person.email)
    return _text(mask_name(person.name)), _text(mask_email(person.email))


def _text(value: object) -> str:
    """A cell on one line that no spreadsheet runs as a formula."""
    if not isinstance(value, str):
        return ""
    flat = " ".join(value.split())
    return f"'{flat}" if flat.startswith(("=", "+", "-", "@")) else flat


def _contact(person: Person, net_minor: int) -> Contact:
    return Contact(
        customer_id=person.customer_id,
        name=person.name,
        email=person.email,
        phone=person.phone if person.may_sms else "",
        country=person.country,
        region=person.region,
        city=person.city,
        postal_code=person.postal_code,
        language=person.language,
        net_minor=net_minor,
    )


# The tools there is a file for.
TOOLS = tuple(PLATFORMS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A member as a list on the screen shows her; ``held``: why she would get nothing now, in words."""

    name: str
    email: str
    held: str


def page_of(connection: Connection, ids: list[int], message: Message, *, sees: bool) -> dict[int, Listed]:
    """Some members with their names, masked for those who may not see them, and what holds each back."""
    held, people = _held(connection, ids, message), people_of(connection, ids, with_address=False)
    found = {}
    for one in ids:
        person = people.get(one)
        name, email = (person.name, person.email) if person else ("", "")
        if not sees:
            name, email = mask_name(name) or "", mask_email(email) or ""
        found[one] = Listed(name=name, email=email, held=told(held[one]) if one in held else "")
    return found


def reasons_told(left_out: Mapping[str, int]) -> list[tuple[str, int]]:
    """The reasons in words, the most frequent first."""
    ranked = sorted(left_out.items(), key=lambda each: (-each[1], each[0]))
    return [("Nothing to match by" if reason == NO_MATCH else told(reason), count) for reason, count in ranked]
