"""Everything that can go wrong, as a tree: what a connector says, and what the core does about it.

SyndicatorError
├─ ConfigError(problems)     refuse to start, print every problem
├─ SourceEmptied             a complete listing lost most of its known items: keep everything, alert
├─ StateError                the state folder cannot be used (locked, damaged, full): stop this association, say so
└─ ConnectorError
   ├─ Transient              surely not published: retry, exponential with jitter, until the item is too old
   │  ├─ RateLimited(at)     the whole account waits until then
   │  ├─ NotReady            the service is still at work on what it was given: asked again, nothing else waits
   │  └─ Unprepared          what was prepared is of no use any more: prepare it anew, then as above
   ├─ OutcomeUnknown         maybe published: same key inside the key window; else find(); else park for a person
   ├─ AuthExpired            pause the account, alert, keep everything; resumes by itself once the credential works
   ├─ Rejected               this rendition will never pass: park this delivery, go on
   └─ Gone                   the remote copy vanished: done for delete, drop for update

A connector raises the narrowest of these, ``from`` its cause. ``detail`` is what the service said, for the log and for the
person; ``hint`` is what a person can do about it, in each language, and is left out when the core's own advice for that kind of
error is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

Words = Mapping[str, str]
"""One sentence in several languages: BCP 47 tag → text."""


def words(*, fr: str, en: str, **others: str) -> Words:
    """One sentence in French, in English and in as many other languages as given."""
    return {"fr": fr, "en": en, **others}


class SyndicatorError(Exception):
    """The root: whatever is raised on purpose here can be shown to a person."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong in a configuration file: where, what, and what to do."""

    path: str
    """The file, as the person named it."""
    line: int | None
    """1-based; None when the whole file is meant."""
    key: str
    """The dotted key, such as ``sources.agenda.url``; empty for the whole file."""
    text: str
    """What is wrong and what to do, in the association's language."""

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class ConfigError(SyndicatorError):
    """The configuration cannot be used; ``problems`` holds all that is wrong, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceEmptied(SyndicatorError):
    """A complete listing lost most of its known items: nothing is deleted on such evidence."""

    def __init__(self, *, missing: int, known: int) -> None:
        self.missing = missing
        self.known = known
        super().__init__(f"{missing} of {known} known items are missing from a complete listing")


class StateError(SyndicatorError):
    """The state folder cannot be used; the text says why and what to do."""

    def __init__(self, detail: str, *, hint: Words | None = None) -> None:
        self.detail = detail
        self.hint = hint
        super().__init__(detail)


class ConnectorError(SyndicatorError):
    """What a connector may raise; never raised itself, always one of the kinds below."""

    def __init__(self, detail: str, *, hint: Words | None = None) -> None:
        self.detail = detail
        self.hint = hint
        super().__init__(detail)


class Transient(ConnectorError):
    """It surely did not happen, and may well work later."""


class RateLimited(Transient):
    """The service asked to wait until ``at`` (aware); None when it did not say until when."""

    def __init__(self, detail: str, *, at: datetime | None = None, hint: Words | None = None) -> None:
        self.at = at
        super().__init__(detail, hint=hint)


class NotReady(Transient):
    """Surely not published yet: the service is still at work on the media or the container; no fault of anybody's.

    ``at`` (aware) says when to ask again; None leaves it to the core. A long list of readers is served in turns in the same way.
    """

    def __init__(self, detail: str, *, at: datetime | None = None, hint: Words | None = None) -> None:
        self.at = at
        super().__init__(detail, hint=hint)


class Unprepared(Transient):
    """Surely not published, and what ``prepare`` made will never do: it expired, or the service failed on it."""


class OutcomeUnknown(ConnectorError):
    """It may or may not have happened: the request left, and no usable answer came back."""


class AuthExpired(ConnectorError):
    """The credential, the account or its rights no longer allow this; a person must act."""


class Rejected(ConnectorError):
    """The service refuses this content for good; trying again cannot help."""


class Gone(ConnectorError):
    """The remote copy does not exist any more."""
