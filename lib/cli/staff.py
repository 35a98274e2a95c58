"""``python -m lib staff``: who works here; also the way back in for an owner who is locked out."""

import argparse
import json
from dataclasses import asdict

from sqlalchemy import Connection, Engine

from lib.db.engine import order_database, reading, writing
from lib.db.migrate import pending
from lib.db.tables.columns import now
from lib.errors import DatabaseUnavailable, StaffRefused
from lib.queues.staff import Person, people
from lib.settings import settings
from lib.staff import Role, Staff
from lib.workflows import links
from lib.workflows import staff as workflow

# Whoever may run commands here holds the database anyway.
COMMAND_LINE = Staff(staff_id=None, name="The command line", role=Role.OWNER)
ROLES = [role.value for role in Role]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show everybody, with role, state and last sign-in")
    listing.add_argument("--json", action="store_true", help="print JSON")
    add = actions.add_parser("add", help="give somebody an account; prints the invitation, a link that serves once")
    _email(add)
    add.add_argument("--role", choices=ROLES, required=True, help="what they may do")
    add.add_argument("--name", default="", help="how others read them; they can change it")
    role = actions.add_parser("role", help="give somebody another role; it counts from their next action on")
    _email(role)
    role.add_argument("role", choices=ROLES, help="what they may do from now on")
    link = actions.add_parser("link", help="print a new link that sets a password; earlier links are void")
    _email(link)
    link.add_argument("--without-code", action="store_true", help="also turn off the second step, for a lost phone")
    _email(actions.add_parser("deactivate", help="let somebody in no longer; what they did stays on record"))
    _email(actions.add_parser("activate", help="take somebody back"))


def _email(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="the address they sign in with")


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    engine = order_database(settings())
    if pending(engine):
        raise DatabaseUnavailable("The order database is not up to date: run `python -m lib migrate` first.")
    if args.action == "list":
        return _list(engine, as_json=args.json)
    with writing(engine) as connection:
        said = _do(connection, args)
    print(said)
    return 0


def _list(engine: Engine, *, as_json: bool) -> int:
    with reading(engine) as connection:
        found = people(connection, at=now())
    if as_json:
        print(json.dumps([asdict(person) for person in found], default=str, indent=1, ensure_ascii=False))
        return 0
    if not found:
        print("Nobody has an account: whoever sits at this machine may do everything.")
    for person in found:
        seen = f"last signed in {person.signed_in_at:%Y-%m-%d %H:%M} UTC" if person.signed_in_at else "never signed in"
        print(f"{person.email}  {person.role}  {person.state}  {seen}  {person.name}")
    return 0


def _do(connection: Connection, args: argparse.Namespace) -> str:
    at = now()
    if args.action == "add":
        _, token = workflow.invite(connection, COMMAND_LINE, args.email, Role(args.role), at=at, name=args.name)
        return _said(args.email, links.INVITATION, token)
    person = _found(connection, args.email)
    if args.action == "role":
        workflow.change_role(connection, COMMAND_LINE, person.staff_id, Role(args.role), version=person.version, at=at)
        return f"{person.email} is {args.role} now."
    if args.action == "link":
        if args.without_code:
            workflow.remove_second_step(connection, COMMAND_LINE, person.staff_id, at=at)
        kind, token = workflow.new_link(connection, COMMAND_LINE, person.staff_id, at=at)
        return _said(person.email, kind, token)
    if args.action == "activate":
        workflow.activate(connection, COMMAND_LINE, person.staff_id, version=person.version, at=at)
        return f"{person.email} may come in again."
    workflow.deactivate(connection, COMMAND_LINE, person.staff_id, version=person.version, at=at)
    return f"{person.email} may no longer come in; every session ended."


def _found(connection: Connection, email: str) -> Person:
    address = email.strip().lower()
    for person in people(connection, at=now()):
        if person.email == address:
            return person
    raise StaffRefused(f"Nobody here has the address {email}. `python -m lib staff list` shows everybody.")


def _said(email: str, kind: str, token: str) -> str:
    here = settings()
    host = f"[{here.address}]" if ":" in here.address else here.address
    base = here.public_url or f"http://{host}:{here.port}"
    days = links.LASTS[kind].days
    return (
        f"Give {email} this link; it serves once, within {days} day{'' if days == 1 else 's'}, and is shown only now:\n"
        f"{base}{links.path_of(kind, token)}"
    )
