"""people are found by the beginning of a name, and notes about them are corrected by new ones"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # An index that was set aside for a first import may be missing; SQLite and PostgreSQL both know IF EXISTS.
    for name in ('ix_customers_email_normalised', 'ix_customers_name', 'ix_orders_number'):
        op.execute(f'DROP INDEX IF EXISTS {name}')
    by_sign, place = ('', 'instr') if op.get_bind().dialect.name == 'sqlite' else (' text_pattern_ops', 'strpos')
    surname = f"lower(substr(name, {place}(name, ' ') + 1))"
    op.execute(f'CREATE INDEX ix_customers_email_normalised ON customers (email_normalised{by_sign})')
    op.execute(f'CREATE INDEX ix_customers_name ON customers (lower(name){by_sign})')
    op.execute(f'CREATE INDEX ix_customers_surname ON customers ({surname}{by_sign})')
    op.execute(f'CREATE INDEX ix_orders_number ON orders (number{by_sign})')

    # Columns are added in place: rebuilding a table on SQLite would lose its checks and partial indexes.
    kind = 'INTEGER' if op.get_bind().dialect.name == 'sqlite' else 'BIGINT'
    op.execute(
        f'ALTER TABLE customer_notes ADD COLUMN replaces_id {kind} '
        'CONSTRAINT fk_customer_notes_replaces_id_customer_notes REFERENCES customer_notes (customer_note_id)'
    )
    op.create_index('ix_customer_notes_replaces_id', 'customer_notes', ['replaces_id'], unique=True)


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
