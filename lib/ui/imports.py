"""Importing on a page: hand files over, see them understood, start, follow, and mend what was refused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.jobs import named_paths, previews, rejections, started, uploads
from lib.jobs.named_databases import NamedDatabase
from lib.settings import settings
from lib.ui.access import show_error
from lib.ui.import_database import ask_database, command_of, first_rows
from lib.ui.mapping_table import draw_mapping
from lib.ui.places import TODAY
from lib.ui.tables import table
from lib.ui.text import ago, plain
from lib.ui.visit import reader

# Streamlit holds an upload in memory; what is larger is read from where it lies.
UPLOAD_MB = 200
SUFFIXES = ["csv", "tsv", "txt", "json", "jsonl", "parquet", "zip", "gz"]
DATES = {"As the file tells": "", "Day first (31/12/2025)": "day-first", "Month first (12/31/2025)": "month-first"}
STAGES = {"reading": "Reading and storing", "refreshing": "Bringing the figures up to date"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is about to be imported."""

    source: str
    paths: list[Path | str]
    mapping: Any
    date_format: str = ""
    database: NamedDatabase | None = None


def draw_start(store: Store) -> None:
    """Choose files, see how they are understood, and start."""
    st.header("Bring your orders in", anchor=False)
    st.caption(
        "Exports of Shopify, WooCommerce, review and ticket tools, any CSV or Parquet table, or a database. "
        "Importing the same file twice changes nothing; an overlapping one updates. Nothing leaves this computer."
    )
    try:
        chosen = _chosen(store)
        if chosen is not None:
            _preview(store, chosen)
            _button(store, chosen)
    except EncoreError as refused:
        st.error(str(refused), icon=":material/error:")


def _chosen(store: Store) -> Chosen | None:
    how: str | None = "Upload"
    if named_paths.takes_paths(settings()):
        how = st.segmented_control(
            "How",
            ["Upload", "Path", "Database"],
            default="Upload",
            required=True,
            key="import_how",
            label_visibility="collapsed",
        )
    if how == "Database":
        named = ask_database()
        return Chosen("sql", [named.address], named.mapping, database=named) if named else None
    paths = _handed_over(how)
    return _understood(store, paths) if paths else None


def _handed_over(how: str | None) -> list[Path]:
    if how == "Upload":
        files = st.file_uploader(
            "Files", type=SUFFIXES, accept_multiple_files=True, max_upload_size=UPLOAD_MB, key="import_files"
        )
        larger = "name their path instead" if named_paths.takes_paths(settings()) else "import them by command"
        st.caption(f"Up to {UPLOAD_MB} MB a file. Larger ones, and whole folders: {larger}.")
        return _kept(files or [])
    text = st.text_input("File, folder or ZIP", key="import_path", placeholder="/home/me/exports/orders.csv")
    st.caption(
        "CSV, JSON, Parquet, ZIP or a folder of these. Hidden files, Encore's own data and the system's files are not"
        " read. Paths are only taken while nobody but you can reach Encore."
    )
    return [named_paths.named_path(settings(), text)] if text.strip() else []


def _kept(files: list[Any]) -> list[Path]:
    """Uploaded files, written to the data folder once."""
    if not files:
        return []
    mark = "|".join(f"{file.file_id}:{file.size}" for file in files)
    if st.session_state.get("import_mark") != mark:
        token = uploads.new_token()
        kept = [uploads.keep_upload(settings(), token, file.name, file) for file in files]
        st.session_state["import_mark"] = mark
        st.session_state["import_kept"] = [str(path) for path in kept]
    return [Path(path) for path in st.session_state["import_kept"]]


def _understood(store: Store, paths: list[Path]) -> Chosen | None:
    found = previews.recognise(settings(), store, paths)
    offered = previews.offered()
    labels = {name: label for name, (label, _) in offered.items()}
    # One file of nobody's export is most likely a table of the shop's own.
    likely = found.source or ("table" if len(found.files) == 1 else None)
    left, right = st.columns([1, 1])
    with left:
        names = list(labels)
        source = st.selectbox(
            "Source",
            names,
            index=names.index(likely) if likely in names else None,
            format_func=lambda name: labels[name],
            placeholder="Whose export is this?",
            key=f"import_source_{'_'.join(found.files)[:60]}",
        )
    with right:
        dates = st.selectbox(
            "Dates", list(DATES), key="import_dates", help="Only asked where 03/04/2025 may be two days."
        )
    listed = ", ".join(found.files[:5]) + (f" and {len(found.files) - 5} more" if len(found.files) > 5 else "")
    if found.source in labels:
        st.caption(plain(f"{listed}: recognised as {labels[found.source]}."))
    else:
        st.caption(plain(f"{listed}: no known export. Read as a table, unless you choose its source."))
    if source is None:
        return None
    mapping = draw_mapping(store, paths) if source == "table" else None
    if source == "table" and mapping is None:
        return None
    return Chosen(source, list(paths), mapping, DATES.get(dates, ""))


def _preview(store: Store, chosen: Chosen) -> None:
    st.markdown("**The first rows as Encore understands them**")
    with st.spinner("Reading the first rows …"):
        if chosen.database is not None:
            rows = first_rows(store, chosen.database)
        else:
            paths = [Path(path) for path in chosen.paths]
            rows = previews.preview(
                settings(), store, chosen.source, paths, mapping=chosen.mapping, date_format=chosen.date_format
            )
    if rows.empty:
        st.caption("There are no rows in it.")
        return
    shown = rows if rows["Problem"].astype(bool).any() else rows.drop(columns="Problem")
    columns = {"Problem": st.column_config.TextColumn(width="large")}
    table(shown, alt="The first rows as understood", columns=columns)
    if chosen.database is not None:
        st.caption("What is new later comes in by this command; put it into cron to have it done for you.")
        st.code(command_of(chosen.database), language="sh", wrap_lines=True)


def _button(store: Store, chosen: Chosen) -> None:
    running = _running()
    if store.is_demo and chosen.source != "rates":
        if st.button("Replace the demo store and import", type="primary", disabled=running, key="import_replace"):
            st.dialog("Replace the demo store?")(_confirm)(chosen)
        st.caption("The invented orders, customers and reviews are removed; yours take their place.")
    elif st.button("Import", type="primary", disabled=running, key="import_start"):
        _start(chosen, replace_demo=False)


def _confirm(chosen: Chosen) -> None:
    st.write(
        "All invented data are removed for good, then your data are imported. Figures start from your orders alone."
    )
    with st.container(horizontal=True):
        if st.button("Replace and import", type="primary", key="import_confirm"):
            _start(chosen, replace_demo=True)
        if st.button("Keep the demo store", key="import_cancel"):
            st.rerun()


def _start(chosen: Chosen, *, replace_demo: bool) -> None:
    try:
        st.session_state["import_job"] = started.start_import(
            settings(),
            chosen.source,
            chosen.paths,
            mapping=chosen.mapping,
            date_format=chosen.date_format,
            names=[chosen.database.shown] if chosen.database else None,
            secrets=dict(chosen.database.secrets) if chosen.database else None,
            replace_demo=replace_demo,
            by=reader(),
        )
    except EncoreError as refused:
        st.error(str(refused))
        return
    st.rerun()


def _running() -> bool:
    job = started.followed(str(st.session_state.get("import_job", "")))
    return job is not None and not job.is_over


def draw_progress() -> None:
    """Follow the import that this page started, then show its report."""
    job = started.followed(str(st.session_state.get("import_job", "")))
    if job is None:
        return
    with st.container(border=True, key="import_progress"):
        if job.is_over:
            _report(job)
        else:
            _follow()


@st.fragment(run_every=1.0)
def _follow() -> None:
    job = started.followed(str(st.session_state.get("import_job", "")))
    if job is None or job.is_over:
        st.cache_data.clear()
        st.rerun()
        return
    report = job.report
    counts = f": {report.stored + report.unchanged:,} records in, {report.rejected:,} put aside" if report else " …"
    st.progress(min(1.0, max(0.0, job.share)), text=f"{STAGES.get(job.stage, job.stage)}{counts}")
    st.caption("You may leave this page; the import goes on.")


def _report(job: started.Started) -> None:
    if job.stage in {"refused", "failed"}:
        st.error(job.message, icon=":material/error:")
        return
    report = job.report
    if report is None:
        return
    st.markdown(
        f"**Import finished.** {report.read:,} records read: {report.stored:,} stored, "
        f"{report.unchanged:,} unchanged, {report.rejected:,} put aside."
    )
    if report.first_day and report.last_day:
        st.caption(f"Orders from {report.first_day:%-d %b %Y} to {report.last_day:%-d %b %Y}.")
    if report.about_forgotten:
        st.caption(report.about_forgotten)
    rows = [(kind, t.read, t.stored, t.unchanged, t.rejected) for kind, t in report.kinds.items()]
    number = st.column_config.NumberColumn(format="%,d")
    names = ["Read", "Stored", "Unchanged", "Put aside"]
    table(
        pd.DataFrame(rows, columns=["Kind", *names]),
        alt="What the import did, by kind of record",
        columns=dict.fromkeys(names, number),
    )
    for reason, count in report.reasons.most_common(5):
        st.caption(plain(f"{count:,} × {reason}"))
    st.page_link(TODAY, label="See Today", icon=":material/arrow_forward:")


def draw_history(store: Store) -> None:
    """Past imports, newest first."""
    st.header("Past imports", anchor=False)
    try:
        runs = rejections.past_runs(settings())
    except Exception as error:
        show_error(error)
        return
    if not runs:
        st.caption("Nothing was imported yet.")
        return
    shown = pd.DataFrame(
        [
            {
                "When": ago(run["started_at"], now()).capitalize(),
                "Source": run["source"],
                "Files": str(run["paths"]).replace("\n", ", "),
                "Outcome": run["status"],
                "Read": run["read_count"],
                "Stored": run["stored_count"],
                "Unchanged": run["unchanged_count"],
                "Put aside": run["rejected_count"],
                "Message": run["message"] or "",
            }
            for run in runs
        ]
    )
    number = st.column_config.NumberColumn(format="%,d")
    columns = dict.fromkeys(["Read", "Stored", "Unchanged", "Put aside"], number)
    table(shown, alt="Past imports, newest first", columns=columns)
