"""The source: a cheap question at each poll, the whole window when its answer changed, and lookups by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors.mobilizon import queries
from connectors.mobilizon.api import Answer, Api, InternalError, Misunderstood, refusal
from connectors.mobilizon.listing import Entry, Page, Sifted, all_pages, page_of, sift
from connectors.mobilizon.options import GROUP_NAME
from connectors.mobilizon.options import Options as MobilizonOptions
from connectors.mobilizon.parse import Setting, event_from, post_from
from connectors.mobilizon.probe import Cursor, Probe
from connectors.mobilizon.queries import Dialect
from syndicator.contract import Context
from syndicator.contract import Page as WebPage
from syndicator.errors import ConnectorError, Rejected, words
from syndicator.model import Batch, Item, Tombstone

ROOT_EVENTS_MAX = 99
"""More makes ``events`` answer ``events_max_limit_reached``."""
LIST_MAX = 1000
NOT_FOUND = frozenset({"event_not_found", "post_not_found", "not_found"})
EVENT_PATH = re.compile(r"/events/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
POST_PATH = re.compile(r"/p/([^/]+)")
GROUP_PATH = re.compile(rf"/@({GROUP_NAME.pattern})(?:/.*)?", re.ASCII)

Build = Callable[[Mapping[str, Any]], Item]
Question = Callable[[Dialect], str]


class MobilizonSource:
    """Reads the public events and posts of groups, or an instance's events."""

    Options: ClassVar[type[MobilizonOptions]] = MobilizonOptions
    account: str | None = None

    def __init__(self, options: MobilizonOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._api = Api(options.instance, context)
        self._dialect = Dialect()
        self._portable = False
        """True once the server refused what its version promised."""
        self._reported: frozenset[str] = frozenset()
        host = urlsplit(options.url).netloc.lower()
        setting = Setting(host=host, timezone=options.timezone or context.association.timezone)
        self._event: Build = lambda raw: event_from(raw, setting)
        self._post: Build = lambda raw: post_from(raw, setting)

    @classmethod
    def recognise(cls, page: WebPage) -> Mapping[str, Any] | None:
        """A group's page on an instance whose NodeInfo says Mobilizon."""
        parts = urlsplit(page.url)
        group = GROUP_PATH.fullmatch(parts.path)
        if page.software != "mobilizon" or group is None:
            return None
        return {"url": f"{parts.scheme}://{parts.netloc}", "groups": [group[1]]}

    async def open(self) -> None:
        """Make sure that the instance answers and knows the groups."""
        await self._probe(self._since())

    async def close(self) -> None:
        """Nothing is held."""

    async def fetch(self, cursor: str | None) -> Batch:
        """The whole window when anything moved since ``cursor``; else nothing, for one small request."""
        now, since = self._context.now(), self._since()
        probe = await self._probe(since)
        digest = probe.digest(since.isoformat(), repr(self._options))
        if Cursor.load(cursor).is_settled(digest, now):
            return Batch(cursor=cursor)
        sifted = await self._list(probe.found, since)
        again = probe.is_fresh(now) or sifted.unsettled or not sifted.whole
        kept = Cursor(digest="" if again else digest, wake_at=sifted.wake_at)
        return Batch(
            changed=tuple(sifted.items.values()),
            present=frozenset(sifted.present),
            cursor=kept.dump(),
            complete=sifted.whole and not probe.faults,
            complete_since=now if self._options.whole_instance else since,
        )

    async def read(self, ids: Sequence[str]) -> Batch:
        """Each item by its own address: as it is now, gone, or unknown."""
        changed: list[Item] = []
        gone: list[Tombstone] = []
        for keys, question, build in self._lookups(ids):
            answer = await self._ask(question, {f"k{index}": key for index, key in enumerate(keys.values())})
            for index, uid in enumerate(keys):
                found = await self._judge(uid, answer, f"i{index}", build)
                if isinstance(found, Tombstone):
                    gone.append(found)
                elif found is not None:
                    changed.append(found)
        nameless = [await self._confirm(uid) for uid in ids if _key_of(uid) is None]
        gone.extend(tombstone for tombstone in nameless if tombstone)
        return Batch(changed=tuple(changed), gone=tuple(gone))

    def _lookups(self, ids: Sequence[str]) -> Iterator[tuple[dict[str, str], Question, Build]]:
        """The questions that look up ``ids``: uid → key, in handfuls that stay under the limit of complexity."""
        for pattern in (EVENT_PATH, POST_PATH):
            keys = {uid: key for uid in ids if (key := _match(pattern, uid))}
            for start in range(0, len(keys), queries.ITEMS_PER_READ):
                handful = dict(list(keys.items())[start : start + queries.ITEMS_PER_READ])
                if pattern is EVENT_PATH:
                    yield handful, _events_question(len(handful)), self._event
                else:
                    yield handful, _posts_question(len(handful)), self._post

    async def _judge(self, uid: str, answer: Answer, alias: str, build: Build) -> Item | Tombstone | None:
        raw = answer.data.get(alias)
        faults = answer.faults_at(alias)
        if not isinstance(raw, dict):
            return await self._confirm(uid) if any(fault.code in NOT_FOUND for fault in faults) else None
        sifted = Sifted()
        entry = Entry(raw=raw, faults=faults)
        sift([entry], build, sifted, now=self._context.now(), since=datetime.min.replace(tzinfo=UTC), log=self._context.log)
        if sifted.present or sifted.wake_at or entry.uid != uid:
            return None
        item = sifted.items.get(uid)
        # Made unlisted, private or a draft again, it is no longer shown to the public. One of another group is kept: the event may have
        # been handed over, or a person may have mistyped a name in the configuration.
        return item or Tombstone(uid=uid)

    async def _confirm(self, uid: str) -> Tombstone | None:
        """What the address of an item itself says: gone for good, not found, or nothing that can be relied on."""
        try:
            response = await self._context.http.get(uid, headers={"Accept": "application/activity+json"})
        except ConnectorError as error:
            self._context.log.info("object=%s not confirmed gone: %s", uid, error.detail)
            return None
        if response.status not in (404, 410):
            return None
        return Tombstone(uid=uid, certain=response.status == 410)

    def _since(self) -> datetime:
        """Where the window begins: at midnight, so that an idle day asks the same question all along."""
        return (self._context.now().astimezone(UTC) - self._options.history).replace(hour=0, minute=0, second=0, microsecond=0)

    async def _probe(self, since: datetime) -> Probe:
        probe = Probe()
        after = _instant(since)
        if self._options.groups:
            await self._probe_groups(probe, after)
        else:
            tags = ",".join(self._options.tags)
            question = queries.PROBE_TAGS if tags else queries.PROBE_INSTANCE
            answer = await self._api.ask(question, {"tags": tags, "after": after} if tags else {})
            probe.note_version(answer)
            if not probe.note_list("events", answer.data.get("events")):
                raise refusal(answer.faults)
        self._dialect = Dialect() if self._portable else queries.dialect_of(probe.version)
        return probe

    async def _probe_groups(self, probe: Probe, after: str) -> None:
        options = self._options
        lists = tuple(name for name, wanted in (("organizedEvents", options.events), ("posts", options.posts)) if wanted)
        names = options.group_names
        for start in range(0, len(names), queries.GROUPS_PER_PROBE):
            handful = names[start : start + queries.GROUPS_PER_PROBE]
            variables = {f"g{index}": name for index, name in enumerate(handful)} | ({"after": after} if options.events else {})
            answer = await self._ask(_probe_question(len(handful), options.events, options.posts), variables)
            probe.note_version(answer)
            for index, name in enumerate(handful):
                probe.note_group(name, f"g{index}", answer, lists)
        self._report(probe)

    def _report(self, probe: Probe) -> None:
        """Say once which groups are missing; when none is left, that is an error."""
        newly, self._reported = frozenset(probe.missing) - self._reported, frozenset(probe.missing)
        if not probe.found:
            raise refusal(tuple(probe.faults)) if probe.faults else self._no_group(probe.missing)
        for name in sorted(newly):
            error = self._no_group([name])
            hint = error.hint or {}
            self._context.log.warning("%s: %s", error.detail, hint.get(self._context.association.language[:2], hint.get("en", "")))

    def _no_group(self, names: Sequence[str]) -> Rejected:
        named, host = ", ".join(f"@{name}" for name in names), urlsplit(self._options.url).netloc
        return Rejected(
            f"{host} knows no group {named}",
            hint=words(
                fr=f"{host} ne connaît pas {named} : vérifiez « groups » ; il faut ce qui suit le @ dans l'adresse de la page du groupe, "
                "et l'instance où il a été créé. Un groupe suspendu n'est plus visible non plus.",
                en=f'{host} does not know {named}: check "groups"; it takes what follows the @ in the address of the group\'s page, on the '
                "instance where it was created. A suspended group is no longer visible either.",
            ),
        )

    async def _list(self, groups: Sequence[str], since: datetime) -> Sifted:
        sifted = Sifted()
        after = _instant(since)
        if self._options.tags:
            variables = {"tags": ",".join(self._options.tags), "after": after}
            await self._collect(queries.tagged_events, variables, ("list",), self._event, sifted, since)
        elif self._options.whole_instance:
            await self._collect(queries.instance_events, {}, ("list",), self._event, sifted, since, most=ROOT_EVENTS_MAX)
        for name in groups:
            if self._options.events:
                await self._collect(queries.group_events, {"name": name, "after": after}, ("group", "list"), self._event, sifted, since)
            if self._options.posts:
                await self._collect(_group_posts, {"name": name}, ("group", "list"), self._post, sifted, since, enough=_all_before(after))
        return sifted

    async def _collect(
        self,
        question: Question,
        variables: Mapping[str, Any],
        path: tuple[str, ...],
        build: Build,
        into: Sifted,
        since: datetime,
        *,
        most: int = LIST_MAX,
        enough: Callable[[Page], bool] = lambda _: False,
    ) -> None:
        async def ask(page: int, limit: int) -> Page:
            return page_of(await self._ask(question, {**variables, "page": page, "limit": limit}), *path)

        collected = await all_pages(ask, size=min(self._options.page_size, most - 1), most=most, enough=enough)
        into.whole = into.whole and collected.whole
        entries = [
            entry for entry in collected.entries if self._options.groups or self._options.federated or entry.raw.get("local") is not False
        ]
        sift(entries, build, into, now=self._context.now(), since=since, log=self._context.log)

    async def _ask(self, question: Question, variables: Mapping[str, Any]) -> Answer:
        """Put a question in the server's dialect, and once more in a plainer one where that may be what it fails on."""
        try:
            return await self._api.ask(question(self._dialect), variables)
        except Misunderstood:
            if self._dialect == Dialect():
                raise
            self._portable, self._dialect = True, Dialect()
            return await self._api.ask(question(self._dialect), variables)
        except InternalError:
            plainer = question(replace(self._dialect, category=False))
            if plainer == question(self._dialect):
                raise
            return await self._api.ask(plainer, variables)


def _events_question(count: int) -> Question:
    return lambda dialect: queries.read_events(count, dialect)


def _posts_question(count: int) -> Question:
    return lambda _: queries.read_posts(count)


def _probe_question(count: int, events: bool, posts: bool) -> Question:
    return lambda dialect: queries.probe_groups(count, events, posts, dialect)


def _group_posts(_: Dialect) -> str:
    return queries.GROUP_POSTS


def _all_before(after: str) -> Callable[[Page], bool]:
    """Posts come newest first: a page that was written and last edited before the window ends the search."""

    def enough(page: Page) -> bool:
        stamps = [str(entry.raw.get(key) or "") for entry in page.entries for key in ("insertedAt", "updatedAt", "publishAt")]
        return bool(stamps) and max(stamps) < after

    return enough


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _match(pattern: re.Pattern[str], uid: str) -> str | None:
    found = pattern.fullmatch(urlsplit(uid).path)
    return found[1] if found else None


def _key_of(uid: str) -> str | None:
    return _match(EVENT_PATH, uid) or _match(POST_PATH, uid)
