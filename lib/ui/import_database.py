"""Importing from a shop's own database: its address, the mapping to read it by, and its user's password."""

from pathlib import Path

import pandas as pd
import streamlit as st

from lib.db.store import Store
from lib.jobs import uploads
from lib.jobs.named_databases import READY, NamedDatabase, named_database, preview_database
from lib.settings import settings

OWN = "A mapping of my own (TOML)"


def ask_database() -> NamedDatabase | None:
    """The database that is named, once enough is typed."""
    ready = {label: Path(name) for name, label in READY.items()}
    chosen = st.selectbox("Your shop", [*ready, OWN], key="database_mapping")
    file = None
    if chosen == OWN:
        file = st.file_uploader("The mapping: one SELECT per kind of record", type=["toml"], max_upload_size=1)
    with st.form("import_database", border=False):
        left, right = st.columns(2)
        with left:
            address = st.text_input(
                "Address of its database",
                key="database_address",
                placeholder="postgresql://reader@127.0.0.1/shop",
                help="postgresql://…, mysql://… or sqlite:///FILE. Give this user SELECT alone.",
            )
        with right:
            password = st.text_input("Password", type="password", key="database_password")
        st.caption(
            "The database is opened read-only. The password is used for this import and kept nowhere. The next import"
            " reads only what is new since."
        )
        st.form_submit_button("Look into it", icon=":material/search:")
    if not address.strip():
        return None
    if chosen != OWN:
        return named_database(settings(), address, password, ready[chosen])
    if file is None:
        st.caption("Hand over your mapping: one SELECT per kind of record. The how-to of imports shows one.")
        return None
    if st.session_state.get("database_kept_of") != file.file_id:
        kept = uploads.keep_upload(settings(), uploads.new_token(), file.name, file)
        st.session_state["database_kept_of"], st.session_state["database_kept"] = file.file_id, str(kept)
    return named_database(settings(), address, password, Path(st.session_state["database_kept"]))


def first_rows(store: Store, named: NamedDatabase) -> pd.DataFrame:
    """Its first records as they are understood."""
    return preview_database(settings(), store, named)


def command_of(named: NamedDatabase) -> str:
    """What cron runs to read what is new; the password comes from the environment."""
    name = named.mapping.name if named.mapping.parent == Path() else "MAPPING.toml"
    return f"python -m lib import sql '{named.shown.replace('***', '${PASSWORD}')}' --mapping {name}"
