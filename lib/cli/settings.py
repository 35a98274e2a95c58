"""List every setting: its value, its default and what it does."""

import argparse
import json
from dataclasses import asdict

from lib.settings import SETTINGS, chosen, settings

# Addresses whose password is not shown, and what is not shown at all.
ADDRESSES = ("ENCORE_DATABASE_URL", "ENCORE_MART_URL", "ENCORE_SMTP_URL", "ENCORE_IMAP_URL", "ENCORE_WEBHOOK_URL")
SECRETS = ("ENCORE_WEBHOOK_SECRET", "ENCORE_HOOK_SECRET", "ENCORE_OIDC_CLIENT_SECRET", "ENCORE_SECRET_KEY")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the settings; a secret, or a password in an address, is not printed."""
    settings()  # a setting that makes no sense is refused here too
    given = chosen()
    listed = [{**asdict(setting), "value": _shown(setting.name, given.get(setting.name, ""))} for setting in SETTINGS]
    if args.json:
        print(json.dumps(listed, indent=1, ensure_ascii=False))
        return 0
    for entry in listed:
        value = f"= {entry['value']}" if entry["value"] else f"(default: {entry['default'] or 'empty'})"
        print(f"{entry['name']} {value}\n    {entry['help']}")
    print("\nSet them in the environment or in a file .env in the project folder; the environment wins.")
    return 0


def _shown(name: str, value: str) -> str:
    if name in SECRETS and value:
        return "***"
    before, at, after = value.rpartition("@")
    if name in ADDRESSES and at and "://" in before:
        scheme, _, user = before.partition("://")
        return f"{scheme}://{user.partition(':')[0]}:***@{after}"
    return value
