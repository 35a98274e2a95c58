"""The demo store's own truth, recovered from its orders by refresh and figure."""

import json
from datetime import date
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from lib.db.engine import order_database
from lib.db.migrate import migrate
from lib.demo.build import make_demo
from lib.jobs.refresh import refresh
from lib.mart.snapshot import Snapshot, current
from lib.metrics.definition import Scope
from lib.metrics.read import figures
from lib.metrics.repeat import lifetime
from lib.periods import Period, day_of
from lib.settings import read_settings

pytestmark = pytest.mark.slow

END = date(2026, 6, 1)
# The truth is an expectation: so many standard errors away is one miss in about 1,700.
FAR = 3.4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def mart(folder: Path) -> Snapshot:
    settings = read_settings({"ENCORE_DATA_DIR": str(folder)})
    migrate(order_database(settings))
    make_demo(settings, orders=25_000, seed=11, end=END)
    refresh(settings)
    return current(settings.mart_dir)


@pytest.fixture(scope="module")
def truth(mart: Snapshot, folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "demo_truth.json").read_text(encoding="utf-8"))
    return told


def whole(mart: Snapshot, by: str | None = None) -> Scope:
    return Scope(period=Period(day_of(mart.about.first_day or 0), END), as_of=END, by=by)


@pytest.mark.parametrize("days", ["30", "60", "90", "180", "365"])
def test_repeat_within_recovers_the_truth(mart: Snapshot, truth: dict[str, Any], days: str) -> None:
    expected = truth["repeat_within"]["all"]["all"][days]
    figure = figures(mart, [f"repeat_within_{days}"], whole(mart))[0]
    assert figure.value is not None
    assert figure.denominator == pytest.approx(expected["customers"], rel=0.01)
    assert abs(figure.value - expected["share"]) < FAR * expected["standard_error"]


@pytest.mark.parametrize("dimension", ["channel", "category"])
def test_repeat_by_first_order_recovers_the_truth(mart: Snapshot, truth: dict[str, Any], dimension: str) -> None:
    expected = truth["repeat_within"][dimension]
    found = {figure.slice: figure for figure in figures(mart, ["repeat_within_90"], whole(mart, by=dimension))}
    assert set(found) == set(expected)
    for piece, figure in found.items():
        told = expected[piece]["90"]
        assert figure.value is not None
        assert abs(figure.value - told["share"]) < FAR * told["standard_error"], piece


def test_the_lifetime_model_foretells_what_was_held_back(mart: Snapshot) -> None:
    fitted = lifetime(mart, whole(mart)).model
    assert fitted.backtest is not None
    ratio = fitted.backtest.ratio()
    assert ratio is not None
    assert 0.85 < ratio < 1.18
    assert fitted.money is not None


def test_late_shares_of_carriers_recover_the_truth(mart: Snapshot, truth: dict[str, Any]) -> None:
    found = {figure.slice: figure for figure in figures(mart, ["late_share"], whole(mart, by="carrier"))}
    for carrier, told in truth["carriers"].items():
        figure = found[carrier]
        assert figure.value is not None
        share = told["expected_late_share"]
        error = sqrt(share * (1 - share) / told["parcels"])
        # Strikes and peaks make some weeks later than the carrier's own chance.
        assert abs(figure.value - share) < FAR * error + 0.3 * share
