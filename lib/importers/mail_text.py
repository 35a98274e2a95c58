"""The words of a mail: plain text as it came, or HTML reduced to its words, with the repeated history cut off.

Nothing is ever drawn as HTML. The reducer looks at each sign a bounded number of times: Python's own parser takes
hours over a megabyte of unfinished tags, which anybody may send.
"""

import codecs
import html
import re

# A longer text is cut, and says so; the limit is far above what a person writes.
MOST_SIGNS = 2_000_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,30})([^<>]{0,4000})>")
_HREF = re.compile(r"""href\s{0,20}=\s{0,20}(?:"([^"]{0,2000})"|'([^']{0,2000})'|([^\s"'>]{1,2000}))""", re.IGNORECASE)
_ALT = re.compile(r"""alt\s{0,20}=\s{0,20}(?:"([^"]{1,300})"|'([^']{1,300})')""", re.IGNORECASE)
_BREAKS = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre"}
)
_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg"})
# Charsets that decode to something else than what a mail program shows, or that take long on purpose.
_NO_CHARSET = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})

# What programs write above the mail that they repeat, in the languages that Encore's shops meet most.
_ABOVE = re.compile(
    r"^[>\s]{0,5}(?:"
    r"(?:On|Am|Le|El|Il|Op|Den|Em|Dnia|W dniu)\b[^\n]{0,200}(?:\n[^\n]{0,200})?"
    r"(?:wrote|schrieb[^\n:]{0,100}|a écrit|escribió|ha scritto|schreef[^\n:]{0,100}|skrev[^\n:]{0,100}"
    r"|escreveu|napisał\(?a?\)?[^\n:]{0,60})\s?:"
    r"|-{2,}\s?(?:Original Message|Original-Nachricht|Ursprüngliche Nachricht|Message d'origine|Mensaje original"
    r"|Messaggio originale|Oorspronkelijk bericht|Forwarded message|Weitergeleitete Nachricht)\s?-{2,}"
    r"|_{20,}\s?\n\s?(?:From|Von|De|Da|Van)\s?:"
    r"|(?:From|Von|De|Da|Van)\s?:[^\n]{1,300}\n\s?(?:Sent|Gesendet|Date|Datum|Envoyé|Enviado|Inviato|Verzonden)\s?:"
    r")",
    re.MULTILINE,
)
_QUOTED_TAIL = re.compile(r"\n(?:[ \t]*>[^\n]*(?:\n|\Z)|[ \t]*\n){1,}\Z")


def decoded(content: bytes, charset: str | None) -> str:
    """Bytes as text: by the charset they name if it is one, else UTF-8, else Western European; never a failure."""
    for name in (_known(charset), "utf-8"):
        if name:
            try:
                return sound(content.decode(name))
            except (UnicodeError, LookupError, ValueError):
                continue
    return sound(content.decode("cp1252", "replace"))


def sound(text: str) -> str:
    """Text that every database takes: no NUL, no half of a pair; whatever else somebody wrote stays."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    if len(text) > MOST_SIGNS:
        text = f"{text[:MOST_SIGNS]}\n[Cut here: {len(text) - MOST_SIGNS:,} more signs.]"
    return text


def without_markup(markup: str) -> str:
    """The words of HTML, with line breaks, the addresses of links, and ``>`` before what is quoted."""
    markup = _without_comments(markup[:MOST_SIGNS])
    lowered = markup.lower()
    # A few signs change their length in lower case; places must fit.
    lowered = lowered if len(lowered) == len(markup) else markup
    pieces: list[str] = []
    links: list[str] = []
    depth = place = 0
    while (tag := _TAG.search(markup, place)) is not None:
        pieces.append(_words(markup[place : tag.start()], depth))
        place = tag.end()
        is_end, name, rest = tag.group(1) == "/", tag.group(2).lower(), tag.group(3)
        if name in _SILENT and not is_end:
            end = lowered.find(f"</{name}", place)
            place = len(markup) if end < 0 else end
        elif name == "blockquote":
            depth = max(0, depth - 1) if is_end else min(depth + 1, 20)
            pieces.append(_break(depth))
        elif name in _BREAKS:
            pieces.append(_break(depth))
        elif name in {"td", "th"} and is_end:
            pieces.append(" ")
        elif name == "a":
            pieces.append(_link(rest, links, is_end=is_end))
        elif name == "img" and (alt := _ALT.search(rest)):
            pieces.append(f"[{html.unescape(alt.group(1) or alt.group(2)).strip()}]")
    pieces.append(_words(markup[place:], depth))
    return _tidy("".join(pieces))


def split_history(text: str) -> tuple[str, str]:
    """The new words of a mail, and the older mails repeated below them; all is new when nothing else would be left.

    >>> split_history("Thanks!\\n\\nOn Mon, 2 Mar 2026, Shop wrote:\\n> Here it is.")
    ('Thanks!', 'On Mon, 2 Mar 2026, Shop wrote:\\n> Here it is.')
    """
    if above := _ABOVE.search(text):
        new, old = text[: above.start()], text[above.start() :]
        # Words between or below the quoted lines are an answer too: then nothing is cut.
        if new.strip() and not _is_answered_within(old, above.end() - above.start()):
            return new.rstrip(), old.strip("\n")
    if (tail := _QUOTED_TAIL.search(text)) and ">" in tail.group() and text[: tail.start()].strip():
        return text[: tail.start()].rstrip(), tail.group().strip("\n")
    return text.strip("\n"), ""


def _is_answered_within(old: str, start: int) -> bool:
    lines = old[start:].splitlines()
    quoted = [line.lstrip().startswith(">") for line in lines if line.strip()]
    # Without quote marks everything below the heading is history; with them, only what has them.
    return any(quoted) and not all(quoted)


def _known(charset: str | None) -> str | None:
    try:
        name = codecs.lookup((charset or "").strip("\"' ")).name
    except (LookupError, ValueError):
        return None
    return None if name.replace("-", "_") in _NO_CHARSET else name


def _without_comments(markup: str) -> str:
    pieces, place = [], 0
    while (start := markup.find("<!", place)) >= 0:
        pieces.append(markup[place:start])
        close = "-->" if markup.startswith("<!--", start) else ">"
        end = markup.find(close, start + 2)
        if end < 0:
            return "".join(pieces)
        place = end + len(close)
    return "".join([*pieces, markup[place:]])


def _words(markup: str, depth: int) -> str:
    text = re.sub(r"[ \t\r\n\f\v]+", " ", html.unescape(markup))
    return text.replace("\n", _break(depth))


def _break(depth: int) -> str:
    return "\n" + "> " * depth


def _link(rest: str, links: list[str], *, is_end: bool) -> str:
    if not is_end:
        found = _HREF.search(rest)
        links.append(html.unescape(next((g for g in found.groups() if g), "")).strip() if found else "")
        return ""
    target = links.pop() if links else ""
    # Where a link leads is part of what was written; what could do anything but open a page or a mail is not.
    return f" <{target}>" if re.match(r"(?:https?://|mailto:)\S+\Z", target, re.IGNORECASE) else ""


def _tidy(text: str) -> str:
    lines = [line.strip() for line in sound(text).split("\n")]
    kept: list[str] = []
    for line in lines:
        if line.strip("> ") or (kept and kept[-1].strip("> ")):
            kept.append(line)
    return "\n".join(kept).strip("\n")
