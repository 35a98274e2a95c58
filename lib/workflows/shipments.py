"""Tell a customer that her parcel is late, before she has to ask."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from lib.db import audit
from lib.db.tables.customers import customers
from lib.db.tables.orders import orders
from lib.db.tables.shipments import shipments
from lib.db.tables.store import store
from lib.errors import Conflict, InvalidInput
from lib.outbox.queue import EMAIL, enqueue, is_address
from lib.periods import store_day
from lib.staff import May, Staff
from lib.workflows import desk
from lib.workflows.tickets import cleaned

_SUBJECTS = {"de": "Ihre Bestellung {} kommt später", "en": "Your order {} will arrive late"}
_WORDS = {
    "de": "Guten Tag,\n\nIhre Bestellung {number} sollte am {day} ankommen und ist noch unterwegs. Das tut uns leid. "
    "Wir haben beim Versender nachgefragt und melden uns, sobald wir mehr wissen.\n\n"
    "Antworten Sie einfach auf diese Mail, wenn wir etwas für Sie tun können.\n\n{shop}",
    "en": "Hello,\n\nyour order {number} was to arrive on {day} and is still on its way. We are sorry. "
    "We have asked the carrier and will write as soon as we know more.\n\n"
    "Just reply to this mail if there is anything we can do for you.\n\n{shop}",
}


def announcement(conn: Connection, shipment_id: int) -> tuple[str | None, str]:
    """The address it would go to (null: there is none) and words to begin with, in the customer's language."""
    row = conn.execute(
        select(
            customers.c.email, customers.c.erased_at, customers.c.language, orders.c.number, shipments.c.promised_day
        )
        .select_from(shipments.join(orders).outerjoin(customers, customers.c.customer_id == orders.c.customer_id))
        .where(shipments.c.shipment_id == shipment_id)
    ).first()
    if row is None:
        raise Conflict("This parcel is not there any more.")
    address = row.email if row.email and row.erased_at is None and is_address(row.email) else None
    shop = conn.scalar(select(store.c.name)) or ""
    language = _language(row.language)
    day = f"{row.promised_day:%d.%m.%Y}" if language == "de" else f"{row.promised_day:%-d %B %Y}"
    return address, _WORDS[language].format(number=row.number, day=day, shop=shop).strip()


def announce_delay(conn: Connection, by: Staff, shipment_id: int, text: str, *, version: int, at: datetime) -> None:
    """Mail the customer that the parcel is late, once; it then waits for nobody here.

    A message about a purchase: no consent to advertising is needed.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: no words, or no address to send them to.
        Conflict: it arrived, is not late, was announced already, or somebody changed it since ``version``.
    """
    by.must(May.WORK_QUEUE)
    body = cleaned(text)
    parcel = (
        conn.execute(select(shipments).where(shipments.c.shipment_id == shipment_id).with_for_update())
        .mappings()
        .first()
    )
    desk.locked(conn, "shipment", shipment_id, version=version, at=at)
    if parcel is None or parcel["delivered_at"] is not None:
        raise Conflict("This parcel has arrived, or is not there any more. Nothing was sent.")
    if parcel["announced_late_at"] is not None:
        raise Conflict("The customer was told already. Nothing was sent again.")
    zone = _zone(conn)
    if parcel["promised_day"] is None or parcel["promised_day"] >= store_day(at, zone):
        raise Conflict("This parcel is not late. Nothing was sent.")
    row = conn.execute(
        select(customers.c.customer_id, customers.c.language, customers.c.name, orders.c.number)
        .select_from(orders.outerjoin(customers, customers.c.customer_id == orders.c.customer_id))
        .where(orders.c.order_id == parcel["order_id"])
    ).one()
    address, _ = announcement(conn, shipment_id)
    if address is None:
        raise InvalidInput("There is no e-mail address of this customer. Reach them another way and finish it here.")
    enqueue(
        conn,
        idempotency_key=f"shipment:{shipment_id}:late",
        channel=EMAIL,
        recipient=address,
        subject=_SUBJECTS[_language(row.language)].format(row.number)[:400],
        body=body,
        about="shipment",
        about_id=shipment_id,
        customer_id=row.customer_id,
        extra={"name": row.name or ""},
        at=at,
    )
    conn.execute(
        update(shipments).where(shipments.c.shipment_id == shipment_id).values(announced_late_at=at, updated_at=at)
    )
    about, personal = row.customer_id, {"body": body}
    subject = f"shipment:{shipment_id}"
    audit.record(conn, by, "shipment.announced", subject, at=at, about=about, personal=personal)


def _language(language: str | None) -> str:
    return "de" if (language or "").lower().startswith("de") else "en"


def _zone(conn: Connection) -> ZoneInfo:
    return ZoneInfo(conn.scalar(select(store.c.time_zone)) or "UTC")
