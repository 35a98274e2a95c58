from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.errors import AmbiguousDates, UnknownFormat
from lib.importers import reviews, tickets
from lib.importers.files import source_files
from lib.importers.records import ReadContext, Rejected, ReviewRecord, TicketRecord

CONTEXT = ReadContext(time_zone="Europe/Berlin")
JUDGEME = (
    "title,body,rating,review_date,source,curated,reviewer_name,reviewer_email,product_id,product_handle,reply,"
    "reply_date,picture_urls,ip_address,location\n"
)
LOOX = "id,status,rating,email,nickname,full_name,review,date,productId,handle,img,variant,verified_purchase\n"
YOTPO = (
    "Review Title;Review Content;Review Score;Date;Product ID;Product Title;Product URL;Display Name;Email;"
    "Verified Purchase\n"
)
GORGIAS = (
    "Ticket id,Tags,Initial channel,Priority,Created by an agent,Subject,Creation date,Closed date,Survey score,"
    "Assignee name,Customer email,Customer name,First response time (s)\n"
)
ZENDESK = (
    "Id,Requester,Requester email,Assignee,Subject,Tags,Status,Priority,Via,Created at,Solved at,"
    "Satisfaction Score,Reopens,First reply time in minutes\n"
)
FRESHDESK = (
    "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Created time,Resolved time,Closed time,"
    "Initial response time,First response time (in hrs),Tags\n"
)


def review_of(folder: Path, text: str, context: ReadContext = CONTEXT) -> ReviewRecord | Rejected:
    file = folder / "reviews.csv"
    file.write_text(text)
    (record,) = reviews.read(source_files([file], context), context)
    return record


def ticket_of(folder: Path, text: str) -> TicketRecord | Rejected:
    file = folder / "tickets.csv"
    file.write_text(text)
    (record,) = tickets.read(source_files([file], CONTEXT), CONTEXT)
    return record


def test_judgeme_reviews_bring_their_reply_and_state(tmp_path: Path) -> None:
    row = (
        "Lovely,Burns well,5,2025-03-02 10:12:00 UTC,web,ok,Ada,ada@example.com,93,candle,"
        "Thanks!,2025-03-03 09:00:00 UTC,,,\n"
    )
    review = review_of(tmp_path, JUDGEME + row)
    assert isinstance(review, ReviewRecord)
    assert (review.rating, review.product_handle, review.state) == (5, "candle", "published")
    assert review.written_at == datetime(2025, 3, 2, 10, 12, tzinfo=UTC)
    assert review.reply is not None
    assert review.reply.replied_at == datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
    again = review_of(tmp_path, JUDGEME + row)
    assert isinstance(again, ReviewRecord)
    assert again.external_id == review.external_id


def test_judgeme_days_that_can_be_two_are_asked_about(tmp_path: Path) -> None:
    text = JUDGEME + "Lovely,Burns well,5,03/04/2025,web,ok,Ada,ada@example.com,93,candle,,,,,\n"
    with pytest.raises(AmbiguousDates):
        review_of(tmp_path, text)
    review = review_of(tmp_path, text, ReadContext(time_zone="Europe/Berlin", date_format="day-first"))
    assert isinstance(review, ReviewRecord)
    assert review.written_at.astimezone().date().isoformat() == "2025-04-03"


def test_loox_reviews_have_their_own_key(tmp_path: Path) -> None:
    row = "abc,Published,2,ada@example.com,Ada,Ada Demo,Broken,2025-03-02T10:12:00Z,93,candle,,Fig,true\n"
    review = review_of(tmp_path, LOOX + row)
    assert isinstance(review, ReviewRecord)
    assert (review.external_id, review.rating, review.reviewer_name, review.is_verified) == ("abc", 2, "Ada Demo", True)


def test_yotpo_reviews_with_semicolons_are_read(tmp_path: Path) -> None:
    row = "Good;Burns well;4;2025-03-02;93;Candle;u;Ada;ada@example.com;True\n"
    review = review_of(tmp_path, YOTPO + row)
    assert isinstance(review, ReviewRecord)
    assert (review.product_name, review.rating, review.title) == ("Candle", 4, "Good")


@pytest.mark.parametrize("score", ["4", "4.0", "4/5", "4 stars", "★★★★☆", "⭐️⭐️⭐️⭐️"])
def test_stars_are_counted_however_they_are_written(tmp_path: Path, score: str) -> None:
    review = review_of(tmp_path, LOOX + f"a1,Active,{score},ada@example.com,A,Ada,Good,2025-03-02,93,candle,,,true\n")
    assert isinstance(review, ReviewRecord), review
    assert review.rating == 4


@pytest.mark.parametrize("score", ["0", "6", "4.5", "five", "", "inf", "nan", "☆☆☆☆☆", "★★★★★★", "8/10"])
def test_a_review_without_whole_stars_is_kept_aside(tmp_path: Path, score: str) -> None:
    row = f"Lovely,Burns well,{score},2025-03-02 10:12:00 UTC,web,ok,Ada,ada@example.com,93,candle,,,,,\n"
    assert isinstance(review_of(tmp_path, JUDGEME + row), Rejected)


def test_gorgias_seconds_become_the_time_of_the_first_reply(tmp_path: Path) -> None:
    row = (
        "1,late,chat,normal,false,Where is it?,2025-03-02T10:00:00Z,2025-03-02T11:00:00Z,4,Ben,"
        "ada@example.com,Ada,240\n"
    )
    ticket = ticket_of(tmp_path, GORGIAS + row)
    assert isinstance(ticket, TicketRecord)
    assert ticket.first_response_at == datetime(2025, 3, 2, 10, 4, tzinfo=UTC)
    assert (ticket.channel, ticket.status, ticket.satisfaction, ticket.is_started_by_us) == ("chat", "closed", 4, False)


def test_zendesk_minutes_and_statuses_are_read(tmp_path: Path) -> None:
    row = "2,Ada,ada@example.com,Ben,Broken,damage,Pending,High,Mail,2025-03-02 11:00,,Good,1,90\n"
    ticket = ticket_of(tmp_path, ZENDESK + row)
    assert isinstance(ticket, TicketRecord)
    assert ticket.first_response_at == datetime(2025, 3, 2, 11, 30, tzinfo=UTC)
    assert (ticket.channel, ticket.status, ticket.priority) == ("email", "waiting_for_customer", "high")
    assert (ticket.reopened_count, ticket.satisfaction) == (1, 5)


@pytest.mark.parametrize(
    ("responded_at", "duration"), [("2025-03-02 12:30:00", ""), ("", "01:30:00"), ("2025-03-02 12:30:00", "09:00:00")]
)
def test_freshdesk_replies_are_timed_by_their_time_else_by_their_duration(
    tmp_path: Path, responded_at: str, duration: str
) -> None:
    row = f"3,Broken,Open,Urgent,Portal,Problem,Ben,2025-03-02 11:00:00,,,{responded_at},{duration},\n"
    ticket = ticket_of(tmp_path, FRESHDESK + row)
    assert isinstance(ticket, TicketRecord)
    assert ticket.first_response_at == datetime(2025, 3, 2, 11, 30, tzinfo=UTC)
    assert (ticket.channel, ticket.status, ticket.priority) == ("form", "open", "urgent")


def test_a_ticket_nobody_answered_has_no_first_reply(tmp_path: Path) -> None:
    row = "4,Broken,Open,Low,Email,Problem,Ben,2025-03-02 11:00:00,,,,,\n"
    ticket = ticket_of(tmp_path, FRESHDESK + row)
    assert isinstance(ticket, TicketRecord)
    assert ticket.first_response_at is None


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"Judge\.me"):
        review_of(tmp_path, GORGIAS + "1,,,,,,,,,,,,\n")
    with pytest.raises(UnknownFormat, match="Gorgias"):
        ticket_of(tmp_path, LOOX + "1,,,,,,,,,,,,\n")


def test_a_corrected_review_or_ticket_has_the_key_of_the_one_that_was_put_aside(tmp_path: Path) -> None:
    bad, good = (JUDGEME + f"Hi,Fine,{stars},2025-03-02,web,ok,Ada,ada@example.com,93,candle,,,,,\n" for stars in "05")
    wrong, right = review_of(tmp_path, bad), review_of(tmp_path, good)
    assert isinstance(wrong, Rejected)
    assert wrong.external_id == right.external_id != ""
    ticket = ticket_of(tmp_path, FRESHDESK + "7,Hi,Open,Low,Email,,,yesterday,,,,,\n")
    assert isinstance(ticket, Rejected)
    assert ticket.external_id == "7"


def test_freshdesk_may_write_a_duration_where_a_time_belongs(tmp_path: Path) -> None:
    ticket = ticket_of(tmp_path, FRESHDESK + "7,Hi,Open,Low,Email,,,2025-03-02 10:00:00,,,00:20:00,,\n")
    assert isinstance(ticket, TicketRecord), ticket
    assert ticket.first_response_at == datetime(2025, 3, 2, 9, 20, tzinfo=UTC)
