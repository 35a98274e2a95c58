"""The way from a number on the screen to its account: one button per card, and a choice where a card has several."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import streamlit as st

from lib.metrics.account import Account, figure_account
from lib.metrics.catalogue import find
from lib.metrics.definition import Mart, Scope
from lib.ui.access import show_error
from lib.ui.account import draw_account
from lib.ui.live import open_house

# What a card's numbers are called, and what opens each.
Choices: TypeAlias = Mapping[str, Callable[[Mart], Account]]


def open_button(key: str, words: str, *, label: str = "Open") -> bool:
    """The one way in that every card has: the same words, arrow and weight; ``words`` say where it leads."""
    return st.button(
        label, type="tertiary", icon=":material/arrow_forward:", icon_position="right", key=key, help=words
    )


def of_figure(key: str, scope: Scope) -> Callable[[Mart], Account]:
    """What opens a figure of the catalogue."""
    return lambda mart: figure_account(mart, key, scope)


def open_figure(key: str, scope: Scope, *, label: str | None = None) -> None:
    """Open the dialog of a figure."""
    title = label or find(key).label
    open_accounts(title, {title: of_figure(key, scope)}, key=key)


def open_accounts(title: str, choices: Choices, *, key: str, asked: str = "Number", first: str | None = None) -> None:
    """Open a dialog on the numbers of a card, beginning with ``first``.

    Args:
        asked: what the reader chooses among, as the label of the choice.
    """
    st.dialog(title, width="large")(_dialog)(choices, key, asked, first)


def _dialog(choices: Choices, key: str, asked: str, first: str | None) -> None:
    try:
        _draw(choices, key, asked, first)
    except Exception as error:
        show_error(error)


def _draw(choices: Choices, key: str, asked: str, first: str | None) -> None:
    house = open_house()
    if house.mart is None:
        st.info("The figures are being prepared. Close this and try again in a moment.")
        return
    names = list(choices)
    chosen = names[0] if first not in choices else str(first)
    if len(names) > 1:
        # The key knows where the choice began: opened at another row it begins there.
        began = names.index(chosen)
        asked_for = st.selectbox(asked, names, index=began, key=f"account_{key}_{began}")
        chosen = asked_for if asked_for in choices else chosen
    account = choices[chosen](house.mart)
    draw_account(account, house.mart, house.currency, key=f"{key}_{names.index(chosen)}")
