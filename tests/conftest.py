"""Fixtures that every test may use."""

from collections.abc import AsyncIterator

import pytest

pytest.register_assert_rewrite("syndicator.testing")

from syndicator.http import Sessions  # noqa: E402 - after its asserts were arranged for
from tests.clock import Clock  # noqa: E402
from tests.media_scene import MP4, Files, photo  # noqa: E402

LONGEST = (
    *("test_kill.py", "test_outbox_machine.py", "test_bad_accounts.py", "test_once_networks.py", "test_one_way.py", "test_cli_commands.py"),
    *("test_demo.py", "test_bad_state.py", "test_bad_input.py", "test_moved_everywhere.py", "test_connector_mail_killed.py"),
    *(
        "test_cli_newsletter.py",
        "test_connector_website_pages.py",
        "test_browser_widget.py",
        "test_browser_website.py",
        "test_browser_presence.py",
    ),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that two workers end together."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


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
