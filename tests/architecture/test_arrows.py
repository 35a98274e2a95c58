"""Who may import whom, read from the source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lib.settings import ROOT

LEAVES = frozenset({"audience", "errors", "hours", "settings", "money", "offer", "periods", "staff", "privacy"})
# The table of docs/map.md: a folder, and the folders it may import besides itself and the leaves.
ARROWS: dict[str, frozenset[str]] = {
    "dashboard": frozenset({"ui"}),
    "pages": frozenset({"ui", "charts", "metrics", "stats", "queues", "workflows", "jobs"}),
    "cli": frozenset(
        {"charts", "db", "demo", "importers", "jobs", "mart", "metrics", "outbox", "queues", "stats", "workflows"}
    ),
    "ui": frozenset({"metrics", "stats", "queues", "workflows", "charts", "jobs", "db"}),
    "jobs": frozenset({"importers", "mart", "metrics", "workflows", "outbox", "db"}),
    "workflows": frozenset({"outbox", "metrics", "stats", "db"}),
    "demo": frozenset({"importers", "db"}),
    "importers": frozenset({"db"}),
    "outbox": frozenset({"db"}),
    "mart": frozenset({"db"}),
    "queues": frozenset({"db"}),
    "metrics": frozenset({"mart", "stats"}),
    "charts": frozenset(),
    "stats": frozenset(),
    "db": frozenset(),
}
STREAMLIT_AT_HOME = frozenset({"dashboard", "pages", "ui"})
SQL_FREE = frozenset({"pages", "charts", "stats"})
VAGUE = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"})
# About 300 lines are enough for a module; these are longer because each is one thing.
LONGEST = 350
LONG = {
    "lib/importers/records.py": "the contract between every reader and the loader",
    "lib/mart/facts.py": "the statements that make the facts, one after the other",
    "lib/mart/schema.py": "the tables of the mart, one after the other",
}


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the app: not the tests, the benchmark or the frozen history of the tables."""
    found = [ROOT / "dashboard.py", *ROOT.glob("pages/**/*.py"), *ROOT.glob("lib/**/*.py")]
    return tuple(sorted(path for path in found if "versions" not in path.parts))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def home(path: Path) -> str:
    """The folder of the table that a module belongs to; a leaf is its own."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "lib" and len(parts) > 1 else parts[0]


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Every module that a module imports, with the line, also from within functions."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno} imports relatively"
            yield node.lineno, node.module or ""
            if node.module == "lib":
                yield from ((node.lineno, f"lib.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            yield from (
                (node.lineno, argument.value)
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


def target(module: str) -> str | None:
    """The folder of the table that an imported module belongs to; None when it is not ours."""
    parts = module.split(".")
    if parts[0] == "lib":
        return parts[1] if len(parts) > 1 else None
    return parts[0] if parts[0] in ("pages", "dashboard") else None


@pytest.mark.parametrize("path", modules(), ids=name)
def test_a_module_imports_only_along_the_arrows(path: Path) -> None:
    here = home(path)
    if here in ("lib", "__init__", "__main__"):
        return
    allowed = LEAVES | {here} | (ARROWS[here] if here not in LEAVES else frozenset())
    wrong = [f"{name(path)}:{line} imports {m}" for line, m in imports(path) if (t := target(m)) and t not in allowed]
    assert wrong == []


@pytest.mark.parametrize("path", modules(), ids=name)
def test_streamlit_stays_in_the_screens_and_sql_out_of_them(path: Path) -> None:
    wrong = []
    for line, module in imports(path):
        top = module.split(".")[0]
        if top == "streamlit" and home(path) not in STREAMLIT_AT_HOME:
            wrong.append(f"{name(path)}:{line} imports streamlit")
        if top == "sqlalchemy" and home(path) in SQL_FREE:
            wrong.append(f"{name(path)}:{line} imports sqlalchemy")
    assert wrong == []


def test_every_folder_of_lib_has_its_arrows() -> None:
    folders = {home(path) for path in modules()} - LEAVES - {"__init__", "__main__"}
    assert folders <= ARROWS.keys()


def test_a_wrong_arrow_would_be_found(tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text("def f():\n    from lib.db.engine import reading\n    import streamlit\n")
    assert [target(module) for _, module in imports(source)] == ["db", None]
    assert "db" not in ARROWS["stats"] | LEAVES


def test_no_module_has_a_vague_name() -> None:
    assert [name(path) for path in modules() if {*path.with_suffix("").parts[-2:]} & VAGUE] == []


def test_no_module_is_too_long_to_read() -> None:
    long = {name(path) for path in modules() if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST}
    assert long - LONG.keys() == set()
    assert {path for path in LONG if not (ROOT / path).exists()} == set()


def test_init_modules_hold_a_docstring_and_nothing_else() -> None:
    for path in modules():
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert len(body) == 1, name(path)
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), name(path)
