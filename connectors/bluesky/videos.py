"""Videos on their way to a post: sent to the service that makes them fit to be played, which leaves them on the account's server.

https://docs.bsky.app/docs/tutorials/video: the account's server signs a pass for the video service, the service takes the file and a number
for the work on it, and when that is done it names the blob that a post may hold. What it will never take is remembered, so that the
post goes with the picture and the link instead.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.bluesky.client import Client
from syndicator.errors import Gone, NotReady, OutcomeUnknown, Rejected, Transient, Unprepared
from syndicator.http import Http, Response, error_for
from syndicator.media import VideoFile

UPLOAD = "com.atproto.repo.uploadBlob"
"""What the service does in our name, when it is done."""
PASS_S = 1800
"""How long the service may use our pass: the time of the upload and of its own work."""
UPLOAD_TIMEOUT_S = 1500.0
TRIES = 3
KEPT = 200
HOPELESS = frozenset({"validation_failure", "encoding_failure", "pds_upload_unsupported_blob_size"})
"""https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/video/defs.json"""


class Failed(Exception):
    """The service gave up; ``hopeless`` when it would again."""

    def __init__(self, said: str, *, hopeless: bool) -> None:
        self.hopeless = hopeless
        super().__init__(said)


@dataclass(frozen=True, kw_only=True)
class VideoService:
    """One video service, for one account."""

    http: Http
    client: Client
    base_url: str

    async def upload(self, file: VideoFile) -> str:
        """The number of the work on ``file``; the same file has the same number. Raises Failed when the service does not take it."""
        did = self.client.session.did
        try:
            headers = {"Authorization": f"Bearer {await self._pass()}", "Content-Type": file.media_type}
        except (Rejected, Gone) as error:
            # Whatever the account's server has against it (a clock that is wrong), the text may still go.
            raise Failed(error.detail, hopeless=False) from error
        try:
            with await asyncio.to_thread(file.path.open, "rb") as opened:
                response = await self.http.request(
                    "POST", f"{self.base_url}/xrpc/app.bsky.video.uploadVideo", headers=headers,
                    params={"did": did, "name": f"{file.sha256[:16]}.mp4"}, data=opened, timeout_s=UPLOAD_TIMEOUT_S,
                )  # fmt: skip
        except OutcomeUnknown as error:
            # Nobody sees a video that no post holds.
            raise Transient(error.detail) from error
        except OSError as error:
            raise Transient(f"{file.path.name}: {error}") from error
        job = _job(response)
        # A video that it has already is answered with 409, and with its number.
        if job.get("jobId"):
            return str(job["jobId"])
        self._refuse_outage(response)
        if job.get("error"):
            raise Failed(f"{job['error']}: {job.get('message') or 'not taken'}", hopeless=True)
        if response.status < 400:
            raise Transient("the video service names no work")
        raise Failed(f"the video service answered {response.status}", hopeless=True)

    async def blob(self, number: str) -> Mapping[str, Any]:
        """What a post may hold. Raises NotReady while the service works on it, Failed when it gave up."""
        response = await self.http.get(f"{self.base_url}/xrpc/app.bsky.video.getJobStatus", params={"jobId": number})
        self._refuse_outage(response)
        if response.status >= 400:
            raise Failed(f"the video service does not know {number}", hopeless=False)
        job = _job(response)
        blob, state = job.get("blob"), str(job.get("state") or "")
        # One that was there before counts as failed, and names its blob all the same.
        if isinstance(blob, Mapping):
            return blob
        if state in ("JOB_STATE_FAILED", "JOB_STATE_COMPLETED"):
            said = ": ".join(str(job[name]) for name in ("failureCode", "error", "message") if job.get(name)) or state
            raise Failed(said, hopeless=job.get("failureCode") in HOPELESS)
        raise NotReady(f"the video service is still at work on {number}: {state or 'no state'}")

    async def _pass(self) -> str:
        """A token for the service, signed by the account's server, to leave a blob there."""
        server = await self.client.query("com.atproto.server.describeServer", {})
        until = int(self.http.now().timestamp()) + PASS_S
        wanted = {"aud": str(server.get("did") or ""), "lxm": UPLOAD, "exp": str(until)}
        token = (await self.client.query("com.atproto.server.getServiceAuth", wanted, signed=True)).get("token")
        if not isinstance(token, str) or not token:
            raise Transient("the server gives no pass for the video service")
        return token

    def _refuse_outage(self, response: Response) -> None:
        """What passes, whoever says it: it must not make the whole account wait."""
        if response.status in (408, 429) or response.status >= 500:
            error = error_for(response, self.http.now())
            raise Transient(error.detail if error else f"the video service answered {response.status}")


def _job(response: Response) -> Mapping[str, Any]:
    """The service answers an upload with the status itself, where the lexicon has it inside ``jobStatus``: both are taken."""
    document = response.json_object()
    inner = document.get("jobStatus", document)
    return inner if isinstance(inner, Mapping) else {}


class Failures:
    """How often each video failed, across restarts; losing the file costs an upload or two."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def add(self, url: str, failed: Failed) -> Unprepared:
        """Count one more; what to raise, so that the post is made anew."""
        counts = await asyncio.to_thread(self._load)
        counts[url] = TRIES if failed.hopeless else counts.pop(url, 0) + 1
        await asyncio.to_thread(self._save, counts)
        return Unprepared(f"{url}: {failed}")

    async def refuse(self, url: str) -> None:
        """Raise Rejected for a video that failed too often."""
        if (await asyncio.to_thread(self._load)).get(url, 0) >= TRIES:
            raise Rejected(f"{url}: the video service does not take it")

    def _load(self) -> dict[str, int]:
        with suppress(OSError, ValueError):
            counts = json.loads(self._path.read_bytes())
            if isinstance(counts, dict):
                return {str(url): count for url, count in counts.items() if isinstance(count, int)}
        return {}

    def _save(self, counts: Mapping[str, int]) -> None:
        newest = dict(list(counts.items())[-KEPT:])
        with suppress(OSError):
            half = self._path.with_suffix(".new")
            half.write_text(json.dumps(newest), encoding="utf-8")
            half.replace(self._path)
