"""Find a person: a box to type in, and who fits, each with the way to their page."""

import streamlit as st

from lib.db.engine import order_database, reading
from lib.privacy import mask_email, mask_name
from lib.queues.customer_search import MOST_FOUND, FoundPeople, Person, find_people
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.text import one_line

ERASED = "Erased person"
NAMELESS = "Without a name"


def draw_find(staff: Staff) -> None:
    """The box and the people who fit what stands in it."""
    sees = staff.may(May.SEE_PERSONAL_DATA)
    with st.container(border=True, gap="small", key="find_customer"):
        words = st.text_input(
            "Find a customer by name, e-mail or order number" if sees else "Find a customer by order number",
            type="search",
            live="400ms",
            key="customer_search",
            placeholder="Anna Becker, anna@example.com or #1001" if sees else "#1001",
        )
        if not sees:
            st.caption("Your role sees nobody's name, so it finds customers by their orders.")
        if not words or not words.strip():
            return
        with reading(order_database(settings())) as connection:
            found = find_people(connection, words, by_order_alone=not sees)
        _draw(found, words, sees=sees)


def _draw(found: FoundPeople, words: str, *, sees: bool) -> None:
    for number in found.of_nobody:
        st.caption(f"Nobody knows who placed order {one_line(number, 40)}.")
    if not found.people:
        if not found.of_nobody:
            st.caption(
                f"Nobody is called or known by what begins with “{one_line(words, 60)}”. "
                "Try the surname alone, or an order number."
                if sees
                else f"No order's number begins with “{one_line(words, 60)}”."
            )
        return
    with st.grid(2, min_column_width=280, gap="xsmall", key="found_customers"):
        for person in found.people:
            with st.container(gap=None, key=f"found_{person.customer_id}"):
                _person(person, sees=sees)
    if found.is_cut:
        st.caption(f"The first {MOST_FOUND} are shown. Type more to find fewer.")


def _person(person: Person, *, sees: bool) -> None:
    st.button(
        named(person.customer_id, person.name, is_erased=person.is_erased, sees=sees),
        icon=":material/person:",
        type="tertiary",
        key=f"see_{person.customer_id}",
        on_click=_see,
        args=(person.customer_id,),
    )
    email = person.email if sees else mask_email(person.email)
    place = person.city if sees else ""
    parts = [f"order {person.order}" if person.order else "", email or "", place, person.country]
    st.caption(one_line(" · ".join(part for part in parts if part) or "Nothing else is known", 120))


def _see(customer_id: int) -> None:
    st.session_state["customer_search"] = ""
    st.query_params["customer"] = str(customer_id)


def named(customer_id: int, name: str, *, is_erased: bool, sees: bool) -> str:
    """What a customer is called on a screen, as Markdown: by name, masked, or by number."""
    if is_erased:
        return f"{ERASED} {customer_id}"
    shown = name if sees else mask_name(name)
    return one_line(shown, 60) if shown else f"{NAMELESS} ({customer_id})"
