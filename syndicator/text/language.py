"""Language tags: valid BCP 47 or none at all, and the language of the words that we add ourselves."""

from __future__ import annotations

import regex

_TAG = regex.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?(?P<rest>(?:-[a-z0-9]{5,8}|-[0-9][a-z0-9]{3})*)",
    regex.IGNORECASE,
)
_NO_LANGUAGE = frozenset({"und", "zxx", "mul", "mis", "qaa"})


def valid_language(tag: str | None) -> str | None:
    """``tag`` as RFC 5646 writes it (``zh-TW``); None when it is no language: never a guess."""
    match = _TAG.fullmatch((tag or "").strip().replace("_", "-"))
    if match is None or match["language"].lower() in _NO_LANGUAGE:
        return None
    parts = [match["language"].lower()]
    parts += [match["script"].title()] if match["script"] else []
    parts += [match["region"].upper()] if match["region"] else []
    return "-".join(parts) + str(match["rest"]).lower()


def our_language(*wanted: str | None) -> str:
    """The language of the words we add: the first that we speak of the route's, the item's, the association's; else English."""
    for tag in wanted:
        base = (valid_language(tag) or "").split("-")[0]
        if base in {"fr", "en"}:
            return base
    return "en"
