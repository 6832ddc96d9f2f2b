"""The database of one association: numbered, forward-only migrations, each a name and its SQL.

A new database gets them all at once, with sqlite-utils' record of them; sqlite-utils itself (3 MB) is loaded to bring an old one up
to date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MIGRATIONS_OF = "syndicator"


@dataclass(frozen=True, kw_only=True)
class Database:
    """The open file."""

    conn: sqlite3.Connection


_FIRST = """
create table item (
    source text not null,
    uid text not null,
    kind text not null,
    at text not null,
    json text not null,
    hash text not null,
    revision integer not null,
    incarnation integer not null default 0,
    seq integer not null,
    first integer not null default 0,
    first_seen_at text not null,
    changed_at text not null,
    missing_at text,
    gone_at text,
    primary key (source, uid)
) strict, without rowid;
create index item_seq on item (seq);
create index item_uid on item (uid);
create index item_at on item (at) where gone_at is null;
create index item_source_at on item (source, at) where gone_at is null;
create index item_post on item (source, at) where gone_at is null and kind != 'event';
create index item_missing on item (source, missing_at) where missing_at is not null and gone_at is null;

create table source (
    name text primary key,
    cursor text,
    first_polled_at text not null,
    accept_emptied integer not null default 0
) strict, without rowid;

create table opened (
    route text not null,
    source text not null,
    destination text not null,
    since text not null,
    primary key (route, source, destination)
) strict, without rowid;

create table destination (
    name text primary key,
    paused_until text,
    paused_for text,
    last_sent_at text,
    seen_seq integer not null default 0,
    digest text
) strict, without rowid;

create table delivery (
    id integer primary key,
    route text not null,
    source text not null,
    uid text not null,
    destination text not null,
    purpose text not null,
    revision integer not null,
    part integer not null default 0,
    key text not null,
    state text not null default 'pending' check (state in ('pending', 'sending', 'done', 'parked', 'dropped')),
    due_at text not null,
    attempts integer not null default 0,
    prepared text,
    rendition text,
    first_sent_at text,
    outcome_unknown integer not null default 0,
    reason text not null default '',
    parent_id integer references delivery (id),
    lease_owner text,
    lease_until text,
    created_at text not null,
    updated_at text not null,
    unique (uid, destination, purpose, revision, part)
) strict;
create index delivery_open on delivery (destination, due_at, id) where state in ('pending', 'sending');
create index delivery_state on delivery (state, updated_at) where state = 'parked';
create index delivery_parent on delivery (parent_id) where parent_id is not null;

create table receipt (
    destination text not null,
    uid text not null,
    part integer not null,
    remote_id text not null,
    url text,
    uri text,
    data text not null,
    rendition text not null,
    delivered_at text not null,
    deleted_at text,
    primary key (destination, uid, part)
) strict, without rowid;
create index receipt_url on receipt (url) where url is not null;
create index receipt_uri on receipt (uri) where uri is not null;

create table problem (
    subject text primary key,
    kind text not null,
    detail text not null,
    hint text not null,
    since text not null,
    told_at text
) strict, without rowid;

create table counter (name text primary key, value integer not null) strict, without rowid;
"""

_MEDIA = """
create table gathering (delivery_id integer primary key, tries integer not null, since text not null) strict
"""

_SPENDING = """
create table charge (
    id integer primary key,
    delivery_id integer not null,
    destination text not null,
    mills integer not null,
    at text not null
) strict;
create index charge_at on charge (destination, at);
create index charge_delivery on charge (delivery_id);
alter table destination add column budget integer
"""

_EXPIRY = """
create table expiry (account text primary key, at text not null) strict, without rowid
"""

_DEPARTED = """
alter table destination add column departed_at text
"""

_NOTES = """
create table receipt_with_notes (
    destination text not null,
    uid text not null,
    purpose text not null,
    revision integer not null,
    part integer not null,
    remote_id text not null,
    url text,
    uri text,
    data text not null,
    rendition text not null,
    delivered_at text not null,
    deleted_at text,
    primary key (destination, uid, purpose, revision, part)
) strict, without rowid;
insert into receipt_with_notes
    select destination, uid, 'create', 0, part, remote_id, url, uri, data, rendition, delivered_at, deleted_at from receipt;
drop table receipt;
alter table receipt_with_notes rename to receipt;
create index receipt_url on receipt (url) where url is not null;
create index receipt_uri on receipt (uri) where uri is not null
"""
"""``purpose`` and ``revision`` of a receipt: ``create`` and 0 for the item itself, ``announce-change`` and the item's revision for a note
that told of an edit, ``gone`` and the number of the delivery that removed it for what is there no more."""

_PURPOSES = """
alter table delivery add column told text;
alter table receipt add column told text;
alter table receipt add column announced text;
create table previous (
    source text not null,
    uid text not null,
    json text not null,
    moved_at text not null,
    primary key (source, uid)
) strict, without rowid;
create table recap (destination text not null, name text not null, made_at text not null, primary key (destination, name)) strict,
    without rowid
"""
"""``told``: the facts of an event as what leaves, or is there, says them; ``announced``: as readers were told of it when it was posted,
which a correction in place does not change. ``previous``: an event before its date last changed."""

_NEWSLETTERS = """
create table issue (
    newsletter text not null,
    until_at text not null,
    since_at text not null,
    state text not null,
    editorial text not null default '',
    verdict text not null default '',
    made_at text not null,
    primary key (newsletter, until_at)
) without rowid;
create table told (
    newsletter text not null,
    uid text not null,
    until_at text not null,
    primary key (newsletter, uid, until_at)
) without rowid
"""

_REVIEWS = """
create table review (
    newsletter text not null,
    until_at text not null,
    presses integer not null default 0,
    mailed_at text,
    decided_at text,
    edited integer not null default 0,
    primary key (newsletter, until_at)
) without rowid
"""
"""What a person who reads an issue first was sent, and pressed: ``presses`` counts, so that no form counts twice."""

MIGRATIONS: Mapping[str, str] = {
    "first": _FIRST,
    "media": _MEDIA,
    "spending": _SPENDING,
    "expiry": _EXPIRY,
    "departed": _DEPARTED,
    "notes": _NOTES,
    "purposes": _PURPOSES,
    "newsletters": _NEWSLETTERS,
    "reviews": _REVIEWS,
}
"""In the order in which they came to be. One that was ever released is never changed."""

_RECORD = """
create table "_sqlite_migrations" ("id" integer primary key, "migration_set" text, "name" text, "applied_at" text);
create unique index "idx__sqlite_migrations_migration_set_name" on "_sqlite_migrations" ("migration_set", "name")
"""
"""Where sqlite-utils notes what was done (sqlite_utils/migrations.py, ``ensure_migrations_table``)."""


def migrate(conn: sqlite3.Connection) -> None:
    """Bring a database of any age to the present."""
    if _is_new(conn):
        conn.execute("begin immediate")
        try:
            _create(conn)
        except BaseException:
            if conn.in_transaction:  # a full disk has SQLite itself take it back
                conn.execute("rollback")
            raise
        conn.execute("commit")
    if not MIGRATIONS.keys() <= _applied(conn):
        _upgrade(conn)


def _is_new(conn: sqlite3.Connection) -> bool:
    return conn.execute("select 1 from sqlite_master limit 1").fetchone() is None


def _create(conn: sqlite3.Connection) -> None:
    """Everything at once, in the caller's transaction."""
    if not _is_new(conn):  # another process was faster
        return
    _carry_out(_RECORD, conn)
    for name, script in MIGRATIONS.items():
        _carry_out(script, conn)
        conn.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values (?, ?, strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))",
            (MIGRATIONS_OF, name),
        )


def _applied(conn: sqlite3.Connection) -> set[str]:
    """Names of the migrations that this database has had."""
    if conn.execute("select 1 from sqlite_master where name = '_sqlite_migrations'").fetchone() is None:
        return set()
    return {row[0] for row in conn.execute("select name from _sqlite_migrations where migration_set = ?", (MIGRATIONS_OF,))}


def _upgrade(conn: sqlite3.Connection) -> None:
    import sqlite_utils

    migrations = sqlite_utils.Migrations(MIGRATIONS_OF)
    for name, script in MIGRATIONS.items():
        migrations(name=name)(_step(script))
    migrations.apply(sqlite_utils.Database(conn, execute_plugins=False))


def _step(script: str) -> Callable[[Any], None]:
    def step(db: Any) -> None:
        _carry_out(script, db)

    return step


def _carry_out(script: str, db: Any) -> None:
    """Each statement of a script, in the caller's transaction (``executescript`` would end it)."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
