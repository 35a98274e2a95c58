"""``python -m lib import``: a shop's exports, a table or a database into the order database."""

import argparse
import json
import sys
from contextlib import nullcontext
from pathlib import Path

from tqdm import tqdm

from lib.importers.report import ImportReport
from lib.importers.sources import SOURCES, source_named
from lib.importers.table_rows import table_rows
from lib.jobs.imports import guess_mapping, run_import
from lib.jobs.refresh import refresh
from lib.settings import settings

REASONS = 8


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="SOURCE", help=f"where the files come from: {', '.join(SOURCES)}")
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="files, folders or ZIP archives; for sql the database's address"
    )
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="for table and sql: the mapping (TOML)")
    parser.add_argument("--dry-run", action="store_true", help="read and check everything, write nothing")
    parser.add_argument(
        "--dates",
        default="",
        metavar="FORMAT",
        help="how dates are written where the file does not tell: day-first, month-first, or as in %%d.%%m.%%Y",
    )
    parser.add_argument("--replace-demo", action="store_true", help="remove the demo store first")
    parser.add_argument("--no-refresh", action="store_true", help="leave the mart as it is")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Import, refresh the mart, and say what happened; 1 when rows were put aside."""
    chosen = source_named(args.source)
    paths: list[Path | str] = list(args.paths) if chosen.name == "sql" else [Path(path) for path in args.paths]
    if chosen.name == "table" and args.mapping is None:
        return _show_guess(Path(args.paths[0]), args.dates)
    with tqdm(total=100, unit="%", file=sys.stderr, disable=None, leave=False, bar_format=_BAR) as bar:

        def show(report: ImportReport, share: float) -> None:
            bar.n = round(share * 100)
            bar.set_description(f"{report.read:,} records")

        report = run_import(
            settings(),
            chosen.name,
            paths,
            mapping=args.mapping,
            date_format=args.dates,
            dry_run=args.dry_run,
            replace_demo=args.replace_demo,
            started_by="python -m lib import",
            progress=show,
        )
    if not (args.no_refresh or args.dry_run) and (report.stored or report.replaced_demo):
        with nullcontext() if args.json else tqdm(desc="refreshing", bar_format="{desc} …", disable=None, leave=False):
            refresh(settings(), full=report.replaced_demo, wait_seconds=120)
    print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2) if args.json else said(report, chosen.label))
    return 1 if report.rejected else 0


def _show_guess(path: Path, dates: str) -> int:
    """Print the mapping that a table seems to need; to be corrected, saved and named with --mapping."""
    mapping, file = guess_mapping(settings(), path, date_format=dates)
    print(mapping.to_toml(table_rows(file).header), end="")
    for question in mapping.questions:
        choices = f" ({', '.join(question.choices)})" if question.choices else ""
        print(f"{question.setting}: {question.text}{choices}", file=sys.stderr)
    print(
        f"Nothing was imported: this is how {file.name} seems to read. Save it, correct it, and import with"
        f" --mapping: python -m lib import table {path} > mapping.toml,"
        f" then python -m lib import table {path} --mapping mapping.toml",
        file=sys.stderr,
    )
    return 2


_BAR = "{desc} {percentage:3.0f}% |{bar}| {elapsed}"


def said(report: ImportReport, label: str) -> str:
    """The report for people: what was read, what became of it, and what to do about the rest."""
    verb = "would be stored" if report.is_dry_run else "stored"
    lines = [f"{label}: {report.read:,} records read from {_files(report.files)}."]
    if report.replaced_demo:
        lines.append("The demo store was removed.")
    if report.first_day and report.last_day:
        lines.append(f"Orders of {report.first_day:%-d %B %Y} to {report.last_day:%-d %B %Y}.")
    width = max((len(kind) for kind in report.kinds), default=0) + 1
    for kind, tally in report.kinds.items():
        unchanged = "" if report.is_dry_run else f"  {tally.unchanged:>10,} unchanged"
        lines.append(
            f"  {_plural(kind):<{width}}  {tally.read:>10,} read  {tally.stored:>10,} {verb}{unchanged}"
            f"  {tally.rejected:>8,} rejected"
        )
    if report.rejected:
        lines.append("Why rows were rejected:")
        for reason, count in report.reasons.most_common(REASONS):
            lines.append(f"  {count:>8,}  {reason}")
        if len(report.reasons) > REASONS:
            lines.append(f"  … and {len(report.reasons) - REASONS} other reasons.")
        if not report.is_dry_run:
            lines.append(
                "They are kept: `python -m lib rejected list` shows them,"
                " `python -m lib rejected template FILE` writes them as a file to correct."
            )
    if report.about_forgotten:
        lines.append(report.about_forgotten)
    if report.message:
        lines.append(report.message)
    if report.is_dry_run:
        lines.append("Dry run: nothing was written.")
    return "\n".join(lines)


def _plural(kind: str) -> str:
    return f"{kind}s"


def _files(files: list[str]) -> str:
    shown = ", ".join(files[:3])
    return shown if len(files) <= 3 else f"{shown} and {len(files) - 3} more"
