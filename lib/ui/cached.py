"""Answers kept in memory, by question and version of the mart: a new snapshot asks anew."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.metrics import read
from lib.metrics.definition import Figure, Mart, Scope


def figures(mart: Mart, keys: Sequence[str], scope: Scope) -> dict[str, Figure]:
    """Several figures of one question, by key."""
    return {found.key: found for found in _figures(tuple(keys), scope, int(mart.version), mart)}


def figure(mart: Mart, key: str, scope: Scope) -> Figure:
    """One figure."""
    return figures(mart, (key,), scope)[key]


@st.cache_data(ttl="1h", max_entries=400, show_spinner=False)
def _figures(keys: tuple[str, ...], scope: Scope, version: int, _mart: Mart) -> list[Figure]:
    return read.figures(_mart, list(keys), scope)


def slices(mart: Mart, dimension: str) -> list[str]:
    """The slices of a prepared dimension, most orders first."""
    return _slices(dimension, int(mart.version), mart)


@st.cache_data(ttl="1h", max_entries=40, show_spinner=False)
def _slices(dimension: str, version: int, _mart: Mart) -> list[str]:
    return read.slices(_mart, dimension)


def dailies(mart: Mart, keys: Sequence[str], scope: Scope) -> pd.DataFrame:
    """Several figures day by day: ``day`` and a column for each key."""
    return _dailies(tuple(keys), scope, int(mart.version), mart)


@st.cache_data(ttl="1h", max_entries=200, show_spinner=False)
def _dailies(keys: tuple[str, ...], scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    return read.dailies(_mart, list(keys), scope)
