"""Addresses of Kafka clusters: where, with which settings, and that they hold no password.

An address is ``kafka://host:port[,host:port]/PREFIX?name=value``. Every *name* is a setting of librdkafka and is passed
on; so is each variable ``CITYSTREAM_KAFKA_SASL_PASSWORD`` of the environment (dots become underscores), the only
place for secrets. Names that begin with ``topic.`` say how topics are made that are not there yet:
``topic.partitions``, ``topic.replication``, and any setting of a topic. ``kafka+tls://`` is TLS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from citystream.errors import ConfigError

VARIABLE = "CITYSTREAM_KAFKA_"
_SECRET = re.compile(r"password|secret|passphrase|\.pem$|jaas|oauthbearer\.config|private\.key")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SHAPE = "kafka://host:port/prefix?setting=value"


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """*servers*: ``host:port,host:port``; *prefix*: how its topics begin; *settings*: those of librdkafka, secrets
    included; *topics*: how topics are made, without the ``topic.`` before each name.
    """

    servers: str
    prefix: str
    settings: Mapping[str, str] = field(repr=False)
    topics: Mapping[str, str]

    @property
    def shown(self) -> str:
        """What messages call it."""
        return f"kafka://{self.servers}"

    def topic(self, name: str) -> str:
        """The topic for what is called *name*: a prefix that ends in a letter or digit gets a dot behind it."""
        between = "." if self.prefix and self.prefix[-1].isalnum() else ""
        topic = f"{self.prefix}{between}{name}"
        if not _TOPIC.fullmatch(topic) or topic in (".", ".."):
            raise ConfigError(
                f"{self.shown}: '{topic}' cannot be the name of a topic",
                "a topic has at most 249 letters, digits, dots, lines and underlines",
            )
        return topic

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not be shown."""
        return tuple(value for name, value in self.settings.items() if value and is_secret(name))


def is_secret(name: str) -> bool:
    """Whether the setting *name* holds what nobody else may see."""
    return bool(_SECRET.search(name))


def read_address(address: str, environ: Mapping[str, str]) -> KafkaAddress:
    """The parts of *address* and what *environ* adds; a secret in the address is refused. Raises `ConfigError`."""
    try:
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        # what cannot be read may hold a secret anywhere, so none of it is shown
        raise ConfigError("the address of the Kafka cluster cannot be read", f"write {_SHAPE}") from None
    who, _, servers = parts.netloc.rpartition("@")
    if not servers or parts.fragment or parts.scheme not in ("kafka", "kafka+tls"):
        raise ConfigError("the address of the Kafka cluster cannot be read", f"write {_SHAPE}")
    _refuse_secrets(servers, who, options)
    given = {name[len(VARIABLE) :].lower().replace("_", "."): v for name, v in environ.items() if _is_ours(name)}
    settings = given | {name: value for name, value in options.items() if not name.startswith("topic.")}
    if who:
        settings["sasl.username"] = unquote(who)
    topics = {name.removeprefix("topic."): v for name, v in options.items() if name.startswith("topic.")}
    read = KafkaAddress(servers, unquote(parts.path.strip("/")), _secured(settings, parts.scheme), topics)
    read.topic("x")
    return read


def _is_ours(name: str) -> bool:
    return name.startswith(VARIABLE) and len(name) > len(VARIABLE)


def _refuse_secrets(servers: str, who: str, options: Mapping[str, str]) -> None:
    found = [name for name in options if is_secret(name)]
    if ":" in who or found:
        variable = VARIABLE + (found[0] if found else "sasl.password").upper().replace(".", "_")
        raise ConfigError(
            f"kafka://{servers}: the address holds a password, which lists of processes, histories and logs would show",
            f"leave it out, and say it in the environment: {variable}",
        )


def _secured(settings: dict[str, str], scheme: str) -> dict[str, str]:
    """*settings* with what follows from a user's name and from ``kafka+tls``: a name is never sent in the clear
    unless the address says so.
    """
    named = "sasl.username" in settings or "sasl.mechanism" in settings
    if "security.protocol" not in settings and (named or scheme == "kafka+tls"):
        settings["security.protocol"] = "SASL_SSL" if named else "SSL"
    if "sasl.username" in settings:
        settings.setdefault("sasl.mechanism", "PLAIN")
    if scheme == "kafka+tls" and "SSL" not in settings["security.protocol"].upper():
        raise ConfigError("kafka+tls:// and security.protocol say different things", "leave one of them out")
    return settings
