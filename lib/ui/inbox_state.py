"""What a list of work consists of, and where its reader is in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from lib.staff import Staff

After = tuple[Any, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One piece of work in the list. ``title`` and ``detail`` are plain text from data; ``mark`` is our Markdown."""

    key: int
    version: int
    title: str
    detail: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """One page of the list, and the place to go on from; ``note`` says what was looked at, where not all."""

    rows: list[Line]
    after: After
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What a list of work consists of.

    Args:
        name: of the thing in one word, ``review``; the open one stands in the address under it.
        views: the saved views by their short name, which stands in the address, and what they are called.
        counts: how many each view holds, by its name; more than ``MOST`` reads as "more than".
        read: one page of a view.
        draw: the open piece, by its key.
        filters: draws the filters beside the views; what it answers is part of the question: another answer
            begins at the first page.
        bulk: what can be done with several selected lines.
        empty: what to say when a view has nothing, by its name.
    """

    name: str
    views: Mapping[str, str]
    counts: Callable[[Staff], Mapping[str, int]]
    read: Callable[[Staff, str, After], Lines]
    draw: Callable[[Staff, int], None]
    filters: Callable[[Staff], str] | None = None
    bulk: Callable[[Staff, list[Line]], None] | None = None
    empty: Mapping[str, str] = field(default_factory=dict)


class InboxState:
    """Where the reader is in a list: only short values, in the session and in the address."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._state = st.session_state

    def name(self, part: str) -> str:
        return f"{self._inbox.name}_inbox_{part}"

    def _get(self, part: str, default: Any = None) -> Any:
        return self._state.get(self.name(f"at_{part}"), default)

    def _set(self, part: str, value: Any) -> None:
        self._state[self.name(f"at_{part}")] = value

    @property
    def view(self) -> str:
        found = self._get("view")
        return found if found in self._inbox.views else next(iter(self._inbox.views))

    @property
    def opened(self) -> int | None:
        found: int | None = self._get("opened")
        return found

    @property
    def is_explicit(self) -> bool:
        """Whether somebody opened it, rather than it being the first of the list."""
        return bool(self._get("explicit", False))

    @property
    def selects(self) -> bool:
        return bool(self._get("selects", False))

    @property
    def trail(self) -> list[After]:
        """The places where this page and those before it begin."""
        found: list[After] = self._get("trail", [None])
        return found

    def follow_address(self) -> None:
        """Take over what the address says when somebody else than we changed it: a link, or the browser's Back."""
        said = (st.query_params.get("view", ""), st.query_params.get(self._inbox.name, ""))
        if said == self._get("said"):
            return
        self._set("said", said)
        view, key = said
        if view in self._inbox.views and view != self.view:
            self._begin_view(view)
        if key.isdecimal() and len(key) < 16:
            self._set("opened", int(key))
            self._set("explicit", True)

    def ask(self, question: str) -> None:
        """Begin at the first page when the filters ask something else."""
        if question != self._get("question", question):
            self._begin_view(self.view)
        self._set("question", question)

    def change_view(self) -> None:
        self._begin_view(self._state[self.name("view")])
        self._tell()

    def choose(self) -> None:
        # A run that was broken off can leave the choice of an earlier list behind.
        chosen = self._state.get(self.name("line"))
        if chosen in self._get("keys", []):
            self._open(chosen)

    def begin(self) -> None:
        self._open(self.opened)

    def close(self) -> None:
        self._set("explicit", False)
        self._tell()

    def toggle_select(self) -> None:
        self._set("selects", not self.selects)

    def step(self, by: int) -> None:
        """Open the neighbour of the open line; past the end of the page, turn it."""
        keys: list[int] = self._get("keys", [])
        place = keys.index(self.opened) if self.opened in keys else self._get("place", 0) - (by > 0)
        wanted = place + by
        if 0 <= wanted < len(keys):
            self._open(keys[wanted])
        else:
            self.turn(by)

    def turn(self, by: int) -> None:
        after = self._get("after")
        if by > 0 and after is not None:
            self._set("trail", [*self.trail, after])
        elif by < 0 and len(self.trail) > 1:
            self._set("trail", self.trail[:-1])
        else:
            return
        self._set("wanted", "first" if by > 0 else "last")

    def settle(self, lines: Lines) -> None:
        """Remember what the page holds, and open its first line when nothing is open."""
        keys = [line.key for line in lines.rows]
        wanted = self._get("wanted")
        if wanted and keys:
            self._set("opened", keys[0 if wanted == "first" else -1])
            self._set("wanted", None)
            self._tell()
        elif self.opened is None or (not self.is_explicit and self.opened not in keys):
            self._set("opened", keys[0] if keys else None)
        if self.opened in keys:
            self._set("place", keys.index(self.opened))
        self._set("keys", keys)
        self._set("after", lines.after)

    def _open(self, key: int | None) -> None:
        self._set("opened", key)
        self._set("explicit", key is not None)
        self._tell()

    def _begin_view(self, view: str) -> None:
        self._set("view", view)
        self._set("trail", [None])
        self._set("opened", None)
        self._set("explicit", False)

    def _tell(self) -> None:
        """Write view and open piece into the address."""
        key = str(self.opened) if self.is_explicit and self.opened is not None else ""
        view = "" if self.view == next(iter(self._inbox.views)) else self.view
        for name, value in (("view", view), (self._inbox.name, key)):
            if value:
                st.query_params[name] = value
            elif name in st.query_params:
                del st.query_params[name]
        self._set("said", (view, key))
