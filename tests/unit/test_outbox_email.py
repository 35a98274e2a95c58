"""A mail says what was written and nothing else: no text becomes a header, a command or the end of the mail."""

import email
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.policy import default
from typing import Any

import pytest

from lib.errors import SettingsError
from lib.outbox.claims import Message
from lib.outbox.email import NotNow, Refused, Sender, Unknown, compose, mail_server, message_id, with_thread
from lib.settings import read_settings
from tests.mail_servers import Smtp, smtp_server

FROM = "Corner Shop <help@shop.example>"


@pytest.fixture(scope="module")
def smtp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smtp]:
    with smtp_server(tmp_path_factory.mktemp("smtp")) as server:
        yield server


@pytest.fixture
def message(noon: datetime) -> Message:
    return Message(
        outbox_message_id=1,
        idempotency_key="review:17:reply:2",
        channel="email",
        recipient="ann@example.com",
        subject="Your review",
        body="Thank you.",
        about="review",
        about_id=17,
        extra={},
        mail_id=None,
        attempts=1,
        queued_at=noon,
        lease_until=noon + timedelta(minutes=5),
    )


def sent(smtp: Smtp, message: Message, noon: datetime) -> Any:
    before = len(smtp.lines())
    called: list[int] = []
    with Sender(mail_server(smtp.url)) as sender:
        sender.send(compose(message, sender=FROM, at=noon), before_data=lambda: called.append(len(smtp.lines())))
    assert called == [before], "it is written down before the first byte"
    assert len(smtp.lines()) == before + 1
    return email.message_from_bytes(smtp.raw()[-1], policy=default)


@pytest.mark.parametrize(
    "words",
    [
        "Thank you.",
        "Grüße 🫖 東京 \u202eabc\u200b",
        "<script>alert(1)</script>\n**bold** =cmd()|' /C calc'!A0",
        "a line\n.\n..\n.hidden\nQUIT\n",
        "x" * 1_000_000,
        "a\x00b",
        "line one\r\nline two\rline three",
    ],
)
def test_what_was_written_arrives_as_it_was(smtp: Smtp, message: Message, noon: datetime, words: str) -> None:
    mail = sent(smtp, replace(message, body=words), noon)
    arrived = mail.get_body(("plain",)).get_content()
    wanted = words.replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    assert arrived.replace("\r\n", "\n").rstrip("\n") == wanted.rstrip("\n")
    assert mail["From"] == FROM
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "Your review")


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\r", "\x00", "\u2028", "\x0b", "\x85"])
def test_no_text_becomes_a_header(smtp: Smtp, message: Message, noon: datetime, sign: str) -> None:
    evil = f"Hello{sign}Bcc: all@example.com{sign}{sign}body"
    extra = {
        "name": evil,
        "in_reply_to": f"a@b.c{sign}Bcc: all@example.com",
        "references": [f"x@y.z>{sign}Bcc: all@example.com"],
        "list_unsubscribe": f"https://shop.example/{sign}Bcc: all@example.com",
    }
    mail = sent(smtp, replace(message, subject=evil, extra=extra), noon)
    assert mail["Bcc"] is None
    assert mail["In-Reply-To"] is mail["References"] is mail["List-Unsubscribe"] is None
    assert smtp.lines()[-1]["to"] == ["ann@example.com"]


def test_names_and_subjects_in_any_letters(smtp: Smtp, message: Message, noon: datetime) -> None:
    wanted = {"name": 'Žofie "Zoë" O\'Hara, 東京', "html": "<p>Grüße</p>"}
    mail = sent(smtp, replace(message, subject="Grüße an Žofie 🫖 " * 8, extra=wanted), noon)
    assert mail["To"].addresses[0].display_name == 'Žofie "Zoë" O\'Hara, 東京'
    assert mail["Subject"] == ("Grüße an Žofie 🫖 " * 8).strip()
    assert mail.get_body(("html",)).get_content().strip() == "<p>Grüße</p>"
    raw = smtp.raw()[-1]
    assert max(len(line) for line in raw.split(b"\r\n")) < 999


def test_addresses_in_any_letters(smtp: Smtp, message: Message, noon: datetime) -> None:
    sent(smtp, replace(message, recipient="jo@müller.example"), noon)
    assert smtp.lines()[-1]["to"] == ["jo@xn--mller-kva.example"]
    sent(smtp, replace(message, recipient="žofie@example.com"), noon)
    assert smtp.lines()[-1]["to"] == ["žofie@example.com"]


def test_an_answer_names_the_mails_it_answers_and_its_ticket(message: Message, noon: datetime) -> None:
    about = with_thread(replace(message, about="ticket", about_id=12, subject="Re: Hi"), ["a@b.c", "d@e.f"])
    mail = compose(about, sender=FROM, at=noon)
    assert (mail["In-Reply-To"], mail["References"]) == ("<d@e.f>", "<a@b.c> <d@e.f>")
    assert mail["Subject"] == "Re: Hi [#12]"
    assert compose(replace(about, subject="Re: Hi [#12]"), sender=FROM, at=noon)["Subject"] == "Re: Hi [#12]"
    assert mail["Auto-Submitted"] is None


def test_what_encore_writes_by_itself_says_so(message: Message, noon: datetime) -> None:
    mail = compose(replace(message, extra={"is_automatic": True}), sender=FROM, at=noon)
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")


def test_a_message_has_one_id_that_nobody_can_guess_from_its_key(message: Message, noon: datetime) -> None:
    one = message_id(message, FROM)
    assert one.endswith("@shop.example")
    assert message_id(replace(message, attempts=7, lease_until=noon), FROM) == one
    assert message_id(replace(message, queued_at=noon + timedelta(microseconds=1)), FROM) != one
    kept = replace(message, mail_id="kept@shop.example")
    assert compose(kept, sender=FROM, at=noon)["Message-ID"] == "<kept@shop.example>"


def test_each_fault_is_told_apart(smtp: Smtp, message: Message, noon: datetime) -> None:
    begun: list[str] = []

    def send(recipient: str, url: str = smtp.url) -> None:
        with Sender(mail_server(url), timeout=5) as sender:
            mail = compose(replace(message, recipient=recipient), sender=FROM, at=noon)
            sender.send(mail, before_data=lambda: begun.append(recipient))

    with pytest.raises(Refused, match="550"):
        send("nobody@example.com")
    with pytest.raises(NotNow, match="451") as busy:
        send("busy@example.com")
    assert not busy.value.is_down
    with pytest.raises(NotNow, match="cannot be reached") as away:
        send("ann@example.com", "smtp://127.0.0.1:1")
    assert away.value.is_down
    assert begun == []
    with pytest.raises(Unknown):
        send("gone@example.com")
    assert begun == ["gone@example.com"]


def test_what_stops_the_hand_over_stops_the_mail(smtp: Smtp, message: Message, noon: datetime) -> None:
    before = len(smtp.lines())

    def stop() -> None:
        raise RuntimeError("taken over")

    with Sender(mail_server(smtp.url)) as sender:
        with pytest.raises(RuntimeError):
            sender.send(compose(message, sender=FROM, at=noon), before_data=stop)
        sender.send(compose(message, sender=FROM, at=noon), before_data=lambda: None)
    assert len(smtp.lines()) == before + 1


def test_one_connection_serves_many_mails(smtp: Smtp, message: Message, noon: datetime) -> None:
    before = len(smtp.lines())
    with Sender(mail_server(smtp.url)) as sender:
        for recipient in ("ann@example.com", "nobody@example.com", "busy@example.com", "bob@example.com"):
            mail = compose(replace(message, recipient=recipient), sender=FROM, at=noon)
            if recipient[0] in "ab" and recipient[1] != "u":
                sender.send(mail, before_data=lambda: None)
            else:
                with pytest.raises((Refused, NotNow)):
                    sender.send(mail, before_data=lambda: None)
    assert [line["to"] for line in smtp.lines()[before:]] == [["ann@example.com"], ["bob@example.com"]]


def test_a_server_that_offers_no_tls_gets_no_mail_where_tls_was_asked_for(
    smtp: Smtp, message: Message, noon: datetime
) -> None:
    before = len(smtp.lines())
    server = mail_server(smtp.url.replace("smtp://", "smtp+starttls://me:secret@"))
    with Sender(server) as sender, pytest.raises(NotNow, match="STARTTLS") as failed:
        sender.send(compose(message, sender=FROM, at=noon), before_data=lambda: None)
    assert "secret" not in str(failed.value)
    assert len(smtp.lines()) == before


def test_a_password_goes_out_only_under_lock_and_is_in_no_words() -> None:
    with pytest.raises(SettingsError, match="in the open"):
        mail_server("smtp://shop:secret@mail.example.com")
    server = mail_server("smtp+starttls://help%40shop.example:se%2Fcret@mail.example.com")
    assert (server.user, server.password, server.port, server.security) == (
        "help@shop.example", "se/cret", 587, "starttls",
    )  # fmt: skip
    assert mail_server("smtps://mail.example.com").port == 465
    assert "cret" not in f"{server} {server!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENCORE_SMTP_URL", "mail.shop.example"),
        ("ENCORE_SMTP_URL", "smtp://h:port"),
        ("ENCORE_SMTP_URL", "smtps://u:secret@mail.example"),
        ("ENCORE_MAIL_FROM", "Shop"),
        ("ENCORE_MAIL_FROM", "Shop <a@b.c>\nBcc: x@y.z"),
        ("ENCORE_IMAP_URL", "https://u:secret@mail.example"),
        ("ENCORE_WEBHOOK_URL", "https://hooks.example"),
        ("ENCORE_WEBHOOK_SECRET", "secret"),
        ("ENCORE_WEBHOOK_ALLOW", "my-host"),
        ("ENCORE_IMAP_MARK_SEEN", "maybe"),
    ],
)
def test_settings_that_make_no_sense_are_refused_without_their_secret(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match="ENCORE_") as refused:
        read_settings({name: value})
    assert "secret" not in str(refused.value)
