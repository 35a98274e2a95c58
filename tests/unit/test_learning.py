"""Learning from finished offers, and scoring what was foretold."""

from math import log

import numpy as np
import pytest

from lib.errors import NotEnoughData
from lib.stats.assumptions import Assumptions, Beta, draw
from lib.stats.learning import Finished, finished_offer, learn, learn_share, pulled_forward, redeemed_anyway
from lib.stats.scoring import Score, measurable, score, scoreboard


def test_a_finished_offer_is_measured_as_a_log_hazard_ratio() -> None:
    # Half as many are left as the square of the holdout's: 1 - .19 = .9².
    measured = finished_offer(treated=10_000, treated_buyers=1_900, holdout=10_000, holdout_buyers=1_000, v=0.1)
    assert measured.log_hr == pytest.approx(log(2))
    rng = np.random.default_rng(1)
    p1, p0 = rng.binomial(10_000, 0.19, 40_000) / 10_000, rng.binomial(10_000, 0.10, 40_000) / 10_000
    assert measured.se == pytest.approx(np.log(np.log1p(-p1) / np.log1p(-p0)).std(), rel=0.02)
    with pytest.raises(NotEnoughData, match="buyers and others"):
        finished_offer(treated=10, treated_buyers=0, holdout=10, holdout_buyers=1, v=0)


def test_one_offer_without_a_reward_updates_the_effect_of_contact_by_hand() -> None:
    prior = Assumptions()
    learned = learn(prior, [Finished(log_hr=0.5, se=0.2, v=0.0)])
    noise, before = 0.2**2 + 0.15**2, 0.25**2
    assert learned.contact == pytest.approx((0.10 / before + 0.5 / noise) / (1 / before + 1 / noise))
    assert learned.contact_sd == pytest.approx((1 / before + 1 / noise) ** -0.5)
    assert (learned.pull, learned.pull_sd, learned.covariance) == pytest.approx((1.2, 0.8, 0.0))
    assert learned.learned_from == 1
    assert prior.is_assumed
    assert not learned.is_assumed


def test_learning_all_at_once_or_one_by_one_is_the_same() -> None:
    offers = [Finished(log_hr=0.3 * i, se=0.1 * i, v=0.05 * i) for i in range(1, 6)]
    at_once, one_by_one = learn(Assumptions(), offers), Assumptions()
    for offer in offers:
        one_by_one = learn(one_by_one, [offer])
    assert at_once.contact == pytest.approx(one_by_one.contact, rel=1e-10)
    assert at_once.pull == pytest.approx(one_by_one.pull, rel=1e-10)
    assert at_once.covariance == pytest.approx(one_by_one.covariance, rel=1e-9)
    assert at_once.learned_from == one_by_one.learned_from == 5
    assert learn(Assumptions(), []) == Assumptions()


def test_many_offers_find_the_truth_and_the_range_says_how_well() -> None:
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(400):
        prior = Assumptions()
        contact, pull = rng.normal(prior.contact, prior.contact_sd), rng.normal(prior.pull, prior.pull_sd)
        offers = [
            Finished(log_hr=contact + pull * v + rng.normal(0, prior.offer_sd) + rng.normal(0, 0.1), se=0.1, v=v)
            for v in rng.uniform(0, 0.3, 12)
        ]
        learned = learn(prior, offers)
        mean = learned.contact + learned.pull * 0.2
        sd = (learned.contact_sd**2 + 0.04 * learned.pull_sd**2 + 0.4 * learned.covariance) ** 0.5
        inside += abs(contact + pull * 0.2 - mean) < 1.6449 * sd
    # 99 % of the binomial with 400 cases and a share of .9.
    assert 344 <= inside <= 375


def test_the_draws_follow_what_was_learned_also_its_covariance() -> None:
    learned = learn(Assumptions(), [Finished(log_hr=0.4, se=0.05, v=0.2)] * 6)
    draws = draw(learned)
    assert learned.covariance < 0
    assert float(draws.pull.min()) >= 0
    correlation = np.corrcoef(draws.contact, draws.pull)[0, 1]
    assert correlation == pytest.approx(learned.covariance / learned.contact_sd / learned.pull_sd, abs=0.06)


def test_a_share_measured_well_counts_for_much_and_badly_for_little() -> None:
    prior = Beta(6, 4)
    well = learn_share(prior, share=0.3, se=0.01)
    assert (well.yes, well.no) == pytest.approx((6 + 15, 4 + 35))
    badly = learn_share(prior, share=0.3, se=0.4)
    assert badly.yes + badly.no == pytest.approx(10 + 0.21 / 0.16)
    assert learn_share(prior, share=1.4, se=0.1).mean < 1
    with pytest.raises(ValueError, match="standard error"):
        learn_share(prior, share=0.3, se=0)


def test_who_redeemed_anyway_is_counted_against_the_holdout() -> None:
    # 1,000 of 10,000 would have bought, 1,300 did; all 300 new ones redeemed and 500 of the others.
    measured = redeemed_anyway(treated=10_000, treated_buyers=1_300, redeemed=800, holdout=10_000, holdout_buyers=1_000)
    assert measured.share == pytest.approx(0.5)
    rng = np.random.default_rng(2)
    buyers = rng.binomial(10_000, 0.13, 40_000)
    redeemed = rng.binomial(buyers, 8 / 13)
    p0 = rng.binomial(10_000, 0.1, 40_000) / 10_000
    assert measured.se == pytest.approx(((redeemed - buyers) / 10_000 / p0 + 1).std(), rel=0.03)
    with pytest.raises(NotEnoughData, match="holdout"):
        redeemed_anyway(treated=10, treated_buyers=1, redeemed=1, holdout=10, holdout_buyers=0)


def test_what_was_pulled_forward_is_missing_later() -> None:
    measured = pulled_forward(in_window=0.04, in_window_se=0.005, later=0.03, later_se=0.006)
    assert measured.share == pytest.approx(0.25)
    assert measured.se == pytest.approx((0.006**2 + (0.75 * 0.005) ** 2) ** 0.5 / 0.04)
    with pytest.raises(NotEnoughData, match="clearly added orders"):
        pulled_forward(in_window=0.01, in_window_se=0.005, later=0.0, later_se=0.005)


def test_a_forecast_is_scored_with_the_noise_of_measuring() -> None:
    draws = np.linspace(-1, 1, 4_001)
    exact = score(draws, 0.95, se=1e-9)
    assert not exact.held
    assert (exact.low, exact.high) == pytest.approx((-0.9, 0.9), abs=1e-3)
    assert exact.surprise == pytest.approx(0.975, abs=1e-3)
    # 1.8 wide, and 20 times the .05 that it missed by.
    assert exact.loss == pytest.approx(1.8 + 20 * 0.05, abs=0.02)
    noisy = score(draws, 0.95, se=0.5)
    assert noisy.held
    assert measurable(draws, se=0.5).high == pytest.approx(noisy.high)


def test_the_scoreboard_says_how_many_ranges_held_and_what_that_share_could_be() -> None:
    def scored(held: bool) -> Score:
        return Score(low=0, middle=1, high=2, actual=1.5 if held else 3, held=held, surprise=0.5, loss=2)

    board = scoreboard([scored(i < 17) for i in range(20)])
    assert (board.n, board.held, board.share) == (20, 17, 0.85)
    assert (board.low, board.high) == pytest.approx((0.640, 0.948), abs=5e-4)
    assert board.is_as_promised
    assert board.bias == pytest.approx((17 * 0.5 + 3 * 2) / 20)
    assert not scoreboard([scored(i < 10) for i in range(20)]).is_as_promised
    with pytest.raises(NotEnoughData, match="come due"):
        scoreboard([])
