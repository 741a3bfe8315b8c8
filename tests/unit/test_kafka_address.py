"""Addresses of Kafka clusters: what is passed on, what is secret, what is refused. No broker is needed."""

from __future__ import annotations

import pytest

from citystream.brokers.kafka_address import read_address
from citystream.errors import ConfigError


def test_servers_prefix_settings_and_topics() -> None:
    read = read_address("kafka://one:9092,two:9093/city?linger.ms=5&topic.partitions=3&topic.retention.ms=-1", {})
    assert (read.servers, read.prefix, dict(read.settings)) == ("one:9092,two:9093", "city", {"linger.ms": "5"})
    assert dict(read.topics) == {"partitions": "3", "retention.ms": "-1"}
    assert read.topic("chicago_crimes") == "city.chicago_crimes"


@pytest.mark.parametrize(("prefix", "topic"), [("", "x"), ("a", "a.x"), ("a-", "a-x"), ("a.", "a.x"), ("a.b", "a.b.x")])
def test_names_of_topics(prefix, topic) -> None:
    assert read_address(f"kafka://host/{prefix}", {}).topic("x") == topic


@pytest.mark.parametrize("prefix", ["a/b", "ä", "a b", "x" * 249])
def test_what_cannot_be_the_name_of_a_topic(prefix) -> None:
    with pytest.raises(ConfigError, match="name of a topic"):
        read_address(f"kafka://host/{prefix}", {})


def test_the_environment_has_settings_and_secrets() -> None:
    given = {
        "CITYSTREAM_KAFKA_SASL_PASSWORD": "hush",
        "CITYSTREAM_KAFKA_LINGER_MS": "9",
        "OTHER": "x",
        "CITYSTREAM_KAFKA_": "y",
    }
    read = read_address("kafka://me@host:1/p?linger.ms=5", given)
    assert dict(read.settings) == {
        "sasl.password": "hush",
        "linger.ms": "5",
        "sasl.username": "me",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
    }
    assert read.secrets == ("hush",)
    assert "hush" not in repr(read) + read.shown


@pytest.mark.parametrize(
    ("address", "protocol"),
    [
        ("kafka://host/p", None),
        ("kafka+tls://host/p", "SSL"),
        ("kafka+tls://me@host/p", "SASL_SSL"),
        ("kafka://me@host/p", "SASL_SSL"),
        ("kafka://host/p?sasl.mechanism=SCRAM-SHA-512", "SASL_SSL"),
        ("kafka://me@host/p?security.protocol=SASL_PLAINTEXT", "SASL_PLAINTEXT"),
    ],
)
def test_nobody_is_named_in_the_clear_unless_it_is_said(address, protocol) -> None:
    assert read_address(address, {}).settings.get("security.protocol") == protocol


@pytest.mark.parametrize(
    "address",
    [
        "kafka://me:hush@host/p",
        "kafka://:hush@host/p",
        "kafka://host/p?sasl.password=hush",
        "kafka://host/p?ssl.key.password=hush",
        "kafka://host/p?sasl.oauthbearer.client.secret=hush",
        "kafka://host/p?ssl.key.pem=hush",
        "hush://host/p",
        "kafka://",
        "kafka://host/p?hush",
        "kafka://[hush/p",
        "kafka+tls://host/p?security.protocol=PLAINTEXT",
    ],
)
def test_what_is_refused_is_not_shown(address) -> None:
    with pytest.raises(ConfigError) as refused:
        read_address(address, {})
    assert "hush" not in str(refused.value)
    assert refused.value.hint
