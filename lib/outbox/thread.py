"""Which mails a conversation consists of, so that an answer joins it in the customer's own program."""

from sqlalchemy import Connection, select

from lib.db.tables.tickets import ticket_messages

# Programs join by the newest; the whole history of a long ticket would outgrow the header.
MOST = 20


def mails_of_ticket(connection: Connection, ticket_id: int) -> list[str]:
    """The Message-IDs of a ticket's public mails, oldest first, at most ``MOST`` of the newest."""
    found = connection.scalars(
        select(ticket_messages.c.mail_id)
        .where(
            ticket_messages.c.ticket_id == ticket_id,
            ticket_messages.c.mail_id.is_not(None),
            ticket_messages.c.is_public,
        )
        .order_by(ticket_messages.c.sent_at.desc(), ticket_messages.c.ticket_message_id.desc())
        .limit(MOST)
    ).all()
    return [str(mail_id) for mail_id in reversed(found)]
