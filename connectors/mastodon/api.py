"""Reading an account through the REST API: news above a cursor, and recent posts again for edits and deletions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from logging import Logger
from typing import Any

from connectors.mastodon import objects
from connectors.mastodon.client import Client
from connectors.mastodon.cursor import Position, Recent, id_order
from connectors.mastodon.parse import Reading, Unreadable, id_of, is_shown, is_unfinished, post_from_status
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, Gone, Rejected, Transient
from syndicator.http import Http, error_for
from syndicator.model import Batch, Post, Tombstone

Json = Mapping[str, Any]

# Mastodon.py takes 8 ms to cast one status, in its thread but under the interpreter's lock: small pages keep the loop awake.
PAGE = 20
FIRST_PAGES = 2
NEWS_PAGES_MAX = 50
RELIST_PAGES_MAX = 3
CLIMB_MAX = 10
KNOWN_MAX = 1000
UNFINISHED_MAX = timedelta(hours=1)
"""How long media that the server is still working on are waited for at every look."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the options ask of the reader."""

    unlisted: bool
    boosts: bool
    recheck: timedelta
    recheck_every: timedelta


class ApiReader:
    """One account on one server."""

    def __init__(
        self, *, client: Client, http: Http, base_url: str, token: Secret | None, reading: Reading, wishes: Wishes, log: Logger
    ) -> None:
        self._client = client
        self._http = http
        self._base_url = base_url
        self._token = token
        self._wishes = wishes
        self._log = log
        self._actor = f"{base_url}#{reading.account_id}"
        self._recheck_at: float | None = None
        """When the recent posts are looked at again, seconds since 1970; kept here, so that a quiet poll leaves the cursor alone."""
        self._unfinished = False
        self._batch = reading.capabilities.batch
        self._recent: dict[str, str] = {}
        """uid → id of what the last cursor remembers."""
        self._foreign: dict[str, bool] = {}
        """Whether own statuses, by id, stand in somebody else's thread."""
        self._uids: dict[str, str] = {}
        """id → uid of own statuses."""
        self._reading = replace(reading, uids=self._uids)

    @property
    def account_id(self) -> str:
        """The account's id on its server."""
        return self._reading.account_id

    def knows(self, status_id: str) -> bool:
        """Whether this is one of the recent posts."""
        return status_id in self._recent.values()

    def recheck_soon(self) -> None:
        """Let the next fetch look at the recent posts again."""
        self._recheck_at = None

    async def fetch(self, cursor: str | None) -> Batch:
        """The newest statuses at first; then those above the cursor, and the recent ones again when that is due."""
        position = Position.decode(cursor, self._actor)
        if position is None or position.last is None:
            return await self._first()
        self._remember(position)
        news, more = await self._news(position.last)
        posts, position = await self._take(news, position)
        gone: tuple[Tombstone, ...] = ()
        if self._is_due():
            try:
                again, gone = await self._recheck(position)
            except Transient as error:
                # What was just read stays read; the next fetch tries this part again.
                self._log.info("recent posts not read again: %s", error)
            else:
                posts = [*again, *posts]
                position = position.without(tombstone.uid for tombstone in gone)
                self._rechecked()
        self._remember(position)
        return Batch(changed=tuple({post.uid: post for post in posts}.values()), gone=gone, cursor=position.encode(), more=more)

    async def read(self, ids: Sequence[str]) -> Batch:
        """Each of ``ids`` by its number where that is known or in its address, else by its ActivityPub id."""
        numbers = {uid: number for uid in ids if (number := self._number(uid)) is not None}
        found = await self._by_id(list(numbers.values()))
        posts, gone, present = [], [], set()
        for uid in dict.fromkeys(ids):
            if uid not in numbers:
                answer = await objects.ask(self._http, uid)
                gone += [answer] if isinstance(answer, Tombstone) else []
                present |= {uid} if answer == "public" or (answer == "unlisted" and self._wishes.unlisted) else set()
                continue
            status = found.get(numbers[uid])
            if status is None or (status.get("uri") == uid and not self._shown(status)):
                gone.append(Tombstone(uid=uid))
            elif status.get("uri") == uid:
                posts += [post] if (post := await self._post(status)) is not None else []
        return Batch(changed=tuple(posts), gone=tuple(gone), present=frozenset(present))

    def _number(self, uid: str) -> str | None:
        """A status's id: remembered, or the end of its uid on the servers whose uids end so."""
        if uid in self._recent:
            return self._recent[uid]
        # One that has just been found missing is recent no more, and will be asked for once more.
        for number, known in self._uids.items():
            if known == uid:
                return number
        head, _, tail = uid.removesuffix("/activity").rpartition("/")
        ends_with_id = "/statuses" in head or "/p/" in head
        return tail if ends_with_id and uid.startswith(f"{self._base_url}/") else None

    def _remember(self, position: Position) -> None:
        self._recent = {recent.uid: recent.id for recent in position.recent}
        if len(self._uids) > KNOWN_MAX:
            self._uids.clear()
            self._foreign.clear()
        self._uids |= {recent.id: recent.uid for recent in position.recent}
        if self._unfinished:
            self._unfinished = False
            self.recheck_soon()

    async def _first(self) -> Batch:
        statuses: list[Json] = []
        for _ in range(FIRST_PAGES):
            page = await self._page(max_id=min((id_of(s) for s in statuses), key=id_order, default=None))
            statuses += page
            if not page:
                break
        statuses = _by_time(statuses)
        posts, position = await self._take(statuses, Position(actor=self._actor))
        self._rechecked()
        self._remember(position)
        return Batch(changed=tuple(posts), cursor=position.encode())

    async def _news(self, last: str) -> tuple[list[Json], bool]:
        """What is above ``last``, oldest first, and whether there may be more above that."""
        statuses: list[Json] = []
        above = _above(await self._page(min_id=last), last)
        if self._reading.capabilities.cursor == "min_id":
            statuses += above
            while len(above) == PAGE and len(statuses) < NEWS_PAGES_MAX * PAGE:
                last = id_of(_by_time(above)[-1])
                above = _above(await self._page(min_id=last), last)
                statuses += above
            # A page may be short though there is more: what a server hides from it is counted too.
            return _by_time(statuses), bool(above)
        # Pixelfed answers min_id with the newest page above it: what is between is found on the way down.
        while above:
            statuses += above
            lowest = id_of(_by_time(statuses)[0])
            above = [status for status in _above(await self._page(max_id=lowest), last) if id_order(id_of(status)) < id_order(lowest)]
        return _by_time(statuses), False

    async def _page(self, *, min_id: str | None = None, max_id: str | None = None) -> list[Json]:
        page = await self._client.call(
            "account_statuses",
            self._reading.account_id,
            min_id=min_id,
            max_id=max_id,
            limit=PAGE,
            exclude_reblogs=not self._wishes.boosts,
        )
        if not isinstance(page, list):
            raise Transient(f"{self._base_url} answered something else than a list of statuses")
        return [status for status in page if isinstance(status, Mapping) and status.get("id")]

    async def _take(self, statuses: Sequence[Json], position: Position) -> tuple[list[Post], Position]:
        """The posts among ``statuses`` that may be shown, and the position after them."""
        posts, recent = [], []
        self._uids |= {id_of(s): str(s["uri"]) for s in statuses if s.get("uri")}
        now = self._http.now()
        self._foreign |= {id_of(s): False for s in statuses if not s.get("in_reply_to_id")}
        for status in statuses:
            if not self._shown(status):
                continue
            post = await self._post(status)
            if post is None:
                continue
            posts.append(post)
            recent.append(Recent(id=id_of(status), uid=post.uid, at=int((post.published_at or now).timestamp())))
        return posts, position.advanced(map(id_of, statuses), recent, now, self._wishes.recheck)

    def _shown(self, status: Json) -> bool:
        return is_shown(status, unlisted=self._wishes.unlisted) and (self._wishes.boosts or not status.get("reblog"))

    async def _post(self, status: Json) -> Post | None:
        """The post; None for one that cannot be read, which costs the others nothing."""
        foreign = not status.get("reblog") and await self._is_foreign(status)
        try:
            post = post_from_status(status, self._reading)
        except Unreadable as error:
            self._log.warning("left out: %s", error)
            return None
        young = post.published_at is not None and self._http.now() - post.published_at < UNFINISHED_MAX
        self._unfinished = self._unfinished or (young and is_unfinished(status))
        return replace(post, reply_to_other=True) if foreign else post

    async def _is_foreign(self, status: Json) -> bool:
        """Whether it answers in somebody else's thread, found by climbing own parents where the server does not say."""
        path: list[str] = []
        current, verdict = status, False
        for _ in range(CLIMB_MAX):
            path.append(id_of(current))
            parent = current.get("in_reply_to_id")
            if not parent:
                break
            verdict = str(current.get("in_reply_to_account_id")) != self._reading.account_id
            if verdict or self._reading.capabilities.carries_thread_owner:
                break
            if str(parent) in self._foreign and str(parent) in self._uids:
                verdict = self._foreign[str(parent)]
                break
            above = await self._single(str(parent))
            if above is None:
                break
            current = above
            self._uids[str(parent)] = str(above.get("uri") or parent)
        self._foreign |= dict.fromkeys(path, verdict)
        return verdict

    def _rechecked(self) -> None:
        """Everything recent has just been read."""
        self._recheck_at = self._http.now().timestamp() + self._wishes.recheck_every.total_seconds()

    def _is_due(self) -> bool:
        return self._recheck_at is None or self._http.now().timestamp() >= self._recheck_at

    async def _recheck(self, position: Position) -> tuple[list[Post], tuple[Tombstone, ...]]:
        """The recent posts as they are now, and those that the server no longer shows."""
        oldest = (self._http.now() - self._wishes.recheck).timestamp()
        recent = [one for one in position.recent if one.at >= oldest]
        found = await self._by_id([one.id for one in recent])
        posts, gone = [], []
        for one in recent:
            status = found[one.id]
            if status is None or not self._shown(status):
                gone.append(Tombstone(uid=one.uid))
            elif (post := await self._post(status)) is not None:
                posts.append(post)
        return posts, tuple(gone)

    async def _by_id(self, numbers: Sequence[str]) -> dict[str, Json | None]:
        """Statuses by id; None for those that the server does not show when it is asked for them alone.

        To be missing from an answer about several proves nothing: an empty one may be a fault.
        """
        listed = await self._listed(numbers) if len(numbers) > 1 else {}
        return {number: listed[number] if number in listed else await self._single(number) for number in numbers}

    async def _listed(self, numbers: Sequence[str]) -> dict[str, Json]:
        if self._batch is not None:
            try:
                return await self._in_batches(numbers, self._batch)
            except (Rejected, Gone, AuthExpired) as error:
                if self._token is not None and isinstance(error, AuthExpired):
                    raise
                self._log.info("asks no more for several statuses at once: %s", error)
                self._batch = None
        return await self._listed_again(numbers)

    async def _in_batches(self, numbers: Sequence[str], parameter: str) -> dict[str, Json]:
        """``GET /api/v1/statuses``, by the light client: Mastodon.py knows one spelling only, and its casting is not needed here."""
        headers = {"Authorization": f"Bearer {self._token.reveal()}"} if self._token else {}
        found: dict[str, Json] = {}
        for start in range(0, len(numbers), self._reading.capabilities.batch_max):
            chunk = numbers[start : start + self._reading.capabilities.batch_max]
            params = [(parameter, number) for number in chunk]
            response = await self._http.get(f"{self._base_url}/api/v1/statuses", params=params, headers=headers)
            error = error_for(response, self._http.now())
            if error is not None:
                raise error
            page = response.json()
            if not isinstance(page, list):
                raise Transient(f"{self._base_url} answered something else than a list of statuses")
            found |= {str(s["id"]): s for s in page if isinstance(s, Mapping) and s.get("id")}
        return found

    async def _listed_again(self, numbers: Sequence[str]) -> dict[str, Json]:
        """The newest pages, down to the oldest one wanted."""
        found: dict[str, Json] = {}
        lowest: str | None = None
        for _ in range(RELIST_PAGES_MAX):
            page = await self._page(max_id=lowest)
            found |= {id_of(status): status for status in page}
            lowest = min(found, key=id_order, default=None)
            if not page or lowest is None or id_order(lowest) <= min(map(id_order, numbers)):
                break
        wanted = set(numbers)
        return {number: status for number, status in found.items() if number in wanted}

    async def _single(self, number: str) -> Json | None:
        try:
            status = await self._client.call("status", number)
        except Gone:
            return None
        if not isinstance(status, Mapping) or str(status.get("id")) != number:
            raise Transient(f"{self._base_url} answered something else than status {number}")
        return status


def _by_time(statuses: Iterable[Json]) -> list[Json]:
    return sorted(statuses, key=lambda status: id_order(id_of(status)))


def _above(page: Iterable[Json], last: str) -> list[Json]:
    return [status for status in page if id_order(id_of(status)) > id_order(last)]
