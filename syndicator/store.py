"""The ledger of one association: one SQLite file, every change whole or not at all.

``Ledger.transact`` is the only way in: it runs a function of a ``Store`` in a thread, inside BEGIN IMMEDIATE … COMMIT, with
``synchronous=FULL``. What is asked for while the disk is busy is written together, each in a SAVEPOINT of its own; nobody hears of a
result before it is on the disk. A transaction that changes nothing writes nothing. ``items.py``, ``outbox.py``,
``problems.py``, ``accounts.py``, ``gathering.py``, ``spending.py``, ``departing.py``, ``moves.py`` and ``recaps.py`` hold what it can do.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from syndicator.accounts import Accounts
from syndicator.departing import Departing
from syndicator.errors import StateError, Words, words
from syndicator.gathering import Gathering
from syndicator.issues import Issues
from syndicator.items import Items
from syndicator.outbox import Outbox
from syndicator.problems import Problems
from syndicator.recap_record import Recaps
from syndicator.schema import Database, migrate
from syndicator.spending import Spending

T = TypeVar("T")


class Store:
    """Everything one transaction may do; only valid inside ``Ledger.transact``."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.items = Items(db)
        self.issues = Issues(db)
        self.accounts = Accounts(db)
        self.outbox = Outbox(db)
        self.problems = Problems(db)
        self.gathering = Gathering(db)
        self.spending = Spending(db)
        self.departing = Departing(db)
        self.recaps = Recaps(db)

    def apart(self, work: Callable[[Store], T]) -> T:
        """``work``, of which nothing stays when it raises; what was done before it in the same transaction does.

        Raises Undone when nothing of that is left either.
        """
        conn = self.db.conn
        conn.execute("savepoint apart")
        try:
            result = work(self)
        except BaseException as error:
            # A full disk has SQLite itself take the whole transaction back.
            if not conn.in_transaction:
                raise Undone(error) from error
            conn.execute("rollback to apart")
            conn.execute("release apart")
            raise
        conn.execute("release apart")
        return result


class Undone(Exception):
    """SQLite took back a whole transaction because of one part of it."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
        super().__init__(str(cause))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Somebody who waits for their work to be on the disk."""

    work: Callable[[Store], Any]
    result: Future[Any]


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Why there is no result."""

    error: BaseException


class Ledger:
    """The file, opened on first use; safe to call from any task."""

    def __init__(self, path: Path, executor: Executor | None = None) -> None:
        self.path = path
        self._executor = executor
        self._db: Database | None = None
        self._lock = threading.Lock()
        self._wishes: deque[Wish] = deque()
        self._writing = False
        """Whether a thread is at work on the wishes."""
        self._turn = threading.Lock()

    async def transact(self, work: Callable[[Store], T]) -> T:
        """``work`` in one transaction, off the event loop; its result once committed.

        Raises StateError when the file cannot be used; then nothing of ``work`` has happened.
        """
        wish = Wish(work=work, result=Future())
        with self._turn:
            self._wishes.append(wish)
            begin, self._writing = not self._writing, True
        if begin:
            try:
                asyncio.get_running_loop().run_in_executor(self._executor, self._grant)
            except BaseException:
                self._give_up()
                raise
        result: T = await asyncio.wrap_future(wish.result)
        return result

    def _give_up(self) -> None:
        """No thread can be had: nobody shall wait for one."""
        with self._turn:
            for wish in self._wishes:
                wish.result.cancel()
            self._wishes.clear()
            self._writing = False

    def _grant(self) -> None:
        """Write until nobody waits; what has come meanwhile goes together."""
        while True:
            with self._turn:
                wishes = [wish for wish in self._wishes if wish.result.set_running_or_notify_cancel()]
                self._wishes.clear()
                if not wishes:
                    self._writing = False
                    return
            for wish, outcome in zip(wishes, self._together(wishes), strict=True):
                if isinstance(outcome, Failed):
                    wish.result.set_exception(outcome.error)
                else:
                    wish.result.set_result(outcome)

    def _together(self, wishes: Sequence[Wish]) -> Sequence[Any]:
        """What came of each, or Failed, once all of it is on the disk. One that fails leaves nothing behind and harms no other."""
        try:
            if len(wishes) == 1:
                return [self.transact_now(wishes[0].work)]
            return self.transact_now(lambda store: [self._tried(store, wish.work) for wish in wishes])
        except BaseException as error:  # noqa: BLE001 - told to whoever waits, all of them
            return [Failed(error=error)] * len(wishes)

    def _tried(self, store: Store, work: Callable[[Store], Any]) -> Any:
        """The result of one of several works, or Failed; raises what made SQLite give up the whole transaction."""
        try:
            return store.apart(work)
        except Undone as error:
            raise error.cause from None
        except sqlite3.Error as error:
            failure = _state_error(self.path, error)
            failure.__cause__ = error
            return Failed(error=failure)
        except BaseException as error:  # noqa: BLE001 - told to the one who asked for it
            return Failed(error=error)

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
