"""The versions of an offer, and what each of them changed."""

from dataclasses import asdict
from datetime import datetime
from difflib import SequenceMatcher

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.offers import Offer, Version, versions
from lib.settings import settings
from lib.ui.offer_terms import difference, terms_of
from lib.ui.text import ago, one_line, plain


def draw_versions(store: Store, offer: Offer) -> None:
    """Each version with who wrote it, when, and what it changed against the one before."""
    with reading(order_database(settings())) as connection:
        found = versions(connection, offer.offer_id)
    at = now()
    for place, one in enumerate(found):
        before = found[place + 1] if place + 1 < len(found) else None
        with st.container(border=True, gap="small", key=f"offer_version_{one.number}"):
            _head(offer, one, at)
            _changes(store, offer, before, one)


def _head(offer: Offer, one: Version, at: datetime) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Version {one.number}**", width="content")
        if one.number == offer.approved_number:
            out = offer.status in {"running", "paused"}
            st.badge("Goes out" if out else "Approved", icon=":material/check:", color="green")
        elif one.number == offer.number and offer.waits:
            st.badge("Waits for approval", icon=":material/hourglass_empty:", color="orange")
    st.caption(one_line(f"{one.author or 'At this computer'}, {ago(one.created_at, at)}", 90))


def _changes(store: Store, offer: Offer, before: Version | None, one: Version) -> None:
    row = asdict(offer)
    new = terms_of(one.settings, row)
    if new is None:
        st.caption("It was not planned in Encore.")
        return
    if before is None:
        st.caption("The first version.")
        return
    old = terms_of(before.settings, row)
    changes = difference(old, new, store.currency or "EUR", store.zone) if old else []
    if not changes:
        st.caption("Nothing that is shown here changed.")
    for name, was, now_ in changes:
        _change(name, was, now_)


def _change(name: str, was: str, now_: str) -> None:
    if "\n" not in was + now_ and len(was) < 90 and len(now_) < 90:
        st.markdown(f"{plain(name)}: :gray[{plain(was or 'nothing')}] → **{plain(now_ or 'nothing')}**")
        return
    st.markdown(f"{plain(name)}:")
    with st.container(border=True, gap=None):
        for mark, words in line_changes(was, now_):
            shown = plain(words) or "\u00a0"
            st.markdown(
                {"-": f":red[− ~~{shown}~~]" if words else "", "+": f":green[+ {shown}]"}.get(mark, f":gray[{shown}]")
            )


def line_changes(was: str, now_: str) -> list[tuple[str, str]]:
    """Two texts line by line: ``-`` what went, ``+`` what came, a space for what stayed, ``…`` for a longer part."""
    old, new = was.split("\n"), now_.split("\n")
    told: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            kept = [line for line in old[a:b] if line.strip()]
            told += [(" ", line) for line in kept] if len(kept) <= 2 else [(" ", kept[0]), (" ", "…"), (" ", kept[-1])]
            continue
        told += [("-", line) for line in old[a:b] if line.strip()]
        told += [("+", line) for line in new[c:d] if line.strip()]
    return told
