"""Templates: read, tried, changed by a new version, retired."""

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.templates import Template, history, templates_of
from lib.settings import settings
from lib.staff import May, Staff
from lib.stats.topics import labels
from lib.ui.access import show_error
from lib.ui.desk import act, told
from lib.ui.inbox import distinct
from lib.ui.text import ago, one_line, plain
from lib.ui.visit import reader
from lib.workflows.templates import (
    LONGEST,
    VARIABLES,
    Wording,
    change_template,
    fill,
    retire_template,
    unknown_variables,
    write_template,
)

NEW = "New template"
ANY = "Any"
_KINDS = {"review_reply": "Reply to a review", "share_text": "Text to share", "ticket_macro": "Answer to a ticket"}
# What a preview puts in the place of variables: plainly an example.
_EXAMPLE = {
    "first_name": "Anna",
    "product": "Stoneware mug",
    "order": "#1042",
    "agent": "Ben",
    "topic": "Quality",
    "review": "Lovely mug, well packed.",
    "contact": "help@your-shop.example",
}


@st.fragment
def draw_templates(store: Store, kinds: tuple[str, ...]) -> None:
    """The templates of some kinds: a list, and the one that is chosen."""
    try:
        _draw(reader(), store, kinds)
    except Exception as error:
        show_error(error)


def _draw(staff: Staff, store: Store, kinds: tuple[str, ...]) -> None:
    told()
    with reading(order_database(settings())) as connection:
        found = [one for kind in kinds for one in templates_of(connection, kind, with_retired=True)]
    may = staff.may(May.EDIT_TEMPLATES)
    named = {one.template_id: one for one in found}
    said = distinct({0: _label(None), **{key: _label(one) for key, one in named.items()}})
    left, right = st.columns([1, 1.75], gap="medium")
    with left, st.container(border=True, height=620, key="template_list"):
        options = [*([0] if may else []), *named]
        chosen = st.radio(
            "Template",
            options,
            index=1 if may and len(options) > 1 else 0,
            format_func=lambda key: said[key],
            captions=[_caption(named.get(key)) for key in options],
            key="template_chosen",
            label_visibility="collapsed",
        )
    with right, st.container(border=True, key="template_open"):
        _open(staff, store, kinds, named.get(chosen or 0), may=may)


def _label(one: Template | None) -> str:
    if one is None:
        return f":material/add: {NEW}"
    name = one_line(one.name, 60)
    return f"**{name}**" if one.is_active else f":gray[{name}]"


def _caption(one: Template | None) -> str:
    if one is None:
        return ""
    rated = (
        f"{one.least_stars} stars" if one.least_stars == one.most_stars else f"{one.least_stars}–{one.most_stars} stars"
    )
    parts = [_KINDS[one.kind], one.language or "any language", rated]
    if one.topic:
        parts.append(labels().get(one.topic, one.topic).lower())
    if not one.is_active:
        parts.append("retired")
    return one_line(" · ".join(parts), 90)


def _open(staff: Staff, store: Store, kinds: tuple[str, ...], one: Template | None, *, may: bool) -> None:
    key = f"template_{one.template_id}_{one.version}" if one else "template_new"
    spoken = [ANY, *dict.fromkeys([*store.languages, *([one.language] if one and one.language else [])])]
    topics = [ANY, *labels()]
    name = st.text_input("Name", one.name if one else "", max_chars=100, disabled=not may, key=f"{key}_name")
    kind = one.kind if one else kinds[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if one is None and len(kinds) > 1:
            kind = st.selectbox("For", kinds, format_func=lambda k: _KINDS[k], key=f"{key}_kind", width=180)
        language = st.selectbox(
            "Language",
            spoken,
            index=spoken.index(one.language) if one and one.language else 0,
            disabled=not may,
            key=f"{key}_language",
            width=130,
        )
        topic = st.selectbox(
            "Topic",
            topics,
            index=topics.index(one.topic) if one and one.topic in topics else 0,
            format_func=lambda t: labels().get(t, t),
            disabled=not may,
            key=f"{key}_topic",
            width=190,
        )
    least, most = st.slider(
        "Stars", 1, 5, (one.least_stars, one.most_stars) if one else (1, 5), disabled=not may, key=f"{key}_stars"
    )
    body = st.text_area(
        "Words", one.body if one else "", height=190, max_chars=LONGEST, disabled=not may, key=f"{key}_body"
    )
    st.caption(
        plain(
            "To fill in: "
            + ", ".join(f"{{{name}}}" for name in VARIABLES)
            + ". {first_name|you} says “you” without a name."
        )
    )
    for strange in unknown_variables(body)[:3]:
        st.markdown(f":orange[:material/warning: {plain(strange)} is no variable.]")
    st.markdown("**As Anna would read it**")
    with st.container(border=True, key="template_preview"):
        st.text(fill(body, _EXAMPLE | {"store": store.name}).text or "…")
    if may:
        wording = Wording(
            kind=kind,
            name=name,
            body=body,
            language="" if language == ANY else language,
            topic="" if topic == ANY else topic,
            least_stars=least,
            most_stars=most,
        )
        _buttons(staff, one, wording, key)
    if one is not None:
        _history(one)


def _buttons(staff: Staff, one: Template | None, wording: Wording, key: str) -> None:
    def save() -> None:
        if one is None:
            act(lambda c: write_template(c, staff, wording, at=now()), "Template saved.")
        else:
            act(
                lambda c: change_template(c, staff, one.template_id, wording, version=one.version, at=now()),
                "Template saved as a new version.",
            )

    def turn() -> None:
        if one is not None:
            act(
                lambda c: retire_template(
                    c, staff, one.template_id, version=one.version, at=now(), is_active=not one.is_active
                ),
                "Template retired: it is offered no more." if one.is_active else "Template offered again.",
            )

    with st.container(horizontal=True, gap="small"):
        st.button("Save", type="primary", key=f"{key}_save", on_click=save)
        if one is not None:
            st.button("Retire" if one.is_active else "Offer again", key=f"{key}_retire", on_click=turn)


def _history(one: Template) -> None:
    with reading(order_database(settings())) as connection:
        versions = history(connection, one.template_id)
    if len(versions) < 2:
        return
    with st.expander(f"{len(versions) - 1} earlier version{'' if len(versions) == 2 else 's'}"):
        for earlier in versions[1:]:
            st.caption(one_line(f"{earlier.number}, {earlier.author or 'here'}, {ago(earlier.written_at, now())}", 90))
            st.text(earlier.body)
