"""What every source promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from syndicator.contract import CanRead, Context, Source
from syndicator.errors import ConnectorError, RateLimited, Transient
from syndicator.model import Batch, Item
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing.makers import NOW
from syndicator.testing.suite import HTML_ERROR, Suite


class SourceContract(Suite):
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
