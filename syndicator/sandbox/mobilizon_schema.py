"""Mobilizon's GraphQL schema by version: the published one, and what the code of a version serves beyond it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
)

Release = tuple[int, int]

ORDER_SINCE: Release = (3, 1)
"""``organizedEvents(order, orderDirection)`` (commit 63c9ed62d)."""
SEARCH_INTERFACE_SINCE: Release = (4, 0)
"""``searchEvents`` gives an interface with fewer fields (lib/graphql/schema/search.ex)."""
COMPLEXITY_300_SINCE: Release = (4, 1)
LONG_EVENT_SINCE: Release = (5, 1)
"""``Event.longEvent``; ``afterDatetime`` means the end of an event (commit f67bd900f)."""

_ORDER = "      order: EventOrderBy\n\n      orderDirection: SortDirection\n    ): PaginatedEventList"
_SEARCH = """
interface EventSearchResult {
  id: ID
  uuid: UUID
  url: String
  title: String
  beginsOn: DateTime
  endsOn: DateTime
  status: EventStatus
  picture: Media
  tags: [Tag]
  category: EventCategory
  options: EventOptions
  participantStats: ParticipantStats
  attributedTo: Actor
  organizerActor: Actor
  physicalAddress: Address
}
extend type Event implements EventSearchResult
"""


def release_of(version: str) -> Release:
    """``"5.1.3"`` → ``(5, 1)``."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def complexity_max(release: Release) -> int:
    """The most that one operation may cost."""
    return 300 if release >= COMPLEXITY_300_SINCE else 250


def published_sdl() -> str:
    """The schema as Mobilizon publishes it; it lags behind the code."""
    return files("syndicator.sandbox").joinpath("data/mobilizon.graphql").read_text("utf-8")


def schema_for(release: Release) -> GraphQLSchema:
    """The schema that a server of ``release`` has; built once per process."""
    return _schema(release >= ORDER_SINCE, release >= SEARCH_INTERFACE_SINCE, release >= LONG_EVENT_SINCE)


@cache
def published_schema() -> GraphQLSchema:
    """The published schema and nothing else."""
    return _strict(build_schema(published_sdl()))


@cache
def _schema(order: bool, search_interface: bool, long_event: bool) -> GraphQLSchema:
    sdl = published_sdl()
    if order:
        sdl = _substitute(r"(organizedEvents\([^)]*?beforeDatetime[^)]*?)\n *\): PaginatedEventList", r"\1\n" + _ORDER, sdl)
    if search_interface:
        sdl = _substitute(r"(type Events \{[^}]*)elements: \[Event\]!", r"\1elements: [EventSearchResult]!", sdl) + _SEARCH
    if long_event:
        sdl += "\nextend type Event { longEvent: Boolean }\n"
    return _strict(build_schema(sdl))


def _substitute(pattern: str, replacement: str, sdl: str) -> str:
    changed, count = re.subn(pattern, replacement, sdl)
    if count != 1:
        raise ValueError(f"the published schema has {count} places like {pattern}")
    return changed


def _strict(schema: GraphQLSchema) -> GraphQLSchema:
    """Give the scalars that we take as arguments the checks that the server makes."""
    _check_with(schema, "DateTime", _date_time)
    _check_with(schema, "UUID", lambda value: str(UUID(value)))
    return schema


def _check_with(schema: GraphQLSchema, name: str, parse: Any) -> None:
    scalar = schema.type_map[name]
    assert isinstance(scalar, GraphQLScalarType)

    def parse_value(value: Any) -> Any:
        try:
            return parse(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise GraphQLError(f"{name} cannot be {value!r}") from error

    # The old and the new name of the same hook of graphql-core (3.2, 3.3).
    for hook in ("parse_value", "coerce_input_value"):
        setattr(scalar, hook, parse_value)


def _date_time(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("an offset is missing")
    return at


def complexity(document: DocumentNode, operation_name: str | None = None) -> int:
    """What the operation costs: one for each field, however many objects it gives."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operation = operation_of(document, operation_name)
    return _cost(operation.selection_set, fragments) if operation else 0


def operation_of(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode | None:
    """The operation meant."""
    operations: Iterable[OperationDefinitionNode] = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return next((node for node in operations if operation_name is None or (node.name and node.name.value == operation_name)), None)


def _cost(selections: SelectionSetNode | None, fragments: dict[str, FragmentDefinitionNode]) -> int:
    total = 0
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            total += 1 + _cost(node.selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            total += _cost(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            total += _cost(fragments[node.name.value].selection_set, fragments)
    return total
