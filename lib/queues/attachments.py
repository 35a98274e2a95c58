"""The files that came with a message of a ticket."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from lib.db.tables.tickets import attachments


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file; ``refusal`` says why it was not kept. Its name is somebody else's words, made safe for a disk."""

    attachment_id: int
    file_name: str
    bytes: int
    sha256: str
    refusal: str | None


def attachments_of(connection: Connection, ticket_message_id: int) -> list[Attachment]:
    """The files of a message, in their order."""
    row = attachments.c
    found = connection.execute(
        select(row.attachment_id, row.file_name, row.bytes, row.sha256, row.refusal)
        .where(row.ticket_message_id == ticket_message_id)
        .order_by(row.attachment_id)
    )
    return [Attachment(*each) for each in found]
