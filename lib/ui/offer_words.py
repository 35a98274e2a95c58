"""What an offer says, language by language, with how it reads and whether it is plain."""

from dataclasses import replace

import streamlit as st

from lib.offer import Channel, Content
from lib.ui.offer_edit import Editing
from lib.ui.offer_preview import draw_preview, plain_warning
from lib.ui.text import plain
from lib.workflows.offer_content import LETTER, VARIABLES, must_unsubscribe, names, strange_variables
from lib.workflows.offer_html import letter, strange_html
from lib.workflows.offer_plainness import plainness
from lib.workflows.offer_starters import starter_content
from lib.workflows.offer_terms import LONGEST_SUBJECT, LONGEST_TEXT

LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
    "pl": "Polish",
    "cs": "Czech",
    "da": "Danish",
    "sv": "Swedish",
    "fi": "Finnish",
}
_FORMS = ("Plain text", "Letter made from the text", "HTML of your own")


def draw_words(one: Editing) -> None:
    """The words of each language; what is typed becomes ``one.terms``."""
    content = one.terms.plan.content
    if one.terms.plan.channel is Channel.FILE:
        st.info("It goes by an audience file: what it says is written in the other tool.", icon=":material/info:")
    spoken = {each.language: each for each in content}
    chosen = _languages(one, spoken)
    if chosen is None or chosen not in spoken:
        with st.container(border=True):
            st.markdown("**It says nothing yet.**")
            st.caption("Add a language to begin.")
        return
    left, right = st.columns([1, 1], gap="medium")
    with left:
        written = _write(one, spoken[chosen])
        _judge(one, written)
    with right:
        draw_preview(one, written)
    changed = tuple(written if each.language == chosen else each for each in content)
    one.terms = replace(one.terms, plan=replace(one.terms.plan, content=changed))


def _languages(one: Editing, spoken: dict[str, Content]) -> str | None:
    key = f"{one.key}_language"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = None
        if spoken:
            chosen = st.segmented_control(
                "Language",
                list(spoken),
                default=next(iter(spoken)),
                format_func=lambda code: LANGUAGES.get(code, code),
                required=True,
                key=f"{key}_{'_'.join(spoken)}",
                label_visibility="collapsed",
            )
        if one.may:
            others = [code for code in dict.fromkeys((*one.store.languages, *LANGUAGES)) if code not in spoken]
            labels = {LANGUAGES.get(code, code): code for code in others}
            added = st.menu_button("Add a language", list(labels), icon=":material/add:", key=f"{key}_add")
            if added:
                _add(one, labels[added])
            if (
                chosen
                and len(spoken) > 1
                and st.button(
                    f"Take {LANGUAGES.get(chosen, chosen)} out", icon=":material/delete:", key=f"{key}_out_{chosen}"
                )
            ):
                kept = tuple(each for each in one.terms.plan.content if each.language != chosen)
                _set(one, kept)
    missing = [code for code in one.store.languages if code not in spoken]
    if spoken and missing:
        told = ", ".join(LANGUAGES.get(code, code) for code in missing)
        first = next(iter(spoken))
        st.caption(plain(f"Who reads {told} gets it in {LANGUAGES.get(first, first)}."))
    return chosen


def _add(one: Editing, language: str) -> None:
    made = starter_content(one.terms.plan.kind, [language])[0]
    if made.language != language:
        made = Content(language=language, subject="", text="", html=LETTER)
    _set(one, (*one.terms.plan.content, made))


def _set(one: Editing, content: tuple[Content, ...]) -> None:
    """Keep another set of languages and draw anew: the fields of a language begin with its words."""
    one.terms = replace(one.terms, plan=replace(one.terms.plan, content=content))
    one.keep()
    st.rerun()


def _write(one: Editing, content: Content) -> Content:
    key, off = f"{one.key}_{content.language}", not one.may
    with st.container(border=True, gap="small", key="offer_words"):
        subject = st.text_input(
            "Subject", content.subject, max_chars=LONGEST_SUBJECT, key=f"{key}_subject", disabled=off
        )
        text = st.text_area("Text", content.text, height=300, max_chars=LONGEST_TEXT, key=f"{key}_text", disabled=off)
        html = _form(content, text, key, off=off) if one.terms.plan.channel is not Channel.PARCEL else content.html
        with st.expander("What can be filled in", icon=":material/data_object:"):
            for name, meaning in VARIABLES.items():
                st.caption(plain(f"{{{name}}}: {meaning}"))
            st.caption(plain("{first_name|there} says “there” where no name is known."))
    return Content(language=content.language, subject=subject, text=text, html=html)


def _form(content: Content, text: str, key: str, *, off: bool) -> str:
    held = _FORMS[0] if not content.html else _FORMS[1] if content.html == LETTER else _FORMS[2]
    form = st.segmented_control(
        "Sent as", _FORMS, default=held, required=True, key=f"{key}_sent_as", disabled=off, wrap=True
    )
    if form == _FORMS[0]:
        return ""
    if form == _FORMS[1]:
        st.caption("A line that is only a link becomes a button; one that is only the code gets a frame.")
        return LETTER
    own = content.html if content.html not in {"", LETTER} else letter(text, title="")
    return st.text_area("HTML", own, height=260, max_chars=2 * LONGEST_TEXT, key=f"{key}_html", disabled=off)


def _judge(one: Editing, content: Content) -> None:
    found = plainness(content)
    with st.container(border=True, gap="xsmall", key="offer_plainness"):
        st.markdown("**Is it plain?**")
        if found.ease is not None:
            st.caption(
                plain(
                    f"{found.ease.score:.0f} on {found.ease.scale}: {found.ease.level}. {found.ease.words} words in "
                    f"{found.ease.sentences} sentences."
                )
            )
        own = content.html if content.html != LETTER else ""
        wrong = [f"{name} is no variable." for name in strange_variables(f"{content.subject}\n{content.text}\n{own}")]
        wrong += [f"{tag} may not stand in a mail." for tag in strange_html(own)]
        for words in wrong[:5]:
            st.markdown(f":red[:material/error: {plain(words)}]")
        for words in found.advice[:8]:
            st.markdown(plain_warning(words))
        if not found.advice and not wrong and found.ease is not None:
            st.markdown(":green[:material/check: Short sentences, common words, nothing shouts.]")
        if must_unsubscribe(one.terms.plan) and "unsubscribe" not in names(content.text):
            st.caption(plain("A last line says how to get no more offers. {unsubscribe} puts it elsewhere."))
