"""HTML of mails: only what mail programs show and what cannot act; and letters made from plain text.

Mail programs drop scripts, forms and frames anyway; here they never get in, so that what is tried on the screen is
what arrives. What was written by staff is kept as written, and cleaned whenever it is used.
"""

import re
from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser

_TAG_WORDS = (
    "a b blockquote br center div em h1 h2 h3 hr i img li ol p small span strong table tbody td th thead tr u ul"
)
_TAGS = frozenset(_TAG_WORDS.split())
_EMPTY = frozenset({"br", "hr", "img"})
# What stands in these is no text of the mail.
_DROPPED = frozenset({"script", "style", "head", "title", "iframe", "object", "svg", "math", "noscript", "template"})
# A whole page's frame: left out without a word.
_FRAME = frozenset({"html", "body", "head", "title", "meta", "tbody"})
_ATTRIBUTES = frozenset(
    {"href", "src", "alt", "style", "align", "width", "height", "cellpadding", "cellspacing", "border"}
)
_ADDRESS = re.compile(r"(https?://|mailto:|\{(link|unsubscribe|tracking)\})")
_STYLE_WORDS = (
    "background background-color border border-radius border-collapse color display font font-family font-size "
    "font-style font-weight height letter-spacing line-height margin margin-bottom margin-left margin-right margin-top "
    "max-width padding padding-bottom padding-left padding-right padding-top text-align text-decoration vertical-align "
    "width"
)
_STYLES = frozenset(_STYLE_WORDS.split())
_PARAGRAPH = "margin:0 0 16px;font:16px/1.5 -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;color:#1f2523"
_BUTTON = (
    "display:inline-block;padding:12px 20px;border-radius:6px;background:#0b6b57;color:#ffffff;text-decoration:none;"
    "font-weight:600"
)
_CODE = "display:inline-block;padding:10px 18px;border:1px solid #9aa5a1;border-radius:6px;font-weight:600"
_LINK = re.compile(r"(https?://[^\s<>\"']+|\{(?:link|unsubscribe|tracking)\})")


def cleaned(html: str) -> str:
    """The same HTML without anything that could act or reach outside by itself."""
    reader = _Cleaner()
    reader.feed(html)
    reader.close()
    return reader.result()


def strange_html(html: str) -> list[str]:
    """What of it is left out, in its own words: tags and attributes that no mail should carry."""
    if not html:
        return []
    reader = _Cleaner()
    reader.feed(html)
    reader.close()
    return list(dict.fromkeys(reader.left_out))


def letter(text: str, *, title: str, whole: bool = True) -> str:
    """A text as a letter in HTML, its variables left in place.

    A line that is nothing but a link becomes a button, one that is nothing but the code a frame around it.
    """
    blocks = [_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    body = "\n".join(blocks)
    if not whole:
        return body
    return f'<div style="max-width:560px;margin:0 auto;padding:24px">\n{body}\n</div>'


def _block(block: str) -> str:
    words = block.strip()
    if _LINK.fullmatch(words) and words != "{unsubscribe}":
        return f'<p style="{_PARAGRAPH}"><a href="{escape(words)}" style="{_BUTTON}">{_named(words)}</a></p>'
    if words == "{code}":
        return f'<p style="{_PARAGRAPH}"><span style="{_CODE}">{{code}}</span></p>'
    lines = "<br>\n".join(_linked(line) for line in words.split("\n"))
    return f'<p style="{_PARAGRAPH}">{lines}</p>'


def _named(address: str) -> str:
    return "{store}" if address.startswith("{") else escape(re.sub(r"^https?://(www\.)?", "", address).split("/")[0])


def _linked(line: str) -> str:
    pieces = _LINK.split(line)
    return "".join(
        escape(piece, quote=False)
        if place % 2 == 0
        else f'<a href="{escape(piece)}" style="color:#0b6b57">{escape(piece, quote=False)}</a>'
        for place, piece in enumerate(pieces)
    )


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.left_out: list[str] = []
        self._parts: list[str] = []
        self._open: list[str] = []
        self._deep = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._deep += 1
            if tag not in _FRAME:
                self.left_out.append(f"<{tag}>")
            return
        if self._deep:
            return
        if tag not in _TAGS:
            if tag not in _FRAME:
                self.left_out.append(f"<{tag}>")
            return
        self._parts.append(f"<{tag}{''.join(self._kept(tag, attrs))}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._deep = max(0, self._deep - 1)
        elif not self._deep and tag in self._open:
            while self._open:
                last = self._open.pop()
                self._parts.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._deep:
            self._parts.append(escape(data, quote=False))

    def result(self) -> str:
        return "".join((*self._parts, *(f"</{tag}>" for tag in reversed(self._open))))

    def _kept(self, tag: str, attrs: list[tuple[str, str | None]]) -> Iterable[str]:
        for name, value in attrs:
            words = (value or "").strip()
            if name not in _ATTRIBUTES:
                if name not in {"class", "id", "role", "lang", "dir", "title", "target", "rel", "valign", "bgcolor"}:
                    self.left_out.append(f"{name}= in <{tag}>")
                continue
            if name in {"href", "src"} and not _ADDRESS.match(words.lower()):
                self.left_out.append(f"{name}={words[:40]!r} in <{tag}>")
                continue
            if name == "style":
                words = _plain_style(words)
            yield f' {name}="{escape(words, quote=True)}"'


def _plain_style(style: str) -> str:
    kept = []
    for piece in style.split(";"):
        name, _, value = piece.partition(":")
        harmless = "url" not in value.lower() and "expression" not in value.lower() and "\\" not in value
        if name.strip().lower() in _STYLES and harmless:
            kept.append(f"{name.strip().lower()}:{value.strip()}")
    return ";".join(kept)
