"""What the columns of a table mean: guessed, shown, corrected, and kept for the next time."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.store import Store
from lib.errors import EncoreError
from lib.jobs import previews, uploads
from lib.settings import settings
from lib.ui.text import plain

GUESS = "Guess from the columns"
SHAPES = {"order": "One row per order", "line": "One row per order line"}
DECIMALS = {"": "As the amounts tell", ".": "Point: 1,234.50", ",": "Comma: 1.234,50"}
ORDER_AMOUNTS = {
    "repeated": "The same on every line",
    "first": "On the first line only",
    "each": "Each line has its share",
}


def draw_mapping(store: Store, paths: list[Path]) -> Any:
    """Show what each column means, and let it be corrected; null while something is still missing."""
    st.markdown("**What the columns mean**")
    base = _base(store, paths)
    known = previews.columns_of(settings(), store, paths, base.kind)
    for question in base.questions:
        st.warning(plain(question.text), icon=":material/help:")
    mapping = previews.corrected(base, _edited(base, known), **_settings(base))
    try:
        mapping.check(known.header, paths[0].name)
    except EncoreError as lacking:
        st.error(str(lacking), icon=":material/rule:")
        return None
    _keep(mapping, known.header)
    return mapping


def _base(store: Store, paths: list[Path]) -> Any:
    left, right = st.columns(2)
    with left:
        origin = st.selectbox("Mapping", [GUESS, *uploads.saved_mappings(settings())], key="mapping_from")
    if origin != GUESS:
        return previews.saved(uploads.mapping_path(settings(), origin))
    first = previews.guessed(settings(), store, paths)
    kinds = previews.kinds()
    with right:
        kind = st.selectbox("Rows are", kinds, index=kinds.index(first.kind), key=f"mapping_kind_{paths[0].name}")
    return first if kind == first.kind else previews.guessed(settings(), store, paths, kind)


def _edited(base: Any, known: previews.Columns) -> dict[str, str]:
    field_of = {column: field for field, column in base.columns.items()}
    options = [previews.ASIDE, *known.meanings]
    frame = pd.DataFrame(
        {
            "Column": known.header,
            "First values": [" · ".join(values[:3]) for values in known.samples],
            "Means": [field_of.get(column, previews.ASIDE) for column in known.header],
            "Sure": [_sure(base, field_of.get(column)) for column in known.header],
        }
    )
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=["Column", "First values", "Sure"],
        column_config={
            "Means": st.column_config.SelectboxColumn(options=options, required=True),
            "First values": st.column_config.TextColumn(width="medium"),
            "Sure": st.column_config.TextColumn(help="How sure the guess is."),
        },
        key=f"mapping_columns_{base.kind}_{abs(hash(tuple(known.header)))}",
        alt="What each column means",
    )
    chosen: dict[str, str] = {}
    for column, field in zip(edited["Column"], edited["Means"], strict=True):
        if field not in known.meanings:
            continue
        if field in chosen:
            st.warning(plain(f"{field} is named twice: {chosen[field]} is used, {column} is left aside."))
            continue
        chosen[field] = str(column)
    with st.expander("What the fields are"):
        st.table(
            pd.DataFrame({"Field": list(known.meanings), "Meaning": list(known.meanings.values())}), hide_index=True
        )
    return chosen


def _sure(base: Any, field: str | None) -> str:
    if field is None:
        return ""
    share = base.confidence.get(field)
    return "saved" if share is None else f"{share:.0%}"


def _settings(base: Any) -> dict[str, Any]:
    """The settings beside the columns, as the reader leaves them."""
    chosen: dict[str, Any] = {}
    with st.grid(4, min_column_width=170, gap="small"):
        if base.kind == "orders":
            shapes = list(SHAPES)
            shape = st.selectbox(
                "Shape",
                shapes,
                index=shapes.index(base.shape),
                format_func=lambda name: SHAPES[name],
                key="mapping_shape",
            )
            chosen["shape"] = shape
        dates = st.text_input(
            "Dates",
            base.dates,
            key="mapping_dates",
            placeholder="as they tell",
            help="day-first, month-first or %d.%m.%Y",
        )
        decimals = list(DECIMALS)
        place = decimals.index(base.decimal) if base.decimal in decimals else 0
        decimal = st.selectbox(
            "Decimals", decimals, index=place, format_func=lambda sign: DECIMALS[sign], key="mapping_decimal"
        )
        chosen |= {"dates": dates.strip(), "decimal": decimal}
        if base.kind in {"orders", "products", "refunds"}:
            currency = st.text_input("Currency", base.currency, key="mapping_currency", placeholder="the store's")
            chosen["currency"] = currency.strip().upper()
        shop = st.text_input(
            "Shop",
            base.shop,
            key="mapping_shop",
            placeholder="the only one",
            help="Only where you import tables of several shops: their order numbers may be the same. Give all tables"
            " of one shop the same name.",
        )
        chosen["shop"] = shop.strip()
        if base.kind == "orders":
            chosen["prices_include_tax"] = st.toggle("Prices include tax", base.prices_include_tax, key="mapping_tax")
            percent = st.text_input(
                "Tax, percent", "" if base.tax_percent is None else str(base.tax_percent), key="mapping_percent"
            )
            chosen["tax_percent"] = _number(percent)
            if chosen["shape"] == "line":
                amounts = list(ORDER_AMOUNTS)
                chosen["order_amounts"] = st.selectbox(
                    "The order's own amounts",
                    amounts,
                    index=amounts.index(base.order_amounts),
                    format_func=lambda name: ORDER_AMOUNTS[name],
                    key="mapping_amounts",
                )
    return chosen


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ".")) if text.strip() else None
    except InvalidOperation:
        st.warning("Tax must be a number of percent, such as 19.")
        return None


def _keep(mapping: Any, header: list[str]) -> None:
    with st.popover("Keep this mapping", icon=":material/bookmark:"):
        name = st.text_input("Name", key="mapping_name", placeholder="my orders")
        if st.button("Save", key="mapping_save", disabled=not name.strip()):
            try:
                kept = uploads.save_mapping(settings(), name, mapping.to_toml(header))
                st.toast(f"Kept as {kept.name}: choose it the next time, or name it with --mapping.")
            except EncoreError as refused:
                st.error(str(refused))
        st.download_button(
            "Download (TOML)",
            mapping.to_toml(header),
            file_name="mapping.toml",
            key="mapping_download",
            on_click="ignore",
        )
