"""Who has had an issue: one row a reader, on the disk before a letter leaves and after it was taken.

A reader whose letter was under way when the power went may have it or not: they are never written to again for this issue, since nobody
shall get it twice, and are counted for a person to see.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from connectors.mail.message import Written

TRIES_MAX = 12
_SCHEMA = """
create table if not exists letter (key text primary key, json text not null);
create table if not exists reader (
    number integer primary key, address text not null unique, state text not null default 'waiting',
    tries integer not null default 0, again_at text, answer text not null default ''
);
create index if not exists waiting on reader (state, again_at, number);
"""


class Roll:
    """The readers of one issue; used by one task, from whatever thread it sends its work to."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.executescript(_SCHEMA)

    def begin(self, written: Written, readers: Iterable[str]) -> Written:
        """Fix the letter and its readers, the first time; afterwards what was fixed then. What was under way is from now on unknown."""
        self._db.execute("begin immediate")
        row = self._db.execute("select json from letter where key = ?", (written.key,)).fetchone()
        if row is None:
            entry = {**asdict(written), "written_at": written.written_at.isoformat()}
            self._db.execute("insert into letter values (?, ?)", (written.key, json.dumps(entry)))
            self._db.executemany("insert or ignore into reader (address) values (?)", [(reader,) for reader in readers])
            self._db.execute("commit")
            return written
        self._db.execute("update reader set state = 'unknown' where state = 'sending'")
        self._db.execute("commit")
        entry = json.loads(row[0])
        return Written(**{**entry, "written_at": datetime.fromisoformat(entry["written_at"])})

    def next(self, now: datetime) -> str | None:
        """The reader whose turn it is."""
        row = self._db.execute(
            "select address from reader where state = 'waiting' and (again_at is null or again_at <= ?) order by number limit 1",
            (now.isoformat(),),
        ).fetchone()
        return None if row is None else str(row[0])

    def next_at(self) -> datetime | None:
        """When one of those who could not be had is to be tried again."""
        row = self._db.execute("select min(again_at) from reader where state = 'waiting'").fetchone()
        return datetime.fromisoformat(row[0]) if row[0] else None

    def sending(self, reader: str) -> None:
        """Before their letter leaves."""
        self._db.execute("update reader set state = 'sending', tries = tries + 1 where address = ?", (reader,))

    def settle(self, reader: str, state: str, answer: str = "") -> None:
        """``sent``, ``refused`` or ``unknown``, for good."""
        self._db.execute("update reader set state = ?, answer = ? where address = ?", (state, answer, reader))

    def later(self, reader: str, now: datetime, answer: str) -> None:
        """Try again after a while, longer each time; after two days they are given up."""
        tries = int(self._db.execute("select tries from reader where address = ?", (reader,)).fetchone()[0])
        if tries >= TRIES_MAX:
            self.settle(reader, "refused", answer)
            return
        again_at = now + min(timedelta(minutes=10) * 2 ** (tries - 1), timedelta(hours=6))
        self._db.execute(
            "update reader set state = 'waiting', again_at = ?, answer = ? where address = ?", (again_at.isoformat(), answer, reader)
        )

    def back(self, reader: str) -> None:
        """It surely did not leave, and no fault of theirs."""
        self._db.execute("update reader set state = 'waiting', tries = tries - 1 where address = ?", (reader,))

    def counts(self) -> Mapping[str, int]:
        """How many readers are in each state."""
        return dict(self._db.execute("select state, count(*) from reader group by state").fetchall())

    def refused(self) -> list[tuple[str, str]]:
        """Who could not be had, and the server's code."""
        return list(self._db.execute("select address, answer from reader where state = 'refused' order by number").fetchall())

    def close(self) -> None:
        """Give the file back."""
        self._db.close()


def is_complete(counts: Mapping[str, int]) -> bool:
    """Whether nobody is left to be written to."""
    return bool(counts) and not counts.get("waiting") and not counts.get("sending")
