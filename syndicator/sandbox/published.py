"""Published specifications, reduced to the calls that our simulators answer; and the way they were reduced.

``python -m syndicator.sandbox.published telegram telegram-bot-api.min.json`` writes ``data/telegram-bot-api.json``, and likewise
``discord openapi.json`` writes ``data/discord-openapi.json``: the same input gives the same bytes. Each file says where it came from.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

Json = dict[str, Any]

TELEGRAM_METHODS = (
    "getMe", "getChat", "getChatMember", "sendMessage", "sendPhoto", "sendVideo", "sendMediaGroup", "editMessageText",
    "editMessageCaption", "editMessageMedia", "deleteMessage", "deleteMessages",
)  # fmt: skip
TELEGRAM_ANSWERS = (
    "User", "ChatFullInfo", "Message", "Chat", "PhotoSize", "Video", "ChatMemberOwner", "ChatMemberAdministrator", "ChatMemberMember",
    "ChatMemberLeft", "ChatMemberBanned",
)  # fmt: skip
TELEGRAM_WITHOUT = frozenset({"reply_markup", "rich_message"})
"""Fields of the calls that nobody here sends and that would bring a hundred types along."""
_TELEGRAM_PLAIN = frozenset({"Integer", "String", "Boolean", "Float", "InputFile"})
_LENGTH = re.compile(r"\b\d+-\d+ (?:characters|identifiers|items)\b|\b(?:include|must be) \d+-\d+\b|at most \d+ MB|up to \d+ MB")

DISCORD_CALLS = ("/webhooks/{webhook_id}/{webhook_token}", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
DISCORD_BODIES = ("IncomingWebhookRequestPartial", "IncomingWebhookUpdateRequestPartial")
DISCORD_ANSWERS = ("GuildIncomingWebhookResponse", "MessageResponse", "MessageAttachmentResponse", "UserResponse")
DISCORD_WITHOUT = frozenset({"components", "poll"})

PROVENANCE: Mapping[str, Json] = {
    "telegram": {
        "what": "Telegram Bot API 10.1 (2026-06-11), https://core.telegram.org/bots/api, as read from that page",
        "from": "https://github.com/PaulSonOfLars/telegram-bot-api-spec at 160fd99, api.min.json",
        "licence": "MIT, as stated by that project",
        "reduced": "methods, types and fields that the simulator uses; of the descriptions, only the limits they state",
    },
    "discord": {
        "what": "Discord HTTP API v10 (2026-07-18), https://discord.com/developers/docs/reference",
        "from": "https://github.com/discord/discord-api-spec at 74fda0f",
        "licence": "MIT, as stated in its info.license",
        "reduced": "requests of the webhook calls that the simulator answers; of the answers, only which fields are required",
    },
}


@cache
def telegram() -> Json:
    """``methods`` and ``types`` of the Bot API."""
    return _load("telegram-bot-api.json")


@cache
def discord() -> Json:
    """``calls`` (their query parameters), ``schemas`` of requests, and the fields ``required`` in answers."""
    return _load("discord-openapi.json")


def _load(name: str) -> Json:
    found: Json = json.loads(files("syndicator.sandbox").joinpath("data", name).read_text("utf-8"))
    return found


def reduce_telegram(spec: Json) -> Json:
    """The calls in ``TELEGRAM_METHODS`` with every type that their fields reach."""
    methods = {name: _fields(spec["methods"][name]) for name in TELEGRAM_METHODS}
    reached: dict[str, Json] = {}
    waiting = [name for fields in methods.values() for name in _types(fields)]
    while waiting:
        name = waiting.pop()
        if name in reached or name in _TELEGRAM_PLAIN:
            continue
        described = spec["types"][name]
        subtypes = described.get("subtypes", [])
        reached[name] = {"subtypes": subtypes} if subtypes else {"fields": _fields(described)}
        waiting += [*subtypes, *_types(reached[name].get("fields", {}))]
    required = {name: [field["name"] for field in spec["types"][name]["fields"] if field["required"]] for name in TELEGRAM_ANSWERS}
    return {"provenance": PROVENANCE["telegram"], "methods": methods, "types": reached, "required": required}


def _fields(described: Json) -> Json:
    return {
        field["name"]: {
            "types": field["types"],
            "required": field["required"],
            "limits": _LENGTH.findall(field["description"]),
        }
        for field in described.get("fields", [])
        if field["name"] not in TELEGRAM_WITHOUT
    }


def _types(fields: Json) -> Iterable[str]:
    for field in fields.values():
        yield from (name.removeprefix("Array of ") for name in field["types"])


def reduce_discord(spec: Json) -> Json:
    """The bodies in ``DISCORD_BODIES`` with every schema that they reach."""
    schemas = spec["components"]["schemas"]
    reached: dict[str, Json] = {}
    waiting = list(DISCORD_BODIES)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        schema = dict(schemas[name])
        if name in DISCORD_BODIES:
            schema["properties"] = {key: value for key, value in schema["properties"].items() if key not in DISCORD_WITHOUT}
        reached[name] = schema
        waiting += re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema))
    return {
        "provenance": PROVENANCE["discord"],
        "calls": {path: _queries(spec["paths"][path]) for path in DISCORD_CALLS},
        "schemas": reached,
        "required": {name: schemas[name]["required"] for name in DISCORD_ANSWERS},
    }


def _queries(path: Json) -> Json:
    """Method → its query parameters, by name, with their schemas."""
    return {
        method: {parameter["name"]: parameter["schema"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
        for method, operation in path.items()
        if method != "parameters"
    }


REDUCTIONS: Mapping[str, tuple[str, Callable[[Json], Json]]] = {
    "telegram": ("telegram-bot-api.json", reduce_telegram),
    "discord": ("discord-openapi.json", reduce_discord),
}


def written(reduced: Json) -> str:
    """The file's text: the same for the same content."""
    return json.dumps(reduced, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(service: str, source: str) -> None:
    """Reduce the specification at ``source`` and put it where the simulators look."""
    name, reduce = REDUCTIONS[service]
    text = written(reduce(json.loads(Path(source).read_text("utf-8"))))
    (Path(__file__).parent / "data" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:3])
