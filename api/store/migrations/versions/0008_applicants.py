"""Applicants on the web: visits, drafts, and the letters that let them in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _applicant()
    _draft()
    _visit()
    _holding()
    _entry_link()
    _entry_code()
    _letter()
    _upload()


def _applicant() -> None:
    op.create_table(
        "applicant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(email) = 64", name=op.f("ck_applicant_email_length")),
        sa.CheckConstraint("substr(id, 1, 4) = 'apl_'", name=op.f("ck_applicant_id_prefix")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applicant")),
        sa.UniqueConstraint("email", name=op.f("uq_applicant_email")),
    )


def _draft() -> None:
    op.create_table(
        "draft",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_key", sa.Text(), nullable=True),
        sa.Column("application_id", sa.Text(), nullable=True),
        sa.CheckConstraint("substr(id, 1, 4) = 'drf_'", name=op.f("ck_draft_id_prefix")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_draft_version_counts")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_draft_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("application_id", name=op.f("uq_draft_application_id")),
        sa.UniqueConstraint("sent_key", name=op.f("uq_draft_sent_key")),
    )
    op.create_index("ix_draft_expires_at", "draft", ["expires_at"])


def _visit() -> None:
    op.create_table(
        "visit",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.Text(), nullable=True),
        sa.Column("draft_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("ends_at > created_at", name=op.f("ck_visit_ends_later")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_visit_sha256_length")),
        sa.ForeignKeyConstraint(["applicant_id"], ["applicant.id"], name=op.f("fk_visit_applicant_id")),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_visit_draft_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_visit")),
    )
    op.create_index("ix_visit_ends_at", "visit", ["ends_at"])


def _holding() -> None:
    op.create_table(
        "holding",
        sa.Column("applicant_id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["applicant_id"], ["applicant.id"], name=op.f("fk_holding_applicant_id")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_holding_application_id")),
        sa.PrimaryKeyConstraint("applicant_id", "application_id", name=op.f("pk_holding")),
    )
    op.create_index("ix_holding_application_id", "holding", ["application_id"])


def _entry_link() -> None:
    op.create_table(
        "entry_link",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("draft_id", sa.Text(), nullable=True),
        sa.Column("application_id", sa.Text(), nullable=True),
        sa.Column("person_ref", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(purpose <> 'resume') = (application_id IS NOT NULL AND person_ref IS NOT NULL)",
            name=op.f("ck_entry_link_others_name_person"),
        ),
        sa.CheckConstraint(
            "(purpose = 'resume') = (draft_id IS NOT NULL)", name=op.f("ck_entry_link_resume_names_draft")
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_entry_link_sha256_length")),
        sa.CheckConstraint("purpose IN ('resume', 'confirm', 'sign')", name=op.f("ck_entry_link_purpose")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_entry_link_application_id")),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_entry_link_draft_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_entry_link")),
    )
    op.create_index("ix_entry_link_application_id", "entry_link", ["application_id"])
    op.create_index("ix_entry_link_draft_id", "entry_link", ["draft_id"])


def _entry_code() -> None:
    op.create_table(
        "entry_code",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(code) = 64", name=op.f("ck_entry_code_code_length")),
        sa.CheckConstraint("length(email) = 64", name=op.f("ck_entry_code_email_length")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_entry_code_tries_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_code")),
    )
    op.create_index("ix_entry_code_email", "entry_code", ["email", "id"])


def _letter() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("substr(id, 1, 4) = 'ltr_'", name=op.f("ck_letter_id_prefix")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )


def _upload() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_ref", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_until", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("document_id", sa.Text(), nullable=True),
        sa.CheckConstraint("bytes > 0", name=op.f("ck_upload_bytes_some")),
        sa.CheckConstraint("pieces >= 0", name=op.f("ck_upload_pieces_count")),
        sa.CheckConstraint("received BETWEEN 0 AND bytes", name=op.f("ck_upload_received_within")),
        sa.CheckConstraint("substr(id, 1, 4) = 'upl_'", name=op.f("ck_upload_id_prefix")),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_upload_case_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_upload_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_case_id", "upload", ["case_id"])
    op.create_index("ix_upload_expires_at", "upload", ["expires_at"])
