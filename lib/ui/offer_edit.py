"""Changing an offer: what was typed is kept in the database until it is saved as the next version or thrown away.

A tab draws its part with ``working`` and hands back the terms as they stand in its fields; ``follow`` keeps them. So
another tab, another page or a crash loses nothing, and what is not saved yet is said above each part.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import streamlit as st
from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.errors import EncoreError, InvalidInput
from lib.queues.offers import Offer
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.desk import act
from lib.ui.offer_terms import difference, terms_of
from lib.ui.text import plain
from lib.workflows.drafts import drop_draft, read_draft, save_draft
from lib.workflows.offer_terms import Terms
from lib.workflows.offers import change_offer

# Longer words of a change are cut; the version tab shows them whole.
_LONGEST = 90


@dataclass(kw_only=True)
class Editing:
    """One offer while somebody works on it. ``terms``: as they stand now; ``saved``: the newest version."""

    staff: Staff
    store: Store
    offer: Offer
    saved: Terms
    terms: Terms
    begun_on: int
    may: bool
    top: st.delta_generator.DeltaGenerator = field(repr=False)

    @property
    def key(self) -> str:
        """What the fields' keys begin with: another version, or what was thrown away, begins anew."""
        thrown = st.session_state.get(f"offer_thrown_{self.offer.offer_id}", 0)
        return f"offer_{self.offer.offer_id}_{self.offer.version}_{thrown}"

    @property
    def currency(self) -> str:
        return self.store.currency or "EUR"

    def keep(self) -> None:
        """Keep the terms as they stand now, in the database, for this person alone."""
        _keep(self)


@contextmanager
def editing(staff: Staff, store: Store, offer: Offer) -> Iterator[Editing]:
    """Open an offer for a part of its editor; at the end what changed is kept, and said above the part."""
    saved = terms_of(offer.settings, asdict(offer))
    if saved is None:
        raise InvalidInput("This offer was not planned in Encore: it is context, and cannot be changed here.")
    with reading(order_database(settings())) as connection:
        terms, begun_on = _begun(connection, staff, offer, saved)
    one = Editing(
        staff=staff,
        store=store,
        offer=offer,
        saved=saved,
        terms=terms,
        begun_on=begun_on,
        may=staff.may(May.PLAN_OFFERS) and not offer.is_over,
        top=st.container(key=f"offer_unsaved_{offer.offer_id}"),
    )
    before = terms.to_json()
    yield one
    if one.may and one.terms.to_json() != before:
        _keep(one)
    with one.top:
        _unsaved(one)


def _begun(connection: Connection, staff: Staff, offer: Offer, saved: Terms) -> tuple[Terms, int]:
    draft = read_draft(connection, staff, "offer", offer.offer_id) if staff.may(May.PLAN_OFFERS) else None
    if draft is None or offer.is_over:
        return saved, offer.number
    try:
        kept = json.loads(draft.body)
        return Terms.from_json(kept["settings"], {}), int(kept["number"])
    except (EncoreError, ValueError, KeyError, TypeError):
        return saved, offer.number


def _keep(one: Editing) -> None:
    try:
        with writing(order_database(settings())) as connection:
            if one.terms.to_json() == one.saved.to_json():
                drop_draft(connection, one.staff, "offer", one.offer.offer_id)
            else:
                body = json.dumps({"number": one.begun_on, "settings": one.terms.to_json()})
                save_draft(connection, one.staff, "offer", one.offer.offer_id, body, at=now())
    except EncoreError as refused:
        one.top.error(plain(str(refused)), icon=":material/error:")


def _unsaved(one: Editing) -> None:
    changes = difference(one.saved, one.terms, one.currency, one.store.zone)
    if not changes or not one.may:
        return
    with st.container(border=True, gap="small", key="offer_changes"):
        many = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
        st.markdown(f":orange[:material/edit:] **{many} not saved yet**")
        if one.begun_on != one.offer.number:
            st.markdown(
                f":orange[:material/warning:] You began on version {one.begun_on}; somebody saved version "
                f"{one.offer.number} meanwhile. What differs from it is told here: saving puts it in its place."
            )
        for name, before, after in changes[:6]:
            st.caption(plain(f"{name}: {_short(before)} → {_short(after)}"))
        if len(changes) > 6:
            st.caption(f"… and {len(changes) - 6} more")
        with st.container(horizontal=True, gap="small"):
            if st.button(
                f"Save as version {one.offer.number + 1}", type="primary", key=f"{one.key}_save", icon=":material/save:"
            ):
                _save(one)
            if st.button("Throw away", key=f"{one.key}_throw", icon=":material/undo:"):
                _throw_away(one)


def _save(one: Editing) -> None:
    saved: list[int] = []
    with_version = one.offer.version

    def do(connection: Connection) -> None:
        saved.append(change_offer(connection, one.staff, one.offer.offer_id, one.terms, version=with_version, at=now()))

    # Refused or done, the whole page says so.
    if act(do):
        words = f"Saved as version {saved[0]}."
        if one.offer.status in {"running", "paused"}:
            words += " It goes out once it is approved; until then the version before does."
        st.session_state["desk_told"] = ("done", words)
    st.rerun()


def _throw_away(one: Editing) -> None:
    act(lambda c: drop_draft(c, one.staff, "offer", one.offer.offer_id), "Thrown away: back to what was saved.")
    name = f"offer_thrown_{one.offer.offer_id}"
    st.session_state[name] = st.session_state.get(name, 0) + 1
    st.rerun()


def _short(words: str) -> str:
    return one_line_plain(words) if words else "nothing"


def one_line_plain(words: str) -> str:
    """Words of one field on one line, cut."""
    shown = " ".join(words.split())
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1].rstrip() + "…"
