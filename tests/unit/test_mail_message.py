"""Whatever anybody mails is read: words survive, tricks are named, files are kept apart, programs are known."""

import base64
import time
from datetime import datetime
from typing import Any

import pytest

from lib.importers.mail_message import MOST_FILES, MailRecord, read_mail, safe_name
from lib.importers.mail_text import MOST_SIGNS, split_history, without_markup

OWN = "help@shop.example"


def read(raw: str | bytes, noon: datetime, **values: Any) -> MailRecord:
    content = raw if isinstance(raw, bytes) else raw.encode()
    told = {"arrived_at": noon, "own": OWN, "authserv": "mx.shop.example", "most_bytes": 1_000_000}
    return read_mail(content, **{**told, **values})


def mail(*headers: str, body: str = "Hello", sender: str = "Ann <ann@example.com>") -> str:
    return "\n".join([f"From: {sender}", "Subject: Hi", "Message-ID: <1@example.com>", *headers, "", body, ""])


def test_who_wrote_what_and_when(noon: datetime) -> None:
    found = read(
        mail("In-Reply-To: <b@x.y>", "References: <a@x.y> <b@x.y>", "Date: Mon, 1 Jan 2001 00:00:00 +0000"), noon
    )
    assert (found.from_name, found.from_email, found.subject) == ("Ann", "ann@example.com", "Hi")
    assert found.answers == ("a@x.y", "b@x.y")
    assert found.sent_at == noon, "when the mailbox got it: the sender's own date proves nothing"
    assert (found.body, found.quoted, found.doubts, found.automatic) == ("Hello", "", (), None)


def test_names_and_subjects_in_any_letters(noon: datetime) -> None:
    raw = mail("To: x@y.z", sender="=?utf-8?B?xb1vZmll?= <zofie@example.com>").replace(
        "Hi", "=?iso-8859-1?Q?Gr=FC=DFe?= 🫖"
    )
    found = read(raw, noon)
    assert (found.from_name, found.subject) == ("Žofie", "Grüße 🫖")


@pytest.mark.parametrize(
    ("charset", "content", "words"),
    [
        ("utf-8", "Grüße 🫖".encode(), "Grüße 🫖"),
        ("iso-8859-1", "Grüße".encode("latin-1"), "Grüße"),
        ("utf-8", "Grüße".encode("latin-1"), "Grüße"),
        ("no-such-charset", "Grüße".encode(), "Grüße"),
        ("punycode", "Grüße".encode(), "Grüße"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("utf-8", "a\u202eb\u200bc".encode(), "a\u202eb\u200bc"),
        ("utf-8", b"a\x00b", "a\ufffdb"),
        ("utf-16", "Grüße".encode("utf-16"), "Grüße"),
    ],
)
def test_a_body_survives_the_faults_of_its_charset(charset: str, content: bytes, words: str, noon: datetime) -> None:
    raw = f"From: ann@example.com\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n"
    assert read(raw.encode() + base64.b64encode(content), noon).body == words


def test_a_megabyte_is_kept_and_more_is_cut_with_a_word(noon: datetime) -> None:
    assert len(read(mail(body="x" * 1_000_000), noon).body) == 1_000_000
    cut = read(mail(body="x" * (MOST_SIGNS + 7)), noon).body
    assert cut.endswith("[Cut here: 8 more signs.]")


def test_html_becomes_words_and_nothing_runs() -> None:
    markup = (
        "<html><head><title>t</title><style>p{}</style></head><body onload=evil()><script>evil('</p>')</script>"
        "<p>Hello&nbsp;<b>Ann</b> &lt;3</p><ul><li>one<li>two</ul><!-- hidden -->"
        "<a href='https://shop.example/a?b=1&amp;c=2'>"
        "here</a> <a href='javascript:evil()'>there</a><img src=x alt='a cat'>"
        "<blockquote>old<br>older</blockquote></body>"
    )
    assert without_markup(markup).splitlines() == [
        "Hello\u00a0Ann <3",
        "",
        "one",
        "two",
        "here <https://shop.example/a?b=1&c=2> there[a cat]",
        "> old",
        "> older",
    ]


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<a x='", "<!--", "<![", "</", "<script>", "<div>", "<p x=", "&#", "<a href="]
)
def test_a_megabyte_of_unfinished_markup_is_read_in_no_time(piece: str) -> None:
    started = time.process_time()
    without_markup(piece * (1_000_000 // len(piece)))
    # Python's own parser needs hours; a generous bound that no slow machine reaches.
    assert time.process_time() - started < 60


def test_the_plain_form_is_read_and_html_only_without_it(noon: datetime) -> None:
    both = mail(
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative; boundary=b",
        body=("--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--"),
    )
    assert read(both, noon).body == "plain"
    assert read(both.replace("\n\nplain\n", "\n\n \n"), noon).body == "rich"


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Thanks\n\nOn Mon, 2 Mar 2026 at 10:00, Shop <a@b.c> wrote:\n> old\n> older", "Thanks"),
        ("Danke\n\nAm 02.03.2026 um 10:00 schrieb Shop:\n> alt", "Danke"),
        ("Merci\n\nLe lun. 2 mars 2026 à 10:00, Shop a écrit :\n> vieux", "Merci"),
        ("Hi\n\n-----Original Message-----\nFrom: Shop\nold", "Hi"),
        ("Hi\n\n________________________________\nVon: Shop\nalt", "Hi"),
        ("Hi\n\nFrom: Shop <a@b.c>\nSent: Monday\nTo: me\n\nold", "Hi"),
        ("Hi\n> old\n> older\n", "Hi"),
        ("On Mon, Shop wrote:\n> old\n\nmy answer below", "On Mon, Shop wrote:\n> old\n\nmy answer below"),
        ("Hi\n\nOn Mon, Shop wrote:\n> one\nyes\n> two\nno", "Hi\n\nOn Mon, Shop wrote:\n> one\nyes\n> two\nno"),
        ("> only quoted", "> only quoted"),
        ("On Monday I wrote: nothing came.", "On Monday I wrote: nothing came."),
    ],
)
def test_repeated_history_is_cut_off_and_kept(text: str, new: str) -> None:
    body, quoted = split_history(text)
    assert body == new
    squeezed = "".join(text.split())
    assert "".join((body + quoted).split()) == squeezed


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (["Auto-Submitted: auto-replied"], "auto-replied"),
        (["Auto-Submitted: Auto-Generated; x=y"], "auto-generated"),
        (["Precedence: bulk"], "bulk"),
        (["X-Autoreply: yes"], "X-Autoreply"),
        (["List-Id: <news.example.com>"], "mailing list"),
        (["Return-Path: <>"], "empty return path"),
        (["Auto-Submitted: no"], None),
        (["X-Autoreply: no"], None),
        (["Return-Path: <ann@example.com>"], None),
    ],
)
def test_what_no_person_wrote_is_known(headers: list[str], why: str | None, noon: datetime) -> None:
    found = read(mail(*headers), noon).automatic
    assert (found is None) if why is None else (found is not None and why in found)


@pytest.mark.parametrize(
    "subject", ["Automatic reply: Hi", "Out of Office", "Abwesenheitsnotiz: Hi", "Réponse automatique"]
)
def test_subjects_of_automatic_replies_are_known(subject: str, noon: datetime) -> None:
    assert read(mail().replace("Subject: Hi", f"Subject: {subject}"), noon).automatic


@pytest.mark.parametrize(
    ("sender", "headers", "words"),
    [
        ('"help@shop.example" <eve@evil.example>', [], "another address than the real one"),
        ("Ann <ann@example.com>", ["Reply-To: eve@evil.example"], "Answers would go to eve@evil.example"),
        ("Ann\u202e <ann@example.com>", [], "hides signs"),
        ("Ann <ann@ex\u0430mple.com>", [], "several alphabets"),
        ("Ann <ann@xn--exmple-4nf.com>", [], "several alphabets"),
        ("Ann <ann@example.com>", ["From: Eve <eve@evil.example>"], "no sender or several"),
        ("Ann <ann@example.com>", ["Authentication-Results: mx.shop.example; dmarc=fail"], "DMARC failed"),
        ("Ann <ann@example.com>", ["Authentication-Results: mx.shop.example 1; spf=fail; dkim=none"], "SPF fail"),
        ("Shop <help@shop.example>", ["Reply-To: ann@example.com"], "your own address"),
    ],
)
def test_a_doubtful_sender_is_named_in_words(sender: str, headers: list[str], words: str, noon: datetime) -> None:
    assert words in " ".join(read(mail(*headers, sender=sender), noon).doubts)


def test_only_the_own_servers_topmost_word_counts(noon: datetime) -> None:
    own, other = "Authentication-Results: mx.shop.example; dmarc=", "Authentication-Results: evil.example; dmarc="
    assert not read(mail(f"{other}fail"), noon).is_disowned
    assert read(mail(f"{own}fail", f"{own}pass"), noon).is_disowned
    assert not read(mail(f"{own}pass", f"{own}fail"), noon).is_disowned
    assert not read(mail(f"{own}fail"), noon, authserv="").is_disowned
    assert not read(mail("Authentication-Results: mx.shop.example.evil.example; dmarc=fail"), noon).is_disowned


def test_a_form_on_a_website_speaks_for_its_writer(noon: datetime) -> None:
    raw = mail("Reply-To: Ann <ann@example.com>", "Auto-Submitted: auto-generated", sender="noreply@platform.example")
    found = read(raw, noon)
    assert (found.from_name, found.from_email, found.automatic) == ("Ann", "ann@example.com", None)
    assert found.doubts == (
        "A form sent it through noreply@platform.example: the writer's address is as they typed it.",
    )


def with_file(name: str, content: bytes, kind: str = "application/pdf") -> str:
    file = base64.encodebytes(content).decode()
    return mail(
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b",
        body=(
            f"--b\nContent-Type: text/plain\n\nsee file\n--b\nContent-Type: {kind}\nContent-Transfer-Encoding: base64\n"
            f'Content-Disposition: attachment; filename="{name}"\n\n{file}\n--b--'
        ),
    )


def test_a_file_is_kept_with_a_safe_name(noon: datetime) -> None:
    (file,) = read(with_file("../../a;b/invoice.pdf", b"%PDF-1.7"), noon).files
    assert (file.name, file.content, file.refusal, file.media_type) == (
        "invoice.pdf",
        b"%PDF-1.7",
        None,
        "application/pdf",
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.exe", b"x"),
        ("page.HTML", b"x"),
        ("picture.svg", b"<svg/>"),
        ("invoice.pdf.js", b"x"),
        ("invoice.exe.pdf", b"x"),
        ("letter.docm", b"x"),
        ("invoice.pdf", b"MZ\x90\x00"),
        ("notes.txt", b"#!/bin/sh\n"),
        ("tool", b"\x7fELF"),
    ],
)
def test_what_a_computer_runs_is_refused_with_the_reason(name: str, content: bytes, noon: datetime) -> None:
    (file,) = read(with_file(name, content), noon).files
    assert file.refusal == "It is of a kind that computers run, so it was not kept."


def test_large_and_many_files_are_refused_with_the_reason(noon: datetime) -> None:
    (large,) = read(with_file("a.pdf", b"x" * 1_500_000), noon).files
    assert large.refusal == "It has 1.5 MB; 1 MB are taken at most."
    part = "--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=a.png\n\nx\n"
    many = mail("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", body=part * 25 + "--b--")
    refusals = [file.refusal for file in read(many, noon).files]
    assert refusals[:MOST_FILES] == [None] * MOST_FILES
    assert all(refusals[MOST_FILES:])
    assert len(refusals) == 25


def test_names_of_files_lead_nowhere() -> None:
    assert safe_name("C:\\temp\\..\\evil.pdf") == "evil.pdf"
    assert safe_name("...") == "file"
    assert safe_name('a\x00b\r\nc".pdf') == "a_b_c_.pdf"
    assert safe_name("überweisung 東京.pdf") == "überweisung 東京.pdf"


def test_the_same_mail_by_two_ways_is_one_and_a_copied_id_is_not(noon: datetime) -> None:
    one = read(mail("Received: from a"), noon)
    assert read(mail("Received: from b", "Delivered-To: other@shop.example"), noon).fingerprint == one.fingerprint
    assert read(mail(body="Something else"), noon).fingerprint != one.fingerprint
    assert read(mail(sender="eve@evil.example"), noon).fingerprint != one.fingerprint


def test_our_own_mail_is_known(noon: datetime) -> None:
    assert read(mail(f"X-Loop: {OWN}"), noon).is_own
    assert read(mail(sender=f"Shop <{OWN}>"), noon).is_own
    assert not read(mail(), noon).is_own


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1000,
        b"From",
        b"From: \nSubject\n\n",
        b"From: " + b"<" * 50_000 + b"\n\nx",
        b"From: a@b.c\nContent-Type: multipart/mixed\n\nno boundary",
        b"From: a@b.c\nContent-Type: multipart/mixed; boundary=b\n\n--b\n--b\n--b",
        b"From: =?utf-8?B?!!!?= <a@b.c>\nSubject: =?x?Q?=ZZ?=\n\nx",
        b"From: a@b.c\nContent-Transfer-Encoding: base64\n\n!!!!====",
        b"From: a@b.c\nReferences: " + b"<x@y> " * 5_000 + b"\n\nx",
        "From: a@b.c\nSubject: \udcff\n\nx".encode("utf-8", "surrogateescape"),
        b"From: a@b.c\nContent-Type: message/rfc822\n\nFrom: c@d.e\n\ninner",
    ],
)
def test_broken_mail_is_read_all_the_same(raw: bytes, noon: datetime) -> None:
    found = read(raw, noon)
    assert len(found.fingerprint) == 64
    assert "\x00" not in found.body + found.subject + found.from_name
    (found.body + found.subject + found.from_name).encode()
