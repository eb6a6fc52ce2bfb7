"""How a moment is kept: UTC microseconds since 1970 in a BIGINT, an aware UTC datetime in Python.

One integer sorts, compares and indexes the same on SQLite, which has no time type, and on PostgreSQL; it has
no zone to lose and no text form to disagree about. It does not keep dates of birth or holidays: those are
dates, not moments.
The rule: a naive datetime never reaches the database.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970; raises ValueError for a datetime without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return (moment - EPOCH) // _MICROSECOND


def moment_of(value: int) -> datetime:
    """The UTC datetime of that many microseconds since 1970, exactly: no binary fraction is on the way."""
    return EPOCH + timedelta(microseconds=value)


class Moment(TypeDecorator[datetime]):
    """A column of moments."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Into the database."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Out of the database."""
        return None if value is None else moment_of(value)
