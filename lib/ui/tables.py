"""Tables of rows, and files of exactly those rows."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, writing
from lib.db.tables.columns import now
from lib.metrics.definition import Unit
from lib.money import exponent, to_major
from lib.settings import settings
from lib.ui.text import MISSING, plain
from lib.ui.visit import my_token, staff_of
from lib.workflows.audit import record_export

# A cell that begins so is run as a formula by spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: object) -> object:
    """A cell that no spreadsheet runs: text that could be a formula gets an apostrophe before it."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def to_csv(frame: pd.DataFrame) -> bytes:
    """A frame as CSV for spreadsheets: UTF-8 with its mark, no formulas, numbers as numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe_cell(str(column)) for column in frame.columns])
    for row in frame.itertuples(index=False, name=None):
        writer.writerow([safe_cell(value) for value in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def amounts(frame: pd.DataFrame, column: str, unit: Unit, currency: str) -> pd.DataFrame:
    """The frame with minor units of a column turned into exact amounts in whole units."""
    if unit is not Unit.MONEY or frame.empty:
        return frame
    turned = frame.copy()
    exact = [None if pd.isna(value) else to_major(int(value), currency) for value in frame[column]]
    turned[column] = pd.Series(exact, index=frame.index, dtype="object")
    return turned


def in_money(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Columns of minor units as exact amounts, for a download."""
    turned = frame.copy()
    for name in [str(column) for column in frame.columns if str(column).endswith("_minor")]:
        exact = [None if pd.isna(value) else to_major(round(value), currency) for value in frame[name]]
        turned[name.removesuffix("_minor")] = pd.Series(exact, index=frame.index, dtype="object")
        turned = turned.drop(columns=name)
    turned["currency"] = currency
    return turned


def number_format(unit: Unit, currency: str) -> str:
    """How a column of a unit is shown, for ``NumberColumn``; the currency stands in the heading."""
    if unit is Unit.MONEY:
        return f"%,.{exponent(currency or 'EUR')}f"
    return "%,.0f" if unit in {Unit.COUNT, Unit.POINTS} else "%,.2f"


def download(label: str, name: str, make: Callable[[], pd.DataFrame], *, key: str) -> None:
    """A button that makes a CSV only when it is pressed; whoever presses it is asked for and noted then."""
    token, address = my_token(), st.context.ip_address
    st.download_button(
        label,
        data=lambda: to_csv(noted(make(), name, token=token, address=address)),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=key,
        on_click="ignore",
    )


def download_made(label: str, file_name: str, mime: str, make: Callable[[], bytes], *, icon: str, key: str) -> None:
    """A button for a file that is no table, such as a page of paper; noted in the log when it is pressed."""
    token, address = my_token(), st.context.ip_address

    def made() -> bytes:
        at = now()
        staff = staff_of(token, at=at, address=address)
        with writing(order_database(settings())) as connection:
            record_export(connection, staff, f"file:{file_name}", rows=1, at=at)
        return make()

    st.download_button(label, data=made, file_name=file_name, mime=mime, icon=icon, key=key, on_click="ignore")


def noted(frame: pd.DataFrame, name: str, *, token: str | None, address: str | None) -> pd.DataFrame:
    """The frame, once it is in the log who takes it out.

    Raises:
        NotSignedIn, NotAllowed: nobody may take it out that way; nothing is noted then.
    """
    at = now()
    staff = staff_of(token, at=at, address=address)
    with writing(order_database(settings())) as connection:
        record_export(connection, staff, f"file:{name}", rows=len(frame), at=at)
    return frame


def table(frame: pd.DataFrame, *, alt: str, columns: Mapping[str, Any] | None = None, key: str | None = None) -> None:
    """A read-only table without an index; beyond ten rows it scrolls."""
    st.dataframe(frame, hide_index=True, column_config=dict(columns or {}), placeholder="–", alt=alt, key=key)


def still(frame: pd.DataFrame, *, alt: str, numbers: Mapping[str, Callable[[Any], str]] | None = None) -> None:
    """A short table, read and copied as any text: no grid that a browser must load.

    ``numbers``: how columns of numbers are written; they stand at the right. All others hold words.
    """
    written = dict(numbers or {})
    shown = frame.assign(**{name: frame[name].map(plain) for name in frame.columns if name not in written})
    styled = shown.style.format(written, na_rep=MISSING) if written else shown  # type: ignore[arg-type]  # its stub wants object
    st.table(styled, border="horizontal", hide_index=True, alt=alt)


def pick(frame: pd.DataFrame, *, alt: str, columns: Mapping[str, Any] | None = None, key: str) -> int | None:
    """A read-only table whose rows can be chosen; gives the place of a row in the run in which it is chosen.

    Only then: a row that stays chosen opens nothing again. Draw it in a fragment: choosing runs the script.
    """
    asked = f"picked_{key}"

    def remember() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        st.session_state[asked] = rows[0] if rows else None

    st.dataframe(
        frame,
        hide_index=True,
        column_config=dict(columns or {}),
        placeholder="–",
        alt=alt,
        key=key,
        on_select=remember,
        selection_mode="single-row",
    )
    place = st.session_state.pop(asked, None)
    return place if isinstance(place, int) and 0 <= place < len(frame) else None
