"""Ways out that take nothing but issues of a newsletter, and where each is played: no day of posts and events reaches them."""

from __future__ import annotations

from collections.abc import Mapping

LETTERS: Mapping[str, str] = {
    "keila": "test_connector_listmonk_killed",
    "listmonk": "test_connector_listmonk_killed",
    "mail": "test_connector_mail_killed",
    "mailinglist": "test_connector_mail_killed",
    "mailtrain": "test_letters_leaving",
}
"""By ``type``: the module in which its sender is killed, its answers lost, and what arrived is counted."""
