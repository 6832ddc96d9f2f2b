"""Calls to one account's homeserver: found once, logged in once; the token is kept in a file that only we can read."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.matrix.answers import ADDRESS_HINT, PASSWORD_HINT, NotAllowed, TokenRefused, error_of, json_of
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, OutcomeUnknown, Rejected, Transient
from syndicator.http import TOTAL_TIMEOUT_S, Http

UPLOAD_TIMEOUT_S = 180.0
V3 = "/_matrix/client/v3"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who we are there; never printed."""

    base: str
    """Where the client API is, without a trailing slash."""
    user_id: str
    device_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Login:
    """What an account logs in with: a token, or a name and its password."""

    homeserver: str
    token: Secret | None
    user: str
    password: Secret | None
    device_name: str
    """What people see in the account's list of sessions."""

    @property
    def device_id(self) -> str:
        """The same at every login: transaction numbers are a device's own."""
        return f"SYNDICATOR_{hashlib.sha256(self.device_name.encode()).hexdigest()[:10].upper()}"


class Client:
    """One account; see the package's docstring for what is kept where."""

    def __init__(self, http: Http, login: Login, path: Path) -> None:
        self._http = http
        self._login = login
        self._path = path
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """Who we are; Transient before ``log_in``."""
        if self._session is None:
            raise Transient("not logged in")
        return self._session

    async def log_in(self) -> Session:
        """Use the token that is given or was kept, else the password; and ask who that is."""
        if self._login.token is not None:
            token = self._login.token.reveal().strip()
            self._session = Session(base=await self._found(), user_id="", device_id="", token=token)
        else:
            self._session = await asyncio.to_thread(self._load) or await self._create()
        me = await self.call("GET", f"{V3}/account/whoami")
        if not me.get("user_id"):
            raise Transient("the server does not say whose token this is")
        session = self.session
        self._session = Session(
            base=session.base, user_id=str(me["user_id"]), device_id=str(me.get("device_id") or ""), token=session.token
        )
        return self._session

    def log_out(self) -> None:
        """Forget the session; the file keeps it for the next time."""
        self._session = None

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        media_type: str = "",
        write: bool = False,
    ) -> Mapping[str, Any]:
        """What the server answers. With ``write``, OutcomeUnknown when it may have been carried out."""
        try:
            return await self._ask(self.session, method, path, json, params, data, media_type, write=write)
        except TokenRefused:
            if self._login.password is None:
                raise
            # It was refused at the door: nothing happened, and it may be asked again.
            self._session = await self._create()
        return await self._ask(self.session, method, path, json, params, data, media_type, write=write)

    async def _ask(
        self,
        session: Session,
        method: str,
        path: str,
        json: Any,
        params: Mapping[str, str] | None,
        data: bytes | None,
        media_type: str,
        *,
        write: bool,
    ) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {session.token}"} if session.token else {}
        headers |= {"Content-Type": media_type} if media_type else {}
        timeout_s = TOTAL_TIMEOUT_S if data is None else UPLOAD_TIMEOUT_S
        try:
            response = await self._http.request(
                method, session.base + path, headers=headers, params=params, json=json, data=data, timeout_s=timeout_s
            )
            error = error_of(response, self._http.now(), write=write)
            if error is not None:
                raise error
            return json_of(response, write=write)
        except ConnectorError as error:
            told = error if write or not isinstance(error, OutcomeUnknown) else Transient(error.detail, hint=error.hint)
            # Its causes may hold the request.
            error.__cause__ = error.__context__ = None
            raise self._without_secrets(told, session.token) from None

    async def _found(self) -> str:
        """Where the client API is: at the address that was given, or where that points to.

        https://spec.matrix.org/v1.16/client-server-api/#well-known-uris
        """
        given = self._login.homeserver
        if await self._is_server(given):
            return given
        response = await self._http.get(f"{given}/.well-known/matrix/client")
        base = _base_url(response.body) if response.status == 200 else None
        # A token meant for TLS does not leave without it.
        if base is None or urlsplit(base).scheme not in ("https", urlsplit(given).scheme) or not await self._is_server(base):
            raise Rejected(f"{urlsplit(given).netloc} is not a Matrix server", hint=ADDRESS_HINT)
        return base

    async def _is_server(self, base: str) -> bool:
        response = await self._http.get(f"{base}/_matrix/client/versions")
        if response.status >= 500 or response.status in (408, 429):
            error = error_of(response, self._http.now(), write=False)
            assert error is not None
            raise error
        with suppress(Transient, AttributeError):
            return response.status == 200 and isinstance(response.json().get("versions"), list)
        return False

    async def _create(self) -> Session:
        """Log in with the password. A lost answer is harmless: the next login is for the same device."""
        password = self._login.password
        assert password is not None
        base = await self._found()
        self._http.refuse_open(base)
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": self._login.user},
            "password": password.reveal(),
            "device_id": self._login.device_id,
            "initial_device_display_name": self._login.device_name,
        }
        nobody = Session(base=base, user_id="", device_id="", token="")
        try:
            answer = await self._ask(nobody, "POST", f"{V3}/login", body, None, None, "", write=False)
        except (NotAllowed, TokenRefused) as error:
            raise AuthExpired(error.detail, hint=PASSWORD_HINT) from error
        if not answer.get("access_token") or not answer.get("user_id"):
            raise Transient("the answer to the login lacks a token")
        session = Session(
            base=base, user_id=str(answer["user_id"]), device_id=str(answer.get("device_id") or ""), token=str(answer["access_token"])
        )
        await asyncio.to_thread(self._save, session)
        return session

    def _load(self) -> Session | None:
        """What was kept; None when there is nothing, or when it is another account's."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            entry = json.loads(self._path.read_bytes())
            if entry.pop("owner") == self._owner():
                return Session(**entry)
        return None

    def _save(self, session: Session) -> None:
        """Keep it, whole or not at all. A disk that does not take it costs a login next time, no more."""
        text = json.dumps({**asdict(session), "owner": self._owner()})
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".session-")
            try:
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                Path(name).replace(self._path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def _without_secrets(self, error: ConnectorError, token: str) -> ConnectorError:
        """The error without what a strange server may echo."""
        known = [token, self._login.password.reveal() if self._login.password else ""]
        for secret in filter(None, known):
            error.detail = error.detail.replace(secret, "…")
        error.args = (error.detail,)
        return error

    def _owner(self) -> str:
        return f"{self._login.homeserver} {self._login.user}"


def _base_url(body: bytes) -> str | None:
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        base = str(json.loads(body)["m.homeserver"]["base_url"]).rstrip("/")
        return base if urlsplit(base).hostname else None
    return None
