"""Names of files and addresses that are made from items: the same in every projection, so that one may link what another wrote."""

from __future__ import annotations

import hashlib
import re
import unicodedata

SLUG_MAX = 60
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})
_BETWEEN = re.compile(r"[^a-z0-9]+")


def handle(uid: str) -> str:
    """Ten hexadecimal digits that stay an item's for ever, whatever becomes of its title: ``3f0a91c27d``."""
    return hashlib.sha256(uid.encode()).hexdigest()[:10]


def slug(words: str) -> str:
    """Words for an address, at most ``SLUG_MAX`` characters of a-z, 0-9 and -: ``Fête de l'été`` → ``fete-de-l-ete``; may be empty."""
    decomposed = unicodedata.normalize("NFKD", words.casefold().translate(_LIGATURES))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    whole = _BETWEEN.sub("-", plain).strip("-")
    if len(whole) <= SLUG_MAX:
        return whole
    return whole[: SLUG_MAX + 1].rpartition("-")[0].strip("-") or whole[:SLUG_MAX]
