"""The service that makes videos fit to be played for the apps of Bluesky: takes a file, works on it, leaves it on the account's server.

Written after https://docs.bsky.app/docs/tutorials/video, the lexicons ``app.bsky.video.*`` and what its own clients expect of it
(https://github.com/bluesky-social/social-app, src/lib/media/video): an upload is answered with the status itself and not, as the lexicon
has it, inside ``jobStatus``; a video that was there before is answered with 409. Not compared with the real service.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox.bluesky_sessions import Account, Sessions, TokenError

UPLOAD = "com.atproto.repo.uploadBlob"
MAX_BYTES = 300_000_000
WORK = timedelta(seconds=20)
"""How long it works on a video."""
STATES = ("JOB_STATE_CREATED", "JOB_STATE_ENCODING", "JOB_STATE_SCANNING", "JOB_STATE_UPLOADING")


@dataclass(kw_only=True)
class Job:
    """One video of one account."""

    number: str
    account: Account
    data: bytes
    since: datetime
    failure: str | None = None
    """The failureCode that it ends with."""
    blob: Mapping[str, Any] | None = None


class VideoService:
    """One video service; ``world`` says the name of the account's server and its accounts."""

    def __init__(self, now: Callable[[], datetime], sessions: Sessions, world: Callable[[], tuple[str, Sequence[Account]]]) -> None:
        self._now = now
        self._sessions = sessions
        self._world = world
        self.jobs: dict[str, Job] = {}
        self.failure: str | None = None
        """What the videos to come end with."""
        self.unconfirmed = False
        """Whether the account's owner has not yet confirmed the e-mail address."""

    def listen(self, app: web.Application) -> None:
        """Answer at ``app``."""
        app.router.add_post("/xrpc/app.bsky.video.uploadVideo", self._upload)
        app.router.add_get("/xrpc/app.bsky.video.getJobStatus", self._status)

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            account = self._owner(request)
        except TokenError as error:
            return web.json_response({"error": error.name, "message": str(error)}, status=401)
        if self.unconfirmed:
            refused = {
                "did": "",
                "jobId": "",
                "state": "",
                "error": "unconfirmed_email",
                "message": "Confirm your email address to upload videos",
            }
            return web.json_response(refused, status=401)
        data = await request.read()
        if len(data) > MAX_BYTES:
            said = f"file size ({len(data)} bytes) is larger than the maximum allowed size ({MAX_BYTES} bytes)"
            return web.json_response({"error": "InvalidRequest", "message": said}, status=400)
        if request.content_type != "video/mp4" or data[4:8] != b"ftyp":
            return web.json_response({"error": "InvalidRequest", "message": "not a video"}, status=400)
        number = hashlib.sha256(account.did.encode() + data).hexdigest()[:20]
        known = self.jobs.get(number)
        if known is not None and known.failure is None:
            return web.json_response({**self._shown(known), "error": "already_exists", "message": "Video already processed"}, status=409)
        self.jobs[number] = Job(number=number, account=account, data=data, since=self._now(), failure=self.failure)
        return web.json_response(self._shown(self.jobs[number]))

    async def _status(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.query.get("jobId", ""))
        if job is None:
            return web.json_response({"error": "missing jobId" if "jobId" not in request.query else "job not found"}, status=400)
        return web.json_response({"jobStatus": self._shown(job)})

    def _owner(self, request: web.Request) -> Account:
        """The account that the pass is of: made for its own server, for leaving a blob there, and for whom the request names."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise TokenError("AuthMissing", "missing authorization")
        claims = self._sessions.claims(token, "JWT")
        server, accounts = self._world()
        if claims["aud"] != server or claims.get("lxm") != UPLOAD or claims["iss"] != request.query.get("did"):
            raise TokenError("InvalidToken", "invalid token")
        if not request.query.get("name", "").endswith(".mp4"):
            raise TokenError("InvalidRequest", "missing name")
        return next(account for account in accounts if account.did == claims["iss"])

    def _shown(self, job: Job) -> dict[str, Any]:
        gone = (self._now() - job.since) / WORK
        said: dict[str, Any] = {"jobId": job.number, "did": job.account.did}
        if gone < 1:
            return {**said, "state": STATES[int(gone * len(STATES))], "progress": int(gone * 100)}
        if job.failure is not None:
            return {**said, "state": "JOB_STATE_FAILED", "failureCode": job.failure, "error": "Failed to process video"}
        if job.blob is None:
            job.blob = job.account.repository.upload(job.data, "video/mp4", self._now()).reference()
        return {**said, "state": "JOB_STATE_COMPLETED", "progress": 100, "blob": job.blob}
