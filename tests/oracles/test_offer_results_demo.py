"""The demo store's own truth about its offers, read back through order database, mart and read-out."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom, norm

from lib.db.engine import order_database, reading
from lib.db.migrate import migrate
from lib.db.store import read_store
from lib.demo.build import make_demo
from lib.jobs.refresh import refresh
from lib.mart.snapshot import current
from lib.metrics.learned import Learned, Taught, learned
from lib.metrics.offer_reading import Reading, read_offer
from lib.periods import day_index
from lib.settings import read_settings
from lib.stats.assumptions import Assumptions
from lib.workflows.offer_trials import SentOffer, all_tested

pytestmark = pytest.mark.slow

END = date(2026, 6, 1)
TODAY = day_index(END)
# So many standard errors away is one miss in about 1,700.
FAR = 3.4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    settings = read_settings({"ENCORE_DATA_DIR": str(folder)})
    migrate(order_database(settings))
    make_demo(settings, orders=25_000, seed=11, end=END)
    refresh(settings)
    return folder


@pytest.fixture(scope="module")
def tested(folder: Path) -> list[SentOffer]:
    settings = read_settings({"ENCORE_DATA_DIR": str(folder)})
    with reading(order_database(settings)) as connection:
        return all_tested(connection, read_store(connection, settings).zone)


@pytest.fixture(scope="module")
def results(folder: Path, tested: list[SentOffer]) -> dict[str, Reading]:
    mart = current(read_settings({"ENCORE_DATA_DIR": str(folder)}).mart_dir)
    return {one.name: read_offer(mart, one.trial, today=TODAY, is_over=one.is_over) for one in tested}


@pytest.fixture(scope="module")
def lessons(folder: Path, tested: list[SentOffer]) -> Learned:
    mart = current(read_settings({"ENCORE_DATA_DIR": str(folder)}).mart_dir)
    offers = [Taught(trial=one.trial, plan=one.plan, is_over=one.is_over) for one in tested if one.plan is not None]
    return learned(mart, offers, today=TODAY)


@pytest.fixture(scope="module")
def truth(folder: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads((folder / "demo_truth.json").read_text(encoding="utf-8"))["offers"]
    return told


def test_every_offer_that_went_out_is_read(truth: list[dict[str, Any]], results: dict[str, Reading]) -> None:
    assert {one["name"] for one in truth} == set(results)
    for one in truth:
        found = results[one["name"]].counts
        # Test customers are left out; nobody else is.
        assert found.treated.assigned + found.holdout.assigned + found.left_out == one["treatment"] + one["holdout"]
        assert abs(found.treated.assigned - one["treatment"]) <= found.left_out


def test_the_true_effects_lie_within_their_ranges(truth: list[dict[str, Any]], results: dict[str, Reading]) -> None:
    held, n = 0, 0
    for one in truth:
        read = results[one["name"]].read
        if read is None or not read.is_over or "bought" not in read.effects:
            continue
        effect = read.effects["bought"]
        assert abs(effect.difference - one["uplift_in_buying"]) < FAR * effect.se, one["name"]
        n += 1
        held += effect.low <= one["uplift_in_buying"] <= effect.high
    assert n >= 9
    assert held >= binom.ppf(0.005, n, 0.95)


def test_all_offers_together_show_the_effect_that_they_have(
    truth: list[dict[str, Any]], results: dict[str, Reading]
) -> None:
    weights, off = 0.0, 0.0
    for one in truth:
        read = results[one["name"]].read
        if read is None or not read.is_over or "bought" not in read.effects:
            continue
        effect = read.effects["bought"]
        weights += 1 / effect.se**2
        off += (effect.difference - one["uplift_in_buying"]) / effect.se**2
    # The mean error of all, in its own standard errors.
    assert abs(off / weights) * weights**0.5 < norm.ppf(0.9997)


def test_no_split_is_blocked_and_offers_without_effect_are_not_kept(
    truth: list[dict[str, Any]], results: dict[str, Reading]
) -> None:
    for one in truth:
        read = results[one["name"]].read
        assert read is not None
        assert read.split is None or not read.split.blocks, one["name"]
        if one["effect_if_not"] == 0 and read.standing is not None:
            assert read.standing.call in {"no difference", "too early", "too few"}, one["name"]


def test_offers_over_weeks_have_a_look_every_week(tested: list[SentOffer], results: dict[str, Reading]) -> None:
    spread = results["Double points this month"].read
    assert spread is not None
    assert len(spread.plan.looks) == len(spread.looks) == 6
    assert len(spread.course) > 30
    running = next(one for one in tested if one.name == "Free shipping for regulars")
    read = results[running.name].read
    assert running.status == "running"
    assert read is not None
    assert 0 < len(read.looks) < len(read.plan.looks) == 8
    assert not read.is_over


def test_the_next_what_if_learns_from_all_finished_offers_and_grows_surer(
    truth: list[dict[str, Any]], lessons: Learned
) -> None:
    start, now = Assumptions(), lessons.assumptions
    assert now.learned_from == len(lessons.lessons) >= 9
    assert not now.is_assumed
    assert now.contact_sd < start.contact_sd
    assert now.pull_sd <= start.pull_sd
    # Those still running have taught nothing, and say why.
    assert {"Free shipping for regulars", "Refill, do not rebuy"} <= dict(lessons.left_out).keys()
    assert set(lessons.names) <= {one["name"] for one in truth}
    # Guides and invitations reward with nothing.
    strengths = {lesson.name: lesson.effect.v for lesson in lessons.lessons}
    assert strengths["How to care for your linen"] == 0
    assert strengths["10 % off your second order"] == pytest.approx(0.10536, abs=1e-5)
