"""From a configuration to what runs: the HTTP client, each connector's Context, and the connector itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import syndicator
from syndicator.config import Config, DestinationConfig, SourceConfig
from syndicator.contract import Context
from syndicator.errors import StateError, words
from syndicator.http import Http, Sessions

Account = SourceConfig | DestinationConfig


def user_agent(config: Config) -> str:
    """Who we are and where to complain, in the characters a header may have."""
    where = config.association.url or config.association.contact
    plain = "".join(char for char in where or "" if " " < char <= "~" and char not in "()\\")
    return f"syndicator/{syndicator.__version__}" + (f" (+{plain})" if plain else "")


def http_for(config: Config, sessions: Sessions, now: Callable[[], datetime]) -> Http:
    """The association's way to the network, over the process's ``sessions``."""
    logo = config.association.logo
    return Http(
        sessions=sessions,
        now=now,
        user_agent=user_agent(config),
        allow_private=config.network.allow_private,
        own_files=frozenset({logo} if logo else ()),
    )


def make_context(config: Config, account: Account, sessions: Sessions, now: Callable[[], datetime]) -> Context:
    """What ``account``'s connector gets from outside itself; its folders exist. Raises StateError when they cannot be made."""
    group = "sources" if isinstance(account, SourceConfig) else "destinations"
    return Context(
        name=account.name,
        http=http_for(config, sessions, now),
        now=now,
        log=logging.getLogger(f"syndicator.{config.slug}.{account.name}"),
        association=config.association,
        state_dir=make_folder(config.state_dir / group / account.name, mode=0o700),
        public_dir=make_folder(config.public_dir, mode=0o755),
        public_url=config.public_url,
    )


def make_connector(config: Config, account: Account, sessions: Sessions, now: Callable[[], datetime]) -> Any:
    """``account``'s connector, not opened yet. It is a Source, a Publisher or a Projection."""
    return account.connector(account.options, make_context(config, account, sessions, now))


def make_folder(path: Path, *, mode: int) -> Path:
    """``path``, made with ``mode`` where it was missing. Raises StateError when it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise StateError(
            f"{path}: {error.strerror}",
            hint=words(
                fr=f"Le dossier {path} ne peut pas être créé : vérifiez les clés state et public de [association], et les droits.",
                en=f"The folder {path} cannot be made: check the keys state and public of [association], and the permissions.",
            ),
        ) from error
    return path
