"""OAuth 1.0a (RFC 5849) as a server checks it: who signed this request, and is it exactly what was signed?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

CLOCK_SKEW_S = 300
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The four strings: which program, for which account."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str


class Doors:
    """Remembers what was used: a request that is sent again as it was is refused."""

    def __init__(self) -> None:
        self._used: set[tuple[str, str]] = set()

    def flaw(self, keys: Keys, header: str, method: str, url: str, query: Iterable[tuple[str, str]]) -> str:
        """What is wrong with the signature; empty when it is good. ``url`` is without its query."""
        if not header.startswith("OAuth "):
            return "no OAuth header"
        given = {name: unquote(value) for name, value in _PARAMETER.findall(header)}
        signature = given.pop("oauth_signature", "")
        given.pop("realm", None)
        if (given.get("oauth_consumer_key"), given.get("oauth_token")) != (keys.consumer_key, keys.token):
            return "unknown key or token"
        if given.get("oauth_signature_method") != "HMAC-SHA1" or given.get("oauth_version", "1.0") != "1.0":
            return "unknown method or version"
        # A signature is as old as the machine's own clock says, whatever time it is in the sandbox.
        if abs(time.time() - int(given.get("oauth_timestamp") or 0)) > CLOCK_SKEW_S:
            return "timestamp out of bounds"
        if not hmac.compare_digest(signature, _signature(keys, method, url, [*query, *given.items()])):
            return "wrong signature"
        used = given.get("oauth_timestamp", ""), given.get("oauth_nonce", "")
        if not used[1] or used in self._used:
            return "nonce used before"
        self._used.add(used)
        return ""


def _signature(keys: Keys, method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """https://www.rfc-editor.org/rfc/rfc5849#section-3.4"""
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in parameters)
    normalised = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join([method.upper(), _escaped(url), _escaped(normalised)])
    key = f"{_escaped(keys.consumer_secret)}&{_escaped(keys.token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")
