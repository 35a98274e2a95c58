"""The products that an offer is about: recommended, reminded of, explained."""

import streamlit as st

from lib.db.engine import order_database, reading
from lib.offer import Plan
from lib.queues.product_search import find_products, names_of
from lib.settings import settings
from lib.ui.inbox import distinct
from lib.ui.offer_edit import Editing
from lib.ui.text import one_line

# Kinds that speak of products, and what for.
ABOUT = {
    "complementary": "Recommends",
    "replenishment": "Reminds of",
    "guide": "Explains",
    "review_request": "Asks about",
    "share": "Shares",
    "gift": "Gives",
}
# A mail with more recommendations is a catalogue.
MOST = 12


def draw_products(one: Editing, plan: Plan) -> tuple[int, ...]:
    """Choose products; nothing chosen: the one that the customer bought."""
    label = ABOUT.get(plan.kind)
    if label is None:
        return plan.product_ids
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        words = st.text_input(
            "Find a product",
            placeholder="Words of its name",
            key=f"{one.key}_find_product",
            disabled=not one.may,
            width=200,
        )
        with reading(order_database(settings())) as connection:
            held = names_of(connection, plan.product_ids)
            found = find_products(connection, words)
        # What is chosen stays on offer whatever is looked for; what is no longer sold keeps its number.
        names = {key: held.get(key, f"Product no. {key}") for key in plan.product_ids} | found
        labels = distinct({key: one_line(name, 60) for key, name in names.items()})
        chosen = st.multiselect(
            label,
            list(names),
            default=list(plan.product_ids),
            format_func=lambda key: labels[key],
            max_selections=MOST,
            placeholder="What the customer bought",
            key=f"{one.key}_products_{words.strip()[:40]}",
            disabled=not one.may,
        )
    return tuple(int(key) for key in chosen)
