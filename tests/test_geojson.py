"""``events.geojson``: what maps are told, by the rules of RFC 7946 and by a reader that somebody else wrote."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.website import Options, WebsiteProjection
from connectors.website.geojson import position
from syndicator.contract import View
from syndicator.http import Sessions
from syndicator.model import Event, Place
from syndicator.testing import NOW, make_context, make_event, make_view

BREST = Place(
    name="La Maison", street="3 rue du Port", postal_code="29200", locality="Brest", latitude=48.390_394_123, longitude=-4.486_076
)
HOSTILE = '<img src=x onerror="alert(1)"> & "\u2028'


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions()
    yield sessions
    await sessions.close()


async def project(tmp_path: Path, sessions: Sessions, view: View, **options: Any) -> Path:
    """The file, after one projection."""
    context = make_context(tmp_path, sessions)
    await WebsiteProjection(Options(images=False, **options), context).project(view)
    return context.public_dir / options.get("folder", "") / "events.geojson"


def located(number: int, **changes: Any) -> Event:
    return make_event(**{"uid": f"urn:{number}", "url": f"https://mobilizon.example/events/{number}", "place": BREST, **changes})


def lawful(document: Any) -> list[str]:
    """What RFC 7946 forbids in a collection of points and this one does."""
    wrong = [] if document["type"] == "FeatureCollection" and isinstance(document["features"], list) else ["3.3"]
    for feature in document["features"]:
        geometry, identity = feature["geometry"], feature.get("id", "")
        if feature["type"] != "Feature" or not isinstance(feature["properties"], dict) or "features" in feature or "coordinates" in feature:
            wrong.append("3.2 or 7.1")
        if not isinstance(identity, str | int):
            wrong.append("3.2 id")
        longitude, latitude = geometry["coordinates"]
        if geometry["type"] != "Point" or not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            wrong.append("3.1.2")
        if "geometry" in geometry or "properties" in geometry:
            wrong.append("7.1")
    return wrong + (["4: no crs"] if "crs" in document else [])


async def test_the_whole_of_one_event(tmp_path: Path, sessions: Sessions) -> None:
    """Each property under its name; hours with their offset, in words too; the address of the origin, and the source's title."""
    event = located(1, tags=("Vélo", "fête"), title="Bourse aux vélos", html=f"<p>Venez. {'É' * 600}</p>")
    view = replace(make_view([event]), shown_by={"urn:1": ("agenda", "town")}, sources={"agenda": "Les Amis", "town": "La ville"})
    document = json.loads((await project(tmp_path, sessions, view, pages=False)).read_text())

    (feature,) = document.pop("features")
    assert document == {
        "type": "FeatureCollection",
        "generator": "syndicator",
        "title": "Les Amis du Vélo",
        "language": "fr",
        "left_out": 0,
        "later": 0,
    }
    assert feature["geometry"] == {"type": "Point", "coordinates": [-4.486076, 48.390394]}
    properties = feature["properties"]
    description = properties.pop("description")
    assert (description[:10], len(description) <= 500, description[-1]) == ("Venez. ÉÉÉ", True, "…")
    assert properties == {
        "name": "Bourse aux vélos",
        "when": "samedi 5 décembre 2026 de 20h30 à 22h30",
        "start": "2026-12-05T20:30:00+01:00",
        "end": "2026-12-05T22:30:00+01:00",
        "url": "https://mobilizon.example/events/1",
        "page": None,
        "place": "La Maison",
        "address": "3 rue du Port, 29200 Brest",
        "tags": ["Vélo", "fête"],
        "source": "Les Amis",
        "shown_by": ["Les Amis", "La ville"],
        "image": None,
        "status": "confirmed",
        "full": False,
    }


async def test_what_is_on_the_map(tmp_path: Path, sessions: Sessions) -> None:
    """What is to come and goes on, by start; what has no place on a map is counted; a cancelled event says so in its name."""
    events = [
        located(1, status="cancelled"),
        located(2, starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1)),
        located(3, starts_at=NOW - timedelta(days=20), ends_at=NOW + timedelta(days=40)),
        located(4, place=None),
        located(5, place=Place(name="Quelque part", latitude=0.0, longitude=0.0)),
        located(6, start_is_date=True, end_is_date=True, title=HOSTILE),
    ]
    path = await project(tmp_path, sessions, make_view(events), folder="carte")
    document = json.loads(path.read_text())

    told = [(feature["properties"]["url"][-1], feature["properties"]["name"][:9]) for feature in document["features"]]
    assert told == [("3", "Atelier v"), ("1", "ANNULÉ\u00a0: "), ("6", "<img src=")]
    assert document["left_out"] == 2
    assert document["features"][-1]["properties"]["start"] == "2026-12-05"
    assert lawful(document) == []


async def test_it_is_there_empty_and_not_there_unwanted(tmp_path: Path, sessions: Sessions) -> None:
    """A map that reads it finds a collection of nothing; without the option there is no file."""
    path = await project(tmp_path, sessions, make_view([]))
    assert json.loads(path.read_text())["features"] == []
    assert not (await project(tmp_path / "without", sessions, make_view([located(1)]), geojson=False)).exists()


@pytest.mark.parametrize(("latitude", "longitude", "expected"), [
    (48.39, -4.48, [-4.48, 48.39]),
    (91.0, 0.0, None),
    (48.0, 180.5, None),
    (math.nan, 2.0, None),
    (math.inf, 2.0, None),
    (0.0, 0.0, None),
    (None, 2.0, None),
])  # fmt: skip
def test_positions(latitude: float | None, longitude: float | None, expected: list[float] | None) -> None:
    """Longitude first; what is no position on Earth is none."""
    assert position(Place(latitude=latitude, longitude=longitude)) == expected


@pytest.mark.parametrize(("change", "rule"), [
    ({"geometry": {"type": "Point", "coordinates": [48.39, -104.48]}}, "3.1.2"),
    ({"geometry": {"type": "Polygon", "coordinates": [0, 1]}}, "3.1.2"),
    ({"id": ["a"]}, "3.2 id"),
    ({"properties": None}, "3.2 or 7.1"),
])  # fmt: skip
def test_the_rules_refuse_what_they_must(change: dict[str, Any], rule: str) -> None:
    """A check that cannot fail is none."""
    good = {"type": "Feature", "id": "a", "geometry": {"type": "Point", "coordinates": [-4.48, 48.39]}, "properties": {}}
    assert lawful({"type": "FeatureCollection", "features": [good]}) == []
    assert lawful({"type": "FeatureCollection", "features": [good | change]}) == [rule]


async def test_another_reader_understands_it(tmp_path: Path, sessions: Sessions) -> None:
    """The geojson package of PyPI finds valid objects, and the same points."""
    geojson = pytest.importorskip("geojson", reason="a development tool: pip install geojson")
    path = await project(tmp_path, sessions, make_view([located(1), located(2, place=replace(BREST, latitude=-89.5, longitude=179.9))]))
    read = geojson.loads(path.read_text())

    assert (read.is_valid, read.errors()) == (True, [])
    assert sorted(feature.geometry.coordinates for feature in read.features) == [[-4.486076, 48.390394], [179.9, -89.5]]
