"""The database of one association: numbered, forward-only migrations."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("syndicator")

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


@migrations()
def first(db: Database) -> None:
    """Items, cursors, the outbox, receipts, problems."""
    for statement in _FIRST.split(";\n"):
        if statement.strip():
            db.execute(statement)


def migrate(db: Database) -> None:
    """Bring a database of any age to the present."""
    migrations.apply(db)
