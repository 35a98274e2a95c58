"""The codes of an offer: their rules, how many were handed out, and files for the shop that must know them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.offer import Pays
from lib.periods import store_day
from lib.queues.offers import Offer, reached
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.offer_terms import given, last_day_words
from lib.ui.tables import to_csv
from lib.ui.text import plain
from lib.ui.visit import my_token, staff_of
from lib.workflows.audit import record_export
from lib.workflows.offer_codes import (
    Given,
    codes_given,
    for_shopify,
    for_woocommerce,
    shopify_discount,
    woocommerce_table,
)
from lib.workflows.offer_terms import Terms


def draw_codes(staff: Staff, store: Store, offer: Offer, terms: Terms) -> None:
    """What the checkout must know, as files."""
    plan, currency = terms.plan, store.currency or "EUR"
    code = plan.code
    with reading(order_database(settings())) as connection:
        so_far = reached(connection, offer.offer_id)
    with st.container(border=True, gap="small", key="offer_codes"):
        st.markdown("**What your checkout must know**")
        gives = given(plan.reward, currency)
        uses = "once" if code.uses_per_customer == 1 else f"{code.uses_per_customer} times"
        st.markdown(plain(f"Gives {gives}. Each customer may use it {uses}, for {plan.reward.expiry_days} days."))
        if code.shared:
            st.caption("One code for all:")
            st.code(code.shared, language=None)
        elif code.prefix:
            many = f"{so_far.treated:,} code{'' if so_far.treated == 1 else 's'}"
            st.caption(
                plain(
                    f"One code for each customer, such as {code.prefix}-7K2M-9XQ4-TB5H, which nobody can guess. "
                    f"{many} handed out so far; the holdout has none. Take the files again after each run: a code "
                    "must be in your shop before the customer types it."
                )
            )
        if plan.reward.pays not in {Pays.PERCENT, Pays.AMOUNT, Pays.SHIPPING}:
            st.caption("Your shop gives this reward by itself: the files hold the codes without a discount.")
        # A code is worth money to whoever has it.
        if not staff.may(May.PLAN_OFFERS):
            st.caption("Whoever plans offers can take the codes out for your shop.")
            return
        _files(store, offer, terms, currency)


def _files(store: Store, offer: Offer, terms: Terms, currency: str) -> None:
    plan, name = terms.plan, f"offer-{offer.offer_id}-codes"

    def codes() -> list[Given]:
        if plan.code.shared:
            end = offer.ends_at or now()
            last = store_day(end, store.zone) + timedelta(days=plan.reward.expiry_days)
            return [Given(plan.code.shared, last)]
        with reading(order_database(settings())) as connection:
            return [
                Given(code, store_day(at, store.zone) + timedelta(days=plan.reward.expiry_days))
                for code, at in codes_given(connection, offer.offer_id)
            ]

    def shopify() -> tuple[bytes, int]:
        found = codes()
        return for_shopify(one.code for one in found), len(found)

    def discount() -> tuple[bytes, int]:
        found = codes()
        last = max((one.expires for one in found), default=None)
        ends = datetime.combine(last + timedelta(days=1), datetime.min.time(), store.zone) if last else None
        told = shopify_discount(
            plan,
            title=terms.name,
            currency=currency,
            starts=(offer.starts_at or now()).astimezone(UTC).isoformat(),
            ends=ends.astimezone(UTC).isoformat() if ends else None,
            codes=[one.code for one in found[:1]],
        )
        return told.encode(), 1

    def batches() -> tuple[bytes, int]:
        found = codes()
        return for_woocommerce(plan, found, title=terms.name, currency=currency), len(found)

    def importer() -> tuple[bytes, int]:
        rows = list(woocommerce_table(plan, codes(), title=terms.name, currency=currency))
        return to_csv(pd.DataFrame(rows)), len(rows)

    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Shopify**")
        _file("The discount (JSON)", f"{name}-shopify.json", "application/json", discount)
        st.caption("As Shopify's Admin API makes it, or to set up by hand: amount, minimum, limit and last day.")
        _file("The codes (CSV)", f"{name}-shopify.csv", "text/csv", shopify)
        st.caption("Added to that discount in bulk.")
    with right:
        st.markdown("**WooCommerce**")
        _file("Coupons for an importer (CSV)", f"{name}-woocommerce.csv", "text/csv", importer)
        st.caption("For the coupon importers of WooCommerce.")
        _file("Coupons for its API (JSON lines)", f"{name}-woocommerce.jsonl", "application/jsonl", batches)
        st.caption("Each line is one request to wc/v3/coupons/batch, of at most 100 coupons.")
    st.caption(plain(f"The offer's last day is {last_day_words(offer.ends_at, store.zone)}."))


def _file(label: str, file_name: str, mime: str, make: Callable[[], tuple[bytes, int]]) -> None:
    """A button that makes its file when it is pressed, and notes then who took how many codes out."""
    token, address = my_token(), st.context.ip_address

    def made() -> bytes:
        at = now()
        staff = staff_of(token, at=at, address=address)
        staff.must(May.PLAN_OFFERS)
        found, rows = make()
        with writing(order_database(settings())) as connection:
            record_export(connection, staff, f"file:{file_name}", rows=rows, at=at)
        return found

    st.download_button(
        label, data=made, file_name=file_name, mime=mime, icon=":material/download:", key=file_name, on_click="ignore"
    )
