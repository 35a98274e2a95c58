"""Finds the Chromium that the browser tests drive; ``python -m tests.chromium`` prints it or says what to type."""

import shutil
import sys
from pathlib import Path

# None of these talk to the outside by themselves, and none need a graphics card or a sandbox of the kernel's.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NOT_FOUND = "The browser tests need Chromium: type `make test`, which installs it, or install your system's `chromium`."


def executable() -> Path:
    """The system's Chromium, else the one that Playwright installed.

    Raises:
        LookupError: there is none; says what to type.
    """
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        # Ubuntu's chromium-browser may be a mere pointer to a snap, which containers cannot run.
        if (found := shutil.which(name)) and not _is_snap(Path(found)):
            return Path(found)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if not own.exists():
        raise LookupError(NOT_FOUND)
    return own


def _is_snap(file: Path) -> bool:
    if "/snap/" in str(file.resolve()):
        return True
    with file.open("rb") as start:
        return b"snap" in start.read(4096) and file.stat().st_size < 65536


def _starts(file: Path) -> bool:
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(executable_path=file, args=list(FLAGS)).close()
        except Error as error:
            print(error, file=sys.stderr)
            return False
    return True


if __name__ == "__main__":
    try:
        chromium = executable()
    except LookupError as missing:
        sys.exit(str(missing))
    if not _starts(chromium):
        sys.exit(f"{chromium} does not start.")
    print(chromium)
