"""What an offer says: filled in safely, with counted links and a way out; its codes and their files."""

import json
from dataclasses import replace
from datetime import date

import pytest

from lib.offer import KINDS, Channel, Code, Content, Pays, Plan, Reward
from lib.workflows.offer_codes import (
    SIGNS,
    Given,
    code_of,
    for_shopify,
    for_woocommerce,
    shopify_discount,
    woocommerce_table,
)
from lib.workflows.offer_content import (
    LETTER,
    content_for,
    content_problems,
    render,
    slug,
    strange_variables,
    with_tags,
)
from lib.workflows.offer_html import cleaned, letter, strange_html
from lib.workflows.offer_starters import starter_content

EN = Content(language="en", subject="{first_name|Hello}, {reward}", text="Hi {first_name|there},\n\n{code}\n\n{link}")
DE = Content(language="de", subject="Für Sie", text="Hallo {first_name|Sie}, {code}")
PLAN = Plan(
    kind="coupon",
    reward=Reward(pays=Pays.PERCENT, depth=0.1),
    code=Code(prefix="AGAIN"),
    content=(EN, DE),
    link="https://shop.test/again?x=1#top",
)
VALUES = {
    "first_name": "Ann",
    "reward": "10 % off",
    "code": "AGAIN-1",
    "store": "Shop",
    "unsubscribe": "https://encore.test/u/1",
}


def test_an_offer_is_filled_in_with_a_counted_link_and_a_way_out() -> None:
    done = render(PLAN, VALUES, "en", campaign="10 % off, again")
    assert done.subject == "Ann, 10 % off"
    assert done.text == (
        "Hi Ann,\n\nAGAIN-1\n\n"
        "https://shop.test/again?x=1&utm_source=encore&utm_medium=email&utm_campaign=10-off-again&utm_content=coupon#top"
        "\n\nYou get this because you bought from Shop. No more offers: https://encore.test/u/1\n"
    )
    assert (done.html, done.language, done.missing) == ("", "en", ())


@pytest.mark.parametrize(("asked", "got"), [("de-AT", "de"), ("DE", "de"), ("en", "en"), ("fr", "en"), ("", "en")])
def test_everybody_is_spoken_to_in_her_language_or_the_first_one_written(asked: str, got: str) -> None:
    found = content_for(PLAN, asked)
    assert found is not None
    assert found.language == got


def test_a_message_about_her_own_parcel_needs_no_way_out_of_advertising() -> None:
    notice = Plan(kind="tracking_notice", content=(Content(language="en", subject="Late", text="It is late."),))
    assert render(notice, VALUES, "en").text == "It is late.\n"
    advert = replace(notice, kind="guide")
    assert "https://encore.test/u/1" in render(advert, VALUES, "en").text
    own = replace(advert, content=(Content(language="en", subject="x", text="Out: {unsubscribe}"),))
    assert render(own, VALUES, "en").text == "Out: https://encore.test/u/1\n"


def test_words_of_customers_are_neither_variables_nor_markup() -> None:
    hostile = {**VALUES, "first_name": "{code}<script>alert(1)</script>\nBcc: x@y.test"}
    plan = replace(PLAN, content=(replace(EN, html=LETTER),))
    done = render(plan, hostile, "en")
    assert done.subject == "{code}<script>alert(1)</script> Bcc: x@y.test, 10 % off"
    assert "{code}<script>" in done.text
    assert "<script" not in done.html
    assert "{code}&lt;script&gt;alert(1)&lt;/script&gt;" in done.html


def test_what_nobody_knows_is_named() -> None:
    done = render(PLAN, {"store": "Shop", "unsubscribe": "u"}, "en")
    assert done.subject == "Hello,"
    assert done.missing == ("reward", "code")


@pytest.mark.parametrize(
    ("address", "tagged"),
    [
        ("https://a.test", "https://a.test?utm_source=encore"),
        ("https://a.test/?", "https://a.test/?utm_source=encore"),
        ("https://a.test/{code}?x={order}", "https://a.test/{code}?x={order}&utm_source=encore"),
        ("https://a.test?utm_source=mine", "https://a.test?utm_source=mine"),
        ("mailto:a@b.test", "mailto:a@b.test"),
        ("", ""),
    ],
)
def test_links_are_counted_without_changing_what_they_carry(address: str, tagged: str) -> None:
    assert with_tags(address, (("utm_source", "encore"),)) == tagged


def test_links_in_the_text_are_counted_and_their_full_stop_is_none_of_theirs() -> None:
    plan = replace(PLAN, content=(Content(language="en", subject="x", text="See https://shop.test/a."),))
    assert "See https://shop.test/a?utm_source=encore&utm_medium=email&utm_campaign=coupon&utm_content=coupon.\n" in (
        render(plan, VALUES, "en").text
    )


def test_a_campaign_is_a_tag() -> None:
    assert [slug(words) for words in ("10 % off, again", "Frühling & Größe", "§")] == [
        "10-off-again",
        "fruehling-groesse",
        "offer",
    ]


def test_own_html_keeps_what_mails_show_and_loses_what_acts() -> None:
    own = (
        "<html><head><style>p{}</style></head><body onload=x><p style='color:red;position:fixed;background:url(x)' "
        "onclick='x()'>Hi <b>{first_name}</b><script>alert(1)</script></p><a href='javascript:x'>a</a>"
        '<a href="https://shop.test/?a=1&amp;b=2">b</a><iframe src=x></iframe><img src="https://x.test/i.png" alt=i>'
    )
    assert cleaned(own) == (
        '<p style="color:red">Hi <b>{first_name}</b></p><a>a</a>'
        '<a href="https://shop.test/?a=1&amp;b=2">b</a><img src="https://x.test/i.png" alt="i">'
    )
    assert {"<script>", "<iframe>", "onclick= in <p>"} <= set(strange_html(own))
    plan = replace(
        PLAN, content=(replace(EN, html='<p>{first_name}</p><a href="https://shop.test/?a=1&amp;b=2">b</a>'),)
    )
    html = render(plan, VALUES, "en").html
    assert 'href="https://shop.test/?a=1&amp;b=2&amp;utm_source=encore&amp;' in html
    assert 'href="https://encore.test/u/1"' in html


def test_a_letter_makes_buttons_of_links_and_frames_the_code() -> None:
    html = letter("Hi {first_name}, a < b\n\n{link}\n\n{code}\n\nOut: {unsubscribe}", title="x")
    assert "a &lt; b" in html
    assert '<a href="{link}" style="display:inline-block' in html
    assert "letter-spacing" not in html
    assert '<a href="{unsubscribe}" style="color' in html
    assert strange_html(html) == []


def test_what_is_wrong_with_the_words_is_said() -> None:
    bad = Content(language="en", subject="{frist_name}", text="Hi {link}", html="<script></script>")
    words = " ".join(content_problems(replace(PLAN, content=(bad,), link="")))
    for part in ("{frist_name} is no variable", "<script> may not", "name a link", "never tells the code"):
        assert part in words
    assert content_problems(PLAN) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_begins_with_words_in_english_and_german_that_can_be_filled_in(kind: str) -> None:
    content = starter_content(kind, ["en", "de", "xx"])
    assert [one.language for one in content] == ["en", "de"]
    for one in content:
        assert strange_variables(f"{one.subject}\n{one.text}") == []
        assert len(one.subject) <= 60
    assert [one.language for one in starter_content(kind, ["xx"])] == ["en"]


def test_a_code_is_the_same_whenever_it_is_asked_for_and_nobody_elses() -> None:
    code = Code(prefix="AGAIN")
    codes = [code_of(code, "salt", customer) for customer in range(2_000)]
    assert codes == [code_of(code, "salt", customer) for customer in range(2_000)]
    assert len(set(codes)) == 2_000
    assert code_of(code, "other", 1) != codes[1]
    assert all(one is not None and set(one.removeprefix("AGAIN-").replace("-", "")) <= set(SIGNS) for one in codes)
    assert len(str(codes[0])) == len("AGAIN-XXXX-XXXX-XXXX")
    assert code_of(Code(shared="ALL10"), "salt", 1) is None


def test_shopify_gets_the_codes_and_the_discount_they_belong_to() -> None:
    assert for_shopify(["A-1", "A-2"]) == b"code\nA-1\nA-2\n"
    plan = replace(PLAN, reward=replace(PLAN.reward, minimum_basket_minor=3_000))
    told = json.loads(
        shopify_discount(plan, title="Again", currency="EUR", starts="2026-11-24T00:00:00Z", ends=None, codes=["A-1"])
    )["basicCodeDiscount"]
    assert told["customerGets"]["value"] == {"percentage": 0.1}
    assert told["minimumRequirement"] == {"subtotal": {"greaterThanOrEqualToSubtotal": "30.00"}}
    assert (told["code"], told["usageLimit"], told["appliesOncePerCustomer"]) == ("A-1", 1, True)


def test_woocommerce_gets_a_hundred_coupons_a_request() -> None:
    amount = replace(PLAN, reward=Reward(pays=Pays.AMOUNT, face_minor=550, minimum_basket_minor=3_000))
    given = [Given(f"AGAIN-{n}", date(2026, 12, 24)) for n in range(101)]
    lines = for_woocommerce(amount, given, title="Again", currency="EUR").decode().splitlines()
    first, second = (json.loads(line)["create"] for line in lines)
    assert (len(first), len(second)) == (100, 1)
    assert first[0] == {
        "code": "again-0",
        "discount_type": "fixed_cart",
        "amount": "5.50",
        "description": "Again",
        "date_expires": "2026-12-24T23:59:59",
        "individual_use": True,
        "free_shipping": False,
        "minimum_amount": "30.00",
        "usage_limit": 1,
        "usage_limit_per_user": 1,
    }
    (row,) = woocommerce_table(amount, given[:1], title="=Again", currency="EUR")
    assert (row["post_title"], row["coupon_amount"], row["expiry_date"]) == ("again-0", "5.50", "2026-12-24")
    assert for_woocommerce(amount, [], title="Again", currency="EUR") == b""


def test_a_parcel_note_is_counted_as_such_and_needs_no_way_out() -> None:
    note = Plan(
        kind="gift",
        channel=Channel.PARCEL,
        link="https://shop.test",
        content=(Content(language="en", subject="x", text="{link}"),),
    )
    assert render(note, {}, "en").text == (
        "https://shop.test?utm_source=encore&utm_medium=parcel&utm_campaign=gift&utm_content=gift\n"
    )
