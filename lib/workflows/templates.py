"""Words to begin an answer with: written, changed (each change a new version), retired, and filled in.

A variable is written ``{first_name}``, or ``{first_name|there}`` with what stands in its place when it is not
known. Filling is one pass of plain replacement: words that come from customers are never read as variables.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.tables.desk import template_versions, templates
from lib.errors import Conflict, InvalidInput
from lib.staff import ENCORE, May, Staff

STARTERS = Path(__file__).with_suffix(".toml")
KINDS = ("review_reply", "ticket_macro", "share_text")
# What can be filled in, and what it says about it on the screen.
VARIABLES: dict[str, str] = {
    "first_name": "the customer's first name",
    "product": "the product's name",
    "order": "the order's number",
    "store": "your store's name",
    "agent": "who answers",
    "topic": "what it is about",
    "contact": "where a person can be reached",
    "review": "the customer's own words",
}
LONGEST = 5_000
_VARIABLE = re.compile(r"\{([a-z_]+)(?:\|([^{}|]*))?\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its variables filled in; ``missing`` names those that nobody knows: they left a gap."""

    text: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a template says and when it fits. ``language`` and ``topic`` empty: any."""

    kind: str
    name: str
    body: str
    language: str = ""
    topic: str = ""
    least_stars: int = 1
    most_stars: int = 5


def fill(body: str, values: Mapping[str, str]) -> Filled:
    """Put values in the place of variables, once; what is unknown falls back to its own words or leaves a gap."""
    missing: list[str] = []

    def one(found: re.Match[str]) -> str:
        name, instead = found.group(1), found.group(2)
        value = _CONTROL.sub("", values.get(name, "")).strip()
        if value:
            return value
        if instead is None:
            missing.append(name)
        return instead or ""

    return Filled(_VARIABLE.sub(one, body), tuple(dict.fromkeys(missing)))


def unknown_variables(body: str) -> list[str]:
    """What stands in braces and is no variable, such as ``{frist_name}``."""
    known = {found.group(0) for found in _VARIABLE.finditer(body) if found.group(1) in VARIABLES}
    return [text for text in dict.fromkeys(re.findall(r"\{[^{}\n]*\}?", body)) if text not in known]


def write_template(conn: Connection, by: Staff, wording: Wording, *, at: datetime) -> int:
    """Add a template and return its key.

    Raises:
        InvalidInput: no words, no name, an unknown variable, or the name is taken.
    """
    by.must(May.EDIT_TEMPLATES)
    kept = _checked(wording)
    try:
        with conn.begin_nested():
            key = conn.execute(insert(templates).values(**_columns(kept), updated_at=at)).inserted_primary_key
    except IntegrityError as error:
        raise InvalidInput("There is a template of that name already. Choose another name.") from error
    template_id = int((key or (0,))[0])
    _add_version(conn, by, template_id, 1, kept.body, at)
    audit.record(conn, by, "template.written", f"template:{template_id}", at=at, after=_told(kept))
    return template_id


def change_template(
    conn: Connection, by: Staff, template_id: int, wording: Wording, *, version: int, at: datetime
) -> None:
    """Give a template new words or another fit; the old words stay readable as an older version.

    Raises:
        Conflict: somebody changed it since ``version``.
        InvalidInput: as for ``write_template``.
    """
    by.must(May.EDIT_TEMPLATES)
    kept = _checked(wording)
    row = _locked(conn, template_id, version)
    last = conn.execute(
        select(template_versions.c.number, template_versions.c.body)
        .where(template_versions.c.template_id == template_id)
        .order_by(template_versions.c.number.desc())
        .limit(1)
    ).one()
    try:
        with conn.begin_nested():
            conn.execute(
                update(templates)
                .where(templates.c.template_id == template_id)
                .values(**_columns(kept), version=templates.c.version + 1, updated_at=at)
            )
    except IntegrityError as error:
        raise InvalidInput("There is a template of that name already. Choose another name.") from error
    if kept.body != last.body:
        _add_version(conn, by, template_id, last.number + 1, kept.body, at)
    before = {name: row[name] for name in _columns(kept)} | {"body": last.body}
    audit.record(conn, by, "template.changed", f"template:{template_id}", at=at, before=before, after=_told(kept))


def retire_template(
    conn: Connection, by: Staff, template_id: int, *, version: int, at: datetime, is_active: bool = False
) -> None:
    """Stop offering a template, or offer it again; it is never deleted."""
    by.must(May.EDIT_TEMPLATES)
    row = _locked(conn, template_id, version)
    conn.execute(
        update(templates)
        .where(templates.c.template_id == template_id)
        .values(is_active=is_active, version=templates.c.version + 1, updated_at=at)
    )
    audit.record(
        conn,
        by,
        "template.retired" if not is_active else "template.restored",
        f"template:{template_id}",
        at=at,
        before={"is_active": row["is_active"]},
        after={"is_active": is_active},
    )


def install_starters(conn: Connection, *, at: datetime) -> int:
    """Put Encore's own templates in for each kind that has none at all; returns how many. Done by Encore, logged."""
    there = set(conn.execute(select(templates.c.kind).distinct()).scalars())
    new = [wording for wording in starters() if wording.kind not in there]
    for wording in new:
        write_template(conn, ENCORE, wording, at=at)
    return len(new)


def starters() -> list[Wording]:
    """The templates that Encore brings along."""
    return [Wording(**entry) for entry in tomllib.loads(STARTERS.read_text(encoding="utf-8"))["template"]]


def _checked(wording: Wording) -> Wording:
    body, name = _CONTROL.sub("", wording.body).strip(), " ".join(_CONTROL.sub("", wording.name).split())
    if not body or not name:
        raise InvalidInput("A template needs a name and words.")
    if len(body) > LONGEST or len(name) > 100:
        raise InvalidInput(f"A template has at most {LONGEST:,} characters, its name at most 100.")
    if strange := unknown_variables(body):
        raise InvalidInput(f"{strange[0]} is no variable. There are: {', '.join(f'{{{name}}}' for name in VARIABLES)}.")
    if wording.kind not in KINDS or not 1 <= wording.least_stars <= wording.most_stars <= 5:
        raise InvalidInput("Choose what the template is for, and stars from 1 to 5.")
    return Wording(
        kind=wording.kind,
        name=name,
        body=body,
        language=wording.language.strip()[:10],
        topic=wording.topic.strip()[:100],
        least_stars=wording.least_stars,
        most_stars=wording.most_stars,
    )


def _columns(wording: Wording) -> dict[str, Any]:
    return {
        "kind": wording.kind,
        "name": wording.name,
        "language": wording.language or None,
        "topic": wording.topic or None,
        "least_stars": wording.least_stars,
        "most_stars": wording.most_stars,
    }


def _told(wording: Wording) -> dict[str, Any]:
    return _columns(wording) | {"body": wording.body}


def _locked(conn: Connection, template_id: int, version: int) -> Mapping[str, Any]:
    row = (
        conn.execute(select(templates).where(templates.c.template_id == template_id).with_for_update())
        .mappings()
        .first()
    )
    if row is None or row["version"] != version:
        raise Conflict("Somebody changed this template meanwhile. Open it again; your words are still in the editor.")
    return dict(row)


def _add_version(conn: Connection, by: Staff, template_id: int, number: int, body: str, at: datetime) -> None:
    conn.execute(
        insert(template_versions).values(
            template_id=template_id, number=number, body=body, author_id=by.staff_id, written_at=at
        )
    )
