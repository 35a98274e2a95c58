"""Feedback: what customers say when they are asked. Answers are placed by the day of the answer, surveys sent by
the day of sending."""

from sqlalchemy import ColumnElement, and_, not_, or_

from lib.mart.schema import fact_survey
from lib.metrics.definition import AnyMetric, Combined, Metric, NetShare, Ratio, Unit

_survey = fact_survey.c
# Scores from 0 to 10: these and higher promote, these and lower detract.
PROMOTES = 9
DETRACTS = 6
# Scores from 1 to 5: these and higher are satisfied.
SATISFIED = 4

_NPS, _CSAT = _survey.kind == "nps", _survey.kind == "csat"
_SCORED = _survey.score.is_not(None)
_IN_SCALE = and_(_survey.score >= 1, _survey.score <= 5)


def _answers(key: str, label: str, meaning: str, *where: ColumnElement[bool]) -> Metric:
    """A count of answers, on the day they were given."""
    return Metric(
        key=key,
        label=label,
        unit=Unit.COUNT,
        meaning=meaning,
        over=fact_survey,
        where=and_(*where),
        day=_survey.answered_day,
    )


SURVEYS_SENT = Metric(
    key="surveys_sent",
    label="Surveys sent",
    unit=Unit.COUNT,
    meaning="Surveys sent to customers in the period, of every kind.",
    over=fact_survey,
)
RESPONSE_RATE = Ratio(
    key="survey_response_rate",
    label="Survey response rate",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Surveys sent in the period that were answered before the as-of day divided by surveys sent.",
    top=Metric(
        key="surveys_answered",
        label="Surveys answered",
        unit=Unit.COUNT,
        meaning="Surveys sent in the period that were answered before the as-of day.",
        over=fact_survey,
        where=_survey.answered_day.is_not(None),
        known=(_survey.answered_day,),
    ),
    bottom=SURVEYS_SENT,
    has_interval=True,
    note="Those sent in the last days may still be answered.",
)
NPS_ANSWERS = _answers(
    "nps_answers", "Scores from 0 to 10", "Answers with a score to the recommendation question.", _NPS, _SCORED
)
PROMOTERS = _answers(
    "nps_promoters", "Promoters", f"Scores of {PROMOTES} or 10.", _NPS, _SCORED, _survey.score >= PROMOTES
)
PASSIVES = _answers(
    "nps_passives",
    "Passives",
    f"Scores of {DETRACTS + 1} to {PROMOTES - 1}.",
    _NPS,
    _SCORED,
    _survey.score > DETRACTS,
    _survey.score < PROMOTES,
)
DETRACTORS = _answers(
    "nps_detractors", "Detractors", f"Scores of 0 to {DETRACTS}.", _NPS, _SCORED, _survey.score <= DETRACTS
)
_NO_NPS_SCORE = _answers("nps_no_score", "No score", "Answers without a score.", _NPS, not_(_SCORED))
NPS = NetShare(
    key="nps",
    label="Net promoter score",
    unit=Unit.SCORE,
    good_is="up",
    meaning=f"Percentage of scores of {PROMOTES} and 10 less percentage of scores of 0 to {DETRACTS}, "
    "from -100 to 100.",
    top=Combined(
        key="nps_net",
        label="Promoters less detractors",
        unit=Unit.COUNT,
        meaning="Promoters less detractors.",
        terms=((1, PROMOTERS), (-1, DETRACTORS)),
    ),
    bottom=NPS_ANSWERS,
    left_out=(("no score", _NO_NPS_SCORE),),
    note="Placed by the day of the answer.",
)
CSAT_ANSWERS = _answers(
    "csat_answers", "Ratings from 1 to 5", "Answers from 1 to 5 to a satisfaction survey.", _CSAT, _IN_SCALE
)
SURVEY_CSAT = Ratio(
    key="survey_csat",
    label="Satisfied (CSAT survey)",
    unit=Unit.SHARE,
    good_is="up",
    meaning=f"Answers of {SATISFIED} or 5 to a satisfaction survey divided by answers from 1 to 5.",
    top=_answers("csat_satisfied", "Satisfied", "Answers of 4 or 5.", _CSAT, _IN_SCALE, _survey.score >= SATISFIED),
    bottom=CSAT_ANSWERS,
    left_out=(
        (
            "no score from 1 to 5",
            _answers(
                "csat_no_score",
                "No score from 1 to 5",
                "Answers without a score, or with one that is not from 1 to 5.",
                _CSAT,
                or_(not_(_SCORED), _survey.score < 1, _survey.score > 5),
            ),
        ),
    ),
    has_interval=True,
    note="Placed by the day of the answer. Tickets have a satisfaction of their own (csat).",
)

METRICS: tuple[AnyMetric, ...] = (
    SURVEYS_SENT,
    RESPONSE_RATE,
    NPS,
    NPS_ANSWERS,
    PROMOTERS,
    PASSIVES,
    DETRACTORS,
    SURVEY_CSAT,
    CSAT_ANSWERS,
)
