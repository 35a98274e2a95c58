"""Roles and what they may do, and who may change who works here."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine, select

from lib.db.engine import reading, writing
from lib.db.tables.staff import ROLES, audit_log, sessions, staff, staff_links
from lib.errors import Conflict, EncoreError, NotAllowed, SignInRefused, StaffRefused
from lib.queues.staff import Person
from lib.queues.staff import people as every_person
from lib.queues.staff import person as one_person
from lib.staff import LOCAL, PERMISSIONS, May, Role, Staff
from lib.workflows import links
from lib.workflows import sessions as kept
from lib.workflows import staff as people
from lib.workflows.sessions import Caller


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


# --- changing who works here -----------------------------------------------------------------------------------


def invited(database: Engine, by: Staff, email: str, role: Role, at: datetime, *, comes_in: bool = True) -> Staff:
    with writing(database) as connection:
        key, token = people.invite(connection, by, email, role, at=at)
        if comes_in:
            links.accept(connection, token, "three words are long", Caller(), at=at)
    return Staff(staff_id=key, name=email, role=role, email=email)


@pytest.fixture
def ann(database: Engine, noon: datetime) -> Staff:
    return invited(database, LOCAL, "ann@example.com", Role.OWNER, noon)


@pytest.fixture
def bob(database: Engine, ann: Staff, noon: datetime) -> Staff:
    return invited(database, ann, "bob@example.com", Role.MANAGER, noon)


def row_of(database: Engine, person: Staff) -> Person:
    with reading(database) as connection:
        found = one_person(connection, int(person.staff_id or 0), at=datetime.now(UTC))
    assert found is not None
    return found


def key_of(person: Staff) -> int:
    return int(person.staff_id or 0)


def state(database: Engine) -> tuple[object, ...]:
    """Everything a refusal must leave as it is."""
    with reading(database) as connection:
        return tuple(
            tuple(map(tuple, connection.execute(select(table).order_by(*table.primary_key.columns)).all()))
            for table in (staff, sessions, staff_links, audit_log)
        )


def test_an_owner_changes_a_role_and_both_are_on_record(
    database: Engine, ann: Staff, bob: Staff, noon: datetime
) -> None:
    with writing(database) as connection:
        people.change_role(connection, ann, key_of(bob), Role.VIEWER, version=row_of(database, bob).version, at=noon)
    assert row_of(database, bob).role == "viewer"
    with reading(database) as connection:
        last = connection.execute(select(audit_log).order_by(audit_log.c.audit_id.desc()).limit(1)).one()
    assert (last.action, last.staff_id) == ("staff.role_changed", ann.staff_id)
    assert last.details == {"before": {"role": "manager"}, "after": {"role": "viewer"}}


def test_nobody_but_an_owner_changes_who_works_here(database: Engine, ann: Staff, bob: Staff, noon: datetime) -> None:
    before, key, version = state(database), key_of(ann), row_of(database, ann).version
    for role in (Role.MANAGER, Role.SUPPORT, Role.VIEWER):
        by = Staff(staff_id=bob.staff_id, name="Bob", role=role)
        for work in (
            lambda c, by=by: people.invite(c, by, "eve@example.com", Role.OWNER, at=noon),
            lambda c, by=by: people.change_role(c, by, key, Role.VIEWER, version=version, at=noon),
            lambda c, by=by: people.deactivate(c, by, key, version=version, at=noon),
            lambda c, by=by: people.activate(c, by, key, version=version, at=noon),
            lambda c, by=by: people.sign_out_everywhere(c, by, key, at=noon),
            lambda c, by=by: people.new_link(c, by, key, at=noon),
            lambda c, by=by: people.remove_second_step(c, by, key, at=noon),
        ):
            with pytest.raises(NotAllowed), writing(database) as connection:
                work(connection)
    assert state(database) == before


def test_who_lost_the_role_since_the_page_was_drawn_is_refused(
    database: Engine, ann: Staff, bob: Staff, noon: datetime
) -> None:
    stale = Staff(staff_id=bob.staff_id, name="Bob", role=Role.OWNER)
    before = state(database)
    with pytest.raises(NotAllowed, match=r"Your role \(manager\)"), writing(database) as connection:
        people.invite(connection, stale, "eve@example.com", Role.OWNER, at=noon)
    assert state(database) == before


def test_the_last_owner_can_neither_go_nor_step_down(database: Engine, ann: Staff, bob: Staff, noon: datetime) -> None:
    # Somebody who was invited and never came in could not let the others in.
    invited(database, ann, "new@example.com", Role.OWNER, noon, comes_in=False)
    before, version = state(database), row_of(database, ann).version
    with pytest.raises(StaffRefused, match="is the last owner"), writing(database) as connection:
        people.change_role(connection, ann, key_of(ann), Role.MANAGER, version=version, at=noon)
    with pytest.raises(StaffRefused, match="is the last owner"), writing(database) as connection:
        people.deactivate(connection, LOCAL, key_of(ann), version=version, at=noon)
    assert state(database) == before


def test_an_owner_who_never_came_in_can_be_removed(database: Engine, ann: Staff, noon: datetime) -> None:
    new = invited(database, ann, "new@example.com", Role.OWNER, noon, comes_in=False)
    with writing(database) as connection:
        people.deactivate(connection, ann, key_of(new), version=1, at=noon)
    assert row_of(database, new).state == "deactivated"


def test_two_owners_who_remove_each_other_at_once_leave_one(database: Engine, ann: Staff, noon: datetime) -> None:
    eve = invited(database, ann, "eve@example.com", Role.OWNER, noon)
    versions = {person.staff_id: row_of(database, person).version for person in (ann, eve)}
    barrier, refused = threading.Barrier(2), []

    def demote(by: Staff, whom: Staff) -> None:
        barrier.wait()
        try:
            with writing(database) as connection:
                people.change_role(connection, by, key_of(whom), Role.VIEWER, version=versions[whom.staff_id], at=noon)
        except EncoreError as refusal:
            refused.append(refusal)

    threads = [threading.Thread(target=demote, args=pair) for pair in ((ann, eve), (eve, ann))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(refusal) for refusal in refused] == [NotAllowed]
    assert sorted(row_of(database, person).role for person in (ann, eve)) == ["owner", "viewer"]


def test_of_two_who_change_the_same_person_the_second_is_told(
    database: Engine, ann: Staff, bob: Staff, noon: datetime
) -> None:
    version = row_of(database, bob).version
    with writing(database) as connection:
        people.change_role(connection, ann, key_of(bob), Role.SUPPORT, version=version, at=noon)
    before = state(database)
    with pytest.raises(Conflict, match="changed bob"), writing(database) as connection:
        people.deactivate(connection, ann, key_of(bob), version=version, at=noon)
    assert state(database) == before


def test_who_is_let_go_loses_sessions_and_links(database: Engine, ann: Staff, bob: Staff, noon: datetime) -> None:
    with writing(database) as connection:
        token = kept.begin(connection, key_of(bob), Caller(), method="password", at=noon, lasts=timedelta(days=1))
        _, link = people.new_link(connection, ann, key_of(bob), at=noon)
        people.deactivate(connection, ann, key_of(bob), version=row_of(database, bob).version, at=noon)
    with reading(database) as connection:
        assert kept.signed_in(connection, token, at=noon, idle=timedelta(hours=1)) is None
        with pytest.raises(SignInRefused):
            links.opened(connection, link, at=noon)
    with writing(database) as connection:
        people.activate(connection, ann, key_of(bob), version=row_of(database, bob).version, at=noon)
    assert row_of(database, bob).state == "active"


def test_signing_out_everywhere_is_for_owners_and_oneself(
    database: Engine, ann: Staff, bob: Staff, noon: datetime
) -> None:
    with writing(database) as connection:
        for _ in range(3):
            kept.begin(connection, key_of(bob), Caller(), method="password", at=noon, lasts=timedelta(days=1))
        assert people.sign_out_everywhere(connection, bob, key_of(bob), at=noon) == 3
        assert people.sign_out_everywhere(connection, ann, key_of(bob), at=noon) == 0


@pytest.mark.parametrize("email", ["", "ann", "ann@", "@example.com", "a b@example.com", "a@b@c", "x" * 250 + "@e.org"])
def test_what_is_no_address_is_refused(database: Engine, ann: Staff, noon: datetime, email: str) -> None:
    before = state(database)
    with pytest.raises(StaffRefused, match="no e-mail address"), writing(database) as connection:
        people.invite(connection, ann, email, Role.VIEWER, at=noon)
    assert state(database) == before


def test_an_address_is_invited_once(database: Engine, ann: Staff, noon: datetime) -> None:
    before = state(database)
    with pytest.raises(StaffRefused, match="works here already"), writing(database) as connection:
        people.invite(connection, ann, " ANN@example.com", Role.VIEWER, at=noon)
    assert state(database) == before


def test_the_list_says_how_everybody_stands(database: Engine, ann: Staff, bob: Staff, noon: datetime) -> None:
    invited(database, ann, "new@example.com", Role.VIEWER, noon, comes_in=False)
    with reading(database) as connection:
        found = every_person(connection, at=noon)
        late = every_person(connection, at=noon + timedelta(days=8))
    assert [(p.name, p.role, p.state) for p in found] == [
        ("ann", "owner", "active"),
        ("bob", "manager", "active"),
        ("new", "viewer", "invited"),
    ]
    assert [p.state for p in late] == ["active", "active", "invitation expired"]
