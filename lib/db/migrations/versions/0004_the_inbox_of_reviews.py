"""the inbox of reviews: topics that a person named, files for the platform, indexes of its views"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: rebuilding a table on SQLite would lose its checks and partial indexes.
    op.add_column('reviews', sa.Column('topic', sa.String(length=400), nullable=True))
    op.add_column('review_replies', sa.Column('exported_at', sa.DateTime(), nullable=True))
    unanswered, owned = sa.text('answered_at IS NULL'), sa.text('owner_id IS NOT NULL')
    op.drop_index('ix_reviews_owner_id', table_name='reviews')
    op.drop_index('ix_reviews_product_id', table_name='reviews')
    op.create_index('ix_reviews_owned', 'reviews', ['owner_id', 'written_at', 'review_id'], unique=False, sqlite_where=owned, postgresql_where=owned)
    op.create_index('ix_reviews_product_id_written_at', 'reviews', ['product_id', 'written_at'], unique=False)
    op.create_index('ix_reviews_unanswered_by_rating', 'reviews', ['answered_at', 'rating', 'written_at', 'review_id'], unique=False, sqlite_where=unanswered, postgresql_where=unanswered)


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
