"""What people read keeps up with what the code does."""

import argparse
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from lib.cli import document
from lib.cli.main import COMMANDS
from lib.settings import ROOT, SETTINGS

DOCUMENTS = tuple(sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]))


def tracked() -> list[Path]:
    """The files that ship; in an export without history, those that lie here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return [path for entry in listed.split("\0") if entry and (path := ROOT / entry).is_file()]


@pytest.mark.parametrize("file", document.documents(), ids=lambda file: str(file))
def test_generated_documents_are_up_to_date(file: str) -> None:
    written = document.documents()[file]
    assert (ROOT / file).read_text(encoding="utf-8") == written, "type `make docs`"


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [setting.name for setting in SETTINGS if f"`{setting.name}`" not in readme] == []


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [command.name for command in COMMANDS if f"python -m lib {command.name}" not in readme] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_argument_of_a_command_says_what_it_does(command: document.Command) -> None:
    parser = argparse.ArgumentParser(add_help=False)
    import_module(f"lib.cli.{command.module}").arguments(parser)
    silent = [action.dest for action in parser._actions if not action.help and "subparsers" not in str(action.dest)]
    assert [dest for dest in silent if dest not in ("command", "action")] == []


def test_every_statistic_is_in_the_document_of_statistics() -> None:
    written = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    modules = [path.stem for path in sorted((ROOT / "lib" / "stats").glob("*.py")) if path.stem != "__init__"]
    assert [module for module in modules if f"`{module}`" not in written] == [], "say what it computes and assumes"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_points_to_files_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text)
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


# Where this machine keeps things, and addresses that a browser or a server would fetch from.
MACHINE_PATHS = re.compile(r"(?<![\w.-])/(?:work|root|home/(?!me/)\w+|Users/(?!me/)\w+)/\w")
OUTSIDE = re.compile(r"https?://(?!127\.0\.0\.1|localhost|\[::1\]|testserver|\{|…)[\w.-]+")
# Names that are spelt like addresses, and texts of licences; nothing is fetched from them.
NAMES = re.compile(
    r"https?://(?:www\.w3\.org|vega\.github\.io/schema|json-schema\.org|(?:[\w-]+\.)*example(?:\.\w+)?)\b"
)
CODE = {".py", ".toml", ".sh", ".yaml", ".yml", ".css", ".js", ".html", ".svg", ".txt", ""}


def shipped_code() -> list[Path]:
    here = Path(__file__).resolve()
    return [
        path
        for path in tracked()
        if (path.suffix in CODE or path.name in ("Makefile", "Dockerfile"))
        and path.resolve() != here
        and path.relative_to(ROOT).parts[0] not in ("tests", "docs", "data")
        and not {"LICENSE", "OFL"} & set(path.stem.upper().replace("-", " ").split())
    ]


def test_no_path_of_some_machine_is_written_down() -> None:
    found = []
    for path in tracked():
        if path.suffix in CODE | {".md"} and path.resolve() != Path(__file__).resolve():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in MACHINE_PATHS.finditer(text)]
    assert found == []


def test_nothing_is_fetched_from_outside() -> None:
    found = []
    for path in shipped_code():
        text = NAMES.sub("", path.read_text(encoding="utf-8", errors="replace"))
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in OUTSIDE.finditer(text)]
    assert found == []
