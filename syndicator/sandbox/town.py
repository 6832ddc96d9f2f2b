"""The whole small fediverse: an association's free networks, and an account elsewhere that mirrors them."""

from __future__ import annotations

import asyncio
import json
import re
import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from html import escape, unescape
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from syndicator.sandbox.calendar import CalendarSimulator
from syndicator.sandbox.feed import FeedSimulator
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_world import Account, Media, Status
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.peertube import PeertubeSimulator
from syndicator.sandbox.server import Simulator

PARIS = ZoneInfo("Europe/Paris")
GROUP = "velo"
CHANNEL = "velo"


@dataclass(kw_only=True)
class Town:
    """Every service of the sandbox, on loopback."""

    mobilizon: MobilizonSimulator = field(default_factory=MobilizonSimulator)
    mastodon: MastodonSimulator = field(default_factory=MastodonSimulator)
    pixelfed: MastodonSimulator = field(default_factory=lambda: MastodonSimulator(flavour="pixelfed"))
    peertube: PeertubeSimulator = field(default_factory=PeertubeSimulator)
    blog: FeedSimulator = field(default_factory=FeedSimulator)
    calendar: CalendarSimulator = field(default_factory=CalendarSimulator)
    elsewhere: MastodonSimulator = field(default_factory=MastodonSimulator)
    """The network where the association only wants to be present."""
    asso: Account = field(init=False)
    photographer: Account = field(init=False)
    mirror: Account = field(init=False)
    photo_token: str = field(init=False)
    mirror_token: str = field(init=False)

    @property
    def simulators(self) -> tuple[Simulator, ...]:
        """All of them."""
        return (self.mobilizon, self.mastodon, self.pixelfed, self.peertube, self.blog, self.calendar, self.elsewhere)

    async def start(self) -> Town:
        """Open every service, with what the association had there before the day began."""
        for simulator in self.simulators:
            await simulator.start()
        self.asso = self.mastodon.world.add_account("velo", "Les Amis du Vélo")
        self.photographer = self.pixelfed.world.add_account("velo", "Les Amis du Vélo")
        self.photo_token = self.pixelfed.world.add_token(self.photographer, "read")
        self.mirror = self.elsewhere.world.add_account("amis_du_velo", "Les Amis du Vélo (miroir)", bot=True)
        self.mirror_token = self.elsewhere.world.add_token(self.mirror, "read:accounts", "read:statuses", "write:statuses", "write:media")
        self.mobilizon.add_group(GROUP, "Les Amis du Vélo")
        self.peertube.add_channel(CHANNEL, "Les Amis du Vélo")
        yesterday = datetime.now(UTC) - timedelta(days=1)
        self.mastodon.world.post(self.asso, "<p>Un message d'hier, d'avant le syndicator.</p>", created_at=yesterday)
        self.mobilizon.add_event(GROUP, "Réunion mensuelle", at_clock(9, 19), at_clock(9, 21), inserted_at=yesterday)
        self.blog.publish("Bienvenue", "<p>Le premier article du site.</p>", at=yesterday)
        self.calendar.add_event("Permanence", at_clock(3, 14), ends_at=at_clock(3, 17))
        return self

    async def stop(self) -> None:
        """Close every service."""
        for simulator in self.simulators:
            await simulator.stop()

    # What the communicator does

    def toot(self, text: str, *, reply_to: Status | None = None, visibility: str = "public", image_alt: str | None = None) -> Status:
        """Post on Mastodon; each line a paragraph."""
        fields: dict[str, Any] = {"visibility": visibility}
        if reply_to is not None:
            fields |= {"in_reply_to_id": reply_to.id, "in_reply_to_account_id": reply_to.account.id}
        if image_alt is not None:
            fields["media_ids"] = [self._image(self.mastodon, self.asso, image_alt)]
        return self.mastodon.world.post(self.asso, self._html(text), **fields)

    def edit_toot(self, status: Status, text: str) -> None:
        """Edit on Mastodon."""
        self.mastodon.world.edit(status, content=self._html(text))

    def delete_toot(self, status: Status) -> None:
        """Delete on Mastodon."""
        self.mastodon.world.delete(status)

    def photo(self, caption: str, alt: str) -> Status:
        """Share a photo on Pixelfed."""
        media = self._image(self.pixelfed, self.photographer, alt)
        return self.pixelfed.world.post(self.photographer, f"<p>{escape(caption)}</p>", media_ids=[media])

    def _html(self, text: str) -> str:
        linked = re.sub(r"#(\w+)", self._hashtag, escape(text, quote=False))
        return "".join(f"<p>{line}</p>" for line in linked.splitlines() if line.strip())

    def _hashtag(self, tag: re.Match[str]) -> str:
        url = f"{self.mastodon.url}/tags/{tag[1]}"
        return f'<a href="{url}" class="mention hashtag" rel="tag">#<span>{tag[1]}</span></a>'

    def _image(self, server: MastodonSimulator, account: Account, alt: str) -> str:
        media_id = server.world.next_id()
        server.world.media[media_id] = Media(
            id=media_id, account_id=account.id, type="image", data=picture(media_id), media_type="image/png", description=alt
        )
        return media_id

    # What came of it

    def mirrored(self) -> list[Status]:
        """What the public sees on the account elsewhere, oldest first."""
        return self.elsewhere.world.of_account(self.mirror.id)

    def mirrored_texts(self) -> list[str]:
        """The same as plain text."""
        return [plain(status.content) for status in self.mirrored()]


def at_clock(days_ahead: int, hour: int, minute: int = 0) -> datetime:
    """An hour in Paris, some days from now."""
    day: date = datetime.now(PARIS).date() + timedelta(days=days_ahead)
    return datetime.combine(day, time(hour, minute), PARIS)


def plain(html: str) -> str:
    """HTML as a person reads it, roughly."""
    text = re.sub(r"<br ?/?>|</p>\s*<p>", "\n", html)
    return unescape(re.sub(r"<[^>]+>", "", text)).strip()


def picture(seed: str, size: int = 480) -> bytes:
    """A PNG of stripes whose colours come from ``seed``."""
    hue = zlib.crc32(seed.encode())
    colours = [bytes(((hue >> shift) & 0x7F) + 96 for shift in (0, 7, 14)), bytes(((hue >> shift) & 0x7F) + 96 for shift in (9, 2, 16))]
    rows = b"".join(b"\0" + b"".join(colours[(x // 40 + y // 40) % 2] for x in range(size)) for y in range(size))
    return _png(size, rows)


def _png(size: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@dataclass(frozen=True, kw_only=True)
class Public:
    """What a visitor finds at the association's own address."""

    url: str

    async def calendar(self) -> list[dict[str, str]]:
        """Events of ``agenda.ics``: property name → value, unfolded; the title without its escapes."""
        text = (await self._text("agenda.ics")).replace("\r\n ", "").replace("\r\n", "\n")
        events = []
        for block in re.findall(r"BEGIN:VEVENT\n(.*?)END:VEVENT", text, re.DOTALL):
            properties = dict(re.findall(r"^([A-Z-]+)[^:\n]*:(.*)$", block, re.MULTILINE))
            title = re.sub(r"\\(.)", lambda escaped: " " if escaped[1] in "nN" else escaped[1], properties.get("SUMMARY", ""))
            events.append(properties | {"SUMMARY": title})
        return events

    async def events(self) -> list[dict[str, Any]]:
        """``events.json``."""
        text = await self._text("events.json")
        return list(json.loads(text)["upcoming"]) if text else []

    async def page(self) -> str:
        """The page as text."""
        return plain(re.sub(r"(?s)<head>.*?</head>", "", await self._text("")))

    async def file(self, name: str) -> tuple[bytes, str] | None:
        """A file and its content type; None when it cannot be had."""
        try:
            return await asyncio.to_thread(_read, self.url + quote(name))
        except OSError:
            return None

    async def _text(self, name: str) -> str:
        found = await self.file(name)
        return found[0].decode() if found else ""


def _read(url: str) -> tuple[bytes, str]:
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback address
        return answer.read(), answer.headers.get_content_type()
