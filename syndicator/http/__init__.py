"""The one HTTP client: shared session, limits of size, time and address, and status → error in one place.

Strangers' URLs go through here only. A connection to an address that is not public is refused at the socket, after name resolution
and for every redirect, so neither a literal address nor DNS rebinding gets past (aiohttp's resolver alone would not see literals);
``allow_private`` names the hosts of a local network that a person trusts, and a stranger's redirect does not lead there. Bodies are
read in chunks and counted after decompression.
"""

from syndicator.http.addresses import PrivateAddress, is_public
from syndicator.http.answers import Response, error_for, retry_after
from syndicator.http.client import (
    FEED_MAX_BYTES,
    ICS_MAX_BYTES,
    IMAGE_MAX_BYTES,
    JSON_MAX_BYTES,
    PAGE_MAX_BYTES,
    TOTAL_TIMEOUT_S,
    Http,
)
from syndicator.http.sessions import Sessions

__all__ = [
    "FEED_MAX_BYTES",
    "ICS_MAX_BYTES",
    "IMAGE_MAX_BYTES",
    "JSON_MAX_BYTES",
    "PAGE_MAX_BYTES",
    "TOTAL_TIMEOUT_S",
    "Http",
    "PrivateAddress",
    "Response",
    "Sessions",
    "error_for",
    "is_public",
    "retry_after",
]
