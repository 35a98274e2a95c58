"""mail out and in: what was handed over, mails taken in, whether anything may leave"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('received_mails',
    sa.Column('received_mail_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('sender_hash', sa.String(length=64), nullable=True),
    sa.Column('outcome', sa.String(length=40), nullable=False),
    sa.Column('ticket_message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('received_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("outcome IN ('ticket', 'automatic', 'bounce', 'loop', 'refused')", name=op.f('ck_received_mails_outcome_known')),
    sa.ForeignKeyConstraint(['ticket_message_id'], ['ticket_messages.ticket_message_id'], name=op.f('fk_received_mails_ticket_message_id_ticket_messages')),
    sa.PrimaryKeyConstraint('received_mail_id', name=op.f('pk_received_mails')),
    sa.UniqueConstraint('fingerprint', name=op.f('uq_received_mails_fingerprint'))
    )
    with op.batch_alter_table('received_mails', schema=None) as batch_op:
        batch_op.create_index('ix_received_mails_sender', ['sender_hash', 'received_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_received_mails_ticket_message_id'), ['ticket_message_id'], unique=False)

    # Columns are added in place: rebuilding a table on SQLite would lose its checks and partial indexes.
    op.add_column('outbox_messages', sa.Column('handed_over_at', sa.DateTime(), nullable=True))
    op.create_index('ix_outbox_messages_mail_id', 'outbox_messages', ['mail_id'], unique=False)
    op.add_column('store', sa.Column('sending_since', sa.DateTime(), nullable=True))
    op.add_column('ticket_messages', sa.Column('quoted', sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
