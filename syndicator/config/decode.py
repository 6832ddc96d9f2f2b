"""TOML values → dataclasses, by their type hints: what a connector's Options may hold is the list in ``contract.py``."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from syndicator.config.credentials import Vault, located
from syndicator.config.lines import Key
from syndicator.config.report import Report
from syndicator.contract import Secret

DURATION_MAX = timedelta(days=36_500)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*[smhdw]\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_EXPECTED = {str: "text", int: "integer", float: "number", bool: "boolean", timedelta: "duration", Path: "path"}


class _Invalid:
    """What stands for a value that has been reported."""


INVALID: Final = _Invalid()


class UnsupportedTypeError(TypeError):
    """An Options field has a type that configuration files cannot express: a bug of the connector."""


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """Decodes the values of one file, noting every problem in its report."""

    report: Report
    vault: Vault

    def table(
        self, cls: type[Any], table: Mapping[str, Any], at: Key, *, owner: type[Any] | None = None, also: frozenset[str] = frozenset()
    ) -> Any:
        """``table`` as a ``cls``, or INVALID. ``owner`` is the class around ``cls``; ``also`` are keys that somebody else decodes."""
        self.report.unknown(table, at, keys(cls) | also)
        values = self.values(cls, table, at, owner=owner)
        if any(value is INVALID for value in values.values()):
            return INVALID
        return self.build(cls, values, at)

    def values(self, cls: type[Any], table: Mapping[str, Any], at: Key, *, owner: type[Any] | None = None) -> dict[str, Any]:
        """The fields of ``cls`` that ``table`` has, decoded; INVALID for those that are wrong or missing."""
        hints = get_type_hints(cls, localns=dict(vars(owner)) if owner else None)
        values: dict[str, Any] = {}
        for field in fields(cls):
            key = _key(field)
            if key in table:
                values[field.name] = self.value(hints[field.name], table[key], (*at, key), owner=owner)
            elif field.default is MISSING and field.default_factory is MISSING:
                self.report.add((*at, key), "missing", key=key)
                values[field.name] = INVALID
        return values

    def build(self, cls: type[Any], values: Mapping[str, Any], at: Key) -> Any:
        """``cls(**values)``, or INVALID when its own checks refuse them."""
        try:
            return cls(**values)
        except ValueError as error:
            reason = error.args[0] if error.args else ""
            if isinstance(reason, Mapping):
                self.report.add_words(at, reason)
            else:
                self.report.put(at, str(reason))
            return INVALID

    def value(self, hint: Any, value: Any, at: Key, *, owner: type[Any] | None = None) -> Any:
        """``value`` as the type ``hint`` asks, or INVALID."""
        hint = _without_none(hint)
        if hint is Secret:
            return self.vault.read(value, at, self.report) or INVALID
        if get_origin(hint) is Literal:
            return self._choice(get_args(hint), value, at)
        if get_origin(hint) is tuple:
            return self._array(hint, value, at, owner)
        if is_dataclass(hint) and isinstance(hint, type):
            if not isinstance(value, dict):
                return self._mistyped("table", value, at)
            return self.table(hint, value, at, owner=owner)
        return self._scalar(hint, value, at)

    def _scalar(self, hint: Any, value: Any, at: Key) -> Any:
        if hint not in _EXPECTED:
            raise UnsupportedTypeError(f"{hint!r} cannot be written in a configuration file")
        if hint is float and type(value) is int:
            return float(value)
        if hint is Path and isinstance(value, str):
            return located(value, self.vault.folder) or self._mistyped("path", value, at)
        if hint is timedelta and isinstance(value, str):
            return self._duration(value, at)
        return value if type(value) is hint else self._mistyped(_EXPECTED[hint], value, at)

    def _duration(self, value: str, at: Key) -> Any:
        if not _DURATION.fullmatch(value.strip()):
            return self._mistyped("duration", value, at)
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(value))
        if seconds > DURATION_MAX.total_seconds():
            self.report.add(at, "duration-too-long", value=value)
            return INVALID
        return timedelta(seconds=seconds)

    def _choice(self, choices: tuple[Any, ...], value: Any, at: Key) -> Any:
        if value in choices and isinstance(value, str):
            return value
        self.report.add(at, "not-a-choice", value=shown(value), meant=self.report.meant(str(value), map(str, choices)))
        return INVALID

    def _array(self, hint: Any, value: Any, at: Key, owner: type[Any] | None) -> Any:
        args = get_args(hint)
        if len(args) != 2 or args[1] is not Ellipsis:
            raise UnsupportedTypeError(f"{hint!r} cannot be written in a configuration file")
        if not isinstance(value, list):
            return self._mistyped("array", value, at)
        items = tuple(self.value(args[0], item, (*at, index), owner=owner) for index, item in enumerate(value))
        return INVALID if any(item is INVALID for item in items) else items

    def _mistyped(self, expected: str, value: Any, at: Key) -> Any:
        self.report.add(at, f"expected-{expected}", value=shown(value))
        return INVALID


def shown(value: Any) -> str:
    """``value`` as it stands in the file, cut where it is long; tables and arrays only by their brackets."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:58]}…"


def keys(cls: type[Any]) -> frozenset[str]:
    """The keys that a table decoded as ``cls`` may have."""
    return frozenset(map(_key, fields(cls)))


def good(values: Mapping[str, Any], name: str) -> bool:
    """Whether ``values`` holds ``name``, decoded without a problem."""
    return values.get(name, INVALID) not in (INVALID, None)


def _key(field: Field[Any]) -> str:
    """The field's name, or the one its metadata gives it because the right word is one of Python's (``from``)."""
    return str(field.metadata.get("key", field.name))


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    rest = [arg for arg in get_args(hint) if arg is not type(None)]
    if len(rest) != 1:
        raise UnsupportedTypeError(f"{hint!r} cannot be written in a configuration file")
    return rest[0]
