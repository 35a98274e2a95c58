"""Roles and what they may do."""

from itertools import pairwise

import pytest

from lib.db.tables.staff import ROLES
from lib.errors import NotAllowed
from lib.staff import LOCAL, PERMISSIONS, May, Role, Staff


def test_every_role_of_the_database_has_its_permissions() -> None:
    assert {role.value for role in PERMISSIONS} == set(ROLES)


def test_each_role_may_more_than_the_one_before_it() -> None:
    order = (Role.VIEWER, Role.SUPPORT, Role.MANAGER, Role.OWNER)
    for less, more in pairwise(order):
        assert PERMISSIONS[less] < PERMISSIONS[more]
    assert PERMISSIONS[Role.OWNER] == set(May)


def test_a_viewer_sees_figures_and_nobodys_name() -> None:
    viewer = Staff(staff_id=1, name="Vera", role=Role.VIEWER)
    viewer.must(May.SEE_FIGURES)
    assert not viewer.may(May.SEE_PERSONAL_DATA)
    assert not viewer.may(May.ANSWER_REVIEWS)


def test_a_refusal_says_what_is_not_allowed_and_who_can_change_it() -> None:
    with pytest.raises(NotAllowed, match=r"Your role \(viewer\) may not answer reviews\. An owner can change"):
        Staff(staff_id=1, name="Vera", role=Role.VIEWER).must(May.ANSWER_REVIEWS)


def test_the_person_at_this_machine_may_do_everything() -> None:
    for what in May:
        LOCAL.must(what)
