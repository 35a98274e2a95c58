"""A list of work beside the piece that is open: saved views, pages, selection of many, and the keyboard.

One page describes its list as an ``Inbox`` and calls ``draw_inbox``; all of it is one fragment, so that a key
press redraws this alone. On a phone the list comes first and the open piece takes its place. View and open piece
stand in the address; what was typed lies in the database, never here.

Keys: J next, K previous, N and P turn the page, X selects many. The page's own add to these.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache

import streamlit as st

from lib.queues.listing import MOST
from lib.settings import ROOT
from lib.staff import May, Staff
from lib.ui.access import show_error
from lib.ui.inbox_state import Inbox, InboxState, Lines
from lib.ui.text import one_line
from lib.ui.visit import reader

# So many lines a page: as many as can be glanced over, and few enough to turn fast.
LINES = 20
SCRIPT = ROOT / "lib" / "ui" / "static" / "inbox.js"
_LIST_HEIGHT = 700
_STYLE = """
@media (max-width: 640px) {{
  .st-key-inbox_lines {{ height: auto !important; max-height: none !important; }}
  .st-key-{hidden} {{ display: none; }}
}}
@media (min-width: 641px) {{ .st-key-inbox_back, .st-key-inbox_begin {{ display: none; }} }}
/* Streamlit writes the key of a shortcut too faintly on a coloured button. */
.stButton button[kind=primary] kbd {{ color: inherit; opacity: 1; }}
.st-key-inbox_lines [role=radiogroup], .st-key-inbox_lines [role=radiogroup] > label {{ width: 100%; }}
"""


def draw_inbox(inbox: Inbox, may: May) -> None:
    """Draw it; ``may`` is asked anew at every key press, so that a changed role counts at once."""
    st.html(f"<script>{script()}</script>", unsafe_allow_javascript=True)
    _whole(inbox, may)


@cache
def script() -> str:
    """The script of the list, exactly as it is let in."""
    return SCRIPT.read_text(encoding="utf-8")


@st.fragment
def _whole(inbox: Inbox, may: May) -> None:
    try:
        staff = reader()
        staff.must(may)
        _draw(inbox, staff)
    except Exception as error:
        show_error(error)


def _draw(inbox: Inbox, staff: Staff) -> None:
    state = InboxState(inbox)
    state.follow_address()
    view = _views(inbox, staff, state)
    lines = inbox.read(staff, view, state.trail[-1])
    state.settle(lines)
    is_away = state.is_explicit and state.opened is not None
    st.html(f"<style>{_STYLE.format(hidden='inbox_list' if is_away else 'inbox_item')}</style>")
    left, right = st.columns([1, 1.75], gap="medium")
    with left, st.container(key="inbox_list", gap="small"):
        _list(inbox, staff, state, lines)
    with right, st.container(key="inbox_item", gap="small"):
        if state.opened is not None:
            with st.container(key="inbox_back"):
                st.button(
                    "Back to the list", icon=":material/arrow_back:", on_click=state.close, key=f"{inbox.name}_close"
                )
            inbox.draw(staff, state.opened)


def _views(inbox: Inbox, staff: Staff, state: "InboxState") -> str:
    counts = inbox.counts(staff)

    def label(name: str) -> str:
        count = counts.get(name)
        if count is None:
            return inbox.views[name]
        return f"{inbox.views[name]} · {f'{MOST:,}+' if count > MOST else f'{count:,}'}"

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="inbox_views"):
        st.session_state[state.name("view")] = state.view
        st.segmented_control(
            "View",
            list(inbox.views),
            format_func=label,
            required=True,
            key=state.name("view"),
            on_change=state.change_view,
            label_visibility="collapsed",
            width="content",
            wrap=True,
        )
        if inbox.filters is not None:
            state.ask(inbox.filters(staff))
    return state.view


def _list(inbox: Inbox, staff: Staff, state: "InboxState", lines: Lines) -> None:
    _bar(inbox, state, lines)
    if not lines.rows:
        with st.container(border=True):
            st.markdown(f"**{inbox.empty.get(state.view, 'Nothing is here.')}**")
            if lines.note:
                st.caption(lines.note)
    else:
        with st.container(border=True, height=_LIST_HEIGHT, key="inbox_lines"):
            if state.selects:
                _selection(inbox, staff, state, lines)
            else:
                _choice(state, lines)
    if lines.rows and lines.note:
        st.caption(lines.note)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="inbox_pages"):
        if len(state.trail) > 1:
            _press(state, "Page before", "P", "chevron_left", state.turn, -1)
        if lines.after is not None:
            _press(state, "Next page", "N", "chevron_right", state.turn, 1)


def _press(state: InboxState, label: str, letter: str, icon: str, act: Callable[..., None], *args: int) -> None:
    key = state.name(letter.lower())
    st.button(label, shortcut=letter, icon=f":material/{icon}:", on_click=act, args=args, key=key)


def _bar(inbox: Inbox, state: "InboxState", lines: Lines) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="inbox_bar"):
        _press(state, "Next", "J", "keyboard_arrow_down", state.step, 1)
        _press(state, "Previous", "K", "keyboard_arrow_up", state.step, -1)
        if inbox.bulk is not None:
            _press(state, "Done selecting" if state.selects else "Select", "X", "checklist", state.toggle_select)
    if lines.rows and not state.is_explicit:
        with st.container(key="inbox_begin"):
            st.button("Begin with the first", type="primary", on_click=state.begin, key=state.name("begin"))


def _choice(state: "InboxState", lines: Lines) -> None:
    labels = distinct({line.key: f"{line.mark} **{one_line(line.title, 60)}**".strip() for line in lines.rows})
    # The list of options changes between runs; the choice is kept by us, and written before it is drawn.
    st.session_state[state.name("line")] = state.opened if state.opened in labels else None
    st.radio(
        "Open",
        list(labels),
        format_func=lambda key: labels[key],
        captions=[one_line(line.detail, 90) for line in lines.rows],
        index=None,
        key=state.name("line"),
        on_change=state.choose,
        label_visibility="collapsed",
        width="stretch",
    )


def distinct(labels: Mapping[int, str]) -> dict[int, str]:
    """Labels that differ: Streamlit knows a choice again by its label, and of two alike it takes the wrong one.

    What repeats gets signs without width, one more each time.
    """
    seen: Counter[str] = Counter()
    found = {}
    for key, label in labels.items():
        found[key] = label + "\u2060" * seen[label]
        seen[label] += 1
    return found


def _selection(inbox: Inbox, staff: Staff, state: "InboxState", lines: Lines) -> None:
    picked = []
    whole = st.checkbox(f"All {len(lines.rows)} on this page", key=state.name("all"))
    for line in lines.rows:
        label = f"{line.mark} **{one_line(line.title, 60)}** {one_line(line.detail, 60)}".strip()
        if st.checkbox(label, key=state.name(f"pick_{line.key}"), disabled=whole) or whole:
            picked.append(line)
    if inbox.bulk is not None and picked:
        with st.container(border=True, key="inbox_bulk"):
            st.markdown(f"**{len(picked)} selected**")
            inbox.bulk(staff, picked)
