"""Statements of the decision's path: compiled once for each kind of database, run on the driver's own connection.

SQLAlchemy writes the SQL and says how each value goes in and comes out; what it does around every single execution
(contexts, events, result objects) costs ten times what the driver does, and is left out. On PostgreSQL statements
inside `pipelined` go out without waiting; whoever wants rows waits for them, and that is one round trip for all that
was sent until then. It does not know tables.
The rule: errors are the same SQLAlchemy errors as everywhere else, so that the store judges them alike.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Insert,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator, TypeEngine

Process = Callable[[Any], Any]
Values = Mapping[str, Any]
DIALECTS = ("sqlite", "postgresql")
_NAMED = sqlite.dialect(paramstyle="named")


@dataclass(frozen=True, slots=True)
class _Plan:
    """One statement for one dialect: its text, what each value goes through, and what each column comes through."""

    sql: str
    fixed: Values
    bind: tuple[tuple[str, Process], ...]
    result: tuple[tuple[int, Process], ...]


class Prepared:
    """A statement, or one for each dialect by name; an INSERT takes the columns that its first values name."""

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._plans: dict[str, _Plan] = {}

    def send(self, connection: Connection, values: Values) -> "Sent":
        """Run it; inside `pipelined` on PostgreSQL nobody has waited for it yet."""
        plan = self._plan(connection.dialect, values)
        with _driven(connection, plan.sql) as driver:
            return Sent(connection, plan, driver.execute(plan.sql, _bound(plan, values)))

    def rows(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """Run it and wait for its rows."""
        return self.send(connection, values).rows()

    def first(self, connection: Connection, values: Values) -> tuple[Any, ...] | None:
        """Run it and wait for its first row, if there is any."""
        return next(iter(self.rows(connection, values)), None)

    def send_each(self, connection: Connection, values: Sequence[Values]) -> None:
        """Run it once for each of these values."""
        if not values:
            return
        plan = self._plan(connection.dialect, values[0])
        with _driven(connection, plan.sql) as driver:
            driver.cursor().executemany(plan.sql, [_bound(plan, each) for each in values])

    def _plan(self, dialect: Dialect, values: Values) -> _Plan:
        plan = self._plans.get(dialect.name)
        if plan is None:
            statement = self._statement
            if isinstance(statement, Mapping):
                statement = statement[dialect.name]
            plan = self._plans[dialect.name] = _planned(statement, dialect, values)
        return plan


class Sent:
    """A statement on its way."""

    __slots__ = ("_connection", "_cursor", "_plan")

    def __init__(self, connection: Connection, plan: _Plan, cursor: Any) -> None:
        self._connection, self._plan, self._cursor = connection, plan, cursor

    def rows(self) -> list[tuple[Any, ...]]:
        """Its rows, once they are there."""
        with _driven(self._connection, self._plan.sql):
            rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        if not self._plan.result or not rows:
            return rows
        return [_read(row, self._plan.result) for row in rows]


class _Texts(TypeDecorator[Sequence[str]]):
    """Several texts as one value: an array on PostgreSQL, JSON on SQLite; so one statement serves any number."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database takes it for."""
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        """Into the database."""
        return list(value or ()) if dialect.name == "postgresql" else json.dumps(list(value or ()))


def among(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether a column is one of the texts that come under this name."""
    texts = bindparam(name, type_=_Texts())
    if dialect == "postgresql":
        return column == any_(texts)
    return column.in_(select(func.json_each(texts).table_valued("value").c.value))


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """Let statements be sent without waiting, on PostgreSQL; only prepared ones, and all are answered at the end."""
    if connection.dialect.name != "postgresql":
        yield
        return
    with _driven(connection, "pipeline") as driver, driver.pipeline():
        yield


@contextmanager
def _driven(connection: Connection, sql: str) -> Iterator[Any]:
    """The driver's connection, inside a transaction that SQLAlchemy knows of; its errors become SQLAlchemy's."""
    if not connection.in_transaction():
        connection.begin()
    with driver_of(connection, sql) as driver:
        yield driver


@contextmanager
def driver_of(connection: Connection, sql: str) -> Iterator[Any]:
    """The driver's connection as it is; its errors become SQLAlchemy's."""
    driver = connection.connection.dbapi_connection
    base: type[Exception] = connection.dialect.loaded_dbapi.Error
    try:
        yield driver
    except base as error:
        lost = connection.dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(sql, None, error, base, True, lost, connection.dialect) from error


def _planned(statement: Executable, dialect: Dialect, values: Values) -> _Plan:
    """Compile a statement; what is in it already is made ready for the driver once."""
    named = _NAMED if dialect.name == "sqlite" else dialect
    keys = list(values) if isinstance(statement, Insert) else None
    compiled: Any = statement.compile(dialect=named, column_keys=keys)  # type: ignore[attr-defined]
    bind: dict[str, Process] = {}
    fixed: dict[str, Any] = {}
    for parameter, name in compiled.bind_names.items():
        process = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        if name not in values:
            fixed[name] = parameter.effective_value if process is None else process(parameter.effective_value)
        elif process is not None:
            bind[name] = process
    result = []
    for place, column in enumerate(getattr(statement, "exported_columns", ())):
        # Everything else comes from both drivers as it is wanted.
        if isinstance(column.type, TypeDecorator | Boolean):
            process = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if process is not None:
                result.append((place, process))
    return _Plan(str(compiled), fixed, tuple(bind.items()), tuple(result))


def _bound(plan: _Plan, values: Values) -> dict[str, Any]:
    bound = {**plan.fixed, **values}
    for name, process in plan.bind:
        bound[name] = process(bound[name])
    return bound


def _read(row: tuple[Any, ...], result: tuple[tuple[int, Process], ...]) -> tuple[Any, ...]:
    told = list(row)
    for place, process in result:
        told[place] = process(told[place])
    return tuple(told)
