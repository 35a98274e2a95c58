"""The app as people run it, on a port of its own with a demo store, and a browser that may speak to nothing else."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from lib.demo.build import make_demo
from lib.jobs.refresh import refresh
from lib.settings import ROOT, read_settings
from tests.chromium import FLAGS, NOT_FOUND, executable

SETTLED = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
Visit = Callable[..., Page]


def settled(page: Page) -> Page:
    """Wait until the app has drawn everything and rests."""
    page.locator(SETTLED).wait_for(timeout=60_000)
    page.wait_for_timeout(250)
    page.locator(SETTLED).wait_for(timeout=60_000)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=30_000)
    return page


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo store, built once."""
    folder = tmp_path_factory.mktemp("browser") / "data"
    made = read_settings({"ENCORE_DATA_DIR": str(folder)})
    make_demo(made, orders=4000, seed=11, replace=False, progress=None)
    refresh(made)
    return folder


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(data: Path, log: Path, **settings: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start the app on a port of its own; returns its process and its address once it answers."""
    port = free_port()
    # Streamlit's own port scan is not asked for: the port is named.
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", f"--server.port={port}"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ENCORE_")}
    environment |= {
        "ENCORE_DATA_DIR": str(data),
        "ENCORE_REFRESH_MINUTES": "0",
        "ENCORE_OFFERS_MINUTES": "0",
    } | settings
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=written)
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=1):
                return process, address
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.25)
    process.kill()
    pytest.fail(f"The app did not start:\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the app as people do, by Ctrl-C."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def app(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running app; tests only read its store."""
    process, address = serve(demo_data, tmp_path_factory.mktemp("log") / "app.log")
    yield address
    stop(process)


@pytest.fixture
def own_app(demo_data: Path, tmp_path: Path) -> Iterator[str]:
    """The address of an app whose store this test may change."""
    data = tmp_path / "data"
    shutil.copytree(demo_data, data)
    process, address = serve(data, tmp_path / "app.log")
    yield address
    stop(process)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, the system's or Playwright's own."""
    try:
        found = executable()
    except LookupError:
        pytest.fail(NOT_FOUND, pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a page and wait until it rests; fails when anything was asked of another address."""
    contexts: list[BrowserContext] = []
    outside: list[str] = []

    def visited(address: str, path: str = "/", *, width: int = 1440, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        own = (address, address.replace("http", "ws", 1), "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(own) else outside.append(request.url))
        page.on("websocket", lambda socket: None if socket.url.startswith(own) else outside.append(socket.url))
        page.goto(address + path)
        return settled(page)

    yield visited
    for context in contexts:
        context.close()
    assert outside == [], "a page asked for something from outside"
