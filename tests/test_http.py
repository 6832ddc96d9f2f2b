"""The one HTTP client: what it refuses, what it follows, what its failures mean."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Http, PrivateAddress, Response, Sessions, error_for, is_public, retry_after
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW

LOOPBACK = frozenset({"127.0.0.1"})


class Site(Simulator):
    """Answers what the tests ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.redirects: dict[str, tuple[int, str]] = {}
        self.app.add_routes([web.route("*", "/ok", self._ok), web.get("/endless", self._endless), web.get("/bomb", self._bomb)])
        self.app.router.add_route("*", "/to/{name}", self._redirect)

    async def _ok(self, request: web.Request) -> web.Response:
        return web.json_response({"headers": dict(request.headers)})

    async def _redirect(self, request: web.Request) -> web.Response:
        status, location = self.redirects[request.match_info["name"]]
        return web.Response(status=status, headers={"Location": location})

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"x" * 10_000)
        return response

    async def _bomb(self, _: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    sessions = Sessions()
    yield Http(sessions=sessions, now=lambda: NOW, user_agent="syndicator-tests", allow_private=LOOPBACK)
    await sessions.close()


@pytest.mark.parametrize(("address", "public"), [
    ("9.9.9.9", True), ("2a00:1450:4007:80e::200e", True),
    ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.1.1", False), ("172.16.0.1", False), ("169.254.169.254", False),
    ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False),
    ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False),
    ("::ffff:127.0.0.1", False), ("::ffff:9.9.9.9", True), ("2002:7f00:1::", False), ("2002:909:909::", True),
    ("64:ff9b::7f00:1", False), ("64:ff9b::909:909", True), ("2001:0:53aa:64c::1", False),
])  # fmt: skip
def test_what_is_public(address: str, public: bool) -> None:
    """Seen through every wrapping that leads to an address of ours."""
    assert is_public(address) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_private_address_is_refused_before_a_byte_leaves(http: Http, site: Site, host: str, method: str) -> None:
    """Literal or by name: nothing arrives, and the advice names the option."""
    guarded = replace(http, allow_private=frozenset())
    with pytest.raises(Rejected) as caught:
        await guarded.request(method, f"http://{host}:{site.host.partition(':')[2]}/ok")

    assert site.requests == []
    assert caught.value.hint is not None
    assert "allow_private" in caught.value.hint["fr"]


async def test_a_redirect_inwards_is_refused(http: Http, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's page does not send us to our own network, not even to a host that is trusted when asked for by name."""
    site.redirects["in"] = (302, f"{site.url}/ok")
    monkeypatch.setattr("syndicator.http.is_public", lambda address: address == "127.0.0.2")
    sessions = Sessions()
    stranger = Http(sessions=sessions, now=lambda: NOW, user_agent="t", allow_private=LOOPBACK)
    port = site.host.partition(":")[2]
    async with _listening_everywhere(site) as other_port:
        with pytest.raises(Rejected):
            await stranger.get(f"http://127.0.0.2:{other_port}/to/in")
        assert (await stranger.get(f"http://127.0.0.1:{port}/to/in")).status == 200
    await sessions.close()


class _listening_everywhere:  # noqa: N801 - reads as what it does
    """The same application on every address of this machine."""

    def __init__(self, site: Site) -> None:
        self._runner = web.ServerRunner(site._runner.server)  # type: ignore[union-attr,arg-type]

    async def __aenter__(self) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.2", 0).start()
        return int(self._runner.addresses[0][1])

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def test_redirects_are_followed_and_remembered(http: Http, site: Site) -> None:
    """A chain of permanent ones is where to go from now on; one that is not ends that."""
    site.redirects |= {"a": (301, "/to/b"), "b": (308, "/ok"), "c": (302, "/ok"), "loop": (302, "/to/loop")}

    permanent = await http.get(f"{site.url}/to/a")
    temporary = await http.get(f"{site.url}/to/c")

    assert (permanent.url, permanent.moved_to) == (f"{site.url}/ok", f"{site.url}/ok")
    assert (temporary.url, temporary.moved_to) == (f"{site.url}/ok", None)
    with pytest.raises(Transient):
        await http.get(f"{site.url}/to/loop")


@pytest.mark.parametrize(("encoded", "sent"), [(True, "/ok?author=urn%3Ali%3A1&x=a%2Cb"), (False, "/ok?author=urn:li:1&x=a,b")])
async def test_an_address_can_go_out_as_it_is_written(http: Http, site: Site, encoded: bool, sent: str) -> None:
    """A service that tells ``%3A`` from ``:`` gets what it asked for; others get the usual form."""
    asked: list[str] = []
    site.hooks.append(lambda stage, request: asked.append(request.raw_path) if stage == "before" else None)
    await http.request("GET", f"{site.url}/ok?author=urn%3Ali%3A1&x=a%2Cb", encoded=encoded)

    assert asked == [sent]


async def test_a_write_is_never_redirected(http: Http, site: Site) -> None:
    """What was meant for one address is not sent to another."""
    site.redirects["w"] = (307, "/ok")
    response = await http.request("POST", f"{site.url}/to/w", json={})

    assert response.status == 307
    assert [seen.path for seen in site.requests] == ["/to/w"]


async def test_credentials_stay_with_their_host(http: Http, site: Site) -> None:
    """Another host gets neither Authorization nor any header of our own."""
    async with Site() as other:
        site.redirects["away"] = (302, f"{other.url}/ok")
        await http.get(f"{site.url}/to/away", headers={"Authorization": "Bearer s3cr3t", "Api-Key": "s3cr3t", "Accept": "text/html"})

        (seen,) = other.requests
        assert "s3cr3t" not in str(seen.headers)
        assert seen.headers["Accept"] == "text/html"


@pytest.mark.parametrize("path", ["endless", "bomb"])
async def test_a_body_has_a_limit(http: Http, site: Site, path: str) -> None:
    """Counted after decompression, whatever the headers say."""
    with pytest.raises(Rejected) as caught:
        await http.get(f"{site.url}/{path}", max_bytes=1_000_000)
    assert caught.value.hint is not None


async def test_an_endless_answer_to_a_write_is_an_unknown_outcome(http: Http, site: Site) -> None:
    """It was done; that we do not read the answer to its end changes nothing of that."""
    site.fault(Fault(action="mask", method="POST", body=b"x" * 2_000_000, status=200))
    with pytest.raises(OutcomeUnknown):
        await http.request("POST", f"{site.url}/ok", json={}, max_bytes=1_000_000)


@pytest.mark.parametrize("action", ["drop", "lose", "truncate"])
async def test_a_lost_connection(http: Http, site: Site, action: Any) -> None:
    """A question can be put again; of anything else nobody knows."""
    site.fault(Fault(action=action, times=9))
    with pytest.raises(Transient):
        await http.get(f"{site.url}/ok")
    with pytest.raises(OutcomeUnknown):
        await http.request("POST", f"{site.url}/ok", json={})


async def test_what_never_left_is_transient(http: Http) -> None:
    """Refused or unresolved: it surely did not happen, whatever the method."""
    for url in ("http://127.0.0.1:1/", "http://nobody.invalid/"):
        for method in ("GET", "POST"):
            with pytest.raises(Transient):
                await http.request(method, url)


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://", "https:///x", "nonsense", "http://[::1", "file:///etc/passwd"])
async def test_what_is_no_web_address_is_refused(http: Http, url: str) -> None:
    """And says so, without a traceback."""
    with pytest.raises(Rejected):
        await http.get(url)


async def test_writes_never_share_a_connection(http: Http, site: Site) -> None:
    """A kept connection that the server closes under a write would leave its outcome unknown: each gets its own."""
    for _ in range(2):
        response = await http.request("POST", f"{site.url}/ok", json={})
        assert response.json()["headers"].get("Connection", "") == "close"


@pytest.mark.parametrize(("value", "expected"), [
    ("120", NOW + timedelta(seconds=120)), ("0", NOW), ("999999999", NOW + timedelta(days=1)),
    ("Sat, 21 Nov 2026 12:02:00 GMT", NOW + timedelta(minutes=2)), ("Sat, 21 Nov 2020 12:00:00 GMT", NOW),
    ("soon", None), ("", None), ("-5", None),
])  # fmt: skip
def test_retry_after(value: str, expected: object) -> None:
    """RFC 9110 10.2.3: seconds or a date; never in the past, never more than a day ahead."""
    assert retry_after({"Retry-After": value}, NOW) == expected


@pytest.mark.parametrize(("status", "headers", "write", "kind"), [
    (200, {}, False, type(None)), (304, {}, False, type(None)), (401, {}, False, AuthExpired), (403, {}, True, AuthExpired),
    (404, {}, False, Rejected), (410, {}, False, Gone), (422, {}, True, Rejected), (429, {}, False, RateLimited),
    (500, {}, False, Transient), (500, {}, True, OutcomeUnknown), (502, {}, True, OutcomeUnknown), (503, {}, True, Transient),
    (503, {"Retry-After": "60"}, False, RateLimited), (408, {}, False, Transient),
])  # fmt: skip
def test_what_a_status_means(status: int, headers: dict[str, str], write: bool, kind: type) -> None:
    """Where a service has no dialect of its own."""
    response = Response(status=status, url="https://x.example/", headers=CIMultiDictProxy(CIMultiDict(headers)), body=b"")

    assert type(error_for(response, NOW, write=write)) is kind


def test_a_private_address_is_an_os_error() -> None:
    """So that the connector's own error handling sees it as a failed connection."""
    assert issubclass(PrivateAddress, OSError)
