"""Which addresses a stranger may lead us to, and what to say of those that cannot be reached."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from syndicator.errors import ConnectorError, Rejected, Transient, words


class PrivateAddress(OSError):
    """A host leads to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, seen through IPv4-mapped, 6to4 and NAT64 wrappings."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def guarded_socket(info: Any) -> socket.socket:
    """A socket for one resolved address; raises PrivateAddress when it is none of the open internet."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress(f"{address[0]} is not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)


def origin_of(url: str) -> tuple[str, str]:
    """Scheme, and host with port: credentials given for one are for no other."""
    try:
        return urlsplit(url).scheme, urlsplit(url).netloc
    except ValueError:
        return "", ""


def host_of(url: str) -> str:
    """The host's name, lower case; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def unreachable(url: str, asked: str, error: aiohttp.ClientConnectorError) -> ConnectorError:
    """Why no connection came about, on the way from ``asked`` to ``url``."""
    host = urlsplit(url).netloc
    if isinstance(error.os_error, PrivateAddress):
        return _private(host, urlsplit(asked).netloc, error.os_error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return Transient(
            f"{host}: {getattr(error, 'certificate_error', error.os_error)}",
            hint=words(
                fr="Le certificat de ce serveur n'est pas valable : prévenez les personnes qui l'administrent.",
                en="That server's certificate is not valid: tell the people who run it.",
            ),
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Transient(
            f"{host}: {error.os_error}",
            hint=words(
                fr=f"Le nom de serveur « {host} » est introuvable : vérifiez l'orthographe de l'adresse, et que cette machine "
                "est bien en ligne.",
                en=f'The server name "{host}" cannot be found: check the spelling of the address, and that this machine is online.',
            ),
        )
    return Transient(f"{host}: {error.os_error or error}")


def _private(host: str, asked_host: str, refused: OSError) -> Rejected:
    if host != asked_host:
        return Rejected(
            f"{asked_host} leads to {host}: {refused}",
            hint=words(
                fr=f"{asked_host} renvoie vers une adresse privée ({host}), ce que nous ne suivons pas : vérifiez l'adresse configurée, "
                "ou prévenez les personnes qui administrent ce serveur.",
                en=f"{asked_host} leads to a private address ({host}), which we do not follow: check the configured address, or tell the "
                "people who run that server.",
            ),
        )
    return Rejected(
        f"{host}: {refused}",
        hint=words(
            fr="Si ce serveur est sur votre réseau, ajoutez son nom à allow_private dans la section [network].",
            en="If that server is on your own network, add its name to allow_private in the [network] section.",
        ),
    )
