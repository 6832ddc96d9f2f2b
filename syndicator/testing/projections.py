"""What every projection that writes files promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator.contract import Projection, View
from syndicator.http import Sessions
from syndicator.testing.makers import NOW, make_context, make_event, make_post, make_view


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
