"""A past for a ledger: what years of an association leave in it, cloned inside the database from what was really stored."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_ITEMS = """
with recursive n(i) as (select 1 union all select i + 1 from n where i < :size)
insert into item (source, uid, kind, at, json, hash, revision, incarnation, seq, first, first_seen_at, changed_at)
select source, uid || '#' || i, kind, strftime('%Y-%m-%dT%H:%M:%f000+00:00', :now, '-' || (410 + i * 3600.0 / :size) || ' days'),
       substr(json, 1, 1) || json_set(substr(json, 2), '$.uid', uid || '#' || i, '$.url', uid || '#' || i),
       hash, revision, incarnation, 0, first, first_seen_at, changed_at
from n, (select * from item where source = :source order by uid limit 1)
"""
_DELIVERIES = """
insert into delivery (route, source, uid, destination, purpose, revision, key, state, due_at, created_at, updated_at)
select 'tout', source, uid, :destination, 'create', 1, 'key ' || uid, 'done', at, at, at
from item where source = :source and uid like '%#%'
"""
_RECEIPTS = """
insert into receipt (destination, uid, part, remote_id, url, uri, data, rendition, delivered_at)
select :destination, uid, 0, 'r' || uid, 'https://elsewhere.example/' || uid, null, '{}', '{}', at
from item where source = :source and uid like '%#%'
"""


def grow(database: Path, now: str, size: int, sources: list[str], destination: str) -> None:
    """Give each of ``sources`` ``size`` items more, over ten years, older than any view shows, all of them published at ``destination``."""
    conn = sqlite3.connect(database)
    with conn:
        for source in sources:
            values = {"size": size, "source": source, "now": now, "destination": destination}
            for statement in (_ITEMS, _DELIVERIES, _RECEIPTS):
                conn.execute(statement, values)
    conn.execute("pragma wal_checkpoint(truncate)")
    conn.close()
