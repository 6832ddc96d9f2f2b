"""An issue to 5,000 readers by SMTP on this machine, as fast as it goes, beside a bare client that hands the same letters over.

The mail server is a process of its own. The baseline is one connection of the bare library (aiosmtplib), with letters that are made
already. Ours makes each letter, writes down on the disk who is being written to before it leaves, and what came of it after.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import aiosmtplib

from connectors.mail.message import Written, to_reader
from connectors.mail.options import ToReaders
from connectors.mail.readers import MailPublisher
from syndicator.errors import NotReady
from syndicator.http import Sessions
from syndicator.model import Rendition
from syndicator.testing import make_context
from syndicator.text.way_out import UNSUBSCRIBE

READERS = 5_000
KEY = "0f3a91c2-7d00-4000-8000-000000000001"
ENTRY = "<tr><td><h2>Fête de l’été</h2><p>Samedi 5 décembre à 20h30, salle des fêtes de Brest.</p></td></tr>\n"
LETTER = Rendition(
    uid="lettre",
    title="Fête de l’hiver, atelier vélo et trois autres choses",
    text=f"{'Fête de l’hiver, samedi 5 décembre à 20h30. ' * 60}\nNe plus recevoir : {UNSUBSCRIBE}\n",
    html=f'<html lang="fr"><body><table>{ENTRY * 300}</table><a href="{UNSUBSCRIBE}">Ne plus recevoir cette lettre</a></body></html>',
    language="fr",
)
SERVER = """
import asyncio, sys
from aiosmtpd.smtp import SMTP
class Office:
    async def handle_DATA(self, server, session, envelope):
        return "250 taken"
async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Office()), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@dataclass(frozen=True, kw_only=True)
class Took:
    """Seconds."""

    bare: float
    ours: float
    turns: int


def run() -> None:
    """Print both, and their ratio."""
    size = len(to_reader(Written.of(LETTER, KEY, datetime.now(UTC)), _options(25, Path()), "a@exemple.fr", None))
    with TemporaryDirectory() as folder:
        took = asyncio.run(_measure(Path(folder)))
    print(f"  letters of {size / 1000:.0f} kB, {READERS} readers")
    print(f"  baseline: bare aiosmtplib, one connection      {took.bare:6.1f} s   {READERS / took.bare:6.0f} letters/s")
    print(f"  ours, in {took.turns:>2} turns, each reader on the disk     {took.ours:6.1f} s   {READERS / took.ours:6.0f} letters/s")
    print(f"  ratio ×{took.ours / took.bare:.2f}")


async def _measure(folder: Path) -> Took:
    async with _server() as port:
        bare = await _bare(folder, port)
        began, turns = time.perf_counter(), await _ours(folder, port)
        return Took(bare=bare, ours=time.perf_counter() - began, turns=turns)


def _options(port: int, file: Path) -> ToReaders:
    return ToReaders(host="127.0.0.1", port=port, security="none", sender="Vélo <a@exemple.fr>", readers=file, per_minute=60_000)


async def _bare(folder: Path, port: int) -> float:
    written, options = Written.of(LETTER, KEY, datetime.now(UTC)), _options(port, folder)
    letters = [(name, to_reader(written, options, name, None)) for name in _names()]
    began = time.perf_counter()
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as smtp:
        for name, letter in letters:
            await smtp.mail("a@exemple.fr")
            await smtp.rcpt(name)
            await smtp.data(letter)
    return time.perf_counter() - began


async def _ours(folder: Path, port: int) -> int:
    """Turn after turn, without the rests between them; how many there were."""
    file = folder / "abonnes.txt"
    file.write_text("\n".join(_names()))
    shift = timedelta()
    context = make_context(folder, Sessions(), now=lambda: datetime.now(UTC) + shift)
    one, turns = MailPublisher(_options(port, file), replace(context, public_url=None)), 0
    await one.open()
    while True:
        turns += 1
        try:
            receipt = await one.publish(LETTER, KEY)
        except NotReady as waits:
            shift += timedelta(minutes=1) if waits.at else timedelta()
            continue
        await one.close()
        assert receipt.data == (("sent", str(READERS)),)
        return turns


def _names() -> list[str]:
    return [f"lectrice{number}@exemple.fr" for number in range(READERS)]


@asynccontextmanager
async def _server() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()
