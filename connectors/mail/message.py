"""A letter as mail: headers that programs understand, a text part, an HTML part (RFC 5322, RFC 2046, RFC 2369, RFC 8058)."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape

from connectors.mail.options import CONTROL, Server, ToList, ToReaders, address_of, name_of
from syndicator.model import Rendition
from syndicator.text.naming import handle
from syndicator.text.way_out import UNSUBSCRIBE, without_unsubscribe

WORD_BYTES = 45
PLAIN_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Written:
    """What all readers of an issue get: frozen when its first copy leaves."""

    key: str
    subject: str
    html: str
    text: str
    language: str
    written_at: datetime

    @classmethod
    def of(cls, rendition: Rendition, key: str, now: datetime) -> Written:
        """The letter in a rendition."""
        return cls(
            key=key, subject=rendition.title, html=rendition.html, text=rendition.text, language=rendition.language or "", written_at=now
        )


def message_id(key: str, sender: str, reader: str = "") -> str:
    """The same for the same letter to the same reader, whenever it is sent."""
    domain = (address_of(sender) or "@localhost").rpartition("@")[2]
    return f"<{key}{'.' + handle(reader.lower()) if reader else ''}@{domain}>"


def to_list(written: Written, options: ToList) -> bytes:
    """For a list, which has its own way out for its readers."""
    headers = _headers(written, options, options.to, message_id(written.key, options.sender))
    return headers + _body(written, without_unsubscribe(written.text), without_unsubscribe(written.html), "")


def to_reader(written: Written, options: ToReaders, reader: str, one_click: str | None) -> bytes:
    """For one reader of ours, with a way out: by ``one_click`` (an https address that takes a POST, RFC 8058), or by mail."""
    by_mail = f"mailto:{address_of(options.unsubscribe or options.sender)}?subject=unsubscribe"
    ways = f"List-Unsubscribe: <{one_click}>,\r\n <{by_mail}>\r\n" if one_click else f"List-Unsubscribe: <{by_mail}>\r\n"
    post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if one_click else ""
    headers = _headers(written, options, reader, message_id(written.key, options.sender, reader))
    more = f"{ways}{post}Precedence: bulk\r\n"
    return more.encode("ascii") + headers + _body(written, written.text, written.html, one_click or by_mail)


def _headers(written: Written, options: Server, to: str, number: str) -> bytes:
    """Written by hand: what Python folds has encoded words longer than the standard allows, and addresses that are none any more."""
    subject = CONTROL.sub("", " ".join(written.subject.split()))
    headers = {
        "From": _address(options.sender),
        "To": _address(to),
        "Reply-To": _address(options.reply_to) if options.reply_to else "",
        "Subject": _words(subject) if _is_encoded(subject) else subject,
        "Date": format_datetime(written.written_at),
        "Message-ID": number,
        "Content-Language": written.language,
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{_boundary(written)}"',
    }
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value).encode("ascii")


def _address(text: str) -> str:
    name, address = name_of(text), address_of(text) or ""
    if not name:
        return address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f"{_words(name)}\r\n <{address}>" if _is_encoded(name) else f'"{quoted}" <{address}>'


def _is_encoded(text: str) -> bool:
    """Whether a header must say it in encoded words, lest it is no ASCII, or is taken for one, or is longer than a line."""
    return not text.isascii() or "=?" in text or len(text) > PLAIN_MAX


def _words(text: str) -> str:
    """As encoded words, each whole characters and at most 75 long (RFC 2047, 2)."""
    pieces = [b""]
    for char in text:
        if len(pieces[-1] + char.encode()) > WORD_BYTES:
            pieces.append(b"")
        pieces[-1] += char.encode()
    return "\r\n ".join(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in pieces)


def _boundary(written: Written) -> str:
    """Cannot stand in a part: there, every ``=`` is followed by two digits or an end of line (RFC 2045, 6.7)."""
    return f"=_{handle(written.key)}"


def _body(written: Written, text: str, html: str, way_out: str) -> bytes:
    boundary = _boundary(written).encode()
    found = bytearray()
    for kind, part, address in ((b"plain", text, way_out), (b"html", html, escape(way_out))):
        found += b"\r\n--%s\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" % (
            boundary,
            kind,
        )
        for piece in _pieces(part):
            found += piece if isinstance(piece, bytes) else _quoted(piece.replace(UNSUBSCRIBE, address))
    return bytes(found + b"\r\n--%s--\r\n" % boundary)


@lru_cache(maxsize=8)
def _pieces(part: str) -> tuple[bytes | str, ...]:
    """A part in pieces: what is the same for everybody, encoded once; and lines that hold the way out."""
    return tuple(_divided(part.replace("\r\n", "\n").replace("\r", "\n")))


def _divided(part: str) -> Iterator[bytes | str]:
    same: list[str] = []
    for line in re.split(r"(?<=\n)", part):
        if UNSUBSCRIBE not in line:
            same.append(line)
            continue
        yield _quoted("".join(same))
        same = []
        yield line
    yield _quoted("".join(same))


def _quoted(text: str) -> bytes:
    """Quoted-printable keeps lines under 78 octets whatever is in them, and can be read by people (RFC 2045, 6.7)."""
    return b2a_qp(text.encode(), istext=True).replace(b"\n", b"\r\n")
