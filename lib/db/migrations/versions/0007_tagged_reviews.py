"""tagged reviews are found by an index of their own"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    tagged = sa.text('tags IS NOT NULL')
    op.create_index('ix_reviews_tagged', 'reviews', ['written_at', 'review_id'], unique=False, sqlite_where=tagged, postgresql_where=tagged)


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
