"""The mails that were taken in, each once: what a mailbox shows twice is not stored twice."""

from sqlalchemy import Column, Index, String, Table

from lib.db.tables.columns import at, key, metadata, one_of, ref

# ticket: began or joined a ticket. automatic: joined one without asking for an answer. bounce: told of a message
# that did not arrive. loop: our own mail came back. refused: could not be read, and is a ticket that says so;
# without a ticket it is an old mail of a person who was erased since.
OUTCOMES = ("ticket", "automatic", "bounce", "loop", "refused")

received_mails = Table(
    "received_mails",
    metadata,
    key("received_mail_id"),
    # SHA-256 over Message-ID, sender, date, subject and body: a Message-ID alone could be copied by somebody
    # who wants another's mail to be taken for a duplicate.
    Column("fingerprint", String(64), nullable=False, unique=True),
    # The sender's address, hashed: only whether it is the same one matters, to limit how many mails it may send.
    Column("sender_hash", String(64)),
    *one_of("outcome", OUTCOMES),
    ref("ticket_messages.ticket_message_id", nullable=True),
    at("received_at", nullable=False),
    Index("ix_received_mails_sender", "sender_hash", "received_at"),
)
