"""Addresses of databases: whose they are, whether it is this machine, and that they hold no password."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

from citystream.errors import ConfigError

_SECRETS = ("password", "passwd", "pwd", "sslpassword")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """``scheme://user@host:port/database?option=value``; what is not said is '' (the port 0)."""

    user: str
    host: str
    port: int
    database: str
    options: dict[str, str]

    @property
    def shown(self) -> str:
        """What messages call it."""
        port = f":{self.port}" if self.port else ""
        return f"{self.host or 'local socket'}{port}/{self.database}"


def read_address(address: str, variable: str) -> DatabaseAddress:
    """The parts of *address*; a password in it is refused: that belongs into the environment, as *variable*."""
    try:
        parts = urlsplit(address)
        options, port = dict(parse_qsl(parts.query, keep_blank_values=True)), parts.port or 0
    except ValueError:
        # what cannot be read may hold a secret anywhere, so none of it is shown
        raise ConfigError(
            "the address of the database cannot be read", "write scheme://user@host:port/database"
        ) from None
    read = DatabaseAddress(
        unquote(parts.username or ""), unquote(parts.hostname or ""), port, unquote(parts.path.lstrip("/")), options
    )
    if parts.password is not None or any(secret in options for secret in _SECRETS):
        raise ConfigError(
            f"{read.shown}: the address holds a password, which lists of processes, histories and logs would show",
            f"leave it out, and say it in the environment: {variable}",
        )
    return read


def is_local(host: str) -> bool:
    """Whether a connection to *host* stays on this machine: a socket, ``localhost``, a loopback address."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
