"""The commands of ``python -m lib``, each in a module of its own that is loaded when it is called.

Exit codes: 0 done · 1 done, but something needs a look (rejected rows, a failed check) · 2 refused, and
nothing was written · 3 broke off over a fault in Encore, whose details are in errors.log.
"""

import argparse
import os
import secrets
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Protocol, cast

from lib.errors import EncoreError


class CommandModule(Protocol):
    """What a module of this folder offers."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it and return the exit code."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as ``--help`` lists it."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command("run", "run", "start the app: migrate, build what is missing, serve"),
    Command("demo", "demo", "make the demo store, with any number of orders"),
    Command("import", "imports", "import a shop's exports, a table or a database"),
    Command("rejected", "rejected", "list, export, correct or dismiss rows that an import put aside"),
    Command("refresh", "refresh", "bring the mart up to date"),
    Command("figures", "figures", "print figures, with what they count and what they leave out"),
    Command("check", "check", "check migrations, freshness, and that the mart equals the order database"),
    Command("offers", "offers", "send out what is due, or say who would get what and why the others would not"),
    Command("outbox", "outbox", "send what is queued, list it, try it again, or let nothing leave"),
    Command("mail", "mail", "take mails from the mailbox in as tickets"),
    Command("backup", "backup", "write a backup of the order database"),
    Command("restore", "restore", "restore the order database from a backup"),
    Command("migrate", "migrate", "bring the order database's tables up to date"),
    Command("staff", "staff", "list the people who work here, give them accounts, roles and links"),
    Command("audit", "audit", "check that the log of who did what is whole, or write it out"),
    Command("erase-person", "erase_person", "forget somebody: say what goes and what stays, then erase everywhere"),
    Command("export-person", "export_person", "write all that is known of somebody as JSON"),
    Command("settings", "settings", "list every setting with its default and what it does"),
)


def main(argv: Sequence[str]) -> int:
    """Run one command; an error that is safe to show goes to stderr and gives 2."""
    parser = argparse.ArgumentParser(
        prog="python -m lib",
        description="Encore: what happens after the sale.",
        epilog="Exit codes: 0 done, 1 done but something needs a look, 2 refused and nothing written, "
        "3 broke off over a fault in Encore.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in argv if not word.startswith("-")), "")
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name, help=command.help, description=command.help[0].upper() + command.help[1:] + "."
        )
        if command.name == wanted:
            module = cast(CommandModule, import_module(f"lib.cli.{command.module}"))
            module.arguments(sub)
            sub.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        return int(args.run(args))
    except EncoreError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        print(_told(error, args.command), file=sys.stderr)
        return 3


def _told(error: Exception, command: str) -> str:
    """One line about a fault in Encore; its details go to errors.log in the data folder, under an id."""
    from lib.db.engine import private_folder
    from lib.settings import settings

    number = secrets.token_hex(4)
    line = f"`{command}` broke off over a fault in Encore (error {number})."
    details = "".join(traceback.format_exception(error))
    try:
        log = private_folder(settings().data_dir) / "errors.log"
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as out:
            out.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, error {number} in {command}\n{details}\n")
    except (OSError, EncoreError):
        # Nowhere to write it down: then the line itself must say what happened.
        return f"{line} {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return f"{line} Its details are in {log}; what was there before is as it was."
