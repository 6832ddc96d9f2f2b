"""The ledger of one association: one SQLite file, every change in a transaction of its own.

``Ledger.transact`` is the only way in: it runs a function of a ``Store`` in a thread, inside BEGIN IMMEDIATE … COMMIT, with
``synchronous=FULL``. A transaction that changes nothing writes nothing. ``items.py``, ``outbox.py``,
``problems.py``, ``accounts.py``, ``gathering.py``, ``spending.py`` and ``departing.py`` hold what it can do.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from syndicator.accounts import Accounts
from syndicator.departing import Departing
from syndicator.errors import StateError, Words, words
from syndicator.gathering import Gathering
from syndicator.items import Items
from syndicator.outbox import Outbox
from syndicator.problems import Problems
from syndicator.schema import Database, migrate
from syndicator.spending import Spending

T = TypeVar("T")


class Store:
    """Everything one transaction may do; only valid inside ``Ledger.transact``."""

    def __init__(self, db: Database) -> None:
        self.items = Items(db)
        self.accounts = Accounts(db)
        self.outbox = Outbox(db)
        self.problems = Problems(db)
        self.gathering = Gathering(db)
        self.spending = Spending(db)
        self.departing = Departing(db)


class Ledger:
    """The file, opened on first use; safe to call from any task."""

    def __init__(self, path: Path, executor: Executor | None = None) -> None:
        self.path = path
        self._executor = executor
        self._db: Database | None = None
        self._lock = threading.Lock()

    async def transact(self, work: Callable[[Store], T]) -> T:
        """``work`` in one transaction, off the event loop; its result once committed.

        Raises StateError when the file cannot be used; then nothing of ``work`` has happened.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.transact_now, work)

    def transact_now(self, work: Callable[[Store], T]) -> T:
        """``transact`` for callers without an event loop."""
        with self._lock:
            try:
                db = self._open()
                db.conn.execute("begin immediate")
                try:
                    result = work(Store(db))
                except BaseException:
                    self._roll_back()
                    raise
                db.conn.execute("commit")
            except sqlite3.Error as error:
                self._roll_back()
                raise _state_error(self.path, error) from error
            return result

    def _roll_back(self) -> None:
        # A full disk has SQLite itself take the transaction back.
        if self._db is not None and self._db.conn.in_transaction:
            self._db.conn.execute("rollback")

    def _open(self) -> Database:
        if self._db is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            except OSError as error:
                raise StateError(f"{self.path}: {error}", hint=_UNWRITABLE) from error
            try:
                _set_up(connection)
            except BaseException:
                connection.close()
                raise
            self._db = Database(conn=connection)
        return self._db

    def examine(self) -> None:
        """Read the file through, changing nothing; raises StateError when it cannot be used. Nothing to say where there is none yet."""
        if not self.path.exists():
            return
        try:
            connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
            try:
                said = connection.execute("pragma quick_check(1)").fetchone()[0]
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise _state_error(self.path, error) from error
        if said != "ok":
            raise StateError(f"{self.path}: {said}", hint=_DAMAGED)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.conn.close()
                self._db = None


def _set_up(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", "busy_timeout=10000", "cache_size=-512"):
        connection.execute(f"pragma {pragma}")
    migrate(connection)


_FULL: Words = words(
    fr="Le disque est plein : libérez de la place. Rien n'est perdu, tout reprendra ensuite.",
    en="The disk is full: free some space. Nothing is lost, everything goes on afterwards.",
)
_DAMAGED: Words = words(
    fr="La base de données est abîmée : arrêtez le service, remettez en place une sauvegarde de ce fichier, puis redémarrez.",
    en="The database is damaged: stop the service, put a backup of this file back, then start again.",
)
_UNWRITABLE: Words = words(
    fr="Le service ne peut pas écrire ici : vérifiez le propriétaire et les droits de ce dossier.",
    en="The service cannot write here: check the owner and the permissions of this folder.",
)
_BUSY: Words = words(
    fr="Un autre programme garde la base de données ouverte : fermez-le.",
    en="Another program keeps the database locked: close it.",
)
_ADVICE = {
    "SQLITE_FULL": _FULL,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_READONLY": _UNWRITABLE,
    "SQLITE_CANTOPEN": _UNWRITABLE,
    "SQLITE_PERM": _UNWRITABLE,
    "SQLITE_IOERR": _FULL,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
}


def _state_error(path: Path, error: sqlite3.Error) -> StateError:
    name = getattr(error, "sqlite_errorname", "") or ""
    primary = "_".join(name.split("_")[:2])
    return StateError(f"{path}: {error} ({name})", hint=_ADVICE.get(primary, _DAMAGED if not name else None))
