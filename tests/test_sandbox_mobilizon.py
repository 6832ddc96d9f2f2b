"""The simulated Mobilizon refuses what the real one refuses, in its words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.testing import NOW
from tests.mobilizon_scene import SOON, instance


@pytest.fixture
async def simulator() -> AsyncIterator[MobilizonSimulator]:
    simulator = await instance()
    yield simulator
    await simulator.stop()


async def ask(simulator: MobilizonSimulator, query: str, language: str = "en", **variables: Any) -> tuple[int, Any]:
    """Status and JSON of one question."""
    async with aiohttp.ClientSession(headers={"Accept-Language": language}) as session:
        answer = await session.post(f"{simulator.url}/api", json={"query": query, "variables": variables})
        return answer.status, await answer.json()


async def test_messages_are_localised_and_codes_are_not(simulator: MobilizonSimulator) -> None:
    """A missing group answers 200 with an error whose message is in the reader's language."""
    query = 'query Q { group(preferredUsername: "fantome") { name } }'
    english, french = await ask(simulator, query, "en"), await ask(simulator, query, "fr-FR,fr")

    def expected(message: str) -> tuple[int, Any]:
        error = {
            "code": "group_not_found",
            "field": None,
            "locations": [{"column": 11, "line": 1}],
            "message": message,
            "path": ["group"],
            "status_code": 404,
        }
        return 200, {"data": {"group": None}, "errors": [error]}

    assert english == expected("Group not found")
    assert french == expected("Groupe non trouvé")


@pytest.mark.parametrize(("version", "fields", "maximum"), [("5.1.3", 301, 300), ("4.0.2", 251, 250)])
async def test_complex_operations_are_refused(simulator: MobilizonSimulator, version: str, fields: int, maximum: int) -> None:
    """One field too many fails the whole operation; as many as allowed pass."""
    simulator.version = version
    aliases = [f"a{number}: config {{ name }}" for number in range(fields // 2)]
    fits = await ask(simulator, "query Q { " + " ".join(aliases) + " }")
    beyond = await ask(simulator, "query Q { " + " ".join([*aliases, "z: __typename"]) + " }")

    message = f"Operation Q is too complex: complexity is {fields} and maximum is {maximum}"
    assert set(fits[1]) == {"data"}
    assert beyond == (200, {"errors": [{"locations": [], "message": message}]})


@pytest.mark.parametrize("query", [
    "{ group(preferredUsername: \"asso\") { colour } }",
    "{ event(uuid: \"no-uuid\") { title } }",
    "{ group(preferredUsername: \"asso\") { organizedEvents(afterDatetime: \"tomorrow\") { total } } }",
    "{ group { name } }",
    "{ group(",
    "{ searchEvents { elements { description } } }",
])  # fmt: skip
async def test_wrong_questions_answer_200_without_data(simulator: MobilizonSimulator, query: str) -> None:
    """An unknown field, a bad value, a missing argument, a typing error: errors, and nothing else."""
    status, body = await ask(simulator, query)

    assert (status, set(body)) == (200, {"errors"})


@pytest.mark.parametrize(("version", "query"), [
    ("3.0.4", '{ group(preferredUsername: "asso") { organizedEvents(order: UPDATED_AT) { total } } }'),
    ("5.0.1", '{ group(preferredUsername: "asso") { organizedEvents { elements { longEvent } } } }'),
])  # fmt: skip
async def test_older_versions_know_less(simulator: MobilizonSimulator, version: str, query: str) -> None:
    """What a version brought is unknown before it."""
    assert set((await ask(simulator, query))[1]) == {"data"}
    simulator.version = version
    assert set((await ask(simulator, query))[1]) == {"errors"}


async def test_root_events_are_capped(simulator: MobilizonSimulator) -> None:
    """99 are given, 100 are refused; cancelled and past events are not listed."""
    simulator.add_event("asso", "Bal", SOON)
    simulator.cancel_event(simulator.add_event("asso", "Annulé", SOON))
    simulator.add_event("asso", "Passé", NOW - timedelta(days=1))
    simulator.add_event("asso", "En cours", NOW - timedelta(days=1), NOW + timedelta(days=1))
    query = "query Q($limit: Int) { events(limit: $limit) { elements { title } } }"
    _, given = await ask(simulator, query, limit=99)
    _, refused = await ask(simulator, query, limit=100)

    assert [event["title"] for event in given["data"]["events"]["elements"]] == ["En cours", "Bal"]
    assert refused["errors"][0]["code"] == "events_max_limit_reached"


@pytest.mark.parametrize(("version", "titles"), [("5.0.1", ["Bal"]), ("5.1.3", ["En cours", "Bal"])])
async def test_the_meaning_of_after_changed(simulator: MobilizonSimulator, version: str, titles: list[str]) -> None:
    """``afterDatetime`` spoke of the beginning before 5.1, and speaks of the end since."""
    simulator.version = version
    simulator.add_event("asso", "Bal", SOON)
    simulator.add_event("asso", "En cours", NOW - timedelta(days=1), NOW + timedelta(days=1))
    query = (
        'query Q($after: DateTime) { group(preferredUsername: "asso") { organizedEvents(afterDatetime: $after) { elements { title } } } }'
    )
    _, body = await ask(simulator, query, after=NOW.isoformat())

    assert [event["title"] for event in body["data"]["group"]["organizedEvents"]["elements"]] == titles


async def test_members_and_mutations_need_an_account(simulator: MobilizonSimulator) -> None:
    """A stranger reads what is public, and nothing else."""
    _, members = await ask(simulator, '{ group(preferredUsername: "asso") { name members { total } } }')
    _, mutation = await ask(simulator, "mutation M { deleteEvent(eventId: 1) { id } }")

    assert members["data"]["group"] == {"name": "Les Amis du Vélo", "members": None}
    assert [answer["errors"][0]["code"] for answer in (members, mutation)] == ["unauthenticated", "unauthenticated"]


async def test_http(simulator: MobilizonSimulator) -> None:
    """Questions may come by GET; no question is 400; another method is 405."""
    async with aiohttp.ClientSession() as session:
        got = await session.get(f"{simulator.url}/api", params={"query": "{ config { version } }"})
        empty = await session.post(f"{simulator.url}/api", data=b"not json")
        deleted = await session.delete(f"{simulator.url}/api")

        assert await got.json() == {"data": {"config": {"version": "5.1.3"}}}
        assert (empty.status, deleted.status) == (400, 405)


async def test_activitypub_objects(simulator: MobilizonSimulator) -> None:
    """An event is an object, then a tombstone; a draft is not found; a deleted post is not found either."""
    event, draft = simulator.add_event("asso", "Bal", SOON), simulator.add_event("asso", "Brouillon", SOON)
    post = simulator.add_post("asso", "Billet")

    async def look(url: str) -> tuple[int, str]:
        async with aiohttp.ClientSession(headers={"Accept": "application/activity+json"}) as session:
            answer = await session.get(url)
            return answer.status, (await answer.json())["type"] if "json" in answer.content_type else ""

    assert [await look(url) for url in (event.url, post.url)] == [(200, "Event"), (200, "Article")]
    simulator.delete_event(event)
    simulator.unpublish_event(draft)
    simulator.delete_post(post)
    assert [await look(url) for url in (event.url, draft.url, post.url)] == [(410, "Tombstone"), (404, ""), (404, "")]
