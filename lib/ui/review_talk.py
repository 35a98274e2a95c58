"""What reviews talk about, drawn: topics, new words in bad ones, words that do not fit the stars."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.errors import NotEnoughData
from lib.periods import start_of_day
from lib.queues.review_words import MOST, words_of_reviews
from lib.settings import settings
from lib.stats.review_talk import BAD, holding, mismatches, new_words, topic_table, with_topics
from lib.ui.access import Opened
from lib.ui.places import REVIEWS
from lib.ui.review import stars
from lib.ui.tables import pick
from lib.ui.text import one_line, plain

# Words of bad reviews are compared with those of the year before.
_PAST = timedelta(days=364)
_SHOWN = 25


@st.cache_data(ttl="1h", max_entries=12, show_spinner=False)
def _words(url: str, start: date, end: date, zone: str, version: int, _page: Opened) -> pd.DataFrame:
    store = _page.house.store
    with reading(order_database(settings())) as connection:
        return words_of_reviews(connection, start_of_day(start, store.zone), start_of_day(end, store.zone))


def _of(page: Opened, start: date, end: date) -> pd.DataFrame:
    store = page.house.store
    return _words(settings().database_url, start, end, store.time_zone, page.version, page)


def _now(page: Opened) -> pd.DataFrame:
    return _of(page, page.scope.period.start, page.scope.period.end)


@st.fragment
def draw_topics(page: Opened) -> None:
    """Topics by how many unhappy reviews speak of them."""
    st.header("What they talk about", anchor=False)
    now = with_topics(_now(page))
    if now.empty:
        st.caption("No review with words in these days.")
        return
    before = with_topics(_of(page, page.before.period.start, page.before.period.end)) if page.before else now.iloc[:0]
    found = topic_table(now, before)
    st.caption(_counted(page, "By keywords, or as somebody said. Choose a row to read the reviews."))
    shown = pd.DataFrame(
        {"Topic": found["label"], "Negative": found["negative"], "Before": found["before"], "All": found["reviews"]}
    )
    if page.before is None:
        shown = shown.drop(columns="Before")
    help_ = {"Negative": "With 1 or 2 stars.", "Before": "Negative ones in the days compared with."}
    columns = {name: st.column_config.NumberColumn(format="%,d", help=help_.get(name)) for name in shown.columns[1:]}
    picked = pick(shown, alt="Topics of reviews", columns=columns, key="topic_table")
    if picked is not None:
        topic, label = str(found["topic"].iloc[picked]), str(found["label"].iloc[picked])
        keys = set(now.loc[now["topic"] == topic, "review_id"])
        rows = _now(page)
        _open(f"Reviews about: {label}", rows.loc[rows["review_id"].isin(keys)])


@st.fragment
def draw_words(page: Opened) -> None:
    """Words that unhappy reviews hold more often than those of the year before."""
    st.header("New words in bad reviews", anchor=False)
    start = page.scope.period.start
    now, before = _now(page), _of(page, start - _PAST, start)
    try:
        found = new_words(now, before)
    except NotEnoughData:
        st.caption("There are no bad reviews with words in these days and the year before to compare.")
        return
    st.caption(_counted(page, "Against bad reviews of the year before; common words of all reviews weigh less."))
    if found.empty:
        bad = int((now["rating"] <= BAD).sum())
        st.markdown(f"None: the {bad:,} bad review{'' if bad == 1 else 's'} of these days use the usual words.")
        return
    shown = pd.DataFrame({"Word": found["word"], "Now": found["first"], "Before": found["second"], "z": found["z"]})
    columns = {
        "Now": st.column_config.NumberColumn(format="%,d", help="Bad reviews of these days that hold it."),
        "Before": st.column_config.NumberColumn(format="%,d", help="Bad reviews of the year before that hold it."),
        "z": st.column_config.NumberColumn(format="%.1f", help="Log-odds over its standard deviation."),
    }
    picked = pick(shown, alt="New words in bad reviews", columns=columns, key="word_table")
    if picked is not None:
        word = str(found["word"].iloc[picked])
        _open(f"Bad reviews with “{word}”", holding(now, word))


@st.cache_data(ttl="1h", max_entries=4, show_spinner=False)
def _odd(url: str, end: date, version: int, _page: Opened) -> pd.DataFrame:
    return mismatches(_of(_page, end - 2 * _PAST, end))


@st.fragment
def draw_odd(page: Opened) -> None:
    """Reviews whose words say the contrary of their stars."""
    st.header("Words that do not fit the stars", anchor=False)
    try:
        found = _odd(settings().database_url, page.scope.period.end, page.version, page)
    except NotEnoughData as refused:
        st.caption(plain(refused))
        return
    st.caption("Learned from your own reviews of two years, each judged without itself; shown when 90% sure.")
    if found.empty:
        st.markdown("None: happy words go with many stars here, unhappy ones with few.")
        return
    st.markdown(
        f"**{len(found):,}** review{'' if len(found) == 1 else 's'}. A slip of the stars is worth a friendly word."
    )
    if st.button("Read them", icon=":material/arrow_forward:", type="tertiary", key="open_odd"):
        _open("Words that do not fit the stars", found)


def _counted(page: Opened, words: str) -> str:
    many = len(_now(page))
    return f"{words} The newest {MOST:,} are read." if many >= MOST else words


def _many(rows: pd.DataFrame) -> str:
    return f"{len(rows):,} review{'' if len(rows) == 1 else 's'}"


def _open(title: str, rows: pd.DataFrame) -> None:
    st.dialog(title, width="large")(_list)(rows)


def _list(rows: pd.DataFrame) -> None:
    shown = rows.head(_SHOWN)
    st.caption(
        f"{len(rows):,} review{'' if len(rows) == 1 else 's'}" + (f", the first {_SHOWN}" if len(rows) > _SHOWN else "")
    )
    for row in shown.itertuples():
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"{stars(int(str(row.rating)))} {one_line(row.product, 80)}")
            st.text(str(row.text)[:600])
            st.page_link(REVIEWS, label="Open it in the inbox", query_params={"review": str(row.review_id)})
