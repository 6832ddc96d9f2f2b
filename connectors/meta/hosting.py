"""Media for a service that fetches them itself: copies in the public folder, at addresses that anybody can open, for a few days.

The names are made of the content (128 bits of SHA-256), so that nobody guesses them. A container dies after a day, so that nothing needs a
file for longer than ``KEPT``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from syndicator.contract import Context
from syndicator.errors import ConnectorError, Rejected, words
from syndicator.folder import Folder
from syndicator.http import is_public
from syndicator.media import MediaFile

FOLDER = "posted"
KEPT = timedelta(days=2)
_NEVER_PUBLIC = (".local", ".localhost", ".lan", ".home", ".internal", ".home.arpa")

NO_ADDRESS_HINT = words(
    fr="Meta vient chercher les images à une adresse publique : dans [web], indiquez public_url, l'adresse https de votre dossier public.",
    en="Meta fetches pictures from a public address: in [web], set public_url, the https address of your public folder.",
)
PRIVATE_HINT = words(
    fr="Meta vient chercher les images : [web] public_url doit commencer par https:// et être ouverte à tout internet.",
    en="Meta fetches the pictures: [web] public_url must begin with https:// and be open to the whole internet.",
)
UNSEEN_HINT = words(
    fr="[web] public_url ne mène pas à votre dossier public : ouvrez l'adresse ci-dessus dans un navigateur, puis corrigez public_url "
    "ou le serveur web.",
    en="[web] public_url does not lead to your public folder: open the address above in a browser, then correct public_url or the web "
    "server.",
)
UNFETCHED_HINT = words(
    fr="Meta n'a pas pu ouvrir l'image : vérifiez que ni pare-feu, ni robots.txt, ni protection contre les robots ne refuse "
    "« facebookexternalhit » à l'adresse public_url.",
    en="Meta could not open the picture: check that no firewall, robots.txt or bot protection refuses “facebookexternalhit” at public_url.",
)


class Hosting:
    """What one destination shows to a service that comes and fetches it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._prefix = f"{FOLDER}/{context.name}"
        # The mark is empty: what has one of our names has our content.
        self._folder = Folder(context.public_dir, context.state_dir / "posted.json", b"")

    def problem(self, api: str) -> Rejected | None:
        """Why the service at ``api`` surely cannot fetch from us; None when it may."""
        url = self._context.public_url
        if url is None:
            return Rejected("[web] public_url is not set", hint=NO_ADDRESS_HINT)
        if _private(urlsplit(api).hostname or ""):
            return None  # a service on this very machine
        parts = urlsplit(url)
        if parts.scheme != "https" or _private(parts.hostname or ""):
            return Rejected(f"[web] public_url is {url}", hint=PRIVATE_HINT)
        return None

    async def offer(self, file: MediaFile) -> str:
        """Where ``file`` can be fetched. Raises Rejected when the address shows something else, Transient when the disk is full."""
        name = f"{self._prefix}/{file.name}"
        await asyncio.to_thread(self._put, name, file.data, self._context.now())
        url = f"{self._context.public_url}{name}"
        if await self._seen(url, file.data) == "wrong":
            raise Unseen(f"{url} does not show the file", hint=UNSEEN_HINT)
        return url

    def _put(self, name: str, data: bytes, now: datetime) -> None:
        self._folder.add(name, data)
        os.utime(self._context.public_dir / name, (now.timestamp(), now.timestamp()))

    async def _seen(self, url: str, data: bytes) -> Literal["right", "wrong", "unknown"]:
        """Whether we see it ourselves. Some networks cannot reach their own public address: that proves nothing."""
        try:
            answer = await self._context.http.get(url, max_bytes=len(data) + 100_000)
        except ConnectorError:
            return "unknown"
        return "right" if answer.status == 200 and answer.body == data else "wrong" if answer.status < 500 else "unknown"

    async def tidy(self) -> None:
        """Remove what nothing needs any more."""
        await asyncio.to_thread(self._tidy, self._context.now() - KEPT)

    def _tidy(self, before: datetime) -> None:
        folder = self._context.public_dir / self._prefix
        if folder.is_dir():
            needed = [path.name for path in folder.iterdir() if path.stat().st_mtime >= before.timestamp()]
            self._folder.publish({}, keep=[f"{self._prefix}/{name}" for name in needed])


class Unseen(Rejected):
    """Our own public address does not show our files."""


def _private(host: str) -> bool:
    """Whether a host's name alone says that the internet does not reach it."""
    try:
        return not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return "." not in host or host.endswith(_NEVER_PUBLIC)
