"""the tickets that wait for their customer"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    waiting = sa.text("status = 'waiting_for_customer'")
    op.create_index('ix_tickets_with_customer', 'tickets', ['opened_at', 'ticket_id'], unique=False, sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
