"""A MariaDB server of the tests' own, where one is installed: private folder, free port on loopback."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import geteuid
from pathlib import Path

_SECONDS_TO_START = 60


@contextmanager
def server() -> Iterator[str]:
    """Start a server and yield the address of its socket, as its administrator.

    Raises:
        LookupError: MariaDB is not installed.
    """
    install, daemon = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
    if not install or not daemon:
        raise LookupError("MariaDB is not installed")
    home = Path(tempfile.mkdtemp(prefix="encore-mariadb-"))
    options = [f"--datadir={home / 'data'}", *(["--user=mysql"] if geteuid() == 0 else [])]
    if geteuid() == 0:
        shutil.chown(home, "mysql")
    subprocess.run([install, "--no-defaults", *options, "--skip-test-db"], check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    more = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={home / 's'}", "--skip-log-bin"]
    running = subprocess.Popen([daemon, "--no-defaults", *options, *more], stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"mysql+pymysql://root@127.0.0.1:{port}/mysql?unix_socket={home / 's'}"
    finally:
        running.terminate()
        running.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait(port: int) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
