"""tombstones of feedback and loyalty: a deleted answer, question, member or entry of points is told to the refresh"""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No table changes: every migration makes the triggers anew, and these are new."""


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
