"""Which templates fit what is being answered, and what each of them said before."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, func, select

from lib.db.tables.desk import template_versions, templates
from lib.db.tables.staff import staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template with its newest words. ``language`` and ``topic`` are empty where it fits any."""

    template_id: int
    kind: str
    name: str
    body: str
    language: str
    topic: str
    least_stars: int
    most_stars: int
    is_active: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """One version of a template's words."""

    number: int
    body: str
    author: str
    written_at: datetime


def templates_of(connection: Connection, kind: str, *, with_retired: bool = False) -> list[Template]:
    """All templates of a kind, by name."""
    statement = _newest().where(templates.c.kind == kind).order_by(templates.c.name)
    if not with_retired:
        statement = statement.where(templates.c.is_active)
    return [
        Template(
            template_id=row.template_id,
            kind=row.kind,
            name=row.name,
            body=row.body,
            language=row.language or "",
            topic=row.topic or "",
            least_stars=row.least_stars,
            most_stars=row.most_stars,
            is_active=row.is_active,
            version=row.version,
        )
        for row in connection.execute(statement)
    ]


def fitting(
    found: list[Template], *, language: str = "", stars: int | None = None, topics: frozenset[str] = frozenset()
) -> list[Template]:
    """Those that fit, the best first: of a topic that is spoken of before those for any, by name among equals.

    A template in another language never fits; one for any language fits after those of the right one.
    """

    def fits(template: Template) -> bool:
        speaks = not template.language or not language or template.language == language
        rates = stars is None or template.least_stars <= stars <= template.most_stars
        return speaks and rates and (not template.topic or template.topic in topics)

    def rank(template: Template) -> tuple[bool, bool, int, str]:
        width = template.most_stars - template.least_stars
        return (not template.topic, template.language != language, width, template.name)

    return sorted(filter(fits, found), key=rank)


def history(connection: Connection, template_id: int) -> list[Earlier]:
    """Every version of a template's words, newest first."""
    version = template_versions.c
    rows = connection.execute(
        select(version.number, version.body, version.written_at, staff.c.name)
        .outerjoin(staff, staff.c.staff_id == version.author_id)
        .where(version.template_id == template_id)
        .order_by(version.number.desc())
    )
    return [Earlier(number=r.number, body=r.body, author=r.name or "", written_at=r.written_at) for r in rows]


def _newest() -> Select[tuple[object, ...]]:
    last = (
        select(template_versions.c.template_id, func.max(template_versions.c.number).label("number"))
        .group_by(template_versions.c.template_id)
        .subquery()
    )
    return (
        select(templates, template_versions.c.body)
        .join(last, last.c.template_id == templates.c.template_id)
        .join(
            template_versions,
            and_(template_versions.c.template_id == last.c.template_id, template_versions.c.number == last.c.number),
        )
    )
