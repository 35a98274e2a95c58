"""Bring the mart up to date."""

import argparse
import json
import sys
from dataclasses import asdict

from lib.jobs.refresh import RefreshReport, refresh
from lib.settings import settings

WAIT_SECONDS = 120.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--full", action="store_true", help="build everything anew instead of only what changed")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--wait",
        type=float,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait while another process refreshes (default %(default)g)",
    )


def run(args: argparse.Namespace) -> int:
    """Refresh and say what was done."""
    shows = sys.stderr.isatty() and not args.json
    report = refresh(settings(), full=args.full, wait_seconds=args.wait, progress=_show if shows else None)
    if shows:
        print("\r\x1b[K", end="", file=sys.stderr)
    print(json.dumps(asdict(report), indent=2) if args.json else said(report))
    return 0


def said(report: RefreshReport) -> str:
    """The report in one sentence."""
    if report.how == "unchanged":
        return f"Nothing has changed: version {report.version} with {report.orders:,} orders stays."
    what = "everything" if report.how == "full" else f"{report.owners:,} customers"
    return (
        f"Refreshed {what} in {report.seconds:.1f} s ({report.why}): "
        f"version {report.version} with {report.orders:,} orders."
    )


def _show(step: str) -> None:
    print(f"\r\x1b[K{step} …", end="", file=sys.stderr, flush=True)
