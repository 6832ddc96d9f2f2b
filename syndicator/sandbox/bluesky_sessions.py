"""Accounts of a PDS and their sessions: app passwords, access tokens of two hours, refresh tokens of ninety days.

https://github.com/bluesky-social/atproto/tree/main/packages/pds/src/account-manager
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from syndicator.sandbox.bluesky_repo import Repository

ACCESS_LIFE = timedelta(hours=2)
REFRESH_LIFE = timedelta(days=90)
GRACE = timedelta(hours=2)
"""How long a refresh token still works after it was used: a lost answer is harmless."""


class TokenError(Exception):
    """Why a token is refused: a name of the protocol, and its words."""

    def __init__(self, name: str, said: str) -> None:
        self.name = name
        super().__init__(said)


@dataclass(kw_only=True)
class Account:
    """One account and all that it holds."""

    did: str
    handle: str
    password: str
    app_passwords: dict[str, str] = field(default_factory=dict)
    """Name → password."""
    status: Literal["active", "deactivated", "takendown"] = "active"
    repository: Repository = field(default_factory=Repository)


@dataclass(kw_only=True)
class _Refresh:
    did: str
    app_password: str | None
    expires_at: datetime
    next_id: str | None = None


class Sessions:
    """Tokens, signed as JWTs are."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._secret = b"of this simulator alone"
        self._refresh: dict[str, _Refresh] = {}
        self._count = 0

    def create(self, account: Account, app_password: str | None) -> tuple[str, str]:
        """An access and a refresh token; ``app_password`` is the name of the one used."""
        return self._pair(account.did, app_password, self._next_id())

    def rotate(self, token: str) -> tuple[str, str]:
        """The next pair for a refresh token; the same one when asked again."""
        used = self._refresh.get(str(self.claims(token, "refresh+jwt").get("jti")))
        if used is None or used.expires_at <= self._now():
            raise TokenError("ExpiredToken", "Token has been revoked")
        used.expires_at = min(used.expires_at, self._now() + GRACE)
        used.next_id = used.next_id or self._next_id()
        return self._pair(used.did, used.app_password, used.next_id)

    def revoke(self, account: Account, app_password: str) -> None:
        """Forget an app password; access tokens made with it live on until they expire."""
        account.app_passwords.pop(app_password)
        self._refresh = {name: one for name, one in self._refresh.items() if (one.did, one.app_password) != (account.did, app_password)}

    def claims(self, token: str, kind: str) -> dict[str, Any]:
        """What a token says, once its signature, its kind and its date are right."""
        head, _, rest = token.partition(".")
        claims, _, signature = rest.partition(".")
        if not hmac.compare_digest(signature, self._sign(f"{head}.{claims}")):
            raise TokenError("InvalidToken", "Token could not be verified")
        said: dict[str, Any] = _decoded(claims)
        if said["exp"] <= self._now().timestamp():
            raise TokenError("ExpiredToken", "Token has expired")
        if _decoded(head)["typ"] != kind:
            raise TokenError("InvalidToken", "Invalid token type")
        return said

    def sign_pass(self, did: str, *, aud: str, lxm: str | None, until: int) -> str:
        """A token with which another service may do ``lxm`` for the account (https://atproto.com/specs/xrpc#inter-service-authentication-jwt).

        The real one is signed with the account's own key.
        """
        claims = {"iss": did, "aud": aud, "iat": int(self._now().timestamp()), "exp": until}
        return self._token("JWT", {**claims, **({"lxm": lxm} if lxm else {})})

    def _pair(self, did: str, app_password: str | None, refresh_id: str) -> tuple[str, str]:
        now = self._now()
        known = self._refresh.setdefault(refresh_id, _Refresh(did=did, app_password=app_password, expires_at=now + REFRESH_LIFE))
        scope = "com.atproto.access" if app_password is None else "com.atproto.appPass"
        access = {"scope": scope, "aud": "did:web:localhost", "sub": did, "iat": int(now.timestamp())}
        refresh = {**access, "scope": "com.atproto.refresh", "jti": refresh_id, "exp": int(known.expires_at.timestamp())}
        return self._token("at+jwt", {**access, "exp": int((now + ACCESS_LIFE).timestamp())}), self._token("refresh+jwt", refresh)

    def _token(self, kind: str, claims: dict[str, Any]) -> str:
        signed = f"{_encoded({'typ': kind, 'alg': 'HS256'})}.{_encoded(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def _sign(self, text: str) -> str:
        return base64.urlsafe_b64encode(hmac.digest(self._secret, text.encode(), hashlib.sha256)).decode().rstrip("=")

    def _next_id(self) -> str:
        self._count += 1
        return f"refresh-{self._count}"


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _decoded(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
