"""Run by an environment of its own: what the package ical, which Home Assistant reads calendars with, finds wrong with each named file."""

# ruff: noqa: T201
from __future__ import annotations

import sys
from pathlib import Path

from ical.calendar_stream import IcsCalendarStream  # type: ignore[import-not-found]

for name in sys.argv[1:]:
    try:
        calendar = IcsCalendarStream.calendar_from_ics(Path(name).read_bytes().decode())
        if not calendar.events:
            print(f"{Path(name).name}: no event")
        # It gives an event without a UID one of its own making.
        text = Path(name).read_text(encoding="utf-8").replace("\n ", "")
        for event in calendar.events:
            if f"UID:{event.uid}" not in text:
                print(f"{Path(name).name}: an event without a UID")
    except Exception as error:  # noqa: BLE001 - whatever it says against it
        print(f"{Path(name).name}: {' '.join(str(error).split())[:300]}")
