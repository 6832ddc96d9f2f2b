"""A server of the AT Protocol with accounts on it (a PDS), as Bluesky runs them: sessions, uploads, records, rate limits.

Written after https://github.com/bluesky-social/atproto (packages/pds) and the published lexicons, and compared with that server, release
0.4.217, answer by answer. Apps, feeds and notifications are not part of a PDS and are not here. Bluesky's video service, which is a server
of its own, answers here at the same address (``bluesky_video.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web

from syndicator.sandbox.bluesky_lexicon import TID, Invalid, Lexicons, blobs_in
from syndicator.sandbox.bluesky_repo import Record, tid
from syndicator.sandbox.bluesky_sessions import Account, Sessions, TokenError
from syndicator.sandbox.bluesky_video import VideoService
from syndicator.sandbox.server import Simulator

POST = "app.bsky.feed.post"
UPLOAD_MAX_BYTES = 5 * 1024**2
HOUR_S, MINUTE_S = 3600, 60


@dataclass(kw_only=True)
class Call:
    """One call of XRPC, and the headers that its answer will have."""

    request: web.Request
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[dict[str, Any]]]


class Refusal(Exception):
    """An answer that is an error of XRPC (https://atproto.com/specs/xrpc)."""

    def __init__(self, status: int, name: str, said: str) -> None:
        self.status = status
        self.name = name
        super().__init__(said)


@dataclass(kw_only=True)
class Meter:
    """``points`` in each ``period``, counted from the first of them."""

    points: int
    period: timedelta
    used: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def spend(self, key: str, cost: int, now: datetime) -> tuple[int, datetime]:
        """What is left (negative: too much), and when counting starts anew."""
        since, used = self.used.get(key, (now, 0))
        if now >= since + self.period:
            since, used = now, 0
        self.used[key] = (since, used + cost)
        return self.points - used - cost, since + self.period


class BlueskySimulator(Simulator):
    """One PDS; tests and the demo reach its accounts as attributes."""

    COSTS: ClassVar[Mapping[str, int]] = {
        "com.atproto.repo.createRecord": 3,
        "com.atproto.repo.putRecord": 2,
        "com.atproto.repo.deleteRecord": 1,
    }

    def __init__(self, *, now: Callable[[], datetime] | None = None, image_max_bytes: int = 1_000_000) -> None:
        """``image_max_bytes``: 1,000,000 before 2026, 2,000,000 since."""
        super().__init__(now=now)
        self.accounts: list[Account] = []
        self.sessions = Sessions(self.now)
        self.service: str | None = None
        """The address that DID documents give; None: this server's own."""
        self.meters = {
            "all": Meter(points=3000, period=timedelta(minutes=5)),
            "login": Meter(points=30, period=timedelta(minutes=5)),
            "login-day": Meter(points=300, period=timedelta(days=1)),
            "write": Meter(points=5000, period=timedelta(hours=1)),
            "write-day": Meter(points=35_000, period=timedelta(days=1)),
            "upload": Meter(points=1000, period=timedelta(days=1)),
        }
        self._lexicons = Lexicons(image_max_bytes=image_max_bytes)
        for name, handler in {
            "com.atproto.server.createSession": self._create_session,
            "com.atproto.server.refreshSession": self._refresh_session,
            "com.atproto.repo.uploadBlob": self._upload_blob,
            "com.atproto.repo.putRecord": self._put_record,
            "com.atproto.repo.createRecord": self._create_record,
            "com.atproto.repo.deleteRecord": self._delete_record,
        }.items():
            self.app.router.add_post(f"/xrpc/{name}", self._answering(handler))
        for name, query in {
            "com.atproto.repo.getRecord": self._get_record,
            "com.atproto.server.describeServer": self._describe_server,
            "com.atproto.server.getServiceAuth": self._get_service_auth,
        }.items():
            self.app.router.add_get(f"/xrpc/{name}", self._answering(query))
        self.videos = VideoService(self.now, self.sessions, lambda: (self.did, self.accounts))
        self.videos.listen(self.app)

    def add_account(self, handle: str = "asso.bsky.social", *, password: str = "hunter2") -> Account:  # noqa: S107
        """An account with one app password, ``abcd-efgh-ijkl-mnop``, named ``syndicator``."""
        did = f"did:plc:{len(self.accounts):0>24}".translate(str.maketrans("0189", "abcd"))
        account = Account(did=did, handle=handle, password=password, app_passwords={"syndicator": "abcd-efgh-ijkl-mnop"})
        self.accounts.append(account)
        return account

    @property
    def did(self) -> str:
        """The server's own name."""
        return "did:web:" + (self.service or self.url).rpartition("//")[2].rstrip("/").replace(":", "%3A")

    def posts(self, account: Account) -> list[dict[str, Any]]:
        """The account's posts as records, in the order in which they were first made."""
        found = [(name, record) for (kind, name), record in account.repository.records.items() if kind == POST]
        return [{"rkey": name, "cid": record.cid, **record.value} for name, record in found]

    def _answering(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            call = Call(request=request)
            try:
                self._meter(call, "all", request.remote or "")
                return web.json_response(await handler(call), headers=call.headers)
            except (Refusal, TokenError, Invalid) as error:
                status, name = (error.status, error.name) if isinstance(error, Refusal) else (400, "InvalidRequest")
                name = error.name if isinstance(error, TokenError) else name
                return web.json_response({"error": name, "message": str(error)}, status=status, headers=call.headers)

        return answer

    def _meter(self, call: Call, name: str, key: str, cost: int = 1) -> None:
        """Count, tell the tightest limit in the headers, and refuse what is too much; the server sends no Retry-After."""
        meter = self.meters[name]
        left, reset_at = meter.spend(key, cost, self.now())
        headers = call.headers
        if "RateLimit-Remaining" not in headers or left < int(headers["RateLimit-Remaining"]):
            headers["RateLimit-Limit"] = str(meter.points)
            headers["RateLimit-Remaining"] = str(max(left, 0))
            headers["RateLimit-Reset"] = str(int(reset_at.timestamp()))
            headers["RateLimit-Policy"] = f"{meter.points};w={int(meter.period.total_seconds())}"
        if left < 0:
            raise Refusal(429, "RateLimitExceeded", "Rate Limit Exceeded")

    async def _create_session(self, call: Call) -> dict[str, Any]:
        body = await self._input(call, "com.atproto.server.createSession")
        identifier = body["identifier"].lower()
        for name in ("login-day", "login"):
            self._meter(call, name, f"{identifier}-{call.request.remote}")
        account = self._known(identifier)
        app_password = next((name for name, one in account.app_passwords.items() if one == body["password"]), None) if account else None
        if account is None or (app_password is None and body["password"] != account.password):
            raise Refusal(401, "AuthenticationRequired", "Invalid identifier or password")
        if account.status == "takendown":
            raise _inactive(account)
        return self._session(account, *self.sessions.create(account, app_password))

    async def _refresh_session(self, call: Call) -> dict[str, Any]:
        token = self._bearer(call)
        account = self._account(str(self.sessions.claims(token, "refresh+jwt")["sub"]))
        if account.status == "takendown":
            raise _inactive(account)
        if await call.request.read():
            raise Refusal(400, "InvalidRequest", "A request body was provided when none was expected")
        return self._session(account, *self.sessions.rotate(token))

    def _session(self, account: Account, access: str, refresh: str) -> dict[str, Any]:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.service or self.url}
        return {
            "accessJwt": access,
            "refreshJwt": refresh,
            "did": account.did,
            "didDoc": {"id": account.did, "alsoKnownAs": [f"at://{account.handle}"], "service": [service]},
            "handle": account.handle,
            "emailConfirmed": True,
            "active": account.status == "active",
            **({} if account.status == "active" else {"status": account.status}),
        }

    async def _upload_blob(self, call: Call) -> dict[str, Any]:
        account = self._account(str(self.sessions.claims(self._bearer(call), "at+jwt")["sub"]))
        self._meter(call, "upload", account.did)
        if account.status == "takendown":
            raise _inactive(account)
        if "Content-Type" not in call.request.headers:
            raise Refusal(400, "InvalidRequest", "Request encoding (Content-Type) required but not provided")
        data = await call.request.read()
        if len(data) > UPLOAD_MAX_BYTES:
            raise Refusal(413, "PayloadTooLarge", "request entity too large")
        blob = account.repository.upload(data, sniff(data) or call.request.content_type, self.now())
        return {"blob": blob.reference()}

    async def _put_record(self, call: Call) -> dict[str, Any]:
        account, body = await self._writing(call, "com.atproto.repo.putRecord")
        name, value = self._valid(body)
        old = account.repository.records.get(name)
        return self._written(account, name, value, old, body)

    async def _create_record(self, call: Call) -> dict[str, Any]:
        account, body = await self._writing(call, "com.atproto.repo.createRecord")
        name, value = self._valid({"rkey": tid(self.now(), account.repository.revision), **body})
        if name in account.repository.records:
            raise Refusal(500, "InternalServerError", "Internal Server Error")
        return self._written(account, name, value, None, {})

    async def _delete_record(self, call: Call) -> dict[str, Any]:
        account, body = await self._writing(call, "com.atproto.repo.deleteRecord")
        name = (body["collection"], body["rkey"])
        if name not in account.repository.records:
            return {}
        if body.get("swapRecord"):
            _swap(account.repository.records[name], body["swapRecord"])
        account.repository.remove(name)
        return {"commit": account.repository.commit(self.now())}

    async def _get_record(self, call: Call) -> dict[str, Any]:
        account = self._known(call.request.query.get("repo", ""))
        if account is None or account.status != "active":
            raise Refusal(502, "UpstreamFailure", "Upstream service unreachable")
        name = (call.request.query.get("collection", ""), call.request.query.get("rkey", ""))
        uri = f"at://{account.did}/{name[0]}/{name[1]}"
        record = account.repository.records.get(name)
        if record is None:
            raise Refusal(400, "RecordNotFound", f"Could not locate record: {uri}")
        return {"uri": uri, "cid": record.cid, "value": record.value}

    async def _describe_server(self, _: Call) -> dict[str, Any]:
        return {"did": self.did, "availableUserDomains": [".bsky.social"], "inviteCodeRequired": False, "links": {}, "contact": {}}

    async def _get_service_auth(self, call: Call) -> dict[str, Any]:
        """packages/pds/src/api/com/atproto/server/getServiceAuth.ts"""
        did = str(self.sessions.claims(self._bearer(call), "at+jwt")["sub"])
        try:
            asked = self._lexicons.check_params("com.atproto.server.getServiceAuth", call.request.query)
        except Invalid as error:
            # It looks at the rights before it looks at the parameters, and trips over them.
            raise Refusal(500, "InternalServerError", "Internal Server Error") from error
        now, lxm = int(self.now().timestamp()), asked.get("lxm")
        left = int(asked.get("exp", now + 60)) - now
        if left < 0:
            raise Refusal(400, "BadExpiration", "expiration is in past")
        if left > HOUR_S:
            raise Refusal(400, "BadExpiration", "cannot request a token with an expiration more than an hour in the future")
        if left > MINUTE_S and not lxm:
            raise Refusal(400, "BadExpiration", "cannot request a method-less token with an expiration more than a minute in the future")
        return {"token": self.sessions.sign_pass(did, aud=asked["aud"], lxm=lxm, until=now + left)}

    async def _writing(self, call: Call, procedure: str) -> tuple[Account, dict[str, Any]]:
        """The account that writes, and the body, once both may."""
        did = str(self.sessions.claims(self._bearer(call), "at+jwt")["sub"])
        for meter in ("write-day", "write"):
            self._meter(call, meter, did, self.COSTS[procedure])
        body = await self._input(call, procedure)
        account = self._account(body["repo"])
        if account.status != "active":
            raise _inactive(account)
        if account.did != did:
            raise Refusal(401, "AuthenticationRequired", "Authentication Required")
        account.repository.tidy(self.now())
        return account, body

    def _valid(self, body: dict[str, Any]) -> tuple[tuple[str, str], dict[str, Any]]:
        """The name and the value of a record, once the lexicon agrees."""
        collection, rkey = body["collection"], body["rkey"]
        value = {"$type": collection, **body["record"]}
        if value["$type"] != collection:
            raise Invalid(f"Invalid $type: expected {collection}, got {value['$type']}")
        if body.get("validate") is not False:
            if collection == POST and not TID.fullmatch(rkey):
                raise Invalid(f'Invalid record key for {collection}: Invalid TID string (got "{rkey}") at $')
            try:
                self._lexicons.check_record(collection, value)
            except Invalid as error:
                raise Invalid(f"Invalid {collection} record: {error}") from error
        return (collection, rkey), value

    def _written(
        self, account: Account, name: tuple[str, str], value: dict[str, Any], old: Record | None, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Write, unless it is there already, word for word."""
        repository, uri = account.repository, f"at://{account.did}/{name[0]}/{name[1]}"
        if old is not None and old.value == value:
            return {"uri": uri, "cid": old.cid, "validationStatus": "valid"}
        if "swapRecord" in body:
            _swap(old, body["swapRecord"])
        for blob in blobs_in(value):
            _find_blob(account, blob)
        record = repository.write(name, value, self.now())
        return {"uri": uri, "cid": record.cid, "commit": repository.commit(self.now()), "validationStatus": "valid"}

    async def _input(self, call: Call, procedure: str) -> dict[str, Any]:
        try:
            body = await call.request.json()
        except ValueError as error:
            raise Refusal(400, "SyntaxError", str(error)) from error
        self._lexicons.check_input(procedure, body)
        return dict(body)

    def _bearer(self, call: Call) -> str:
        scheme, _, token = call.request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refusal(401, "AuthMissing", "Authentication Required")
        return token

    def _account(self, name: str) -> Account:
        account = self._known(name)
        if account is None:
            raise Refusal(403, "AccountNotFound", "Account not found")
        return account

    def _known(self, name: str) -> Account | None:
        return next((account for account in self.accounts if name in (account.did, account.handle)), None)


def _inactive(account: Account) -> Refusal:
    if account.status == "takendown":
        return Refusal(401, "AccountTakedown", "Account has been taken down")
    return Refusal(401, "AccountDeactivated", "Account is deactivated")


def _swap(record: Record | None, expected: str | None) -> None:
    """Compare before writing; ``expected`` None: there must be none."""
    there = record.cid if record else None
    if there != expected:
        raise Refusal(400, "InvalidSwap", f"Record was at {there}")


def _find_blob(account: Account, blob: Mapping[str, Any]) -> None:
    found = account.repository.blobs.get(blob["ref"]["$link"])
    if found is None:
        raise Refusal(400, "BlobNotFound", f"Could not find blob: {blob['ref']['$link']}")
    if blob["mimeType"] != found.media_type:
        raise Refusal(400, "InvalidMimeType", "Referenced Mimetype does not match stored blob.")
    if blob["size"] != len(found.data):
        raise Refusal(400, "InvalidSize", "Referenced Size does not match stored blob.")


def sniff(data: bytes) -> str | None:
    """The type that the first bytes tell; the server believes them rather than the header."""
    known = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
    found = next((media_type for magic, media_type in known.items() if data.startswith(magic)), None)
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else found
