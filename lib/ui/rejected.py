"""Rows that imports put aside: why, as they stood; to take out, correct and import again, or to dismiss."""

from functools import partial

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.jobs import rejections, uploads
from lib.settings import settings
from lib.ui.text import plain
from lib.ui.visit import my_token, reader, staff_of
from lib.workflows.audit import record_export


def draw_rejected(store: Store) -> None:
    """The rows put aside: why, as they stood; to download, correct and import again, or dismiss."""
    st.header("Rows put aside", anchor=False)
    count = rejections.open_count(settings())
    if not count:
        st.caption("None: every row of every import is in the figures.")
        return
    st.caption(
        f"{count:,} row{'' if count == 1 else 's'} could not be trusted and are not in the figures. "
        "Select some to take them out as a file, correct it, and import it again; or dismiss them."
    )
    rows = rejections.open_rows(settings())
    shown = rows.rename(
        columns={"file": "File", "line": "Line", "kind": "Kind", "reason": "Why", "text": "Row", "source": "Source"}
    )
    event = st.dataframe(
        shown[["File", "Line", "Kind", "Why", "Row", "Source"]],
        hide_index=True,
        height=min(420, 38 * (len(shown) + 1)),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Why": st.column_config.TextColumn(width="large"),
            "Line": st.column_config.NumberColumn(format="%d"),
        },
        key="rejected_rows",
        alt="Rows that imports put aside",
    )
    picked = [int(rows["rejected_row_id"].iloc[place]) for place in event.selection.rows if place < len(rows)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download the list (CSV)",
            data=partial(_list, my_token(), st.context.ip_address),
            file_name="rows_put_aside.csv",
            mime="text/csv",
            icon=":material/download:",
            key="rejected_list",
            on_click="ignore",
        )
        if picked:
            _with_picked(rows, picked)
    if len(rows) < count:
        st.caption(f"The newest {len(rows):,} of {count:,}; the download has all.")


def _with_picked(rows: pd.DataFrame, picked: list[int]) -> None:
    try:
        content = rejections.written_template(settings(), picked)
        name = str(rows.loc[rows["rejected_row_id"] == picked[0], "file"].iloc[0]).rsplit("/", 1)[-1]
        st.download_button(
            f"Take out {len(picked)} to correct",
            data=content,
            file_name=f"corrected_{uploads.safe_name(name)}",
            icon=":material/edit_document:",
            key="rejected_template",
            on_click="ignore",
        )
    except EncoreError as refused:
        st.caption(plain(refused))
    if st.button(f"Dismiss {len(picked)}", icon=":material/delete_sweep:", key="rejected_dismiss"):
        st.dialog("Dismiss these rows?")(_confirm_dismiss)(picked)


def _list(token: str | None, address: str | None) -> bytes:
    """All open rows as a file, once it is in the log who takes them out."""
    at = now()
    staff = staff_of(token, at=at, address=address)
    with writing(order_database(settings())) as connection:
        record_export(connection, staff, "file:rows_put_aside", rows=rejections.open_count(settings()), at=at)
    return rejections.written_list(settings())


def _confirm_dismiss(picked: list[int]) -> None:
    many = f"{len(picked)} row{'' if len(picked) == 1 else 's'}"
    st.write(f"{many} will no longer count as missing. They stay on record, but are not in the figures.")
    if st.button(f"Dismiss {many}", type="primary", key="dismiss_confirm"):
        rejections.dismiss(settings(), reader(), picked)
        st.cache_data.clear()
        st.rerun()
