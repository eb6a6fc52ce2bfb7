"""What every table is made with: one metadata, names of constraints, checks that many tables share."""

from sqlalchemy import BigInteger, CheckConstraint, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite counts up by itself only in a column called INTEGER; its integers have 64 bits either way.
counter = BigInteger().with_variant(Integer, "sqlite")


def prefixed(prefix: str, column: str = "id") -> CheckConstraint:
    """An id of ours begins with the word of what it names."""
    return CheckConstraint(f"substr({column}, 1, {len(prefix)}) = '{prefix}'", f"{column}_prefix")


def digest(column: str) -> CheckConstraint:
    """A SHA-256 in hexadecimal."""
    return CheckConstraint(f"length({column}) = 64", f"{column}_length")
