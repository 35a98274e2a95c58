"""The measured grounds of what-ifs, kept in memory by moment and version of the mart; shared and only read."""

from collections.abc import Mapping
from datetime import date

import streamlit as st

from lib.audience import Audience
from lib.metrics.definition import Mart
from lib.metrics.what_if_input import Group, ground, grounds
from lib.offer import Moment
from lib.settings import settings
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario
from lib.ui.access import Opened

Grounds = Mapping[str, tuple[Group, Ground]]


def grounds_of(page: Opened, moment: Moment) -> Grounds:
    """Every group that comes with Encore, and what was measured of it."""
    return _grounds(str(settings().mart_dir), page.version, moment, page.today, page.mart)


def ground_of(page: Opened, scenario: Scenario) -> Ground:
    """What was measured of a scenario's audience, whoever named it."""
    known = grounds_of(page, scenario.moment).get(scenario.group)
    if known is not None and known[0].audience == scenario.audience:
        return known[1]
    return _ground(str(settings().mart_dir), page.version, scenario.audience, scenario.moment, page.today, page.mart)


@st.cache_resource(ttl="1h", max_entries=24, show_spinner=False)
def _grounds(place: str, version: int, moment: Moment, as_of: date, _mart: Mart) -> Grounds:
    return grounds(_mart, moment, as_of)


@st.cache_resource(ttl="1h", max_entries=60, show_spinner=False)
def _ground(place: str, version: int, audience: Audience, moment: Moment, as_of: date, _mart: Mart) -> Ground:
    return ground(_mart, audience, moment, as_of)
