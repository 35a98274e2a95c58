"""What is handed on of a what-if: a link's code, a table, and a page of paper that is a sound PDF."""

import re
import zlib
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from lib.audience import Audience, Rule
from lib.offer import Pays
from lib.offer import Reward as Given
from lib.stats.assumptions import Assumptions
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario, worked
from lib.stats.what_if import what_if
from lib.ui.pdf import Sheet, width_of, wrapped
from lib.ui.what_if_answer import Answer, Ranges
from lib.ui.what_if_link import as_code, from_code
from lib.ui.what_if_sheet import Heading, paper, rows

GROUND = Ground(
    spells=pd.DataFrame({"day": [10, 20, 50], "events": [100, 180, 0], "censored": [0, 0, 720]}),
    baskets=pd.DataFrame({"value_minor": [2000, 8000], "orders": [30, 10], "net_minor": [60_000, 100_000]}),
    per_day=20.0,
    margin=0.4,
)
SCENARIO = Scenario(delay_days=15, reward=Given(pays=Pays.PERCENT, depth=0.1, expiry_days=30))


@pytest.fixture(scope="module")
def answer() -> Answer:
    put = worked(SCENARIO, GROUND)
    result = what_if(put.offer, put.waiting, Assumptions())
    return Answer(scenario=SCENARIO, worked=put, assumptions=Assumptions(), result=result)


def sound(file: bytes) -> list[int]:
    """Check that every object lies where the table of the file says; gives the places."""
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF", file)[0])
    assert file[start:].startswith(b"xref\n")
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n ", file[start:])]
    for number, place in enumerate(places, start=1):
        assert file[place:].startswith(b"%d 0 obj\n" % number)
    for told, stream in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", file, re.DOTALL):
        assert int(told) == len(stream)
    return places


def test_the_page_is_a_sound_pdf_that_says_the_figures(answer: Answer) -> None:
    heading = Heading(
        name="Müller (10% off) \\ 日本", store="Shop", author="Ann", day=date(2026, 3, 2), link="http://x"
    )
    file = paper(answer, Ranges.of(answer.result), "EUR", heading, "It pays when 26.7% buy", "Driven by assumptions")
    assert file.startswith(b"%PDF-1.4")
    sound(file)
    text = file.decode("latin-1")
    assert r"M\374ller \(10% off\) \\ ??" in text
    assert "It pays when 26.7% buy" in text
    assert "\\200" in text, "the euro sign"


def test_a_long_table_goes_on_on_another_page() -> None:
    sheet = Sheet(title="T")
    sheet.table([(f"row {n}", "x" * 500) for n in range(120)], places=(0.0, 0.5))
    assert len(sheet.pages) == 3
    sound(sheet.to_bytes())


def test_lines_fit_and_no_word_is_lost() -> None:
    words = "The quick brown fox jumps over the lazy dog and " + "W" * 80
    lines = wrapped(words, 10, 120)
    assert all(width_of(line, 10) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    assert wrapped("", 10, 100) == []


def test_the_table_holds_answer_settings_measures_and_assumptions(answer: Answer) -> None:
    found = rows(answer, Ranges.of(answer.result), "EUR").set_index("what")
    assert list(found["kind"].unique()) == ["answer", "setting", "measured", "assumption"]
    assert found.loc["Break-even uplift (share)", "value"] == pytest.approx(1 / 3)
    assert found.loc["Mean basket of who qualifies", "value"] == "40.00 EUR"
    assert found.loc["Would-be buyers who redeem (share)", "value"] == pytest.approx(0.6)


def test_a_code_is_the_scenario_again() -> None:
    rule = Rule(field="bought_category", any_of=("Käse & <Wein>",))
    scenario = replace(SCENARIO, group="Category: Käse & <Wein>", audience=Audience((rule,)), margin=0.3)
    code = as_code(scenario)
    assert re.fullmatch(r"[\w-]+", code)
    assert from_code(code) == scenario


@pytest.mark.parametrize(
    "code",
    [
        "",
        "x",
        "%%%",
        "A" * 2_000,
        urlsafe_b64encode(zlib.compress(b"[]")).decode(),
        urlsafe_b64encode(zlib.compress(b'{"form": 1}')).decode(),
        urlsafe_b64encode(zlib.compress(b" " * 10_000_000)).decode()[:900],
    ],
)
def test_what_is_no_code_is_passed_over(code: str) -> None:
    assert from_code(code) is None
