"""The database: made at once, or brought up to date by sqlite-utils; the same either way."""

from __future__ import annotations

import re
import sqlite3

import pytest
from sqlite_utils import Database, Migrations

from syndicator import schema


def opened() -> sqlite3.Connection:
    """An empty database, as the ledger opens it."""
    return sqlite3.connect(":memory:", isolation_level=None)


def shape(conn: sqlite3.Connection) -> list[tuple[str, ...]]:
    """Every table and index, without regard to blanks and case."""
    rows = conn.execute("select type, name, tbl_name, coalesce(sql, '') from sqlite_master order by type, name")
    return [(*row[:3], re.sub(r"\s+|(?<=\()\s|\s(?=\))", "", row[3].lower())) for row in rows]


def by_sqlite_utils(conn: sqlite3.Connection) -> Migrations:
    """Every migration, carried out by sqlite-utils from the first on."""
    migrations = Migrations(schema.MIGRATIONS_OF)
    for name, script in schema.MIGRATIONS.items():
        statements = [statement for statement in script.split(";\n") if statement.strip()]

        def step(db: Database, statements: list[str] = statements) -> None:
            for statement in statements:
                db.execute(statement)

        migrations(name=name)(step)
    migrations.apply(Database(conn, execute_plugins=False))
    return migrations


def test_a_new_database_is_what_the_migrations_make() -> None:
    """Made at once or step by step: the same tables, indexes and record, and nothing left to do."""
    made, grown = opened(), opened()
    schema.migrate(made)
    migrations = by_sqlite_utils(grown)

    record = "select id, migration_set, name from _sqlite_migrations"
    assert shape(made) == shape(grown)
    assert made.execute(record).fetchall() == grown.execute(record).fetchall()
    assert migrations.pending(Database(made, execute_plugins=False)) == []


def test_an_old_database_gets_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration added later reaches the databases that there are, once, and the new ones."""
    old = opened()
    schema.migrate(old)
    old.execute("insert into counter (name, value) values ('seq', 7)")
    later = {**schema.MIGRATIONS, "later": "alter table counter add column note text;\ncreate index counter_value on counter (value)"}
    monkeypatch.setattr(schema, "MIGRATIONS", later)
    for _ in range(2):
        schema.migrate(old)
    new = opened()
    schema.migrate(new)

    assert old.execute("select name, value, note from counter").fetchall() == [("seq", 7, None)]
    assert [row[0] for row in old.execute("select name from _sqlite_migrations order by id")] == [*later]
    assert shape(old) == shape(new)


def test_a_database_half_made_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """What interrupts the making leaves an empty file, to be made the next time."""
    conn = opened()
    monkeypatch.setattr(schema, "MIGRATIONS", {**schema.MIGRATIONS, "wrong": "create table item (again text)"})
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(conn)
    assert shape(conn) == []
    monkeypatch.undo()
    schema.migrate(conn)

    assert "item" in {row[1] for row in shape(conn)}
