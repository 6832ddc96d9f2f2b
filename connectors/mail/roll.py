"""Who has had an issue: one row a reader, on the disk before a letter leaves and after it was taken.

A reader whose letter was under way when the power went may have it or not: they are never written to again for this issue, since nobody
shall get it twice, and are counted for a person to see.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from connectors.mail.message import Written
from syndicator.errors import Rejected, Transient, words

TRIES_MAX = 12
KEPT = timedelta(days=60)
"""How long it is remembered who had an issue: longer than any issue may be under way."""
_FULL = words(
    fr="Le disque est plein ou ne se laisse pas écrire : faites de la place, la lettre reprendra où elle en est.",
    en="The disk is full or cannot be written: make room, and the letter goes on where it is.",
)
_DAMAGED = words(
    fr="La liste de qui a déjà reçu ce numéro est abîmée : nous ne l'enverrons pas une seconde fois sans vous. Si vous la retirez du "
    "dossier, le numéro renvoyé partira à tout le monde.",
    en="The roll of who has had this issue is damaged: we do not send it again without you. If you remove it from its folder, the issue "
    "sent again goes to everybody.",
)
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
        try:
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=full")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

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

    def keep(self, readers: Collection[str]) -> None:
        """Whoever of those waiting is not among ``readers`` any more has left; who is again, waits again."""
        there = {reader.lower() for reader in readers}
        rows = self._db.execute("select address, state from reader where state in ('waiting', 'left')").fetchall()
        moved = [(new, address) for address, state in rows if (new := "waiting" if address.lower() in there else "left") != state]
        if moved:
            self._db.execute("begin immediate")
            self._db.executemany("update reader set state = ? where address = ?", moved)
            self._db.execute("commit")

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
        """Before their letter leaves: the server has said yes to their address."""
        self._db.execute("update reader set state = 'sending' where address = ?", (reader,))

    def settle(self, reader: str, state: str, answer: str = "") -> None:
        """``sent``, ``refused`` or ``unknown``, for good."""
        self._db.execute("update reader set state = ?, answer = ? where address = ?", (state, answer, reader))

    def later(self, reader: str, now: datetime, answer: str) -> None:
        """Try again after a while, longer each time; after two days they are given up."""
        tries = 1 + int(self._db.execute("select tries from reader where address = ?", (reader,)).fetchone()[0])
        if tries >= TRIES_MAX:
            self.settle(reader, "refused", answer)
            return
        again_at = now + min(timedelta(minutes=10) * 2 ** (tries - 1), timedelta(hours=6))
        self._db.execute(
            "update reader set state = 'waiting', tries = ?, again_at = ?, answer = ? where address = ?",
            (tries, again_at.isoformat(), answer, reader),
        )

    def back(self, reader: str) -> None:
        """It surely did not leave, and no fault of theirs."""
        self._db.execute("update reader set state = 'waiting' where address = ?", (reader,))

    def reopen(self) -> None:
        """Nobody could be had, so it was not their fault: all of them wait again."""
        self._db.execute("update reader set state = 'waiting', tries = 0, again_at = null where state = 'refused'")

    def counts(self) -> Mapping[str, int]:
        """How many readers are in each state."""
        return dict(self._db.execute("select state, count(*) from reader group by state").fetchall())

    def close(self) -> None:
        """Give the file back."""
        self._db.close()


def is_complete(counts: Mapping[str, int]) -> bool:
    """Whether nobody is left to be written to."""
    return bool(counts) and not counts.get("waiting") and not counts.get("sending")


@contextmanager
def in_plain_words(path: Path) -> Iterator[None]:
    """What SQLite says of the disk, as our errors. A letter that had left is then one whose outcome is unknown, by the roll itself."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Transient(f"{path}: {error}", hint=_FULL) from error
    except sqlite3.DatabaseError as error:
        raise Rejected(f"{path}: {error}", hint=_DAMAGED) from error


def forget_old(folder: Path, now: datetime) -> None:
    """Remove the rolls of issues that everybody had long ago: they are lists of people."""
    for path in folder.glob("*.db"):
        with suppress(OSError, sqlite3.Error):
            if now.timestamp() - path.stat().st_mtime < KEPT.total_seconds():
                continue
            with closing(sqlite3.connect(path, timeout=1)) as db:
                left = db.execute("select count(*) from reader where state in ('waiting', 'sending')").fetchone()[0]
            if not left:
                for part in ("-wal", "-shm", ""):
                    path.with_name(path.name + part).unlink(missing_ok=True)
