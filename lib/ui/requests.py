"""What a browser asks for over the connection of a page, as far as the wall must know."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: whether it runs the page, and whether a person did something."""

    is_run: bool
    is_action: bool
    state: ClientState


def asked_by(message: MutableMapping[str, Any]) -> Asked:
    """What a message of the connection asks for; one that makes no sense asks for nothing."""
    read = BackMsg()
    try:
        read.ParseFromString(message.get("bytes") or b"")
    except DecodeError:
        read = BackMsg()
    kind = read.WhichOneof("type")
    is_run = kind == "rerun_script"
    by_itself = kind == "app_heartbeat" or (is_run and read.rerun_script.is_auto_rerun)
    return Asked(is_run, not by_itself, read.rerun_script)


def plain_run(asked: Asked) -> dict[str, Any]:
    """A message that runs the same page from its top, with no widget touched."""
    state = ClientState(
        query_string=asked.state.query_string,
        page_script_hash=asked.state.page_script_hash,
        page_name=asked.state.page_name,
        context_info=asked.state.context_info,
    )
    return {"type": "websocket.receive", "bytes": BackMsg(rerun_script=state).SerializeToString()}
