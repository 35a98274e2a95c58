"""who was erased, and what is still to be cleaned after them"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('erasures',
    sa.Column('erasure_id', key, autoincrement=True, nullable=False),
    sa.Column('customer_id', key, nullable=True),
    sa.Column('erased_at', sa.DateTime(), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('cleaned_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('erasure_id', name=op.f('pk_erasures'))
    )
    op.create_index('ix_erasures_cleaned_at', 'erasures', ['cleaned_at'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
