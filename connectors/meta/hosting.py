"""Media for a service that fetches them itself: copies in the public folder, at addresses that anybody can open, for a few days.

The names are made of the content (128 bits of SHA-256), so that nobody guesses them. A container dies after a day, so that nothing needs a
file for longer than ``KEPT``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from syndicator.contract import Context
from syndicator.errors import ConnectorError, Rejected, Transient, words
from syndicator.folder import write
from syndicator.http import is_public
from syndicator.media import MediaFile, VideoFile

FOLDER = "posted"
KEPT = timedelta(days=2)
_OURS = re.compile(r"\.?[0-9a-f]{32}\.[a-z0-9]+(\.tmp)?")
_NEVER_PUBLIC = (".local", ".localhost", ".lan", ".home", ".internal", ".home.arpa")

NO_ADDRESS_HINT = words(
    fr="Meta vient chercher les images à une adresse publique : dans [web], indiquez public_url, l'adresse https de votre dossier public.",
    en="Meta fetches pictures from a public address: in [web], set public_url, the https address of your public folder.",
)
PRIVATE_HINT = words(
    fr="Meta vient chercher les images : [web] public_url doit commencer par https:// et être ouverte à tout internet.",
    en="Meta fetches the pictures: [web] public_url must begin with https:// and be open to the whole internet.",
)
NO_MEDIA = words(fr="images et vidéos restent derrière un lien.", en="pictures and videos stay behind a link.")
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
        self._folder = f"{FOLDER}/{context.name}"

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

    async def offer(self, file: MediaFile | VideoFile) -> str:
        """Where ``file`` can be fetched. Raises Unseen when the address shows something else, Transient when the disk does not take it."""
        name = f"{self._folder}/{_name(file)}"
        try:
            size_bytes = await asyncio.to_thread(_put, self._context.public_dir / name, file, self._context.now())
        except OSError as error:
            raise Transient(f"{error.filename or name}: {error.strerror or error}") from error
        url = f"{self._context.public_url}{name}"
        if await self._shows(url, size_bytes) is False:
            raise Unseen(f"{url} does not show the file", hint=UNSEEN_HINT)
        return url

    async def _shows(self, url: str, size_bytes: int) -> bool | None:
        """Whether we see it ourselves; None when that cannot be told: some networks cannot reach their own public address."""
        try:
            answer = await self._context.http.request("HEAD", url, max_bytes=size_bytes + 1_000_000)
        except ConnectorError:
            return None
        if answer.status >= 500:
            return None
        return answer.status == 200 and answer.headers.get("Content-Length", str(size_bytes)) == str(size_bytes)

    async def tidy(self) -> None:
        """Remove what nothing needs any more."""
        with suppress(OSError):
            await asyncio.to_thread(_tidy, self._context.public_dir / self._folder, self._context.now() - KEPT)


def _name(file: MediaFile | VideoFile) -> str:
    if isinstance(file, MediaFile):
        return file.name
    return f"{file.sha256[:32]}.{'mov' if file.media_type == 'video/quicktime' else 'mp4'}"


def _put(path: Path, file: MediaFile | VideoFile, now: datetime) -> int:
    """Its size. The file's time says when it was last needed."""
    if isinstance(file, MediaFile):
        write(path, file.data)
    elif not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.tmp")
        draft.unlink(missing_ok=True)
        shutil.copyfile(file.path, draft)
        draft.chmod(0o644)
        draft.replace(path)
    os.utime(path, (now.timestamp(), now.timestamp()))
    return path.stat().st_size


def _tidy(folder: Path, before: datetime) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)


class Unseen(Rejected):
    """Our own public address does not show our files."""


def _private(host: str) -> bool:
    """Whether a host's name alone says that the internet does not reach it."""
    try:
        return not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return "." not in host or host.endswith(_NEVER_PUBLIC)
