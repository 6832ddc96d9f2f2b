"""The repository of one account on a PDS: records by name, blobs by content (https://atproto.com/specs/repository)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from syndicator.sandbox.bluesky_lexicon import blobs_in

UNUSED_KEPT = timedelta(hours=1)
"""How long an upload waits for a record that uses it; the reference PDS leaves it open ("e.g., minutes")."""

_RAW, _DAG_CBOR = 0x55, 0x71


@dataclass(kw_only=True)
class Record:
    """One record as it is now."""

    cid: str
    value: dict[str, Any]
    created_at: datetime


@dataclass(kw_only=True)
class Blob:
    """One upload."""

    media_type: str
    data: bytes
    uploaded_at: datetime
    used: bool = False

    def reference(self) -> dict[str, Any]:
        """As records refer to it."""
        link = cid_of_bytes(self.data)
        return {"$type": "blob", "ref": {"$link": link}, "mimeType": self.media_type, "size": len(self.data)}


@dataclass
class Repository:
    """Records by (collection, name), oldest first, and blobs by CID."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    revision: int = 0

    def upload(self, data: bytes, media_type: str, now: datetime) -> Blob:
        """Keep an upload until a record uses it; the same bytes are the same blob."""
        found = self.blobs.setdefault(cid_of_bytes(data), Blob(media_type=media_type, data=data, uploaded_at=now))
        found.uploaded_at = now
        return found

    def tidy(self, now: datetime) -> None:
        """Drop the uploads that no record used in time."""
        self.blobs = {cid: blob for cid, blob in self.blobs.items() if blob.used or now - blob.uploaded_at < UNUSED_KEPT}

    def write(self, name: tuple[str, str], value: dict[str, Any], now: datetime) -> Record:
        """Create or replace a record."""
        old = self.records.get(name)
        made = Record(cid=cid_of(value), value=value, created_at=old.created_at if old else now)
        self.records[name] = made
        self._count_uses()
        return made

    def remove(self, name: tuple[str, str]) -> None:
        """Delete a record, and the blobs that only it used."""
        del self.records[name]
        self._count_uses()

    def _count_uses(self) -> None:
        used = {blob["ref"]["$link"] for record in self.records.values() for blob in blobs_in(record.value)}
        self.blobs = {cid: blob for cid, blob in self.blobs.items() if cid in used or not blob.used}
        for cid in used & self.blobs.keys():
            self.blobs[cid].used = True
        self.revision += 1

    def commit(self, now: datetime) -> dict[str, str]:
        """The head of the repository after a write."""
        return {"cid": cid_of({"revision": self.revision}), "rev": tid(now, self.revision)}


def tid(now: datetime, count: int) -> str:
    """The name that the server gives to what has none (https://atproto.com/specs/tid)."""
    value = (int(now.timestamp()) * 10**6 + count) << 10
    return "".join("234567abcdefghijklmnopqrstuvwxyz"[value >> shift & 31] for shift in range(60, -1, -5))


def cid_of_bytes(data: bytes) -> str:
    """The CID of a blob (https://atproto.com/specs/data-model#link-and-cid-formats)."""
    return _cid(_RAW, data)


def cid_of(value: Any) -> str:
    """The CID of a record."""
    return _cid(_DAG_CBOR, _cbor(value))


def _cid(codec: int, data: bytes) -> str:
    raw = bytes([1, codec, 0x12, 32]) + hashlib.sha256(data).digest()
    return "b" + base64.b32encode(raw).decode().rstrip("=").lower()


def _cbor(value: Any) -> bytes:
    """DAG-CBOR, the deterministic CBOR of IPLD: shortest heads, map keys by length, then by bytes; links are tag 42."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(_cbor(one) for one in value)
    if not isinstance(value, dict):
        raise TypeError(f"the data model has no {type(value).__name__}: {json.dumps(value)}")
    if value.keys() == {"$link"}:
        link = value["$link"][1:].upper()
        raw = b"\0" + base64.b32decode(link + "=" * (-len(link) % 8))
        return b"\xd8\x2a" + _head(2, len(raw)) + raw
    pairs = sorted((key.encode(), inner) for key, inner in value.items())
    pairs.sort(key=lambda pair: len(pair[0]))
    return _head(5, len(pairs)) + b"".join(_head(3, len(key)) + key + _cbor(inner) for key, inner in pairs)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for size, info in ((1, 24), (2, 25), (4, 26)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    return bytes([major << 5 | 27]) + number.to_bytes(8, "big")
