"""Fixtures that every test may use."""

from collections.abc import AsyncIterator

import pytest

pytest.register_assert_rewrite("syndicator.testing")

from syndicator.http import Sessions  # noqa: E402 - after its asserts were arranged for
from tests.clock import Clock  # noqa: E402
from tests.media_scene import MP4, Files, photo  # noqa: E402

LONGEST = (
    *("test_kill.py", "test_demo.py", "test_browser_demo.py", "test_browser_website.py", "test_once_networks.py", "test_bad_state.py"),
    *("test_browser_widget.py", "test_browser_review.py", "test_service.py", "test_browser_letter.py", "test_browser_preview.py"),
    *("test_cli_commands.py", "test_outbox_machine.py", "test_connector_discord.py", "test_one_way.py", "test_connector_instagram.py"),
    *("test_browser_presence.py", "test_media.py", "test_moved_everywhere.py", "test_bad_accounts.py", "test_preview.py"),
    *("test_connector_facebook.py", "test_cli_newsletter.py", "test_weight.py", "test_connector_mail_killed.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that all workers end together."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    """Connections that are given back."""
    sessions = Sessions()
    yield sessions
    await sessions.close()


@pytest.fixture
def clock() -> Clock:
    """The present, which a test moves."""
    return Clock()


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    """A stranger's pictures ``0.jpg`` to ``11.jpg``, a film, and a page that calls itself a picture."""
    async with Files() as files:
        files.files |= {f"{number}.jpg": photo(40 + number, 30) for number in range(12)}
        files.files |= {"film.mp4": MP4, "page.jpg": b"<html>not found</html>"}
        yield files
