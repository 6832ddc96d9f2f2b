"""Everything that is wrong with one file, gathered rather than raised at the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from syndicator.config.lines import Key, line_of
from syndicator.errors import ConfigError, Problem, Words
from syndicator.words import pick, say


@dataclass
class Report:
    """The problems of one file so far, and what is needed to say where they are, in which language."""

    path: str
    language: str
    lines: Mapping[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, at: Key, message: str, /, *, line: int | None = None, **values: Any) -> None:
        """Note a problem: ``message`` is a key of the catalogues, below ``config``; ``line`` where the key does not tell it."""
        self.put(at, say(self.language, f"config.{message}", **values), line=line)

    def add_words(self, key: Key, text: Words) -> None:
        """Note a problem that comes with its own words."""
        self.put(key, pick(text, self.language))

    def put(self, key: Key, text: str, *, line: int | None = None) -> None:
        """Note a problem whose text is ready."""
        where = line_of(self.lines, key) if line is None else line
        self.problems.append(Problem(path=self.path, line=where, key=dotted(key), text=text))

    def meant(self, written: str, known: Iterable[str]) -> str:
        """What ``written`` was probably meant to be, as the end of a sentence; else what there is to choose from."""
        from difflib import get_close_matches

        choices = sorted(known)
        close = get_close_matches(written, choices, n=1)
        if close:
            return say(self.language, "config.did-you-mean", name=close[0])
        return say(self.language, "config.choices", names=", ".join(choices)) if choices else ""

    def unknown(self, table: Mapping[str, Any], at: Key, known: Iterable[str]) -> None:
        """Note every key of ``table`` that nobody knows."""
        choices = frozenset(known)
        for key in table:
            if key not in choices:
                self.add((*at, key), "unknown-key", key=key, meant=self.meant(key, choices))

    def error(self) -> ConfigError:
        """All of it, in the order of the file."""
        return ConfigError(sorted(self.problems, key=lambda problem: (problem.line or 0, problem.key)))


def why_unreadable(error: OSError) -> str:
    """The message for a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return "file-missing"
    return "file-forbidden" if isinstance(error, PermissionError) else "file-unreadable"


def dotted(key: Key) -> str:
    """As a person writes it: ``sources.blog.feeds[1].url``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
