"""Tables of the lender's staff: who they are, how they sign in, and their sessions.

Secrets are kept as hashes, or sealed where they must be read again (a one-time code's seed). Nobody is ever deleted:
who acted stays known.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from api.store.moment import Moment
from api.store.tables.base import counter, digest, metadata, prefixed

staff = Table(
    "staff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False),  # lower case
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False),  # words with single spaces between, sorted
    Column("password_hash", Text),  # none until enrolled
    Column("totp_sealed", LargeBinary),
    Column("totp_last_step", BigInteger),  # a one-time code works once
    Column("totp_pending", LargeBinary),  # sealed as well: a seed that was shown and not yet confirmed
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("enrolled_at", Moment),
    Column("disabled_at", Moment),
    Column("demo", Boolean, nullable=False),  # refused outside development
    UniqueConstraint("login"),
    prefixed("stf_"),
    CheckConstraint("login = lower(login)", "login_lower"),
    CheckConstraint("enrolled_at IS NULL OR password_hash IS NOT NULL", "enrolled_with_password"),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", Text, primary_key=True),  # the credential's own, base64url
    Column("staff_id", Text, ForeignKey("staff.id"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Index("ix_passkey_staff_id", "staff_id"),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("staff_id", Text, ForeignKey("staff.id"), nullable=False),
    Column("used_at", Moment),
    digest("sha256"),
    Index("ix_recovery_code_staff_id", "staff_id"),
)

enrolment = Table(
    "enrolment",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the link's token
    Column("staff_id", Text, ForeignKey("staff.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    digest("sha256"),
    Index("ix_enrolment_staff_id", "staff_id"),
)

staff_session = Table(
    "staff_session",
    metadata,
    Column("sha256", Text, primary_key=True),  # of the cookie's token
    Column("staff_id", Text, ForeignKey("staff.id"), nullable=False),
    Column("stage", Text, nullable=False),  # 'password' until the second factor was shown
    Column("csrf", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("challenge", Text),  # of a passkey ceremony under way
    digest("sha256"),
    CheckConstraint("stage IN ('password', 'full')", "stage"),
    CheckConstraint("ends_at > created_at", "ends_later"),
    Index(
        "ix_staff_session_staff_id", "staff_id",
        sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
    ),
)  # fmt: skip

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", counter, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("login", Text, nullable=False),  # a keyed digest: unknown ones may be anybody's
    Column("address", Text, nullable=False),  # a keyed digest
    Column("failures", Integer, nullable=False),  # 0 for a success
    digest("login"),
    digest("address"),
    Index("ix_sign_in_login", "login", "at"),
    Index("ix_sign_in_address", "address", "at"),
)
