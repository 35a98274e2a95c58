"""offers with versions approved, looks kept, audiences and contact rules"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('contact_rules',
    sa.Column('contact_rules_id', sa.Integer(), nullable=False),
    sa.Column('most_messages', sa.Integer(), server_default='2', nullable=False),
    sa.Column('most_days', sa.Integer(), server_default='14', nullable=False),
    sa.Column('quiet_from', sa.Integer(), server_default='20', nullable=False),
    sa.Column('quiet_to', sa.Integer(), server_default='8', nullable=False),
    sa.Column('global_holdout_share', sa.Float(), server_default='0', nullable=False),
    sa.Column('salt', sa.String(length=400), nullable=False),
    sa.Column('approval_limit_minor', sa.BigInteger(), nullable=True),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint('contact_rules_id = 1', name=op.f('ck_contact_rules_only_one')),
    sa.CheckConstraint('global_holdout_share >= 0 AND global_holdout_share < 1', name=op.f('ck_contact_rules_holdout_range')),
    sa.CheckConstraint('most_messages >= 0 AND most_days > 0', name=op.f('ck_contact_rules_cap_range')),
    sa.CheckConstraint('quiet_from BETWEEN 0 AND 23 AND quiet_to BETWEEN 0 AND 23', name=op.f('ck_contact_rules_hours_range')),
    sa.PrimaryKeyConstraint('contact_rules_id', name=op.f('pk_contact_rules'))
    )
    with op.batch_alter_table('contact_rules', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_rules_updated_at'), ['updated_at'], unique=False)

    op.create_table('audiences',
    sa.Column('audience_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('rules', sa.JSON(), nullable=False),
    sa.Column('author_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('is_active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['staff.staff_id'], name=op.f('fk_audiences_author_id_staff')),
    sa.PrimaryKeyConstraint('audience_id', name=op.f('pk_audiences')),
    sa.UniqueConstraint('name', name=op.f('uq_audiences_name'))
    )
    with op.batch_alter_table('audiences', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audiences_author_id'), ['author_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_audiences_updated_at'), ['updated_at'], unique=False)

    op.create_table('contact_events',
    sa.Column('contact_event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('idempotency_key', sa.String(length=400), nullable=False),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('offer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('source', sa.String(length=60), nullable=False),
    sa.Column('occurred_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("kind IN ('unsubscribed', 'complained', 'bounced', 'opened', 'clicked')", name=op.f('ck_contact_events_kind_known')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_contact_events_customer_id_customers')),
    sa.ForeignKeyConstraint(['offer_id'], ['offers.offer_id'], name=op.f('fk_contact_events_offer_id_offers')),
    sa.PrimaryKeyConstraint('contact_event_id', name=op.f('pk_contact_events')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_contact_events_idempotency_key'))
    )
    with op.batch_alter_table('contact_events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_events_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_contact_events_offer_id'), ['offer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_contact_events_updated_at'), ['updated_at'], unique=False)

    op.create_table('offer_looks',
    sa.Column('offer_look_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('offer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('looked_day', sa.Date(), nullable=False),
    sa.Column('result', sa.JSON(), nullable=False),
    sa.Column('looked_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['offer_id'], ['offers.offer_id'], name=op.f('fk_offer_looks_offer_id_offers')),
    sa.PrimaryKeyConstraint('offer_look_id', name=op.f('pk_offer_looks')),
    sa.UniqueConstraint('offer_id', 'number', name=op.f('uq_offer_looks_offer_id_number'))
    )
    with op.batch_alter_table('offer_looks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_offer_looks_updated_at'), ['updated_at'], unique=False)

    # Columns are added in place: rebuilding a table on SQLite would lose its checks.
    _add_reference('offer_assignments', 'offer_version_id', 'offer_versions.offer_version_id')
    _add_checked('offer_assignments', 'code', 400, 'holdout_gets_no_code', "arm = 'treatment' OR code IS NULL")
    op.add_column('offer_assignments', sa.Column('held_back', sa.String(length=400), nullable=True))
    op.create_index('ix_offer_assignments_arm', 'offer_assignments', ['offer_id', 'arm', 'sent_at'], unique=False)
    op.create_index('ix_offer_assignments_code', 'offer_assignments', ['offer_id', 'code'], unique=True)

    op.add_column('offers', sa.Column('salt', sa.String(length=400), nullable=True))
    op.add_column('offers', sa.Column('approved_number', sa.Integer(), nullable=True))
    _add_reference('offers', 'approved_by_id', 'staff.staff_id')
    op.add_column('offers', sa.Column('approved_at', sa.DateTime(), nullable=True))
    op.add_column('offers', sa.Column('pause_reason', sa.Text(), nullable=True))
    op.add_column('offers', sa.Column('planned_looks', sa.Integer(), nullable=True))
    _add_checked('offers', 'decision', 40, 'decision_known', "decision IN ('keep', 'stop', 'roll_out')")
    _add_reference('offers', 'decided_by_id', 'staff.staff_id')
    op.add_column('offers', sa.Column('decided_at', sa.DateTime(), nullable=True))

    op.add_column('what_ifs', sa.Column('scenario', sa.JSON(), nullable=True))


def _add_reference(table: str, column: str, target: str) -> None:
    other, key = target.split('.')
    kind = 'INTEGER' if op.get_bind().dialect.name == 'sqlite' else 'BIGINT'
    name = f'fk_{table}_{column}_{other}'
    op.execute(f'ALTER TABLE {table} ADD COLUMN {column} {kind} CONSTRAINT {name} REFERENCES {other} ({key})')


def _add_checked(table: str, column: str, length: int, name: str, check: str) -> None:
    op.execute(f'ALTER TABLE {table} ADD COLUMN {column} VARCHAR({length}) CONSTRAINT ck_{table}_{name} CHECK ({check})')


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
