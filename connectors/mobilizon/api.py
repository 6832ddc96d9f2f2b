"""Questions to one Mobilizon instance: gql over the guarded client, and what its answers mean in our errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gql import GraphQLRequest
from gql.transport.async_transport import AsyncTransport
from graphql import ExecutionResult

from syndicator.contract import Context
from syndicator.errors import AuthExpired, ConnectorError, Rejected, Transient, words
from syndicator.http import Http, Response, error_for

ANSWER_MAX_BYTES = 10_000_000
"""A page of a hundred events with long descriptions is about 1 MB."""


class InternalError(Transient):
    """HTTP 500: the server's own code failed on this very question."""


class Misunderstood(Rejected):
    """The question itself was refused: a field or argument that this version does not know."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One entry of an answer's ``errors``. Messages are localised, so only code and status decide."""

    code: str | None
    status: int | None
    path: tuple[str | int, ...]
    message: str

    @property
    def lasting(self) -> bool:
        """Whether asking again cannot help."""
        return self.status is not None and 400 <= self.status < 500


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, possibly partial: ``faults`` say what is missing from ``data``."""

    data: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()

    def faults_at(self, *path: str) -> tuple[Fault, ...]:
        """The faults at ``path`` or below; those without a path concern everything."""
        return tuple(fault for fault in self.faults if not fault.path or fault.path[: len(path)] == path)


class GuardedTransport(AsyncTransport):
    """Sends gql's requests through the shared client, so that its limits of size, time and address hold here too."""

    def __init__(self, url: str, context: Context) -> None:
        self._url = url
        self._http: Http = context.http
        self._now = context.now

    async def connect(self) -> None:
        """Nothing to do: the shared client connects by itself."""

    async def close(self) -> None:
        """Nothing to do: the shared client is not ours to close."""

    async def execute(self, request: GraphQLRequest) -> ExecutionResult:
        """Put one question; raises our errors where no GraphQL answer came."""
        response = await self._http.request(
            "POST",
            self._url,
            json=request.payload,
            headers={"Accept": "application/json", "Accept-Language": "en"},
            max_bytes=ANSWER_MAX_BYTES,
            question=True,
        )
        _refuse(response, self._now())
        return _result(response)

    def subscribe(self, request: GraphQLRequest) -> AsyncGenerator[ExecutionResult, None]:
        """Mobilizon's subscriptions need an account: we poll."""
        raise Rejected(f"Mobilizon's subscriptions need an account: {request.operation_name}")


NOT_MOBILIZON = words(
    fr="Vérifiez l'adresse : ce doit être celle d'une instance Mobilizon, par exemple https://mobilizon.fr.",
    en="Check the address: it must be that of a Mobilizon instance, such as https://mobilizon.fr.",
)


PERHAPS_NOT_MOBILIZON = words(
    fr="Si cela dure, vérifiez l'adresse : ce doit être celle d'une instance Mobilizon, par exemple https://mobilizon.fr.",
    en="If this goes on, check the address: it must be that of a Mobilizon instance, such as https://mobilizon.fr.",
)


def _result(response: Response) -> ExecutionResult:
    """The GraphQL answer in a response; a web page or any other JSON is an outage, or the wrong address."""
    try:
        payload = response.json()
    except Transient as error:
        raise Transient(error.detail, hint=PERHAPS_NOT_MOBILIZON) from error
    data, errors = (payload.get("data"), payload.get("errors")) if isinstance(payload, dict) else (None, None)
    errors = errors if isinstance(errors, list) and errors else None
    if not isinstance(data, dict) and errors is None:
        raise Transient(f"{response.url} gave JSON that is no GraphQL answer", hint=PERHAPS_NOT_MOBILIZON)
    return ExecutionResult(data=data, errors=errors)


def _refuse(response: Response, now: datetime) -> None:
    if response.status in (301, 308):
        raise Rejected(
            f"{response.url} moved to {response.headers.get('Location')}",
            hint=words(
                fr="L'instance a déménagé : mettez sa nouvelle adresse dans « url ».",
                en='The instance moved: put its new address into "url".',
            ),
        )
    if 300 <= response.status < 400:
        raise Transient(f"{response.url} answered {response.status} towards {response.headers.get('Location')}", hint=PERHAPS_NOT_MOBILIZON)
    if response.status == 500:
        raise InternalError(f"{response.url} answered 500")
    error = error_for(response, now)
    if isinstance(error, AuthExpired):
        raise AuthExpired(error.detail, hint=CLOSED)
    if isinstance(error, Transient):
        raise error
    if error is not None:
        raise Rejected(error.detail, hint=NOT_MOBILIZON)


CLOSED = words(
    fr="Cette instance refuse la lecture sans compte : demandez à son équipe d'ouvrir /api, ou d'autoriser votre serveur.",
    en="This instance refuses reading without an account: ask its team to open /api, or to let your server through.",
)


def refusal(faults: tuple[Fault, ...]) -> ConnectorError:
    """What faults that left nothing to read mean."""
    said = "; ".join(f"{fault.code or 'refused'}: {fault.message}" for fault in faults) or "an answer without data"
    if any(fault.status in (401, 403) for fault in faults):
        return AuthExpired(said, hint=CLOSED)
    if faults and all(fault.code is None and fault.status is None for fault in faults):
        return Misunderstood(
            said,
            hint=words(
                fr="Cette instance ne comprend pas nos questions : elle est sans doute trop ancienne ; il faut Mobilizon 4 ou plus récent.",
                en="This instance does not understand our questions: it is probably too old; Mobilizon 4 or later is needed.",
            ),
        )
    if faults and all(fault.lasting for fault in faults):
        return Rejected(said)
    return Transient(said)


class Api:
    """One instance's GraphQL endpoint."""

    def __init__(self, instance: str, context: Context) -> None:
        # Without gql's Client: it would add a timeout, which the shared client has, and a megabyte of anyio to keep it.
        self._transport = GuardedTransport(f"{instance}/api", context)

    async def ask(self, query: str, variables: Mapping[str, Any]) -> Answer:
        """Put one question; a partial answer is an answer. Raises Transient, RateLimited, AuthExpired, Rejected."""
        result = await self._transport.execute(GraphQLRequest(query, variable_values=dict(variables)))
        faults = tuple(_fault(entry) for entry in result.errors or ())
        if not isinstance(result.data, dict):
            raise refusal(faults)
        return Answer(data=result.data, faults=faults)


def _fault(entry: Any) -> Fault:
    if not isinstance(entry, dict):
        return Fault(code=None, status=None, path=(), message=str(entry)[:200])
    code, status, path = entry.get("code"), entry.get("status_code"), entry.get("path")
    return Fault(
        code=code if isinstance(code, str) else None,
        status=status if isinstance(status, int) else None,
        path=tuple(path) if isinstance(path, list) else (),
        message=str(entry.get("message", ""))[:200],
    )
