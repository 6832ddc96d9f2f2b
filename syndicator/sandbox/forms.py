"""Multipart forms (RFC 7578) of requests that have been read already."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PARAMETER = re.compile(r'\b(name|filename)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, kw_only=True)
class Part:
    """One field; ``filename`` is None when it is no file."""

    name: str
    filename: str | None
    content_type: str
    body: bytes


def parts(content_type: str, body: bytes) -> list[Part]:
    """The fields of ``body``, in order. The log of requests has consumed the stream, so that aiohttp's own reader finds nothing."""
    boundary = content_type.partition("boundary=")[2].split(";")[0].strip().strip('"').encode()
    found = []
    for piece in body.split(b"--" + boundary)[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("utf-8", "replace").split("\r\n") if ": " in line)
        named = dict(_PARAMETER.findall(headers.get("Content-Disposition", "")))
        found.append(
            Part(
                name=named.get("name", ""),
                filename=named.get("filename"),
                content_type=headers.get("Content-Type", "text/plain").split(";")[0],
                body=content.removesuffix(b"\r\n"),
            )
        )
    return found
