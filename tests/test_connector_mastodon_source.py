"""The mastodon source against every flavour of server: what every source promises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from connectors.mastodon.source import MastodonSource
from syndicator.contract import Secret
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.server import Simulator
from syndicator.testing import NOW, SourceContract
from tests.mastodon_source_scene import asso, picture, post, uid


class _MastodonContract(SourceContract):
    connector = MastodonSource
    flavour: Any = "mastodon"
    path = "/statuses"
    sees_edits_by = "read"
    token = False

    async def start(self) -> MastodonSimulator:
        simulator = MastodonSimulator(now=lambda: NOW, flavour=self.flavour)
        account = simulator.world.add_account("asso", "Les Amis du Vélo")
        simulator.world.add_account("voisine", "La voisine")
        for number in range(4):
            simulator.world.post(
                account,
                f"<p>Message {number}</p>",
                media_ids=[picture(simulator, account).id],
                created_at=NOW - timedelta(hours=4 - number),
            )
        return await simulator.start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, MastodonSimulator)
        token = Secret(simulator.world.add_token(asso(simulator), "read:statuses", "read:accounts")) if self.token else None
        return MastodonSource.Options(account=simulator.shapes.profile_url(asso(simulator)), token=token)

    async def add(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        return uid(simulator, post(simulator, "<p>Un de plus</p>"))

    async def edit(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        status = simulator.world.of_account(asso(simulator).id)[1]
        simulator.world.edit(status, content="<p>Corrigé</p>")
        return uid(simulator, status)

    async def remove(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        status = simulator.world.of_account(asso(simulator).id)[1]
        simulator.world.delete(status)
        return uid(simulator, status)

    async def hide(self, simulator: Simulator) -> str:
        assert isinstance(simulator, MastodonSimulator)
        for visibility in ("unlisted", "private", "direct", "local"):
            post(simulator, "<p>secret-4711</p>", visibility=visibility)
        post(simulator, "<p>secret-4711</p>", extra={"local_only": True})
        return "secret-4711"


class TestMastodon(_MastodonContract):
    """Mastodon, read anonymously."""


class TestMastodonWithToken(_MastodonContract):
    """Mastodon, with the author's own token: the server shows private and direct posts, the source does not."""

    token = True


class TestGotosocial(_MastodonContract):
    """GoToSocial: ULIDs, a token needed, no batches."""

    flavour = "gotosocial"
    token = True


class TestPixelfed(_MastodonContract):
    """Pixelfed: a token needed, min_id that skips, no Link header, no batches."""

    flavour = "pixelfed"
    token = True


class TestAkkoma(_MastodonContract):
    """Akkoma: flakes, uids without the id in them, batches by another name; older posts are there, or not, by ActivityPub."""

    flavour = "akkoma"


class TestFriendica(_MastodonContract):
    """Friendica: numbers of its own, titles, dates of edits that are none."""

    flavour = "friendica"


class TestMastodonFeed(_MastodonContract):
    """A Mastodon closed to strangers, read by its feed; unlisted posts in it are told apart by their ActivityPub objects."""

    path = ".rss"
    sees_edits_by = "fetch"

    async def start(self) -> MastodonSimulator:
        simulator = await super().start()
        simulator.closed = True
        return simulator


class TestPixelfedFeed(_MastodonContract):
    """Pixelfed without a token, by its Atom feed."""

    flavour = "pixelfed"
    path = ".atom"
    sees_edits_by = "fetch"
