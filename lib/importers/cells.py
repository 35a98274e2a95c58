"""Single cells of an export, as the platforms write them."""

from lib.importers.rows import Row, Rows

_NO = {"", "no", "false", "0", "n", "never", "off"}


def cell(rows: Rows, row: Row, name: str) -> str | None:
    """A cell's text, or None when the column or the text is missing.

    Shopify and spreadsheets write '560029 with a leading apostrophe so that it stays text.
    """
    if not rows.has(name):
        return None
    text = row.values[rows.column(name)].strip()
    if len(text) > 1 and text[0] == "'" and text[1] in "0123456789=+-@":
        text = text[1:]
    return text or None


def yes(text: str | None) -> bool:
    """Whether a cell means yes."""
    return (text or "").strip().lower() not in _NO
