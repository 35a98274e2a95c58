"""Files that customers sent, offered as downloads and nothing else: never shown, never opened here."""

import streamlit as st

from lib.db.attachments import content_of
from lib.db.engine import order_database, reading
from lib.queues.attachments import Attachment, attachments_of
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.text import plain


def draw_attachments(staff: Staff, ticket_message_id: int) -> None:
    """The files of one message, each a download; those that were not kept, with the reason."""
    with reading(order_database(settings())) as connection:
        found = attachments_of(connection, ticket_message_id)
    if not found:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for file in found:
            if file.refusal is None and staff.may(May.SEE_PERSONAL_DATA):
                _download(file)
            else:
                why = file.refusal or "Your role may not open what customers sent."
                st.caption(plain(f"{file.file_name} ({size(file.bytes)}): {why}"))


def _download(file: Attachment) -> None:
    # Octets, whatever the mail said they are: a browser saves them and draws nothing.
    st.download_button(
        f"{plain(file.file_name)} ({size(file.bytes)})",
        data=lambda: content_of(settings().data_dir, file.sha256) or b"",
        file_name=file.file_name,
        mime="application/octet-stream",
        icon=":material/attach_file:",
        key=f"attachment_{file.attachment_id}",
        on_click="ignore",
    )


def size(count: int) -> str:
    """``3.4 MB``, ``12 KB``, ``512 bytes``."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000:.0f} KB" if count >= 1_000 else f"{count} bytes"
