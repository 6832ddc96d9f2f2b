"""The time of a test."""

from __future__ import annotations

from datetime import datetime, timedelta

from syndicator.testing import NOW


class Clock:
    """The present, which tests move."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **spans: float) -> None:
        self.at += timedelta(**spans)
