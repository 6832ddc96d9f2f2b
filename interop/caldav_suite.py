"""What every projection promises, written into a real CalDAV server. Run by the scene, which says where the server is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connectors.ical.caldav import CaldavProjection
from interop.caldav_reader import objects
from interop.calendar_server import Calendar
from interop.calendar_suite import HOME, LOGIN, WHERE
from syndicator.contract import Secret, View
from syndicator.http import Sessions
from syndicator.testing import NOW, ProjectionContract, make_context

THEIRS = """UID:reunion@lab.test
SUMMARY:Réunion du bureau
DTSTART:20261210T180000Z"""


class TestRealServer(ProjectionContract):
    """Each folder's projection writes into a calendar of its own, where a member has written something already."""

    connector = CaldavProjection

    @pytest.fixture(autouse=True)
    def calendars(self) -> None:
        self.made: dict[Path, Calendar] = {}

    async def project(self, folder: Path, sessions: Sessions, *views: View, now: Any = NOW) -> dict[str, bytes]:
        if folder not in self.made:
            self.made[folder] = Calendar(f"{os.environ[WHERE]}{os.environ[HOME]}c{uuid4().hex[:12]}/", os.environ[LOGIN])
            await self.made[folder].make()
            await self.made[folder].put("reunion", THEIRS)
        calendar = self.made[folder]
        user, _, password = calendar.login.partition(":")
        login: dict[str, Any] = {"user": user, "password": Secret(password)} if user else {}
        context = make_context(folder, sessions, now=lambda: now)
        projection = CaldavProjection(CaldavProjection.Options(url=calendar.url, **login), context)
        await projection.open()
        for view in views:
            await projection.project(view)
        await projection.close()
        return await objects(calendar)
