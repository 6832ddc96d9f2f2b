"""To readers of ours: one letter each, at a chosen pace, taken up again where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from connectors.mail.line import REFUSED_HINT, AddressLater, AddressRefused, LetterRefused, Line
from connectors.mail.message import Written, message_id, to_reader
from connectors.mail.options import ToReaders, address_of
from connectors.mail.roll import Roll, is_complete
from syndicator.contract import Context, Limits
from syndicator.errors import AuthExpired, NotReady, OutcomeUnknown, Rejected, Transient, words
from syndicator.model import Receipt, Rendition

LIMITS = Limits(kinds=frozenset({"digest"}), letter=True, title_max=150)
TURN_S = 40.0
"""How long one call writes to readers: then others have their turn, and a stop of the daemon does not wait."""
REFUSED_IN_A_ROW = 5
"""So many letters refused for what they say, one after the other, and none taken: it is the letter, not the readers."""
READERS_HINT = words(
    fr="Le fichier des abonnés est illisible ou vide : vérifiez readers, son propriétaire et ses droits (une adresse par ligne).",
    en="The readers' file cannot be read or is empty: check readers, its owner and its permissions (one address a line).",
)


class MailPublisher:
    """Sends issues of a newsletter by SMTP."""

    Options: ClassVar[type[ToReaders]] = ToReaders
    limits: Limits = LIMITS

    def __init__(self, options: ToReaders, context: Context) -> None:
        self._options = options
        self._context = context
        self.account = address_of(options.sender)
        self._line = Line(options, context.http.allow_private)

    async def open(self) -> None:
        """Log in, and see that there are readers. Raises Transient, AuthExpired, Rejected."""
        await asyncio.to_thread(self._readers)
        await self._line.open()

    async def close(self) -> None:
        """Hang up."""
        await self._line.close()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002 - letters answer nothing
        """Write to everybody, in turns: raises NotReady until each has been written to."""
        readers = await asyncio.to_thread(self._readers)
        roll = await asyncio.to_thread(Roll, self._path(key))
        try:
            written = await asyncio.to_thread(roll.begin, Written.of(rendition, key, self._context.now()), readers)
            await self._turn(written, roll)
            counts = await asyncio.to_thread(roll.counts)
            if is_complete(counts):
                return self._receipt(key, counts)
            at = await asyncio.to_thread(self._goes_on_at, roll)
            total = sum(counts.values())
            raise NotReady(f"{total - counts.get('waiting', 0)} of {total} readers have been written to", at=at)
        finally:
            roll.close()

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the key is enough
        """Whether every reader has been written to. None: there are some left, and ``publish`` goes on with them."""
        path = self._path(key)
        if not path.exists():
            return None
        roll = await asyncio.to_thread(Roll, path)
        try:
            counts = await asyncio.to_thread(roll.counts)
            return self._receipt(key, counts) if is_complete(counts) else None
        finally:
            roll.close()

    def _goes_on_at(self, roll: Roll) -> datetime:
        soon = self._context.now() + timedelta(seconds=1)
        next_at = roll.next_at()
        return soon if next_at is None or roll.next(soon) is not None else max(next_at, soon)

    async def _turn(self, written: Written, roll: Roll) -> None:
        """Write to one reader after the other, at the pace that was chosen, until the turn is over."""
        pause, refused = 60.0 / self._options.per_minute, 0
        loop = asyncio.get_running_loop()
        ends = loop.time() + TURN_S
        begins = loop.time()
        while loop.time() < ends:
            reader = await asyncio.to_thread(roll.next, self._context.now())
            if reader is None:
                return
            refused = 0 if await self._write_to(reader, written, roll) else refused + 1
            if refused >= REFUSED_IN_A_ROW and not roll.counts().get("sent"):
                raise Rejected(f"the server refused this letter {refused} times in a row", hint=REFUSED_HINT)
            begins = max(begins + pause, loop.time())
            await asyncio.sleep(max(0.0, begins - loop.time()))

    async def _write_to(self, reader: str, written: Written, roll: Roll) -> bool:
        """One letter; False when its words were refused. What concerns the server as a whole gets out."""
        letter = to_reader(written, self._options, reader, None)
        await asyncio.to_thread(roll.sending, reader)
        try:
            await self._line.send(reader, letter)
        except AddressLater as error:
            await asyncio.to_thread(roll.later, reader, self._context.now(), str(error))
        except AddressRefused as error:
            await asyncio.to_thread(roll.settle, reader, "refused", str(error))
        except LetterRefused as error:
            await asyncio.to_thread(roll.settle, reader, "refused", str(error))
            return False
        except OutcomeUnknown:
            await asyncio.to_thread(roll.settle, reader, "unknown")
        except (Transient, AuthExpired, Rejected):
            await asyncio.to_thread(roll.back, reader)
            raise
        else:
            await asyncio.to_thread(roll.settle, reader, "sent")
        return True

    def _receipt(self, key: str, counts: Mapping[str, int]) -> Receipt:
        told = tuple((state, str(counts[state])) for state in ("sent", "refused", "unknown") if counts.get(state))
        if counts.get("refused") or counts.get("unknown"):
            self._context.log.warning("letter sent, not to everybody: %s", ", ".join(f"{state} {count}" for state, count in told))
        return Receipt(remote_id=message_id(key, self._options.sender), data=told)

    def _path(self, key: str) -> Path:
        return self._context.state_dir / f"{key}.db"

    def _readers(self) -> list[str]:
        """Addresses of the file, in its order, each once. Raises Rejected when there are none."""
        try:
            lines = self._options.readers.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Rejected(f"{self._options.readers}: {type(error).__name__}", hint=READERS_HINT) from error
        found = [address for line in lines if not line.lstrip().startswith("#") and (address := address_of(line.strip()))]
        unique: dict[str, str] = {}
        for address in found:
            unique.setdefault(address.lower(), address)
        if not unique:
            raise Rejected(f"{self._options.readers} names nobody", hint=READERS_HINT)
        return list(unique.values())
