"""The order database"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=400), nullable=False),
        sa.Column("action", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=True),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_log")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_log_hash")),
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_log_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_subject"), ["subject"], unique=False)

    op.create_table(
        "customers",
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("email", sa.String(length=400), nullable=True),
        sa.Column("email_normalised", sa.String(length=400), nullable=True),
        sa.Column("name", sa.String(length=400), nullable=True),
        sa.Column("phone", sa.String(length=400), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("region", sa.String(length=400), nullable=True),
        sa.Column("city", sa.String(length=400), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("registered_at", sa.DateTime(), nullable=True),
        sa.Column("is_guest", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customers")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_customers_source_external_id")),
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_email_normalised"), ["email_normalised"], unique=False)
        batch_op.create_index("ix_customers_name", ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_customers_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "deleted_rows",
        sa.Column(
            "deleted_row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("table_name", sa.String(length=60), nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("deleted_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("deleted_row_id", name=op.f("pk_deleted_rows")),
    )
    with op.batch_alter_table("deleted_rows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deleted_rows_deleted_at"), ["deleted_at"], unique=False)

    op.create_table(
        "exchange_rates",
        sa.Column(
            "exchange_rate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("target", sa.String(length=3), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("rate", sa.Numeric(precision=20, scale=10), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rates_rate_positive")),
        sa.PrimaryKeyConstraint("exchange_rate_id", name=op.f("pk_exchange_rates")),
        sa.UniqueConstraint(
            "currency", "target", "valid_from", name=op.f("uq_exchange_rates_currency_target_valid_from")
        ),
    )
    with op.batch_alter_table("exchange_rates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_rates_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "import_runs",
        sa.Column(
            "import_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=400), nullable=False),
        sa.Column("paths", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=40), server_default="running", nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("started_by", sa.String(length=400), nullable=True),
        sa.Column("read_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stored_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unchanged_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'finished', 'refused', 'interrupted')", name=op.f("ck_import_runs_status_known")
        ),
        sa.CheckConstraint(
            "read_count = stored_count + unchanged_count + rejected_count", name=op.f("ck_import_runs_adds_up")
        ),
        sa.PrimaryKeyConstraint("import_run_id", name=op.f("pk_import_runs")),
    )
    with op.batch_alter_table("import_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_runs_started_at"), ["started_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_runs_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "offers",
        sa.Column("offer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), server_default="draft", nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=True),
        sa.Column("ends_at", sa.DateTime(), nullable=True),
        sa.Column("window_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("holdout_share", sa.Float(), server_default="0.5", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind IN ('coupon', 'free_shipping', 'gift', 'points', 'complementary', 'guide', 'replenishment', 'tracking_notice', 'review_request', 'survey', 'share', 'app_invitation', 'community_invitation', 'cart_nudge', 'win_back')",
            name=op.f("ck_offers_kind_known"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'approved', 'running', 'paused', 'stopped', 'finished')",
            name=op.f("ck_offers_status_known"),
        ),
        sa.CheckConstraint("holdout_share >= 0 AND holdout_share < 1", name=op.f("ck_offers_holdout_share_range")),
        sa.CheckConstraint("window_days > 0", name=op.f("ck_offers_window_positive")),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_offers")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_offers_source_external_id")),
    )
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offers_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "products",
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("handle", sa.String(length=400), nullable=True),
        sa.Column("sku", sa.String(length=400), nullable=True),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("parent_name", sa.String(length=400), nullable=True),
        sa.Column("category", sa.String(length=400), nullable=True),
        sa.Column("vendor", sa.String(length=400), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("stock", sa.BigInteger(), nullable=True),
        sa.Column("is_goods", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_products")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_products_source_external_id")),
    )
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_products_handle"), ["handle"], unique=False)
        batch_op.create_index(batch_op.f("ix_products_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_products_sku"), ["sku"], unique=False)
        batch_op.create_index(batch_op.f("ix_products_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "refresh_locks",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=400), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_refresh_locks")),
    )
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=400), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=400), nullable=True),
        sa.Column("totp_secret", sa.String(length=400), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("role IN ('owner', 'manager', 'support', 'viewer')", name=op.f("ck_staff_role_known")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "store",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("time_zone", sa.String(length=400), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("business_hours", sa.JSON(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("store_id = 1", name=op.f("ck_store_only_one")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store")),
    )
    with op.batch_alter_table("store", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_store_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "suppressions",
        sa.Column(
            "suppression_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("erased_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("length(email_hash) = 64", name=op.f("ck_suppressions_hash_length")),
        sa.PrimaryKeyConstraint("suppression_id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint("email_hash", name=op.f("uq_suppressions_email_hash")),
    )
    op.create_table(
        "surveys",
        sa.Column(
            "survey_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('nps', 'csat', 'custom')", name=op.f("ck_surveys_kind_known")),
        sa.PrimaryKeyConstraint("survey_id", name=op.f("pk_surveys")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_surveys_source_external_id")),
    )
    with op.batch_alter_table("surveys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_surveys_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "watermarks",
        sa.Column(
            "watermark_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("mapping", sa.String(length=400), nullable=False),
        sa.Column("query", sa.String(length=400), nullable=False),
        sa.Column("value", sa.String(length=400), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("watermark_id", name=op.f("pk_watermarks")),
        sa.UniqueConstraint("mapping", "query", name=op.f("uq_watermarks_mapping_query")),
    )
    with op.batch_alter_table("watermarks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watermarks_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "addresses",
        sa.Column(
            "address_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.String(length=400), nullable=True),
        sa.Column("region", sa.String(length=400), nullable=True),
        sa.Column("postal_code", sa.String(length=400), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("phone", sa.String(length=400), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('billing', 'shipping', 'default')", name=op.f("ck_addresses_kind_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_addresses_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("address_id", name=op.f("pk_addresses")),
        sa.UniqueConstraint("customer_id", "kind", name=op.f("uq_addresses_customer_id_kind")),
    )
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_addresses_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "annotations",
        sa.Column(
            "annotation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("starts_day", sa.Date(), nullable=False),
        sa.Column("ends_day", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_unusual", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("ends_day > starts_day", name=op.f("ck_annotations_ends_later")),
        sa.ForeignKeyConstraint(["author_id"], ["staff.staff_id"], name=op.f("fk_annotations_author_id_staff")),
        sa.PrimaryKeyConstraint("annotation_id", name=op.f("pk_annotations")),
    )
    with op.batch_alter_table("annotations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_annotations_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_annotations_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "consents",
        sa.Column(
            "consent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("stated_at", sa.DateTime(), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("channel IN ('email', 'sms', 'whatsapp', 'post')", name=op.f("ck_consents_channel_known")),
        sa.CheckConstraint("state IN ('given', 'withdrawn', 'never')", name=op.f("ck_consents_state_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_consents_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consents")),
        sa.UniqueConstraint("customer_id", "channel", name=op.f("uq_consents_customer_id_channel")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "customer_identities",
        sa.Column(
            "customer_identity_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_customer_identities_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_identity_id", name=op.f("pk_customer_identities")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_customer_identities_source_external_id")),
    )
    with op.batch_alter_table("customer_identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_identities_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "goals",
        sa.Column("goal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("metric", sa.String(length=400), nullable=False),
        sa.Column("starts_day", sa.Date(), nullable=False),
        sa.Column("ends_day", sa.Date(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("ends_day > starts_day", name=op.f("ck_goals_ends_later")),
        sa.ForeignKeyConstraint(["author_id"], ["staff.staff_id"], name=op.f("fk_goals_author_id_staff")),
        sa.PrimaryKeyConstraint("goal_id", name=op.f("pk_goals")),
        sa.UniqueConstraint("metric", "starts_day", "ends_day", name=op.f("uq_goals_metric_starts_day_ends_day")),
    )
    with op.batch_alter_table("goals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_goals_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_goals_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "loyalty_members",
        sa.Column(
            "loyalty_member_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("joined_at", sa.DateTime(), nullable=False),
        sa.Column("tier", sa.String(length=400), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_loyalty_members_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("loyalty_member_id", name=op.f("pk_loyalty_members")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_loyalty_members_source_external_id")),
    )
    with op.batch_alter_table("loyalty_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loyalty_members_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loyalty_members_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "offer_versions",
        sa.Column(
            "offer_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("offer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.staff_id"], name=op.f("fk_offer_versions_author_id_staff")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.offer_id"], name=op.f("fk_offer_versions_offer_id_offers")),
        sa.PrimaryKeyConstraint("offer_version_id", name=op.f("pk_offer_versions")),
        sa.UniqueConstraint("offer_id", "number", name=op.f("uq_offer_versions_offer_id_number")),
    )
    with op.batch_alter_table("offer_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_versions_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_offer_versions_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "orders",
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("number", sa.String(length=400), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("placed_at", sa.DateTime(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(), nullable=True),
        sa.Column("payment_status", sa.String(length=40), server_default="unknown", nullable=False),
        sa.Column("fulfillment_status", sa.String(length=400), nullable=True),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("channel", sa.String(length=400), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("region", sa.String(length=400), nullable=True),
        sa.Column("city", sa.String(length=400), nullable=True),
        sa.Column("device", sa.String(length=400), nullable=True),
        sa.Column("payment_method", sa.String(length=400), nullable=True),
        sa.Column("delivery_type", sa.String(length=400), nullable=True),
        sa.Column("landing_source", sa.String(length=400), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("original_currency", sa.String(length=3), nullable=False),
        sa.Column("original_total_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("exchange_rate", sa.Numeric(precision=20, scale=10), server_default="1", nullable=False),
        sa.Column("is_tax_included", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shipping_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fees_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "payment_status IN ('pending', 'authorized', 'paid', 'partially_paid', 'partially_refunded', 'refunded', 'voided', 'unknown')",
            name=op.f("ck_orders_payment_status_known"),
        ),
        sa.CheckConstraint(
            "discount_minor >= 0 AND discount_minor <= gross_minor", name=op.f("ck_orders_discount_within_gross")
        ),
        sa.CheckConstraint("exchange_rate > 0", name=op.f("ck_orders_exchange_rate_positive")),
        sa.CheckConstraint(
            "gross_minor - discount_minor + shipping_minor + tax_minor + fees_minor = total_minor",
            name=op.f("ck_orders_adds_up"),
        ),
        sa.CheckConstraint("gross_minor >= 0", name=op.f("ck_orders_gross_not_negative")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_orders_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_orders_source_external_id")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_orders_awaiting_payment",
            ["placed_at", "order_id"],
            unique=False,
            sqlite_where=sa.text("payment_status IN ('pending', 'authorized', 'partially_paid')"),
            postgresql_where=sa.text("payment_status IN ('pending', 'authorized', 'partially_paid')"),
        )
        batch_op.create_index("ix_orders_customer_id_placed_at", ["customer_id", "placed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_number"), ["number"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_placed_at"), ["placed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "outbox_messages",
        sa.Column(
            "outbox_message_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("idempotency_key", sa.String(length=400), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("offer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("status", sa.String(length=40), server_default="queued", nullable=False),
        sa.Column("recipient", sa.String(length=400), nullable=True),
        sa.Column("subject", sa.String(length=400), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'webhook', 'audience')", name=op.f("ck_outbox_messages_channel_known")
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'failed', 'held_back')",
            name=op.f("ck_outbox_messages_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_outbox_messages_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.offer_id"], name=op.f("fk_outbox_messages_offer_id_offers")),
        sa.PrimaryKeyConstraint("outbox_message_id", name=op.f("pk_outbox_messages")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_messages_idempotency_key")),
    )
    with op.batch_alter_table("outbox_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_messages_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_messages_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_messages_offer_id"), ["offer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_messages_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "questions",
        sa.Column(
            "question_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_questions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.product_id"], name=op.f("fk_questions_product_id_products")),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_questions")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_questions_source_external_id")),
    )
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_questions_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_questions_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_questions_product_id"), ["product_id"], unique=False)
        batch_op.create_index(
            "ix_questions_unanswered",
            ["asked_at", "question_id"],
            unique=False,
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_questions_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "rejected_rows",
        sa.Column(
            "rejected_row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("import_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=400), nullable=False),
        sa.Column("file", sa.String(length=400), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("header", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("placed_day", sa.Date(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=40), server_default="open", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'resolved', 'dismissed')", name=op.f("ck_rejected_rows_status_known")),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_runs.import_run_id"], name=op.f("fk_rejected_rows_import_run_id_import_runs")
        ),
        sa.PrimaryKeyConstraint("rejected_row_id", name=op.f("pk_rejected_rows")),
        sa.UniqueConstraint("source", "fingerprint", name=op.f("uq_rejected_rows_source_fingerprint")),
    )
    with op.batch_alter_table("rejected_rows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rejected_rows_import_run_id"), ["import_run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rejected_rows_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "sessions",
        sa.Column(
            "session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("address", sa.String(length=400), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_sessions_expires_later")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.staff_id"], name=op.f("fk_sessions_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "what_ifs",
        sa.Column(
            "what_if_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("offer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("assumptions", sa.JSON(), nullable=False),
        sa.Column("forecast", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("actual", sa.JSON(), nullable=True),
        sa.Column("is_scored", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.staff_id"], name=op.f("fk_what_ifs_author_id_staff")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.offer_id"], name=op.f("fk_what_ifs_offer_id_offers")),
        sa.PrimaryKeyConstraint("what_if_id", name=op.f("pk_what_ifs")),
    )
    with op.batch_alter_table("what_ifs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_what_ifs_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_what_ifs_offer_id"), ["offer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_what_ifs_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "answers",
        sa.Column(
            "answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("question_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["questions.question_id"],
            name=op.f("fk_answers_question_id_questions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"], name=op.f("fk_answers_staff_id_staff")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_answers")),
    )
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answers_question_id"), ["question_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_answers_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_answers_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "carts",
        sa.Column("cart_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_contactable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_event_at", sa.DateTime(), nullable=False),
        sa.Column("contacted_at", sa.DateTime(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(), nullable=True),
        sa.Column("channel", sa.String(length=400), nullable=True),
        sa.Column("device", sa.String(length=400), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("last_event_at >= created_at", name=op.f("ck_carts_events_follow")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_carts_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_carts_order_id_orders")),
        sa.PrimaryKeyConstraint("cart_id", name=op.f("pk_carts")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_carts_source_external_id")),
    )
    with op.batch_alter_table("carts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carts_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_carts_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_carts_last_event_at"), ["last_event_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_carts_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_carts_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "discounts_used",
        sa.Column(
            "discount_used_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="code", nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind IN ('code', 'automatic', 'manual', 'line', 'shipping')", name=op.f("ck_discounts_used_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_discounts_used_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("discount_used_id", name=op.f("pk_discounts_used")),
    )
    with op.batch_alter_table("discounts_used", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_discounts_used_code"), ["code"], unique=False)
        batch_op.create_index(batch_op.f("ix_discounts_used_order_id"), ["order_id"], unique=False)

    op.create_table(
        "loyalty_entries",
        sa.Column(
            "loyalty_entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("loyalty_member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('issued', 'redeemed', 'expired')", name=op.f("ck_loyalty_entries_kind_known")),
        sa.CheckConstraint("points > 0", name=op.f("ck_loyalty_entries_points_positive")),
        sa.ForeignKeyConstraint(
            ["loyalty_member_id"],
            ["loyalty_members.loyalty_member_id"],
            name=op.f("fk_loyalty_entries_loyalty_member_id_loyalty_members"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_loyalty_entries_order_id_orders")),
        sa.PrimaryKeyConstraint("loyalty_entry_id", name=op.f("pk_loyalty_entries")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_loyalty_entries_source_external_id")),
    )
    with op.batch_alter_table("loyalty_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loyalty_entries_loyalty_member_id"), ["loyalty_member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loyalty_entries_occurred_at"), ["occurred_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_loyalty_entries_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_loyalty_entries_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "offer_assignments",
        sa.Column(
            "offer_assignment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("offer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("arm", sa.String(length=40), nullable=False),
        sa.Column("assigned_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("redeemed_at", sa.DateTime(), nullable=True),
        sa.Column("redeemed_order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "arm = 'treatment' OR sent_at IS NULL", name=op.f("ck_offer_assignments_holdout_gets_nothing")
        ),
        sa.CheckConstraint("arm IN ('treatment', 'holdout')", name=op.f("ck_offer_assignments_arm_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_offer_assignments_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.offer_id"], name=op.f("fk_offer_assignments_offer_id_offers")),
        sa.ForeignKeyConstraint(
            ["redeemed_order_id"], ["orders.order_id"], name=op.f("fk_offer_assignments_redeemed_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("offer_assignment_id", name=op.f("pk_offer_assignments")),
        sa.UniqueConstraint("offer_id", "customer_id", name=op.f("uq_offer_assignments_offer_id_customer_id")),
    )
    with op.batch_alter_table("offer_assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_assignments_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_offer_assignments_redeemed_order_id"), ["redeemed_order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_offer_assignments_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "order_items",
        sa.Column(
            "order_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=True),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), server_default="goods", nullable=False),
        sa.Column("sku", sa.String(length=400), nullable=True),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind <> 'goods' OR gross_minor >= 0", name=op.f("ck_order_items_goods_not_negative")),
        sa.CheckConstraint(
            "kind IN ('goods', 'gift_card', 'shipping', 'fee', 'tip')", name=op.f("ck_order_items_kind_known")
        ),
        sa.CheckConstraint("discount_minor >= 0", name=op.f("ck_order_items_discount_not_negative")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_items_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_order_items_order_id_orders"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.product_id"], name=op.f("fk_order_items_product_id_products")
        ),
        sa.PrimaryKeyConstraint("order_item_id", name=op.f("pk_order_items")),
        sa.UniqueConstraint("order_id", "line_number", name=op.f("uq_order_items_order_id_line_number")),
    )
    with op.batch_alter_table("order_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_items_product_id"), ["product_id"], unique=False)

    op.create_table(
        "refunds",
        sa.Column(
            "refund_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("refunded_at", sa.DateTime(), nullable=False),
        sa.Column("is_date_estimated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shipping_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fees_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "goods_minor + shipping_minor + tax_minor + fees_minor = total_minor", name=op.f("ck_refunds_adds_up")
        ),
        sa.CheckConstraint("goods_minor >= 0", name=op.f("ck_refunds_goods_not_negative")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_refunds_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_refunds_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_refunds_source_external_id")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_refunded_at"), ["refunded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "returns",
        sa.Column(
            "return_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("status", sa.String(length=40), server_default="requested", nullable=False),
        sa.Column("resolution", sa.String(length=40), nullable=True),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=True),
        sa.Column("refunded_at", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("refund_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("exchange_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "resolution IN ('refund', 'exchange', 'store_credit')", name=op.f("ck_returns_resolution_known")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'approved', 'in_transit', 'received', 'closed', 'rejected')",
            name=op.f("ck_returns_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_returns_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_returns_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_returns")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_returns_source_external_id")),
    )
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_returns_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "ix_returns_pending",
            ["requested_at", "return_id"],
            unique=False,
            sqlite_where=sa.text("status IN ('requested', 'approved', 'in_transit', 'received')"),
            postgresql_where=sa.text("status IN ('requested', 'approved', 'in_transit', 'received')"),
        )
        batch_op.create_index(batch_op.f("ix_returns_requested_at"), ["requested_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_returns_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "reviews",
        sa.Column(
            "review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("reviewer_name", sa.String(length=400), nullable=True),
        sa.Column("written_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=40), server_default="published", nullable=False),
        sa.Column("is_verified", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_survey", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "state IN ('published', 'pending', 'spam', 'unpublished')", name=op.f("ck_reviews_state_known")
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_rating_stars")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_reviews_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_reviews_order_id_orders")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.staff_id"], name=op.f("fk_reviews_owner_id_staff")),
        sa.ForeignKeyConstraint(["product_id"], ["products.product_id"], name=op.f("fk_reviews_product_id_products")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_reviews_source_external_id")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_answered_at"), ["answered_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_product_id"), ["product_id"], unique=False)
        batch_op.create_index(
            "ix_reviews_unanswered",
            ["answered_at", "written_at", "review_id"],
            unique=False,
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_reviews_updated_at"), ["updated_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_written_at"), ["written_at"], unique=False)

    op.create_table(
        "shipments",
        sa.Column(
            "shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("carrier", sa.String(length=400), nullable=True),
        sa.Column("tracking_number", sa.String(length=400), nullable=True),
        sa.Column("status", sa.String(length=40), server_default="pending", nullable=False),
        sa.Column("shipped_at", sa.DateTime(), nullable=True),
        sa.Column("first_attempted_at", sa.DateTime(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(), nullable=True),
        sa.Column("promised_day", sa.Date(), nullable=True),
        sa.Column("announced_late_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "status <> 'delivered' OR delivered_at IS NOT NULL", name=op.f("ck_shipments_delivered_has_time")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'info_received', 'in_transit', 'out_for_delivery', 'attempt_failed', 'available_for_pickup', 'delivered', 'exception', 'lost', 'damaged', 'expired')",
            name=op.f("ck_shipments_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_shipments_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_shipments_source_external_id")),
    )
    with op.batch_alter_table("shipments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipments_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "ix_shipments_undelivered",
            ["promised_day", "shipment_id"],
            unique=False,
            sqlite_where=sa.text("delivered_at IS NULL"),
            postgresql_where=sa.text("delivered_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_shipments_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "survey_answers",
        sa.Column(
            "survey_answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("survey_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.CheckConstraint("score BETWEEN 0 AND 10", name=op.f("ck_survey_answers_score_range")),
        sa.CheckConstraint("score IS NULL OR answered_at IS NOT NULL", name=op.f("ck_survey_answers_score_has_time")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_survey_answers_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_survey_answers_order_id_orders")),
        sa.ForeignKeyConstraint(["survey_id"], ["surveys.survey_id"], name=op.f("fk_survey_answers_survey_id_surveys")),
        sa.PrimaryKeyConstraint("survey_answer_id", name=op.f("pk_survey_answers")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_survey_answers_source_external_id")),
    )
    with op.batch_alter_table("survey_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_answers_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answers_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answers_sent_at"), ["sent_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answers_survey_id"), ["survey_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answers_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "cart_items",
        sa.Column(
            "cart_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("cart_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_items_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["carts.cart_id"], name=op.f("fk_cart_items_cart_id_carts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.product_id"], name=op.f("fk_cart_items_product_id_products")
        ),
        sa.PrimaryKeyConstraint("cart_item_id", name=op.f("pk_cart_items")),
    )
    with op.batch_alter_table("cart_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cart_items_cart_id"), ["cart_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cart_items_product_id"), ["product_id"], unique=False)

    op.create_table(
        "refund_items",
        sa.Column(
            "refund_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("refund_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=400), nullable=True),
        sa.Column("quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("goods_minor >= 0", name=op.f("ck_refund_items_goods_not_negative")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_refund_items_quantity_not_negative")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_refund_items_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["order_item_id"], ["order_items.order_item_id"], name=op.f("fk_refund_items_order_item_id_order_items")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.product_id"], name=op.f("fk_refund_items_product_id_products")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.refund_id"], name=op.f("fk_refund_items_refund_id_refunds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("refund_item_id", name=op.f("pk_refund_items")),
    )
    with op.batch_alter_table("refund_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refund_items_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_items_order_item_id"), ["order_item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_items_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_items_refund_id"), ["refund_id"], unique=False)

    op.create_table(
        "return_items",
        sa.Column(
            "return_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("return_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_items_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["order_item_id"],
            ["order_items.order_item_id"],
            name=op.f("fk_return_items_order_item_id_order_items"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.product_id"], name=op.f("fk_return_items_product_id_products")
        ),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.return_id"], name=op.f("fk_return_items_return_id_returns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("return_item_id", name=op.f("pk_return_items")),
    )
    with op.batch_alter_table("return_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_return_items_order_item_id"), ["order_item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_return_items_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_return_items_return_id"), ["return_id"], unique=False)

    op.create_table(
        "review_replies",
        sa.Column(
            "review_reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_draft", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("replied_at", sa.DateTime(), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("length(body) > 0", name=op.f("ck_review_replies_has_words")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.review_id"], name=op.f("fk_review_replies_review_id_reviews")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"], name=op.f("fk_review_replies_staff_id_staff")),
        sa.PrimaryKeyConstraint("review_reply_id", name=op.f("pk_review_replies")),
        sa.UniqueConstraint("review_id", "revision", name=op.f("uq_review_replies_review_id_revision")),
    )
    with op.batch_alter_table("review_replies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_replies_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_replies_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "shipment_events",
        sa.Column(
            "shipment_event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("city", sa.String(length=400), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'info_received', 'in_transit', 'out_for_delivery', 'attempt_failed', 'available_for_pickup', 'delivered', 'exception', 'lost', 'damaged', 'expired')",
            name=op.f("ck_shipment_events_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"],
            ["shipments.shipment_id"],
            name=op.f("fk_shipment_events_shipment_id_shipments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shipment_event_id", name=op.f("pk_shipment_events")),
    )
    with op.batch_alter_table("shipment_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_events_shipment_id"), ["shipment_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("channel", sa.String(length=40), server_default="other", nullable=False),
        sa.Column("status", sa.String(length=40), server_default="open", nullable=False),
        sa.Column("priority", sa.String(length=40), server_default="normal", nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=True),
        sa.Column("topic", sa.String(length=400), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("first_response_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("reopened_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        sa.Column("is_started_by_us", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("assignee", sa.String(length=400), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "channel IN ('chat', 'email', 'phone', 'social', 'form', 'sms', 'other')",
            name=op.f("ck_tickets_channel_known"),
        ),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name=op.f("ck_tickets_priority_known")),
        sa.CheckConstraint(
            "status IN ('open', 'waiting_for_customer', 'closed', 'spam')", name=op.f("ck_tickets_status_known")
        ),
        sa.CheckConstraint("first_response_at >= opened_at", name=op.f("ck_tickets_response_follows")),
        sa.CheckConstraint("satisfaction BETWEEN 1 AND 5", name=op.f("ck_tickets_satisfaction_stars")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_tickets_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_tickets_order_id_orders")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.staff_id"], name=op.f("fk_tickets_owner_id_staff")),
        sa.ForeignKeyConstraint(["product_id"], ["products.product_id"], name=op.f("fk_tickets_product_id_products")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.review_id"], name=op.f("fk_tickets_review_id_reviews")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_tickets_source_external_id")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tickets_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_first_response_at"), ["first_response_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_opened_at"), ["opened_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_review_id"), ["review_id"], unique=False)
        batch_op.create_index(
            "ix_tickets_unanswered",
            ["first_response_at", "opened_at", "ticket_id"],
            unique=False,
            sqlite_where=sa.text("first_response_at IS NULL"),
            postgresql_where=sa.text("first_response_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_tickets_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "ticket_messages",
        sa.Column(
            "ticket_message_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(length=400), nullable=True),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_public", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "author IN ('customer', 'staff', 'automatic')", name=op.f("ck_ticket_messages_author_known")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"], name=op.f("fk_ticket_messages_staff_id_staff")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.ticket_id"], name=op.f("fk_ticket_messages_ticket_id_tickets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_message_id", name=op.f("pk_ticket_messages")),
    )
    with op.batch_alter_table("ticket_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_messages_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_messages_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_messages_updated_at"), ["updated_at"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Encore goes back by restoring a backup, not by undoing a migration.")
