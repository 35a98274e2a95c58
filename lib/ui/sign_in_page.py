"""The pages before the app, written by the server: sign-in, code, links. No script, nothing from outside."""

from dataclasses import dataclass
from html import escape

CSS = """
@font-face{font-family:Inter;src:url(/app/static/inter-latin.woff2) format("woff2");font-weight:100 900}
:root{--ink:#0d1117;--mute:#5a646f;--paper:#f4f6f8;--card:#fff;--line:#d5dae0;--accent:#0f7a66;--on:#fff;
--bad:#b02a22;--badback:#fcebea;--good:#0d6b58;--goodback:#e5f4f0}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebef;--mute:#a3adb8;--paper:#0f1418;--card:#161c22;--line:#39444e;
--accent:#2bb597;--on:#06231d;--bad:#ff9a92;--badback:#42201f;--good:#5fd6bb;--goodback:#11352e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;
padding:24px 16px;background:var(--paper);color:var(--ink);font:15px/1.5 Inter,system-ui,sans-serif}
main{width:100%;max-width:400px;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:28px}
.logo{display:block;height:30px;margin:0 0 20px}
h1{font-size:1.45rem;line-height:1.25;margin:0 0 6px}
p{margin:0 0 16px;color:var(--mute)}
label{display:block;font-weight:600;margin:16px 0 4px}
.hint{font-size:.87rem;color:var(--mute);margin:4px 0 0}
input{width:100%;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:8px;
padding:10px 12px;min-height:44px}
input:focus-visible,button:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
input[aria-invalid=true]{border-color:var(--bad)}
button,.button{display:block;width:100%;margin-top:20px;min-height:44px;padding:10px 16px;
border:1px solid var(--accent);border-radius:8px;
background:var(--accent);color:var(--on);font:inherit;font-weight:600;text-align:center;
cursor:pointer;text-decoration:none}
.button.second{background:transparent;color:var(--accent);margin-top:12px}
.said{border-radius:8px;padding:10px 12px;margin:16px 0 0}
.said.bad{background:var(--badback);color:var(--bad)}
.said.good{background:var(--goodback);color:var(--good)}
.more{margin:18px 0 0;font-size:.93rem}
a{color:var(--accent)}
""".replace("\n", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of a form."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    complete: str = "off"
    hint: str = ""
    mode: str = ""
    is_first: bool = False


def form_page(
    title: str,
    words: str,
    fields: tuple[Field, ...],
    *,
    action: str,
    button: str,
    hidden: dict[str, str],
    error: str = "",
    wrong: tuple[str, ...] = (),
    done: str = "",
    more: tuple[tuple[str, str], ...] = (),
    beside: tuple[str, str] | None = None,
) -> str:
    """A page with one form.

    Args:
        error: what is wrong, said aloud by a screen reader; ``wrong`` names the fields that it is about.
        done: what went well.
        more: links below, as words and address.
        beside: another way in, as words and address.
    """
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{escape(words)}</p>" if words else ""]
    parts.append(f'<div class="said bad" role="alert" id="error">{escape(error)}</div>' if error else "")
    parts.append(f'<div class="said good" role="status">{escape(done)}</div>' if done else "")
    if fields or hidden:
        parts.append(f'<form method="post" action="{escape(action)}">')
        parts += [f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in hidden.items()]
        parts += [_field(field, is_wrong=field.name in wrong) for field in fields]
        parts.append(f'<button type="submit">{escape(button)}</button></form>')
    if beside:
        parts.append(f'<a class="button second" href="{escape(beside[1])}">{escape(beside[0])}</a>')
    parts += [f'<p class="more"><a href="{escape(where)}">{escape(label)}</a></p>' for label, where in more]
    return _page(title, "".join(parts))


def _field(field: Field, *, is_wrong: bool) -> str:
    told = " ".join(name for name, has in (("error", is_wrong), (f"{field.name}-hint", bool(field.hint))) if has)
    attributes = {
        "id": field.name,
        "name": field.name,
        "type": field.kind,
        "autocomplete": field.complete,
        "value": field.value,
        "inputmode": field.mode,
        "aria-describedby": told,
        "aria-invalid": "true" if is_wrong else "",
    }
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items() if value)
    hint = f'<div class="hint" id="{field.name}-hint">{escape(field.hint)}</div>' if field.hint else ""
    focus = " autofocus" if field.is_first else ""
    return f'<label for="{field.name}">{escape(field.label)}</label><input {written} required{focus}>{hint}'


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f'<title>{escape(title)} · Encore</title><link rel="icon" href="/app/static/mark.svg">'
        f'<style>{CSS}</style></head><body><main><img class="logo" src="/app/static/logo.svg" alt="Encore">'
        f"{body}</main></body></html>"
    )
