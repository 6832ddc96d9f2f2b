"""Secrets come from outside the configuration file: systemd's credentials directory, a private file, or the environment.

``token = { credential = "NAME" }`` reads ``$CREDENTIALS_DIRECTORY/NAME`` (systemd: LoadCredential; Docker: set it to /run/secrets),
``{ file = "/path" }`` a file that only its owner may read, ``{ env = "NAME" }`` a variable. A bare string is taken only from a
configuration file that strangers on the machine cannot read.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syndicator.config.lines import Key
from syndicator.config.report import Report, why_unreadable
from syndicator.contract import Secret
from syndicator.logs import hide

SECRET_MAX_BYTES = 65_536
FOLDER_ID = "secret"
"""Our units load a whole folder of credentials under this id; systemd then names each of them ``<id>_<file name>``."""
_NAME = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]*")
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"
"""What editors and web pages leave around a copied text without showing it."""
_QUOTES = frozenset({'""', "''", "``", "“”", "„“", "‘’", "«»"})


class _Unusable(Exception):
    """Why a secret cannot be had: a key of the catalogues and its values."""

    def __init__(self, message: str, **values: Any) -> None:
        self.message = message
        self.values = values
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Vault:
    """Where the secrets of one configuration file may come from."""

    environ: Mapping[str, str]
    folder: Path
    """The configuration file's: relative paths start there."""
    exposed: bool
    """Whether anybody on the machine may read the configuration file."""

    def read(self, value: Any, at: Key, report: Report) -> Secret | None:
        """The secret that ``value`` names, hidden from every log from now on; None, with a problem noted, when it cannot be had."""
        try:
            text = self._text(value)
        except _Unusable as error:
            report.add(at, error.message, **error.values)
            return None
        text = _bare(text)
        if not text:
            report.add(at, "secret-empty")
            return None
        if text[0] + text[-1] in _QUOTES and len(text) > 1:
            report.add(at, "secret-quoted")
            return None
        hide(text)
        return Secret(text)

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            if self.exposed:
                raise _Unusable("secret-exposed")
            return value
        if not isinstance(value, dict) or len(value) != 1 or not isinstance(name := next(iter(value.values())), str):
            raise _Unusable("secret-form")
        form = next(iter(value))
        if form == "credential":
            return self._credential(name)
        if form == "file":
            return self._private_file(name)
        if form == "env":
            return self._variable(name)
        raise _Unusable("secret-form")

    def _credential(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise _Unusable("credential-name", name=name)
        directory = self.environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise _Unusable("credentials-directory", name=name)
        for path in (Path(directory) / name, Path(directory) / f"{FOLDER_ID}_{name}"):
            try:
                return _content(path)
            except FileNotFoundError:
                continue
        raise _Unusable("credential-missing", name=name)

    def _private_file(self, name: str) -> str:
        path = located(name, self.folder)
        if path is None:
            raise _Unusable("secret-form")
        try:
            mode = path.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise _Unusable("secret-file-open", path=path, mode=f"{stat.S_IMODE(mode):04o}")
            return _content(path)
        except OSError as error:
            raise _Unusable(why_unreadable(error), path=path, reason=error.strerror) from error

    def _variable(self, name: str) -> str:
        if name not in self.environ:
            raise _Unusable("variable-missing", name=name)
        return self.environ[name]


def located(name: str, folder: Path) -> Path | None:
    """The path that a configuration file in ``folder`` means by ``name``; None when no file can have that name."""
    try:
        return folder / Path(name).expanduser() if name and "\0" not in name else None
    except RuntimeError:  # ~somebody, whom nobody knows here
        return None


def _bare(text: str) -> str:
    """Without blanks, line ends and unseen signs around it."""
    while text != (inner := text.strip().strip(_UNSEEN)):
        text = inner
    return text


def _content(path: Path) -> str:
    """What the file holds; FileNotFoundError when there is none, _Unusable when it cannot be used."""
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_MAX_BYTES)
        return content.decode()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _Unusable(why_unreadable(error), path=path, reason=error.strerror) from error
    except UnicodeDecodeError as error:
        raise _Unusable("secret-not-text", path=path) from error
