"""What every publisher promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import pytest

from syndicator.contract import CanDelete, CanFind, CanUpdate, Context, Limits, Publisher
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.model import Receipt
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing.makers import make_rendition
from syndicator.testing.suite import Suite


class PublisherContract(Suite):
    """What every publisher promises. ``path`` is a part of the path of the request that makes the remote object.

    ``texts`` returns the text of every object the service holds, oldest first. ``kill_credential`` makes the service refuse ours.
    """

    path = ""
    method = "POST"
    dialect: ClassVar[Sequence[tuple[str, Fault, type[ConnectorError]]]] = ()
    """How the service says no in its own way, each with what it means: (what it is, the answer, the error). To name where the service has
    them: its 429, a duplicate, a permanent refusal behind a 500, a dead credential behind a 400, a 200 that holds an error."""

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

    async def test_a_connection_cut_after_the_request_is_an_unknown_outcome(self, simulator: Simulator, publisher: Publisher) -> None:
        """Whether anybody read it, nobody can tell."""
        simulator.fault(Fault(action="drop", method=self.method, path=self.path))
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(make_rendition(), "key-cut")

    async def test_the_page_of_a_proxy_is_no_answer(self, simulator: Simulator, publisher: Publisher) -> None:
        """HTML with a 503 is an outage: it neither refuses the post nor blames the credential."""
        page = Fault(
            action="answer", status=503, headers={"Content-Type": "text/html"}, body=b"<h1>503</h1>", method=self.method, path=self.path
        )
        simulator.fault(page)
        with pytest.raises((Transient, OutcomeUnknown)):
            await publisher.publish(make_rendition(), "key-503")
        assert self.texts(simulator) == []

    async def test_every_no_of_its_dialect_is_understood(self, simulator: Simulator, publisher: Publisher) -> None:
        """The same status means different things from service to service: what counts is what it says."""
        for what, answer, error in self.dialect:
            simulator.faults.clear()
            simulator.fault(answer)
            with pytest.raises(ConnectorError) as raised:
                await publisher.publish(make_rendition(text=f"Essai {what}"), f"key-{what}")
            ours = next(kind for kind in type(raised.value).__mro__ if kind.__module__ == "syndicator.errors")
            assert ours is error, f"{what} was taken for {ours.__name__}: {raised.value}"
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
