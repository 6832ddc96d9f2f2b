"""Addresses that origins give apart from any text."""

from __future__ import annotations

import re

from syndicator.text.clean import clean

_BLANKS = re.compile(r"[ \t\n\f\r]")
_WEB = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#]")


def web_url(href: str) -> str | None:
    """``href`` with a lower-case scheme when it is an absolute http(s) address without blanks; None for anything else."""
    href = clean(href).strip()
    if not _WEB.match(href) or _BLANKS.search(href):
        return None
    scheme, rest = href.split("://", 1)
    return f"{scheme.lower()}://{rest}"
