"""Fixtures that every test may use."""

import pytest

pytest.register_assert_rewrite("syndicator.testing")

LONGEST = (
    *("test_kill.py", "test_outbox_machine.py", "test_bad_accounts.py", "test_once_networks.py", "test_one_way.py", "test_cli_commands.py"),
    *("test_demo.py", "test_bad_state.py", "test_bad_input.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that two workers end together."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
