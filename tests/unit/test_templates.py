"""Templates: filled in safely, changed by new versions, offered where they fit."""

import tomllib
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine, func, select

from lib.db.engine import reading, writing
from lib.db.tables.desk import template_versions, templates
from lib.db.tables.staff import audit_log
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.queues.templates import fitting, history, templates_of
from lib.staff import LOCAL, Role, Staff
from lib.workflows.templates import (
    STARTERS,
    Filled,
    Wording,
    change_template,
    fill,
    install_starters,
    retire_template,
    starters,
    unknown_variables,
    write_template,
)

WORDING = Wording(kind="review_reply", name="Thanks", body="Thank you, {first_name|dear customer}.", language="en")


@pytest.mark.parametrize(
    ("body", "values", "filled"),
    [
        ("Hi {first_name}!", {"first_name": "Ann"}, Filled("Hi Ann!", ())),
        ("Hi {first_name|you}!", {}, Filled("Hi you!", ())),
        ("Hi {first_name}!", {"first_name": " "}, Filled("Hi !", ("first_name",))),
        ("{review}", {"review": "{store} {0.__class__}", "store": "Shop"}, Filled("{store} {0.__class__}", ())),
        ("{first_name}", {"first_name": "A\x00n\x1bn"}, Filled("Ann", ())),
        ("{first_name.__class__} {}", {"first_name": "Ann"}, Filled("{first_name.__class__} {}", ())),
    ],
)
def test_variables_are_filled_in_once_and_nothing_else_is(body: str, values: dict[str, str], filled: Filled) -> None:
    assert fill(body, values) == filled


def test_what_is_no_variable_is_named() -> None:
    assert unknown_variables("Hi {frist_name}, {product|it} {open") == ["{frist_name}", "{open"]


def test_a_change_is_a_new_version_and_the_old_words_stay_readable(database: Engine, noon: datetime) -> None:
    with writing(database) as conn:
        key = write_template(conn, LOCAL, WORDING, at=noon)
        change_template(conn, LOCAL, key, replace(WORDING, body="Thanks!"), version=1, at=noon)
        change_template(conn, LOCAL, key, replace(WORDING, body="Thanks!", name="Short"), version=2, at=noon)
    with reading(database) as conn:
        (found,) = templates_of(conn, "review_reply")
        assert (found.name, found.body, found.version) == ("Short", "Thanks!", 3)
        assert [(v.number, v.body) for v in history(conn, key)] == [(2, "Thanks!"), (1, WORDING.body)]


@pytest.mark.parametrize(
    "wording",
    [
        replace(WORDING, body=" \x00 "),
        replace(WORDING, name=" "),
        replace(WORDING, body="Hi {frist_name}"),
        replace(WORDING, least_stars=4, most_stars=3),
        replace(WORDING, body="x" * 5001),
        replace(WORDING, kind="poem"),
        replace(WORDING, name="Taken"),
    ],
)
def test_a_template_that_makes_no_sense_is_refused_and_nothing_is_written(
    database: Engine, noon: datetime, wording: Wording
) -> None:
    with writing(database) as conn:
        write_template(conn, LOCAL, replace(WORDING, name="Taken"), at=noon)
    with pytest.raises(InvalidInput), writing(database) as conn:
        write_template(conn, LOCAL, wording, at=noon)
    with reading(database) as conn:
        for table in (templates, template_versions, audit_log):
            assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 1


def test_support_may_not_change_templates_and_the_second_of_two_is_told(database: Engine, noon: datetime) -> None:
    support = Staff(staff_id=None, name="Ann", role=Role.SUPPORT)
    with writing(database) as conn:
        key = write_template(conn, LOCAL, WORDING, at=noon)
    with pytest.raises(NotAllowed), writing(database) as conn:
        change_template(conn, support, key, WORDING, version=1, at=noon)
    with writing(database) as conn:
        retire_template(conn, LOCAL, key, version=1, at=noon)
    with pytest.raises(Conflict), writing(database) as conn:
        change_template(conn, LOCAL, key, replace(WORDING, body="Other"), version=1, at=noon)
    with reading(database) as conn:
        assert templates_of(conn, "review_reply") == []
        assert [t.body for t in templates_of(conn, "review_reply", with_retired=True)] == [WORDING.body]


def test_the_starters_are_installed_once_and_criticism_always_gets_an_apology_and_a_way_to_a_person(
    database: Engine, noon: datetime
) -> None:
    with writing(database) as conn:
        count = install_starters(conn, at=noon)
        assert count == len(tomllib.loads(STARTERS.read_text(encoding="utf-8"))["template"])
        assert install_starters(conn, at=noon) == 0
    for wording in starters():
        assert unknown_variables(wording.body) == []
        if wording.most_stars <= 3:
            assert ("sorry" if wording.language == "en" else "tut mir leid") in wording.body.replace("Es tut", "tut")
            assert "{contact|" in wording.body


def test_the_best_fit_comes_first_and_another_language_never(database: Engine, noon: datetime) -> None:
    with writing(database) as conn:
        install_starters(conn, at=noon)
        found = templates_of(conn, "review_reply")
    bad = [t.name for t in fitting(found, language="de", stars=1, topics=frozenset({"damaged"}))]
    assert bad == ["Entschuldigung: kam beschädigt an", "Entschuldigung und wie Sie uns erreichen"]
    assert [t.name for t in fitting(found, language="en", stars=5)] == ["Thanks for praise"]
