"""What keeps people out of a page: the rules of axe that it breaks, and whether it stands out to the side."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")
# Streamlit's own: a metric's chart is an image without a name; the place to drop files has two roles.
KNOWN = {"svg-img-alt", "presentation-role-conflict"}


def broken_rules(page: Page) -> dict[str, list[str]]:
    """Each broken rule with the first elements that break it; empty: nobody is kept out."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    return {one["id"]: [node["html"][:160] for node in one["nodes"][:3]] for one in found if one["id"] not in KNOWN}


def sticks_out(page: Page) -> int:
    """By how many pixels the page itself scrolls sideways; 0 or less: it fits."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))
