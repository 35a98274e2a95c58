"""One customer's page: who she is, what her orders come to, when the next is due, and all that happened."""

from datetime import timedelta
from typing import Literal

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.errors import NotEnoughData
from lib.metrics.customers import MANY, Bought, bought, rfm
from lib.metrics.definition import Unit
from lib.money import format_money
from lib.periods import Period
from lib.privacy import mask_email
from lib.queues.customer_account import CustomerAccount, account
from lib.queues.customer_person import Whole, read_person
from lib.settings import settings
from lib.staff import May, Staff
from lib.stats.lifecycle import Stage, next_order, stage
from lib.stats.rfm import FIFTHS, Rfm
from lib.ui.access import Desk
from lib.ui.customer_find import named
from lib.ui.customer_notes import draw_notes
from lib.ui.customer_stages import LABELS, gaps_of, waits_of
from lib.ui.customer_timeline import draw_timeline
from lib.ui.desk import told
from lib.ui.erasure import draw_erased, erase_button, export_button
from lib.ui.live import House
from lib.ui.tables import still
from lib.ui.text import clock, of_days, one_line, plain, written

CHANNELS = {"email": "E-mail", "sms": "SMS", "whatsapp": "WhatsApp", "post": "Post"}
STATES = {"given": ":green[agreed]", "withdrawn": ":red[withdrawn]", "never": ":gray[never asked or refused]"}
Colour = Literal["blue", "green", "orange", "red", "gray"]
COLOURS: dict[Stage, Colour] = {
    Stage.NEW: "blue",
    Stage.ACTIVE: "green",
    Stage.DUE: "orange",
    Stage.AT_RISK: "red",
    Stage.LAPSED: "gray",
}


def draw_customer(desk: Desk, house: House, customer_id: int) -> None:
    """The whole page of one customer."""
    st.button("All customers", icon=":material/arrow_back:", type="tertiary", key="all_customers", on_click=_leave)
    with reading(order_database(settings())) as connection:
        person = read_person(connection, customer_id)
        sums = account(connection, customer_id)
    if person is None or sums is None:
        st.info("There is no customer of that number. Search above by name, e-mail or order number.")
        return
    told()
    draw_erased()
    known = bought(house.mart, customer_id) if house.mart else None
    aside, main = st.columns([1, 1.75], gap="small")
    with aside:
        _who(desk, house, person, known)
        if person.erased_at is None:
            draw_notes(desk.staff, desk.store, customer_id)
        _expected(house, known, sums)
        _sums(sums)
        if person.erased_at is None:
            _consents(person)
            _rights(desk.staff, customer_id)
    with main:
        draw_timeline(desk.staff, desk.store, customer_id)


def _leave() -> None:
    st.query_params.clear()


def _who(desk: Desk, house: House, person: Whole, known: Bought | None) -> None:
    sees = desk.staff.may(May.SEE_PERSONAL_DATA)
    is_erased = person.erased_at is not None
    with st.container(border=True, gap="small", key="customer"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.header(
                named(person.customer_id, person.name, is_erased=is_erased, sees=sees), anchor=False, width="content"
            )
            for label, colour in _marks(house, person, known):
                st.badge(label, color=colour)
        if person.erased_at is not None:
            when = clock(person.erased_at, desk.store.zone, desk.store.today())
            st.caption(f"Erased {when}: nothing that names this person is kept. Amounts and dates stay.")
            return
        addresses = [email if sees else mask_email(email) or "" for email in person.emails]
        lines = [", ".join(addresses)]
        if sees:
            lines.append(" · ".join(part for part in (person.phone, person.city, person.country) if part))
        else:
            lines.append(person.country)
        for line in lines:
            if line:
                st.caption(one_line(line, 200))
        if sees and (person.tags or person.note):
            st.text("\n".join(part for part in (person.tags, person.note) if part)[:1_000])
        if not sees:
            st.caption("Your role sees names and addresses masked, and nobody's words.")


def _marks(house: House, person: Whole, known: Bought | None) -> list[tuple[str, Colour]]:
    marks: list[tuple[str, Colour]] = []
    if house.mart is not None and known is not None:
        today = house.store.today()
        waits = waits_of(house.mart, today)
        if waits:
            found = stage(known.occasions, known.waited(today), waits[min(known.occasions, MANY)])
            marks.append((LABELS[found], COLOURS[found]))
    if person.is_test:
        marks.append(("Tester: counted nowhere", "gray"))
    if person.is_guest and person.erased_at is None:
        marks.append(("Guest", "gray"))
    return marks


def _expected(house: House, known: Bought | None, sums: CustomerAccount) -> None:
    with st.container(border=True, gap="small", key="expected_order"):
        st.header("Next order", anchor=False)
        if house.mart is None or known is None:
            st.caption(
                "The figures are being prepared, or do not know the newest orders yet."
                if sums.orders
                else "Nothing was ordered that counts, so there is nothing to expect."
            )
            return
        today = house.store.today()
        gaps = gaps_of(int(house.mart.version), today, house.mart)
        number = min(known.occasions, MANY)
        waited = known.waited(today)
        same = f"{number} order{'' if number == 1 else 's'}" + (" or more" if number == MANY else "")
        try:
            found = next_order(gaps[number], waited) if number in gaps else None
        except NotEnoughData as refused:
            found = None
            st.caption(f"Too few to say: {plain(str(refused))}")
        if found is not None:
            last = today - timedelta(days=waited)
            days = {name: last + timedelta(days=getattr(found, name)) for name in ("early", "middle", "late")}
            st.markdown(f"**{written(found.share, Unit.SHARE, '')}** order again")
            st.caption(
                plain(
                    f"95% interval {written(found.low, Unit.SHARE, '')} to {written(found.high, Unit.SHARE, '')}, "
                    f"within {found.horizon:,} days of the last order."
                )
            )
            if days["middle"] > today:
                st.markdown(f"If so, half of them by **{days['middle']:%-d %b %Y}**")
            period = Period(max(days["early"], today), days["late"] + timedelta(days=1))
            st.caption(plain(f"8 of 10 of these between {of_days(period, year=True)}."))
            st.caption(
                plain(
                    f"From {found.customers:,} customers who had waited {waited:,} days or more after {same} "
                    "(Kaplan–Meier). It says what they did, not what this one will do."
                )
            )
        _scores(rfm(house.mart, known), known)


def _scores(scores: Rfm | None, known: Bought) -> None:
    among = "one-time buyers" if known.occasions == 1 else "customers who came back"
    if scores is None:
        st.caption(f"Too few {among} to compare with.")
        return
    parts = [f"recency **{scores.recency}**"]
    if scores.frequency is not None:
        parts.append(f"frequency **{scores.frequency}**")
    parts.append(f"value **{scores.money}**")
    st.markdown("Among the others: " + " · ".join(parts))
    st.caption(f"Fifths, {FIFTHS} the best, among {scores.among:,} {among}; who is level shares one.")


def _sums(sums: CustomerAccount) -> None:
    with st.container(border=True, gap="small", key="customer_account"):
        st.header("What it comes to", anchor=False)
        if not sums.orders and not sums.left_out and not sums.refunds:
            st.caption("No order and no refund.")
            return

        def money(minor: int) -> str:
            return format_money(minor, sums.currency or "EUR").replace("-", "−")

        st.markdown(f"**{sums.orders:,} order{'' if sums.orders == 1 else 's'}** that count")
        rows = [
            ("Goods", money(sums.gross_minor)),
            ("Discounts", money(-sums.discount_minor)),
            ("Refunded goods", money(-sums.refunded_goods_minor)),
            ("Net sales", money(sums.net_minor)),
            ("Shipping, tax and fees", money(sums.shipping_minor + sums.tax_minor + sums.fees_minor)),
            ("Charged in all, before refunds", money(sums.total_minor)),
            (f"Paid back in {sums.refunds:,} refund{'' if sums.refunds == 1 else 's'}", money(sums.paid_back_minor)),
        ]
        frame = pd.DataFrame(rows, columns=["What", "Amount"])
        still(frame, alt="What this customer's orders come to", numbers={"Amount": str})
        notes = []
        if sums.unpaid_orders:
            notes.append(f"{sums.unpaid_orders:,} of them not paid yet.")
        for one in sums.left_out:
            many = f"{one.orders:,} order{'' if one.orders == 1 else 's'}"
            notes.append(f"Left out: {many} ({one.reason}), {money(one.total_minor)}.")
        for note in notes:
            st.caption(plain(note))


def _consents(person: Whole) -> None:
    with st.container(border=True, gap="small", key="consents"):
        st.header("Consents", anchor=False)
        if not person.consents:
            st.caption("None is on record: nothing may be sent for advertising.")
        for one in person.consents:
            when = f", {one.stated_at:%-d %b %Y}" if one.stated_at else ""
            st.markdown(f"{CHANNELS[one.channel]}: {STATES[one.state]}")
            st.caption(one_line(f"As {one.source} says{when}", 100))


def _rights(staff: Staff, customer_id: int) -> None:
    if not (staff.may(May.EXPORT_PEOPLE) or staff.may(May.ERASE_PEOPLE)):
        return
    with st.container(border=True, gap="small", key="person_rights"):
        st.header("Privacy", anchor=False)
        with st.container(horizontal=True, gap="small"):
            export_button(staff, customer_id)
            erase_button(staff, customer_id)
