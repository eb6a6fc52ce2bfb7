"""Tables of applicants on the web: their visits, what they have typed so far, and the letters that let them in.

What a person typed, and where a letter goes, is sealed; e-mail addresses are found by a keyed digest. A draft that is
over loses what it held; its row stays, so that a link that comes too late is told so.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from api.store.moment import Moment
from api.store.tables.base import counter, digest, metadata, prefixed

applicant = Table(
    "applicant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),  # a keyed digest
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("email"),
    digest("email"),
    prefixed("apl_"),
)

draft = Table(
    "draft",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sealed", LargeBinary),  # the answers so far; none once the draft is over
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("sent_key", Text),  # under which it was sent; while there is one nothing of it changes
    Column("application_id", Text, ForeignKey("application.id")),  # what it became
    UniqueConstraint("application_id"),
    UniqueConstraint("sent_key"),
    prefixed("drf_"),
    CheckConstraint("version >= 1", "version_counts"),
    Index("ix_draft_expires_at", "expires_at"),
)

visit = Table(
    "visit",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the cookie's token
    Column("csrf", Text, nullable=False),
    Column("applicant_id", Text, ForeignKey("applicant.id")),  # who has shown that an address is theirs
    Column("draft_id", Text, ForeignKey("draft.id")),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("ended_at", Moment),
    digest("sha256"),
    CheckConstraint("ends_at > created_at", "ends_later"),
    Index("ix_visit_ends_at", "ends_at"),
)

holding = Table(
    "holding",
    metadata,
    Column("applicant_id", Text, ForeignKey("applicant.id"), nullable=False),
    Column("application_id", Text, ForeignKey("application.id"), nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("applicant_id", "application_id"),
    Index("ix_holding_application_id", "application_id"),
)

entry_link = Table(
    "entry_link",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the link's token
    Column("purpose", Text, nullable=False),  # 'resume' a draft; 'confirm' what was stated of one; 'sign' the contract
    Column("draft_id", Text, ForeignKey("draft.id")),
    Column("application_id", Text, ForeignKey("application.id")),
    Column("person_ref", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    digest("sha256"),
    CheckConstraint("purpose IN ('resume', 'confirm', 'sign')", "purpose"),
    CheckConstraint("(purpose = 'resume') = (draft_id IS NOT NULL)", "resume_names_draft"),
    CheckConstraint(
        "(purpose <> 'resume') = (application_id IS NOT NULL AND person_ref IS NOT NULL)", "others_name_person"
    ),
    Index("ix_entry_link_draft_id", "draft_id"),
    Index("ix_entry_link_application_id", "application_id"),
)

entry_code = Table(
    "entry_code",
    metadata,
    Column("id", counter, primary_key=True),
    Column("email", Text, nullable=False),  # a keyed digest
    Column("code", Text, nullable=False),  # a keyed digest of the code with that of the address
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("used_at", Moment),
    digest("email"),
    digest("code"),
    CheckConstraint("tries >= 0", "tries_count"),
    Index("ix_entry_code_email", "email", "id"),
)

letter = Table(
    "letter",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sealed", LargeBinary),  # address, subject and text; none once it was sent or is too late
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    prefixed("ltr_"),
)

# A file that comes piece by piece over a bad line; the pieces are in storage, sealed, under this id and their number.
upload = Table(
    "upload",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("verification_case.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("person_ref", Text),
    Column("media_type", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("pieces", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("taken_until", Moment),  # somebody is taking it in, whole
    Column("done_at", Moment),
    Column("document_id", Text, ForeignKey("document.id")),
    prefixed("upl_"),
    CheckConstraint("bytes > 0", "bytes_some"),
    CheckConstraint("received BETWEEN 0 AND bytes", "received_within"),
    CheckConstraint("pieces >= 0", "pieces_count"),
    Index("ix_upload_case_id", "case_id"),
    Index("ix_upload_expires_at", "expires_at"),
)
