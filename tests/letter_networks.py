"""Ways out that take nothing but issues of a newsletter: no day of posts and events reaches them."""

from __future__ import annotations

LETTERS = frozenset({"keila", "listmonk", "mail", "mailinglist", "mailtrain"})
"""By ``type``: what ``test_once_letters`` plays, beside the archive."""
