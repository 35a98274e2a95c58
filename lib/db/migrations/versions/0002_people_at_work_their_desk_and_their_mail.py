"""people at work, their desk and their mail"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('drafts',
    sa.Column('draft_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('subject_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('author_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('is_public', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("subject IN ('review', 'ticket', 'shipment', 'order', 'return', 'question', 'offer')", name=op.f('ck_drafts_subject_known')),
    sa.PrimaryKeyConstraint('draft_id', name=op.f('pk_drafts')),
    sa.UniqueConstraint('subject', 'subject_id', 'author_id', name=op.f('uq_drafts_subject_subject_id_author_id'))
    )
    with op.batch_alter_table('drafts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drafts_updated_at'), ['updated_at'], unique=False)

    op.create_table('sign_in_attempts',
    sa.Column('sign_in_attempt_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('account_hash', sa.String(length=64), nullable=False),
    sa.Column('address', sa.String(length=400), nullable=False),
    sa.Column('attempted_at', sa.DateTime(), nullable=False),
    sa.Column('is_success', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.PrimaryKeyConstraint('sign_in_attempt_id', name=op.f('pk_sign_in_attempts'))
    )
    with op.batch_alter_table('sign_in_attempts', schema=None) as batch_op:
        batch_op.create_index('ix_sign_in_attempts_account', ['account_hash', 'attempted_at'], unique=False)
        batch_op.create_index('ix_sign_in_attempts_address', ['address', 'attempted_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_sign_in_attempts_attempted_at'), ['attempted_at'], unique=False)

    op.create_table('targets',
    sa.Column('target_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('work', sa.String(length=40), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('clock', sa.String(length=40), server_default='calendar', nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("clock IN ('calendar', 'business')", name=op.f('ck_targets_clock_known')),
    sa.CheckConstraint('minutes > 0', name=op.f('ck_targets_minutes_positive')),
    sa.PrimaryKeyConstraint('target_id', name=op.f('pk_targets')),
    sa.UniqueConstraint('work', name=op.f('uq_targets_work'))
    )
    with op.batch_alter_table('targets', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_targets_updated_at'), ['updated_at'], unique=False)

    op.create_table('templates',
    sa.Column('template_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('language', sa.String(length=10), nullable=True),
    sa.Column('topic', sa.String(length=400), nullable=True),
    sa.Column('least_stars', sa.Integer(), server_default='1', nullable=False),
    sa.Column('most_stars', sa.Integer(), server_default='5', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("kind IN ('review_reply', 'ticket_macro', 'share_text')", name=op.f('ck_templates_kind_known')),
    sa.CheckConstraint('least_stars BETWEEN 1 AND most_stars AND most_stars <= 5', name=op.f('ck_templates_stars_range')),
    sa.PrimaryKeyConstraint('template_id', name=op.f('pk_templates')),
    sa.UniqueConstraint('kind', 'name', name=op.f('uq_templates_kind_name'))
    )
    with op.batch_alter_table('templates', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_templates_updated_at'), ['updated_at'], unique=False)

    op.create_table('customer_notes',
    sa.Column('customer_note_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('written_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('length(body) > 0', name=op.f('ck_customer_notes_has_words')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_customer_notes_customer_id_customers')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.staff_id'], name=op.f('fk_customer_notes_staff_id_staff')),
    sa.PrimaryKeyConstraint('customer_note_id', name=op.f('pk_customer_notes'))
    )
    with op.batch_alter_table('customer_notes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_customer_notes_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_customer_notes_staff_id'), ['staff_id'], unique=False)

    op.create_table('person_keys',
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('secret', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_person_keys_customer_id_customers')),
    sa.PrimaryKeyConstraint('customer_id', name=op.f('pk_person_keys'))
    )
    op.create_table('staff_links',
    sa.Column('staff_link_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('used_at', sa.DateTime(), nullable=True),
    sa.CheckConstraint("kind IN ('invitation', 'reset')", name=op.f('ck_staff_links_kind_known')),
    sa.CheckConstraint('expires_at > created_at', name=op.f('ck_staff_links_expires_later')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.staff_id'], name=op.f('fk_staff_links_staff_id_staff'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('staff_link_id', name=op.f('pk_staff_links')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_staff_links_token_hash'))
    )
    with op.batch_alter_table('staff_links', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_links_staff_id'), ['staff_id'], unique=False)

    op.create_table('template_versions',
    sa.Column('template_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('template_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('author_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('written_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('length(body) > 0', name=op.f('ck_template_versions_has_words')),
    sa.ForeignKeyConstraint(['author_id'], ['staff.staff_id'], name=op.f('fk_template_versions_author_id_staff')),
    sa.ForeignKeyConstraint(['template_id'], ['templates.template_id'], name=op.f('fk_template_versions_template_id_templates')),
    sa.PrimaryKeyConstraint('template_version_id', name=op.f('pk_template_versions')),
    sa.UniqueConstraint('template_id', 'number', name=op.f('uq_template_versions_template_id_number'))
    )
    with op.batch_alter_table('template_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_template_versions_author_id'), ['author_id'], unique=False)

    op.create_table('work_items',
    sa.Column('work_item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('subject_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('owner_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('snoozed_until', sa.DateTime(), nullable=True),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.Column('done_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('outcome', sa.String(length=400), nullable=True),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("subject IN ('review', 'ticket', 'shipment', 'order', 'return', 'question', 'offer')", name=op.f('ck_work_items_subject_known')),
    sa.ForeignKeyConstraint(['done_by_id'], ['staff.staff_id'], name=op.f('fk_work_items_done_by_id_staff')),
    sa.ForeignKeyConstraint(['owner_id'], ['staff.staff_id'], name=op.f('fk_work_items_owner_id_staff')),
    sa.PrimaryKeyConstraint('work_item_id', name=op.f('pk_work_items')),
    sa.UniqueConstraint('subject', 'subject_id', name=op.f('uq_work_items_subject_subject_id'))
    )
    with op.batch_alter_table('work_items', schema=None) as batch_op:
        batch_op.create_index('ix_work_items_done', ['done_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_work_items_done_by_id'), ['done_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_work_items_owner_id'), ['owner_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_work_items_updated_at'), ['updated_at'], unique=False)

    op.create_table('work_locks',
    sa.Column('work_lock_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('subject_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('holder', sa.String(length=400), nullable=False),
    sa.Column('taken_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("subject IN ('review', 'ticket', 'shipment', 'order', 'return', 'question', 'offer')", name=op.f('ck_work_locks_subject_known')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.staff_id'], name=op.f('fk_work_locks_staff_id_staff')),
    sa.PrimaryKeyConstraint('work_lock_id', name=op.f('pk_work_locks')),
    sa.UniqueConstraint('subject', 'subject_id', name=op.f('uq_work_locks_subject_subject_id'))
    )
    with op.batch_alter_table('work_locks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_work_locks_staff_id'), ['staff_id'], unique=False)

    op.create_table('review_shares',
    sa.Column('review_share_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('review_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('consent', sa.Text(), nullable=False),
    sa.Column('consented_at', sa.DateTime(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['review_id'], ['reviews.review_id'], name=op.f('fk_review_shares_review_id_reviews')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.staff_id'], name=op.f('fk_review_shares_staff_id_staff')),
    sa.PrimaryKeyConstraint('review_share_id', name=op.f('pk_review_shares'))
    )
    with op.batch_alter_table('review_shares', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_shares_review_id'), ['review_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_shares_staff_id'), ['staff_id'], unique=False)

    op.create_table('attachments',
    sa.Column('attachment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('ticket_message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('file_name', sa.String(length=400), nullable=False),
    sa.Column('media_type', sa.String(length=400), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('refusal', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['ticket_message_id'], ['ticket_messages.ticket_message_id'], name=op.f('fk_attachments_ticket_message_id_ticket_messages'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('attachment_id', name=op.f('pk_attachments'))
    )
    with op.batch_alter_table('attachments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attachments_ticket_message_id'), ['ticket_message_id'], unique=False)

    # Columns are added in place: rebuilding a table on SQLite would lose its checks and partial indexes.
    op.add_column('audit_log', sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
    op.create_index('ix_audit_log_customer_id', 'audit_log', ['customer_id'], unique=False)

    op.add_column('customers', sa.Column('erased_at', sa.DateTime(), nullable=True))

    op.add_column('outbox_messages', sa.Column('about', sa.String(length=400), nullable=True))
    op.add_column('outbox_messages', sa.Column('about_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
    op.add_column('outbox_messages', sa.Column('extra', sa.JSON(), nullable=True))
    op.add_column('outbox_messages', sa.Column('lease_until', sa.DateTime(), nullable=True))
    op.add_column('outbox_messages', sa.Column('mail_id', sa.String(length=400), nullable=True))
    op.create_index('ix_outbox_messages_about', 'outbox_messages', ['about', 'about_id'], unique=False)
    op.create_index('ix_outbox_messages_status', 'outbox_messages', ['status', 'due_at'], unique=False)

    op.add_column('sessions', sa.Column('browser', sa.String(length=400), nullable=True))
    op.add_column('sessions', sa.Column('method', sa.String(length=40), server_default='password', nullable=False))

    op.add_column('staff', sa.Column('totp_confirmed_at', sa.DateTime(), nullable=True))
    op.add_column('staff', sa.Column('totp_step', sa.BigInteger(), nullable=True))
    op.add_column('staff', sa.Column('oidc_subject', sa.String(length=400), nullable=True))
    op.add_column('staff', sa.Column('signed_in_at', sa.DateTime(), nullable=True))
    op.create_index('ix_staff_oidc_subject', 'staff', ['oidc_subject'], unique=True)

    op.add_column('ticket_messages', sa.Column('subject', sa.String(length=400), nullable=True))
    op.add_column('ticket_messages', sa.Column('from_name', sa.String(length=400), nullable=True))
    op.add_column('ticket_messages', sa.Column('from_email', sa.String(length=400), nullable=True))
    op.add_column('ticket_messages', sa.Column('mail_id', sa.String(length=400), nullable=True))
    _add_reference('ticket_messages', 'outbox_message_id', 'outbox_messages.outbox_message_id')
    op.add_column('ticket_messages', sa.Column('doubt', sa.Text(), nullable=True))
    op.create_index('ix_ticket_messages_mail_id', 'ticket_messages', ['mail_id'], unique=False)
    op.create_index('ix_ticket_messages_outbox_message_id', 'ticket_messages', ['outbox_message_id'], unique=False)

    op.add_column('tickets', sa.Column('response_due_at', sa.DateTime(), nullable=True))
    op.add_column('tickets', sa.Column('waiting_since', sa.DateTime(), nullable=True))
    op.add_column('tickets', sa.Column('paused_seconds', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('tickets', sa.Column('paused_since', sa.DateTime(), nullable=True))
    op.add_column('tickets', sa.Column('reopened_at', sa.DateTime(), nullable=True))
    _add_reference('tickets', 'merged_into_id', 'tickets.ticket_id')
    _add_reference('tickets', 'split_from_id', 'tickets.ticket_id')
    op.add_column('tickets', sa.Column('requester_name', sa.String(length=400), nullable=True))
    op.add_column('tickets', sa.Column('requester_email', sa.String(length=400), nullable=True))
    op.create_index('ix_tickets_merged_into_id', 'tickets', ['merged_into_id'], unique=False)
    op.create_index('ix_tickets_response_due_at', 'tickets', ['response_due_at'], unique=False)
    op.create_index('ix_tickets_split_from_id', 'tickets', ['split_from_id'], unique=False)


def _add_reference(table: str, column: str, target: str) -> None:
    other, key = target.split('.')
    kind = 'INTEGER' if op.get_bind().dialect.name == 'sqlite' else 'BIGINT'
    name = f'fk_{table}_{column}_{other}'
    op.execute(f'ALTER TABLE {table} ADD COLUMN {column} {kind} CONSTRAINT {name} REFERENCES {other} ({key})')


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
