"""What a connector's tests need: makers of items, a context, and the suites that every connector passes.

Subclass one of the suites in ``tests/test_connector_<name>.py`` (or in your own package) and fill in what it asks for; pytest runs the
inherited tests against the service's simulator. ``docs/connectors.md`` walks through it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syndicator.contract import (
    Association,
    CanDelete,
    CanFind,
    CanRead,
    CanUpdate,
    Context,
    Limits,
    Projection,
    Publisher,
    Source,
    View,
)
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Http, Sessions
from syndicator.model import Batch, Event, Item, Place, Post, Receipt, Rendition
from syndicator.sandbox.server import Fault, Simulator

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
HTML_ERROR = b"<!DOCTYPE html><html><body><h1>503 Service Unavailable</h1></body></html>"


def make_post(**changes: Any) -> Post:
    """A plausible public post; name what matters to the test."""
    post = Post(
        uid="https://social.example/users/asso/statuses/1",
        url="https://social.example/@asso/1",
        source="toots",
        html="<p>Bonjour à toutes et à tous</p>",
        language="fr",
        published_at=NOW - timedelta(minutes=5),
    )
    return replace(post, **changes)


def make_event(**changes: Any) -> Event:
    """A plausible public event in two weeks, 20:30 to 22:30 in Paris; name what matters to the test."""
    event = Event(
        uid="https://mobilizon.example/events/0b5d4ae9-6d8f-4b5c-8f0b-0d9f6f9a0001",
        url="https://mobilizon.example/events/0b5d4ae9-6d8f-4b5c-8f0b-0d9f6f9a0001",
        source="agenda",
        title="Atelier vélo",
        html="<p>Venez réparer votre vélo.</p>",
        starts_at=datetime(2026, 12, 5, 20, 30, tzinfo=PARIS),
        ends_at=datetime(2026, 12, 5, 22, 30, tzinfo=PARIS),
        timezone="Europe/Paris",
        place=Place(name="La Maison", street="3 rue du Port", postal_code="29200", locality="Brest", country="France"),
        published_at=NOW - timedelta(minutes=5),
        language="fr",
    )
    return replace(event, **changes)


def make_rendition(**changes: Any) -> Rendition:
    """A short public text; name what matters to the test."""
    return replace(Rendition(uid="https://social.example/1", text="Bonjour à toutes et à tous", language="fr", published_at=NOW), **changes)


def make_view(items: Iterable[Item], *, changed: Iterable[str] | None = None, changed_at: datetime = NOW) -> View:
    """A view of ``items``, all of them changed unless told otherwise, ordered as the core orders them."""
    ordered = sorted(items, key=_view_order)
    uids = [item.uid for item in ordered]
    return View(
        items=ordered,
        changed=frozenset(uids if changed is None else changed),
        changed_at=dict.fromkeys(uids, changed_at),
        first_seen_at=dict.fromkeys(uids, changed_at),
        sources={item.source: item.source.capitalize() for item in ordered},
    )


def _view_order(item: Item) -> tuple[datetime, str]:
    at = item.starts_at if isinstance(item, Event) else item.published_at
    return (at or NOW, item.uid)


def make_context(
    tmp_path: Path,
    sessions: Sessions,
    *,
    name: str = "under-test",
    now: Callable[[], datetime] = lambda: NOW,
    association: Association | None = None,
    public_url: str | None = "https://agenda.example/",
) -> Context:
    """A context whose folders are below ``tmp_path`` and whose client may reach loopback, where the simulators are."""
    state_dir, public_dir = tmp_path / "state" / name, tmp_path / "public"
    state_dir.mkdir(parents=True, exist_ok=True)
    public_dir.mkdir(parents=True, exist_ok=True)
    http = Http(sessions=sessions, now=now, user_agent="syndicator-tests", allow_private=frozenset({"127.0.0.1", "localhost"}))
    return Context(
        name=name,
        http=http,
        now=now,
        log=logging.getLogger(f"syndicator.{name}"),
        association=association or Association(name="Les Amis du Vélo", url="https://asso.example/"),
        state_dir=state_dir,
        public_dir=public_dir,
        public_url=public_url,
    )


class _Suite:
    connector: type[Any]

    async def start(self) -> Simulator:
        """The service's simulator, listening, with the world that the suite describes."""
        raise AssertionError("say how the simulator starts")

    def options(self, simulator: Simulator) -> Any:
        """``connector.Options`` that reach that world."""
        raise AssertionError("say which options reach the simulator")

    @pytest.fixture
    async def simulator(self) -> AsyncIterator[Simulator]:
        simulator = await self.start()
        yield simulator
        await simulator.stop()

    @pytest.fixture
    async def context(self, tmp_path: Path) -> AsyncIterator[Context]:
        sessions = Sessions()
        yield make_context(tmp_path, sessions)
        await sessions.close()


class SourceContract(_Suite):
    """What every source promises. The simulator starts with at least three public items inside the source's window.

    ``path`` is a part of the path of the requests that ``fetch`` makes. ``requests_idle`` is how many requests a fetch without news
    may cost. ``add``, ``edit`` and ``remove`` change the simulator's world and return the uid concerned; ``hide`` adds what the public
    must never see and returns a text that would give it away.
    """

    path = ""
    requests_idle = 1
    sees_edits_by: str = "fetch"
    """``fetch``, ``read``, or ``nothing`` where the service offers no way."""

    async def add(self, simulator: Simulator) -> str:
        """Publish one more public item."""
        raise AssertionError("say how an item is added")

    async def edit(self, simulator: Simulator) -> str:
        """Change the title or text of a public item that was there from the start."""
        raise AssertionError("say how an item is edited")

    async def remove(self, simulator: Simulator) -> str:
        """Delete a public item that was there from the start."""
        raise AssertionError("say how an item is removed")

    async def hide(self, simulator: Simulator) -> str:
        """Add items that are not public and return a text found in every one of them."""
        raise AssertionError("say how a hidden item is added")

    @pytest.fixture
    async def source(self, simulator: Simulator, context: Context) -> AsyncIterator[Source]:
        source: Source = self.connector(self.options(simulator), context)
        await source.open()
        yield source
        await source.close()

    async def test_first_fetch_gives_whole_public_items(self, source: Source) -> None:
        """Every item is identified once, has a page, and all its instants are aware."""
        batch = await source.fetch(None)

        assert len(batch.changed) >= 3
        uids = [item.uid for item in batch.changed]
        assert len(set(uids)) == len(uids)
        for item in batch.changed:
            assert item.uid
            assert item.url.startswith(("http://", "https://"))
            assert item.visibility == "public"
            assert not item.draft
            for at in _instants(item):
                assert at.tzinfo is not None

    async def test_hidden_items_never_leave_the_source(self, simulator: Simulator, source: Source) -> None:
        """What is not public is in no batch, neither the first nor the next."""
        first = await source.fetch(None)
        secret = await self.hide(simulator)
        again = await source.fetch(first.cursor)
        fresh = await source.fetch(None)

        assert secret not in repr((first, again, fresh))

    async def test_no_news_is_cheap(self, simulator: Simulator, source: Source) -> None:
        """A poll without news costs the origin what the suite says, and changes nothing."""
        first = await source.fetch(None)
        settled = await source.fetch(first.cursor)
        simulator.requests.clear()
        idle = await source.fetch(settled.cursor or first.cursor)

        assert len(simulator.requests) <= self.requests_idle
        assert idle.gone == ()
        known = {item.uid: item for item in first.changed}
        assert all(known.get(item.uid) == item for item in idle.changed)

    async def test_a_new_item_is_seen(self, simulator: Simulator, source: Source) -> None:
        """What is published after the first fetch is in the next one."""
        first = await source.fetch(None)
        uid = await self.add(simulator)
        batch = await source.fetch(first.cursor)

        assert uid in {item.uid for item in batch.changed}
        assert uid not in {item.uid for item in first.changed}

    async def test_an_edit_is_seen(self, simulator: Simulator, source: Source) -> None:
        """An edited item comes back changed, by the next fetch or when asked for by name."""
        if self.sees_edits_by == "nothing":
            return
        first = await source.fetch(None)
        uid = await self.edit(simulator)
        batch = await (source.fetch(first.cursor) if self.sees_edits_by == "fetch" else _read(source, [uid]))

        before = next(item for item in first.changed if item.uid == uid)
        after = next(item for item in batch.changed if item.uid == uid)
        assert after != before

    async def test_a_removed_item_is_missing_then_confirmed_gone(self, simulator: Simulator, source: Source) -> None:
        """A listing alone never deletes; asked by name, the origin says that it is gone, and that the others are there."""
        if not isinstance(source, CanRead):
            return
        first = await source.fetch(None)
        uid = await self.remove(simulator)
        after = await source.fetch(first.cursor)
        others = [item.uid for item in first.changed if item.uid != uid][:2]
        confirmed = await source.read([uid, *others])

        assert after.gone == () or uid in {tombstone.uid for tombstone in after.gone}
        assert {tombstone.uid for tombstone in confirmed.gone} == {uid}
        assert {item.uid for item in confirmed.changed} | confirmed.present == set(others)

    @pytest.mark.parametrize("fault", [
        Fault(action="answer", status=503, headers={"Content-Type": "text/html"}, body=HTML_ERROR, times=9),
        Fault(action="answer", status=502, times=9),
        Fault(action="drop", times=9),
        Fault(action="truncate", times=9),
    ], ids=["html-503", "502", "cut", "truncated"])  # fmt: skip
    async def test_an_outage_is_transient_and_loses_nothing(self, simulator: Simulator, source: Source, fault: Fault) -> None:
        """A server that fails is asked again later, and what was published meanwhile is still found."""
        first = await source.fetch(None)
        uid = await self.add(simulator)
        simulator.fault(replace(fault, path=self.path))
        with pytest.raises(Transient):
            await source.fetch(first.cursor)
        simulator.faults.clear()

        assert uid in {item.uid for item in (await source.fetch(first.cursor)).changed}

    async def test_an_outage_is_no_deletion(self, simulator: Simulator, source: Source) -> None:
        """Asked by name during an outage, nothing is gone."""
        if not isinstance(source, CanRead):
            return
        first = await source.fetch(None)
        simulator.fault(Fault(action="answer", status=503, times=99))
        try:
            batch = await source.read([item.uid for item in first.changed[:2]])
        except Transient:
            return
        assert batch.gone == ()

    async def test_rate_limit_says_when(self, simulator: Simulator, source: Source) -> None:
        """429 makes the account wait for as long as the server asks."""
        first = await source.fetch(None)
        simulator.fault(Fault(action="answer", status=429, headers={"Retry-After": "120"}, path=self.path, times=9))
        with pytest.raises(RateLimited) as caught:
            await source.fetch(first.cursor)

        assert caught.value.at is None or caught.value.at > NOW

    async def test_a_server_that_answers_html_is_no_crash(self, simulator: Simulator, source: Source) -> None:
        """200 with a web page instead of data is one of our errors, never a traceback."""
        first = await source.fetch(None)
        simulator.fault(Fault(
            action="answer", status=200, headers={"Content-Type": "text/html"}, body=b"<html><p>Bienvenue", path=self.path, times=9
        ))  # fmt: skip
        with pytest.raises(ConnectorError):
            await source.fetch(first.cursor)


def _instants(item: Item) -> list[datetime]:
    values = [getattr(item, name) for name in ("published_at", "updated_at", "starts_at", "ends_at") if hasattr(item, name)]
    return [value for value in values if value is not None]


async def _read(source: Source, ids: Sequence[str]) -> Batch:
    assert isinstance(source, CanRead)
    return await source.read(ids)


class PublisherContract(_Suite):
    """What every publisher promises. ``path`` is a part of the path of the request that makes the remote object.

    ``texts`` returns the text of every object the service holds, oldest first. ``kill_credential`` makes the service refuse ours.
    """

    path = ""
    method = "POST"

    def texts(self, simulator: Simulator) -> list[str]:
        """What the public sees on the service, oldest first."""
        raise AssertionError("say what the service shows")

    def kill_credential(self, simulator: Simulator) -> None:
        """Revoke the credential."""
        raise AssertionError("say how the credential dies")

    def text_of_length(self, limits: Limits, length: int) -> str:
        """A text that counts for exactly ``length`` there."""
        return "a" * length

    @pytest.fixture
    async def publisher(self, simulator: Simulator, context: Context) -> AsyncIterator[Publisher]:
        publisher: Publisher = self.connector(self.options(simulator), context)
        await publisher.open()
        yield publisher
        await publisher.close()

    async def test_open_posts_nothing(self, simulator: Simulator, publisher: Publisher) -> None:
        """Logging in changes nothing at the service."""
        assert self.texts(simulator) == []

    async def test_publish_makes_one_object(self, simulator: Simulator, publisher: Publisher) -> None:
        """One call, one object, and the receipt names it."""
        receipt = await publisher.publish(make_rendition(text="Une seule fois"), "key-1")

        assert len(self.texts(simulator)) == 1
        assert "Une seule fois" in self.texts(simulator)[0]
        assert receipt.remote_id

    async def test_text_at_the_limit_passes_and_one_more_is_refused(self, simulator: Simulator, publisher: Publisher) -> None:
        """The limit we declare is the service's own."""
        if publisher.limits.text_max is None:
            return
        limit = publisher.limits.text_max
        await publisher.publish(make_rendition(text=self.text_of_length(publisher.limits, limit)), "key-max")
        with pytest.raises(Rejected):
            await publisher.publish(make_rendition(text=self.text_of_length(publisher.limits, limit + 1)), "key-over")

        assert len(self.texts(simulator)) == 1

    async def test_same_key_inside_the_window_is_the_same_object(self, simulator: Simulator, publisher: Publisher) -> None:
        """A service that takes keys makes one object of two calls."""
        if not publisher.limits.key_window_s:
            return
        first = await publisher.publish(make_rendition(), "key-same")
        again = await publisher.publish(make_rendition(), "key-same")

        assert again.remote_id == first.remote_id
        assert len(self.texts(simulator)) == 1

    async def test_an_answer_lost_is_an_unknown_outcome(self, simulator: Simulator, publisher: Publisher) -> None:
        """It was made and we were not told: never reported as a failure, and found again where the service can be asked."""
        rendition = make_rendition(text="Réponse perdue")
        simulator.fault(Fault(action="lose", method=self.method, path=self.path))
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(rendition, "key-lost")

        assert len(self.texts(simulator)) == 1
        if isinstance(publisher, CanFind):
            found = await publisher.find("key-lost", rendition)
            assert found is not None
            assert found.remote_id

    async def test_headers_without_body_are_an_unknown_outcome(self, simulator: Simulator, publisher: Publisher) -> None:
        """A truncated answer proves nothing."""
        simulator.fault(Fault(action="truncate", method=self.method, path=self.path))
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(make_rendition(), "key-truncated")

    async def test_a_gateway_error_is_an_unknown_outcome(self, simulator: Simulator, publisher: Publisher) -> None:
        """A proxy that gave up says nothing about the server behind it."""
        simulator.fault(Fault(action="mask", status=502, method=self.method, path=self.path))
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(make_rendition(), "key-502")

    async def test_what_is_not_there_is_not_found(self, simulator: Simulator, publisher: Publisher) -> None:
        """``find`` tells a lost request from a lost answer, and does not take another post for ours."""
        if not isinstance(publisher, CanFind):
            return
        await publisher.publish(make_rendition(uid="https://social.example/2", text="Un autre"), "key-other")
        assert await publisher.find("key-none", make_rendition(text="Jamais parti")) is None

    async def test_rate_limit_waits(self, simulator: Simulator, publisher: Publisher) -> None:
        """429 is not a failure and makes nothing."""
        simulator.fault(Fault(action="answer", status=429, headers={"Retry-After": "60"}, method=self.method, path=self.path))
        with pytest.raises(RateLimited):
            await publisher.publish(make_rendition(), "key-429")
        assert self.texts(simulator) == []

    async def test_a_dead_credential_asks_for_a_person(self, simulator: Simulator, publisher: Publisher, context: Context) -> None:
        """Revoked, it is AuthExpired when posting and when opening."""
        self.kill_credential(simulator)
        with pytest.raises(AuthExpired):
            await publisher.publish(make_rendition(), "key-dead")
        fresh: Publisher = self.connector(self.options(simulator), context)
        with pytest.raises(AuthExpired):
            await fresh.open()
        await fresh.close()
        assert self.texts(simulator) == []

    async def test_update_changes_the_object(self, simulator: Simulator, publisher: Publisher) -> None:
        """An edit leaves one object, with the new text, also when it is repeated."""
        if not isinstance(publisher, CanUpdate):
            return
        receipt = await publisher.publish(make_rendition(text="Avant"), "key-edit")
        for _ in range(2):
            receipt = await publisher.update(receipt, make_rendition(text="Après"))

        assert len(self.texts(simulator)) == 1
        assert "Après" in self.texts(simulator)[0]

    async def test_delete_removes_the_object(self, simulator: Simulator, publisher: Publisher) -> None:
        """A deletion leaves nothing, and may be repeated."""
        if not isinstance(publisher, CanDelete):
            return
        receipt = await publisher.publish(make_rendition(), "key-delete")
        await publisher.delete(receipt)
        assert self.texts(simulator) == []
        try:
            await publisher.delete(receipt)
        except Gone:
            return

    async def test_update_of_what_is_gone_says_gone(self, simulator: Simulator, publisher: Publisher) -> None:
        """Somebody removed it there: we are told, and make no second one."""
        if not (isinstance(publisher, CanUpdate) and isinstance(publisher, CanDelete)):
            return
        receipt = await publisher.publish(make_rendition(), "key-gone")
        await publisher.delete(receipt)
        with pytest.raises(Gone):
            await publisher.update(receipt, make_rendition(text="Après"))
        assert self.texts(simulator) == []

    async def test_a_part_answers_its_parent(self, simulator: Simulator, publisher: Publisher) -> None:
        """A thread's second part hangs under the first."""
        if not publisher.limits.threads:
            return
        parent = await publisher.publish(make_rendition(text="Un", parts=2), "key-part-1")
        child = await publisher.publish(make_rendition(text="Deux", part=1, parts=2), "key-part-2", parent=parent)

        assert self.parent_of(simulator, child) == parent.remote_id

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        """The remote id that the object answers, as the service holds it."""
        raise AssertionError("say what the service holds")


class ProjectionContract:
    """What every projection that writes files promises; ``files`` are the bytes it left, by path below its folder."""

    connector: type[Any]

    def options(self) -> Any:
        """``connector.Options`` to test with."""
        return self.connector.Options()

    @pytest.fixture
    async def sessions(self) -> AsyncIterator[Sessions]:
        sessions = Sessions()
        yield sessions
        await sessions.close()

    async def project(self, folder: Path, sessions: Sessions, *views: View, now: datetime = NOW) -> dict[str, bytes]:
        """Project the views one after the other into ``folder`` and return the public files."""
        context = make_context(folder, sessions, now=lambda: now)
        projection: Projection = self.connector(self.options(), context)
        await projection.open()
        for view in views:
            await projection.project(view)
        await projection.close()
        return self.files(folder)

    def files(self, folder: Path) -> dict[str, bytes]:
        """Every public file."""
        public = folder / "public"
        return {str(path.relative_to(public)): path.read_bytes() for path in sorted(public.rglob("*")) if path.is_file()}

    async def test_an_empty_view_is_a_view(self, tmp_path: Path, sessions: Sessions) -> None:
        """An association without items still has its files, so that links to them never break."""
        assert await self.project(tmp_path, sessions, make_view([]))

    async def test_what_it_leaves_equals_a_full_rebuild(self, tmp_path: Path, sessions: Sessions) -> None:
        """Come, changed, gone: step by step or at once, byte for byte the same."""
        post, event, other = make_post(), make_event(), make_event(uid="https://mobilizon.example/events/2", title="Bal")
        moved = replace(event, starts_at=event.starts_at + timedelta(days=1), ends_at=None, sequence=1)
        last = make_view([moved, post])
        steps = [
            make_view([post, event, other]),
            replace(make_view([moved, post, other]), changed=frozenset({moved.uid})),
            replace(last, changed=frozenset({other.uid})),
        ]

        stepwise = await self.project(tmp_path / "stepwise", sessions, *steps)
        at_once = await self.project(tmp_path / "at-once", sessions, last)

        assert stepwise == at_once

    async def test_nothing_is_written_when_nothing_changed(self, tmp_path: Path, sessions: Sessions) -> None:
        """A second projection of the same view touches no file."""
        view = make_view([make_post(), make_event()])
        await self.project(tmp_path, sessions, view)
        stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
        await self.project(tmp_path, sessions, replace(view, changed=frozenset()))

        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == stamps
