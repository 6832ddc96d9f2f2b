"""Calls to one account's server: logged in once, renewed when the server asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.bluesky.answers import ACCOUNT_HINT, PASSWORD_HINT, TokenRefused, error_of, json_of
from connectors.bluesky.session import Session, SessionFile, session_from
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, words
from syndicator.http import TOTAL_TIMEOUT_S, Http, Response

UPLOAD_TIMEOUT_S = 120.0

NOT_A_PDS_HINT = words(
    fr="Vérifiez pds et handle : cette adresse n'est pas celle d'un serveur Bluesky, ou il ne connaît pas ce compte.",
    en="Check pds and handle: this is not the address of a Bluesky server, or it does not know this account.",
)


class Client:
    """One account; see the package's docstring for what is kept where."""

    def __init__(self, http: Http, *, pds: str, handle: str, password: Secret, path: Path) -> None:
        self._http = http
        self._pds = pds
        self._handle = handle
        self._password = password
        self._file = SessionFile(path, pds=pds, handle=handle, password=password.reveal())
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """Who we are; Transient before ``log_in``."""
        if self._session is None:
            raise Transient("not logged in")
        return self._session

    async def log_in(self) -> Session:
        """Renew the session that was kept, or make the first one."""
        kept = await asyncio.to_thread(self._file.load)
        return await (self._renew(kept) if kept else self._create())

    def log_out(self) -> None:
        """Forget the session; the file keeps it for the next time."""
        self._session = None

    async def call(
        self, name: str, json: Any = None, *, data: bytes | None = None, media_type: str = "", write: bool = False
    ) -> Mapping[str, Any]:
        """What the procedure ``name`` answers. With ``write``, OutcomeUnknown when it may have been carried out."""
        headers = {"Content-Type": media_type} if media_type else {}
        return await self._signed("POST", name, headers, write=write, json=json, data=data)

    async def query(self, name: str, params: Mapping[str, str], *, signed: bool = False) -> Mapping[str, Any]:
        """What the query ``name`` answers to anybody; to us, when it is ``signed``."""
        if signed:
            return await self._signed("GET", name, {}, write=False, params=params)
        return await self._send("GET", name, {}, write=False, params=params)

    async def _signed(self, method: str, name: str, headers: Mapping[str, str], *, write: bool, **sent: Any) -> Mapping[str, Any]:
        try:
            return await self._send(method, name, {**headers, **self._bearer(self.session)}, write=write, **sent)
        except TokenRefused:
            # It was refused at the door: nothing happened, and it may be asked again.
            session = await self._renew(self.session)
        return await self._send(method, name, {**headers, **self._bearer(session)}, write=write, **sent)

    async def _send(self, method: str, name: str, headers: Mapping[str, str], *, write: bool, **sent: Any) -> Mapping[str, Any]:
        url = f"{self.session.service}/xrpc/{name}"
        timeout_s = TOTAL_TIMEOUT_S if sent.get("data") is None else UPLOAD_TIMEOUT_S
        try:
            response = await self._http.request(method, url, headers=headers, timeout_s=timeout_s, **sent)
        except OutcomeUnknown as error:
            raise (error if write else Transient(error.detail)) from error
        return self._read(response, write=write)

    def _bearer(self, session: Session) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {session.access}"}

    def _read(self, response: Response, *, write: bool) -> Mapping[str, Any]:
        error = error_of(response, self._http.now(), write=write)
        if error is not None:
            raise error
        return json_of(response, write=write)

    async def _renew(self, session: Session) -> Session:
        headers = {"Authorization": f"Bearer {session.refresh}"}
        try:
            return await self._keep(await self._ask("refreshSession", headers=headers))
        except (TokenRefused, Rejected):
            return await self._create()

    async def _create(self) -> Session:
        login = {"identifier": self._handle, "password": self._password.reveal()}
        try:
            return await self._keep(await self._ask("createSession", json=login))
        except TokenRefused as error:
            raise AuthExpired(error.detail, hint=PASSWORD_HINT) from error
        except (Rejected, Gone) as error:
            raise Rejected(error.detail, hint=error.hint or NOT_A_PDS_HINT) from error

    async def _ask(self, name: str, *, headers: Mapping[str, str] | None = None, json: Any = None) -> Mapping[str, Any]:
        """A session, from the server that the account logs in at. A lost answer is harmless: the old session works for two hours more."""
        try:
            response = await self._http.request("POST", f"{self._pds}/xrpc/com.atproto.server.{name}", headers=headers, json=json)
        except OutcomeUnknown as error:
            raise Transient(error.detail) from error
        return self._read(response, write=False)

    async def _keep(self, answer: Mapping[str, Any]) -> Session:
        if answer.get("active") is False:
            raise AuthExpired(f"{self._handle}: the account is {answer.get('status') or 'not active'}", hint=ACCOUNT_HINT)
        self._session = session_from(answer, handle=self._handle, pds=self._pds)
        await asyncio.to_thread(self._file.save, self._session)
        return self._session
