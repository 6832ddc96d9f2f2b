"""To readers of ours: one letter each, at a chosen pace, taken up again where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from connectors.mail import file
from connectors.mail.door import Door
from connectors.mail.left import Left
from connectors.mail.line import REFUSED_HINT, AddressLater, AddressRefused, LetterRefused, Line
from connectors.mail.message import Written, message_id, to_reader
from connectors.mail.options import ToReaders, address_of
from connectors.mail.pace import Pace
from connectors.mail.roll import Roll, forget_old, in_plain_words, is_complete
from syndicator.contract import Context, Limits
from syndicator.errors import AuthExpired, NotReady, OutcomeUnknown, Rejected, Transient, Words, words
from syndicator.model import Receipt, Rendition

LIMITS = Limits(kinds=frozenset({"digest"}), letter=True, title_max=150)
TURN_S = 40.0
"""How long one call writes to readers: then others have their turn."""
LAST_LETTER_S = 5.0
"""How long the letter under way may still take when the daemon stops."""
LETTERS_REFUSED = 5
"""So many letters refused for what they say, one after the other, and none taken: it is the letter, not the readers."""
ADDRESSES_REFUSED = 20
LATER_IN_A_ROW = 10
"""So many put off, one after the other: the server is busy, or we have had our share of it for now."""
UNKNOWN_IN_A_ROW = 3
"""So many answers lost, one after the other: each costs a reader the letter, perhaps, so a person looks first."""
REST = timedelta(minutes=10)
NOBODY_HINT = words(
    fr="Le serveur de courriel n'a pris cette lettre pour personne : vérifiez sender et le fichier des abonnés, demandez-lui pourquoi, "
    "puis renvoyez-la.",
    en="The mail server took this letter for nobody: check sender and the readers' file, ask its keepers why, then send it again.",
)
LOST_HINT = words(
    fr="Le serveur de courriel coupe la ligne sans dire s'il a pris les lettres : voyez avec ses responsables, puis renvoyez ; l'envoi "
    "reprendra où il en est.",
    en="The mail server cuts the line without saying whether it took the letters: ask its keepers, then send it again to go on.",
)
Came = Literal["taken", "later", "refused", "letter-refused", "unknown"]


@dataclass(kw_only=True)
class Row:
    """What came of the last letters, one after the other."""

    came: Came = "taken"
    readers: list[str] = field(default_factory=list)

    def add(self, reader: str, came: Came) -> None:
        """One more; another outcome begins anew, but a refusal is a refusal."""
        alike = came == self.came or {came, self.came} == {"refused", "letter-refused"}
        self.readers = [*self.readers, reader] if alike else [reader]
        self.came = came


def both(one: Words | None, other: Words | None) -> Words | None:
    """Two things that a person should know."""
    if one is None or other is None:
        return one or other
    return words(fr=f"{one['fr']} {other['fr']}", en=f"{one['en']} {other['en']}")


class MailPublisher:
    """Sends issues of a newsletter by SMTP."""

    Options: ClassVar[type[ToReaders]] = ToReaders
    limits: Limits = LIMITS

    def __init__(self, options: ToReaders, context: Context) -> None:
        self._options = options
        self._context = context
        self.account = address_of(options.sender)
        self.remark: Words | None = None
        self._line = Line(options, context.http.allow_private)
        self._left = Left(context.state_dir)
        self._door = Door(options, context, self._left)
        self._pace = Pace(context.state_dir / "pace.json", options.per_minute)

    async def open(self) -> None:
        """Log in, and see that there are readers, and a way out for them. Raises Transient, AuthExpired, Rejected."""
        self._door.check()
        told = (await asyncio.to_thread(file.read, self._options.readers)).remark
        await self._door.look()
        self.remark = both(told, self._door.remark)
        await asyncio.to_thread(forget_old, self._context.state_dir, self._context.now())
        await self._line.open()

    async def close(self) -> None:
        """Hang up."""
        await self._line.close()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002 - letters answer nothing
        """Write to everybody, in turns: raises NotReady until each has been written to."""
        path = self._path(key)
        await self._door.look(first=True)
        with in_plain_words(path):
            readers = await asyncio.to_thread(file.read, self._options.readers)
            roll = await asyncio.to_thread(Roll, path)
            try:
                written = await asyncio.to_thread(self._begin, roll, rendition, key, readers.addresses)
                if not is_complete(roll.counts()):
                    await self._turn(written, roll)
                return await asyncio.to_thread(self._receipt, key, roll)
            finally:
                roll.close()

    def _begin(self, roll: Roll, rendition: Rendition, key: str, readers: tuple[str, ...]) -> Written:
        left = self._left.among(readers)
        staying = [reader for reader in readers if reader not in left]
        written = roll.begin(Written.of(rendition, key, self._context.now()), staying)
        roll.keep(staying)
        return written

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the key is enough
        """Whether every reader has been written to. None: there are some left, and ``publish`` goes on with them."""
        path = self._path(key)
        if not path.exists():
            return None
        with in_plain_words(path):
            roll = await asyncio.to_thread(Roll, path)
            try:
                complete = is_complete(await asyncio.to_thread(roll.counts))
                return await asyncio.to_thread(self._receipt, key, roll) if complete else None
            finally:
                roll.close()

    async def _turn(self, written: Written, roll: Roll) -> None:
        """Write to one reader after the other: as many as the pace allows at once. Raises NotReady while some are left."""
        began, loop = self._context.now(), asyncio.get_running_loop()
        free_at = await asyncio.to_thread(self._pace.free_at, began)
        if free_at is not None:
            raise NotReady(_progress(roll), at=free_at)
        burst = min(self._pace.burst, roll.counts().get("waiting", 0))
        await asyncio.to_thread(self._pace.spend, burst, began)  # before: whoever is killed has spent it
        ends, row, letters = loop.time() + TURN_S, Row(), 0
        while letters < burst and loop.time() < ends:
            taken = await asyncio.to_thread(self._next, roll, written)
            if taken is None:
                break
            letters += 1
            row.add(taken[0], await self._finish(roll, *taken))
            if await asyncio.to_thread(self._is_enough, row, roll):
                raise NotReady(_progress(roll), at=self._context.now() + REST)
        at = await asyncio.to_thread(self._pace.spend, letters, began)
        if not is_complete(await asyncio.to_thread(roll.counts)):
            now = self._context.now()
            waits = roll.next_at() if roll.next(now) is None else None
            raise NotReady(_progress(roll), at=max(at, waits or at, now + timedelta(seconds=1)))

    def _next(self, roll: Roll, written: Written) -> tuple[str, bytes] | None:
        """The reader whose turn it is, and their letter."""
        reader = roll.next(self._context.now())
        if reader is None:
            return None
        letter = to_reader(written, self._options, reader, self._door.of(reader))
        return reader, letter

    async def _finish(self, roll: Roll, reader: str, letter: bytes) -> Came:
        """One letter, to its end also when the daemon stops meanwhile: a reader whose letter is cut off may never have it."""
        task = asyncio.ensure_future(self._write_to(roll, reader, letter))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=LAST_LETTER_S)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def _write_to(self, roll: Roll, reader: str, letter: bytes) -> Came:
        """One letter. What concerns the server as a whole gets out."""
        try:
            await self._line.send(reader, letter, partial(asyncio.to_thread, roll.sending, reader))
        except AddressLater as error:
            await asyncio.to_thread(roll.later, reader, self._context.now(), str(error))
            return "later"
        except (AddressRefused, LetterRefused) as error:
            await asyncio.to_thread(roll.settle, reader, "refused", str(error))
            return "refused" if isinstance(error, AddressRefused) else "letter-refused"
        except OutcomeUnknown:
            await asyncio.to_thread(roll.settle, reader, "unknown")
            return "unknown"
        except (Transient, AuthExpired, Rejected):
            await asyncio.to_thread(roll.back, reader)
            raise
        await asyncio.to_thread(roll.settle, reader, "sent")
        return "taken"

    def _is_enough(self, row: Row, roll: Roll) -> bool:
        """Whether the server should be left alone for a while. Raises Rejected when a person must look."""
        count = len(row.readers)
        if row.came == "unknown" and count >= UNKNOWN_IN_A_ROW:
            raise Rejected(f"{count} answers lost in a row", hint=LOST_HINT)
        most = {"letter-refused": LETTERS_REFUSED, "refused": ADDRESSES_REFUSED}.get(row.came)
        if most is not None and count >= most and not roll.counts().get("sent"):
            for reader in row.readers:
                roll.back(reader)
            raise Rejected(f"{count} letters refused in a row", hint=REFUSED_HINT if row.came == "letter-refused" else NOBODY_HINT)
        return row.came == "later" and count >= LATER_IN_A_ROW

    def _receipt(self, key: str, roll: Roll) -> Receipt:
        counts = roll.counts()
        if counts.get("refused") and not counts.get("sent") and not counts.get("unknown"):
            roll.reopen()
            raise Rejected(f"{counts['refused']} letters refused, none taken", hint=NOBODY_HINT)
        told = _told(counts)
        if counts.get("refused") or counts.get("unknown"):
            self._context.log.warning("letter sent, not to everybody: %s", ", ".join(f"{state} {count}" for state, count in told))
        return Receipt(remote_id=message_id(key, self._options.sender), data=told)

    def _path(self, key: str) -> Path:
        return self._context.state_dir / f"{key}.db"


def _told(counts: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple((state, str(counts[state])) for state in ("sent", "refused", "unknown", "left") if counts.get(state))


def _progress(roll: Roll) -> str:
    """How many have been written to, of how many: what ``syndicator status`` shows."""
    counts = {state: count for state, count in roll.counts().items() if state != "left"}
    total = sum(counts.values())
    return f"{total - counts.get('waiting', 0)}/{total}"
