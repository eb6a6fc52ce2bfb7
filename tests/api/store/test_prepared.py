"""Prepared statements: the same rows, the same errors and the same transactions as SQLAlchemy's own way."""

import random
import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from api.store.database import Database
from api.store.prepared import DIALECTS, Prepared, among, pipelined
from api.store.tables import caller_key
from tests.support.records import NOON

_KEY = Prepared(insert(caller_key))
_KEYS = select(caller_key).order_by(caller_key.c.id)
_FEW = Prepared({name: _KEYS.where(among(name, caller_key.c.id, "its_ids")) for name in DIALECTS})
_OTHERS = Prepared({name: _KEYS.where(~among(name, caller_key.c.id, "its_ids")) for name in DIALECTS})
_BETWEEN = Prepared(
    _KEYS.where(caller_key.c.created_at >= bindparam("moment"), caller_key.c.created_at <= bindparam("moment"))
)


def _key(number: int) -> dict[str, object]:
    dice = random.Random(number)
    later = NOON + timedelta(microseconds=dice.randrange(10**15))
    return {
        "id": f"key_{number:04}", "name": dice.choice(["it's", "%s", ":sought", "ü\u2028"]), "scopes": "apply",
        "secret_sha256": secrets.token_hex(32), "prefix": "cl_dev_", "created_at": later,
        "expires_at": dice.choice([None, later]), "revoked_at": None, "last_used_at": None,
        "development": dice.random() < 0.5,
    }  # fmt: skip


def test_rows_are_those_of_sqlalchemy(database: Database) -> None:
    """Two hundred rows with moments, flags and nulls come out as they went in, and as SQLAlchemy reads them."""
    keys = [_key(number) for number in range(200)]
    with database.transaction() as connection:
        _KEY.send(connection, keys[0])
        _KEY.send_each(connection, keys[1:])
    with database.transaction(read_only=True) as connection:
        found = Prepared(_KEYS).rows(connection, {})
        assert found == [tuple(row) for row in connection.execute(_KEYS)]
    assert found == [tuple(key.values()) for key in keys]
    assert all(type(row[-1]) is bool for row in found)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction."""
    with database.transaction() as opened:
        yield opened


@pytest.mark.parametrize("many", [0, 1, 2, 150])
def test_one_statement_serves_any_number_of_texts(connection: Connection, many: int) -> None:
    """None, one or many: those of them that are there, and all the others."""
    keys = [_key(number) for number in range(150)]
    _KEY.send_each(connection, keys)
    ids = [str(key["id"]) for key in keys[:many]]
    assert [row[0] for row in _FEW.rows(connection, {"its_ids": [*ids, "key_nobody's"]})] == ids
    assert [row[0] for row in _OTHERS.rows(connection, {"its_ids": ids})] == [key["id"] for key in keys[many:]]


def test_one_name_may_stand_in_a_statement_twice(connection: Connection) -> None:
    """Each place gets the value as the column takes it."""
    key = _key(1)
    _KEY.send(connection, key)
    assert [row[0] for row in _BETWEEN.rows(connection, {"moment": key["created_at"]})] == [key["id"]]


def test_errors_are_sqlalchemys_and_tell_no_values(connection: Connection) -> None:
    """A broken constraint is an IntegrityError, a missing table a DBAPIError; neither shows what was to be kept."""
    _KEY.send(connection, _key(1))
    with pytest.raises(IntegrityError) as caught, connection.begin_nested():
        _KEY.send(connection, {**_key(1), "name": "Somebody"})
    assert "Somebody" not in str(caught.value)
    with pytest.raises(DBAPIError), connection.begin_nested():
        Prepared(text("SELECT 1 FROM no_such_table")).rows(connection, {})


def _keep_twice(connection: Connection) -> None:
    with pipelined(connection):
        _KEY.send(connection, _key(1))
        _KEY.send(connection, _key(1))


def test_errors_in_a_pipeline_are_the_same(database: Database) -> None:
    """A constraint that nobody waited for is an IntegrityError at the end of the pipeline, and nothing was kept."""
    with pytest.raises(IntegrityError), database.transaction() as connection:
        _keep_twice(connection)
    with database.transaction(read_only=True) as connection:
        assert Prepared(_KEYS).rows(connection, {}) == []


def test_a_transaction_begins_with_the_first_statement(database: Database) -> None:
    """What was sent outside a begun transaction is committed or rolled back with SQLAlchemy's own."""
    with database.transaction() as connection:
        connection.rollback()
        _KEY.send(connection, _key(1))
        assert connection.in_transaction()
        connection.rollback()
        _KEY.send(connection, _key(2))
    with database.transaction(read_only=True) as connection:
        assert [row[0] for row in Prepared(_KEYS).rows(connection, {})] == ["key_0002"]
