"""The wall by itself, without a server: who gets through to the app behind it."""

from typing import Any
from urllib.parse import unquote

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from lib.errors import DatabaseUnavailable
from lib.ui.visit import NO_OWNER, Kind, Visitor
from lib.ui.wall import Ask, Wall, content_security_policy, host_of, is_open_to_all
from lib.ui.web_forms import safe_next


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"content-type", b"text/html"), (b"access-control-allow-origin", b"*"), (b"server", b"x")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"in"})


async def _local(_scope: Any, *, is_action: bool = True) -> Visitor:
    return Visitor(Kind.LOCAL, "local")


async def _nobody(_scope: Any, *, is_action: bool = True) -> Visitor:
    return Visitor(Kind.NOBODY)


def ask(
    kind: str = "http", path: str = "/", *, who: Ask = _local, method: str = "GET", query: str = "", **headers: str
) -> list[dict[str, Any]]:
    """What the wall sends in answer to one request."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    # Nothing in here waits for anything, so one step runs it all; a loop of the browser's may run already.
    with pytest.raises(StopIteration):
        Wall(_app, ask=who)(scope, receive, send).send(None)
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:1", "[::1]:8501"])
def test_loopback_hosts_are_let_in(host: str) -> None:
    assert ask(host=host)[0]["status"] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "0.0.0.0"])
def test_other_hosts_are_refused(host: str) -> None:
    assert ask(host=host)[0]["status"] == 421
    assert ask("websocket", host=host, origin=f"http://{host}")[0]["type"] == "websocket.close"


def test_a_websocket_needs_the_own_origin() -> None:
    assert ask("websocket", host="localhost:1", origin="http://localhost:1")[0]["type"] == "websocket.accept"
    for origin in ("http://localhost:2", "http://evil.example", "null", "http://localhost:1.evil.example"):
        assert ask("websocket", host="localhost:1", origin=origin)[0]["type"] == "websocket.close"
    assert ask("websocket", host="localhost:1")[0]["type"] == "websocket.close"


def test_a_request_of_another_origin_is_refused() -> None:
    assert ask(host="localhost:1", origin="http://evil.example")[0]["status"] == 403
    assert ask(host="localhost:1", origin="http://localhost:1")[0]["status"] == 200


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "//_stcore//metrics", "/_stcore/agent/mcp"])
def test_closed_paths_do_not_exist(path: str) -> None:
    assert ask(path=path, host="localhost")[0]["status"] == 404


def test_headers_are_added_once_and_open_doors_taken_away() -> None:
    headers = ask(host="localhost")[0]["headers"]
    names = [name for name, _ in headers]
    assert len(names) == len(set(names))
    assert b"access-control-allow-origin" not in names
    assert (b"x-content-type-options", b"nosniff") in headers


def test_the_policy_names_no_host_and_lets_no_text_run() -> None:
    policy = content_security_policy()
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "http" not in policy
    assert "'unsafe-inline'" not in script and "'unsafe-eval'" not in script
    assert "'sha256-" in script


def test_a_host_that_makes_no_sense_is_no_host() -> None:
    assert host_of("[::") == ""


# --- who is signed in, and who is not -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET", "/signin"),
        ("POST", "/signin"),
        ("POST", "/signin/code"),
        ("GET", "/signin/provider"),
        ("GET", "/signin/callback"),
        ("POST", "/signout"),
        ("GET", "/forgot"),
        ("GET", "/invitation/" + "a" * 43),
        ("POST", "/reset/" + "a" * 43),
        ("GET", "/unsubscribe/17.4." + "a" * 32),
        ("POST", "/unsubscribe/17.4." + "a" * 32),
        ("POST", "/hooks/contact"),
        ("GET", "/app/static/inter-latin.woff2"),
        ("GET", "/app/static/logo.svg"),
        ("GET", "/app/static/mark.svg"),
    ],
)
def test_what_comes_before_the_sign_in_is_open(method: str, path: str) -> None:
    assert is_open_to_all(path, method)
    assert ask(path=path, method=method, who=_nobody, host="localhost")[0]["status"] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/health"),
        ("DELETE", "/signin"),
        ("GET", "/signout"),
        ("POST", "/signin/callback"),
        ("GET", "/signin/other"),
        ("GET", "/signin/../repeat"),
        ("GET", "/health/"),
        ("GET", "/healthy"),
        ("GET", "/invitation/short"),
        ("GET", "/invitation/" + "a" * 43 + "/more"),
        ("GET", "/first-owner"),
        ("DELETE", "/unsubscribe/17.4." + "a" * 32),
        ("GET", "/unsubscribe/"),
        ("POST", "/unsubscribe/17.4." + "a" * 32 + "/more"),
        ("GET", "/hooks/contact"),
        ("POST", "/hooks/contact/more"),
        ("GET", "/app/static/inbox.js"),
        ("GET", "/app/static/../shell.py"),
        ("GET", "//health"),
    ],
)
def test_nothing_that_only_resembles_it_is(method: str, path: str) -> None:
    assert not is_open_to_all(path, method)
    assert ask(path=path, method=method, who=_nobody, host="localhost")[0]["status"] in {303, 401}


@pytest.mark.parametrize(
    ("path", "query"),
    [("/", "period=7d"), ("/repeat", ""), ("/repeat", "period=7d&channel=web%20shop&q=%26"), ("/né", "")],
)
def test_a_page_leads_to_the_sign_in_and_back(path: str, query: str) -> None:
    (start, _) = ask(path=path, query=query, who=_nobody, host="localhost")
    location = dict(start["headers"])[b"location"].decode()
    assert start["status"] == 303
    assert location.startswith("/signin?next=")
    back = unquote(location.removeprefix("/signin?next="))
    assert unquote(back.partition("?")[0]) == path
    assert back.partition("?")[2] == query
    assert safe_next(back) == back


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/media/abc.csv"),
        ("GET", "/static/js/index.js"),
        ("GET", "/_stcore/health"),
        ("GET", "/_stcore/host-config"),
        ("PUT", "/_stcore/upload_file/a/b"),
        ("DELETE", "/_stcore/upload_file/a/b"),
        ("GET", "/component/x/index.html"),
        ("GET", "/_stcore/bidi-components/x/y.js"),
        ("OPTIONS", "/"),
        ("POST", "/"),
        ("GET", "/favicon.png"),
        ("GET", "/auth/login"),
    ],
)
def test_everything_else_is_refused_and_says_nothing(method: str, path: str) -> None:
    start, body = ask(path=path, method=method, who=_nobody, host="localhost")
    assert (start["status"], body["body"]) == (401, b"Sign in first.")
    assert b"content-security-policy" in dict(start["headers"])
    socket = ask("websocket", "/_stcore/stream", who=_nobody, host="localhost", origin="http://localhost")
    assert [message["type"] for message in socket] == ["websocket.close"]


def test_where_nobody_can_be_asked_nobody_comes_in() -> None:
    async def unavailable(_scope: Any, *, is_action: bool = True) -> Visitor:
        raise DatabaseUnavailable("The order database cannot be read.")

    async def broken(_scope: Any, *, is_action: bool = True) -> Visitor:
        raise RuntimeError("a password of the database")

    async def ownerless(_scope: Any, *, is_action: bool = True) -> Visitor:
        return Visitor(Kind.NOBODY, why_closed=NO_OWNER)

    for who, words in (
        (unavailable, b"cannot be read"),
        (broken, b"the log of this computer"),
        (ownerless, b"staff add"),
    ):
        start, body = ask(who=who, host="localhost")
        assert start["status"] == 503
        assert words in body["body"] and b"a password" not in body["body"]


# --- a connection is asked again at each message ----------------------------------------------------------------


def run_of(**state: Any) -> bytes:
    return bytes(
        BackMsg(
            rerun_script=ClientState(page_script_hash="page", query_string="period=7d", **state)
        ).SerializeToString()
    )


def heard(visitors: list[Visitor], messages: list[bytes]) -> list[BackMsg]:
    """What reaches the app of a connection's messages; the first visitor opens it, each message asks for the next."""
    waiting = [{"type": "websocket.receive", "bytes": message} for message in messages]
    got: list[BackMsg] = []
    coming = iter(visitors)

    async def who(_scope: Any, *, is_action: bool = True) -> Visitor:
        return next(coming)

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect"}

    async def send(_message: Any) -> None:
        return

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            read = BackMsg()
            read.ParseFromString(message["bytes"])
            got.append(read)

    scope = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "headers": [(b"host", b"localhost"), (b"origin", b"http://localhost")],
    }
    with pytest.raises(StopIteration):
        Wall(app, ask=who)(scope, receive, send).send(None)
    return got


ANN = Visitor(Kind.STAFF, "1:owner")
ANN_AS_VIEWER = Visitor(Kind.STAFF, "1:viewer")
GONE = Visitor(Kind.NOBODY)
CLICK = {"fragment_id": "f", "widget_states": WidgetStates(widgets=[WidgetState(id="send", trigger_value=True)])}


def is_plain(message: BackMsg) -> bool:
    """Whether it runs the whole page it came from, with no widget touched."""
    state = message.rerun_script
    return (state.page_script_hash, state.query_string, state.fragment_id, len(state.widget_states.widgets)) == (
        "page",
        "period=7d",
        "",
        0,
    )


def test_messages_of_whoever_still_may_pass_as_they_are() -> None:
    (passed,) = heard([ANN, ANN], [run_of(**CLICK)])
    assert passed.rerun_script.fragment_id == "f"
    assert [widget.id for widget in passed.rerun_script.widget_states.widgets] == ["send"]


def test_after_a_session_ended_every_message_only_runs_the_page() -> None:
    got = heard([ANN, ANN, GONE, GONE], [run_of(), run_of(**CLICK), run_of(**CLICK)])
    assert [is_plain(message) for message in got[1:]] == [True, True]


def test_after_a_role_changed_one_message_runs_the_page_and_the_next_passes() -> None:
    got = heard([ANN, ANN, ANN_AS_VIEWER, ANN_AS_VIEWER], [run_of(), run_of(**CLICK), run_of(**CLICK)])
    assert [is_plain(message) for message in got] == [True, True, False]


def test_a_download_asked_for_after_the_session_ended_becomes_a_run_of_the_page() -> None:
    wanted = BackMsg()
    wanted.backend_operation_request.deferred_file.SetInParent()
    got = heard([ANN, ANN, GONE], [run_of(**CLICK), wanted.SerializeToString()])
    assert [message.WhichOneof("type") for message in got] == ["rerun_script", "rerun_script"]
    assert is_plain(got[1])


def test_what_asks_for_nothing_before_any_run_is_dropped_once_the_session_ended() -> None:
    assert heard([ANN, GONE, GONE, GONE], [b"", b"\xff\xff", BackMsg(clear_cache=True).SerializeToString()]) == []


def test_where_nobody_can_be_asked_no_message_passes() -> None:
    closed = Visitor(Kind.NOBODY, why_closed="no")
    (first, second) = heard([ANN, ANN, closed], [run_of(), run_of(**CLICK)])
    assert is_plain(first) and is_plain(second)


# --- where one goes after signing in ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "repeat",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http://evil.example/",
        "javascript:alert(1)",
        "/\tx",
        "/a\r\nSet-Cookie: x=y",
        "/signout",
        "/signin?next=/",
        "/first-owner",
        "/_stcore/metrics",
        "/" + "x" * 2001,
    ],
)
def test_nobody_is_led_away_after_signing_in(wanted: str) -> None:
    assert safe_next(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/repeat", "/repeat?period=7d&channel=web%20shop", "/tickets?id=3"])
def test_a_page_of_the_app_is_kept_with_its_question(wanted: str) -> None:
    assert safe_next(wanted) == wanted
