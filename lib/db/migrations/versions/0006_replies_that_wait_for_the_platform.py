"""replies that wait to be taken to the platform in a file"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('review_replies', sa.Column('pending_since', sa.DateTime(), nullable=True))
    pending = sa.text('pending_since IS NOT NULL')
    op.create_index('ix_review_replies_pending', 'review_replies', ['review_reply_id'], unique=False, sqlite_where=pending, postgresql_where=pending)
    op.create_index('ix_review_replies_replied_at', 'review_replies', ['replied_at', 'review_reply_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
