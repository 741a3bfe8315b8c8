"""A Kafka broker (KRaft, one node) on a port of its own, and the same one killed and started again.

Each test process has one of its own, so that a test may kill it; each test has a prefix of its own for its topics.
Beside the plain port there is one with TLS and passwords.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from filelock import FileLock

from tests.services.running import Server, free_port, unavailable

USER, PASSWORD = "writer", "a-secret-of-the-test"
_POM = Path(__file__).with_name("kafka_broker") / "pom.xml"
_JAVA = ("java", "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_STORE = "citystream"
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
 username="{user}" password="{password}" user_{user}="{password}";
ssl.keystore.location={keys}/keys.p12
ssl.keystore.password={store}
ssl.key.password={store}
log.dirs={folder}/data
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=300
log.initial.task.delay.ms=500
log.retention.check.interval.ms=500
log.cleaner.backoff.ms=200
log.cleaner.dedupe.buffer.size=8388608
log.segment.bytes=67108864
"""


def libraries() -> Path:
    """The folder of the jars, of a formatted data folder and of a certificate; filled when it is first asked for."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = cache / "citystream-tests" / "kafka-4.4.0"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not (folder / "complete").exists():
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}"]
            _run("mvn", "-q", "-B", "-f", str(_POM), *goal)
            _format(folder)
            _certify(folder)
            (folder / "complete").touch()
    return folder


def _format(folder: Path) -> None:
    """What a new broker begins with: making it takes longer than starting the broker."""
    ports = {"port": 1, "secure": 2, "controller": 3}
    settings = folder / "format.properties"
    settings.write_text(_properties(folder, folder, ports))
    tool = [*_JAVA, "-cp", f"{folder / 'jars'}/*", "kafka.tools.StorageTool"]
    _run(*tool, "format", "--ignore-formatted", "-t", "Y2l0eXN0cmVhbS10ZXN0cw", "-c", str(settings))


def _certify(folder: Path) -> None:
    """A certificate for 127.0.0.1, in the broker's form and in that of its clients."""
    keys = ["-keystore", str(folder / "keys.p12"), "-storepass", _STORE, "-alias", "broker"]
    (folder / "keys.p12").unlink(missing_ok=True)
    subject = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-validity", "3650", "-keyalg", "EC"]
    _run("keytool", "-genkeypair", *keys, *subject)
    _run("keytool", "-exportcert", "-rfc", *keys, "-file", str(folder / "broker.pem"))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr)[-500:]
        unavailable("Kafka", f"maven, with a way to Maven Central; {command[0]} said: {said}")


def _properties(folder: Path, keys: Path, ports: dict[str, int]) -> str:
    return _PROPERTIES.format(folder=folder, keys=keys, user=USER, password=PASSWORD, store=_STORE, **ports)


@dataclass(slots=True)
class Broker(Server):
    """A broker: it can be killed, ended and started again with the same data on the same *ports*."""

    ports: dict[str, int] = field(kw_only=True)
    certificate: Path = field(kw_only=True)

    @property
    def servers(self) -> str:
        """Where it answers without TLS."""
        return f"127.0.0.1:{self.ports['port']}"

    @property
    def secure_servers(self) -> str:
        """Where it answers with TLS (the certificate is `certificate`) to `USER` with `PASSWORD`."""
        return f"127.0.0.1:{self.ports['secure']}"


def prepared(folder: Path, jars: Path) -> Broker:
    """A broker with its data in *folder*, not yet started."""
    shutil.copytree(jars / "data", folder / "data")
    ports = {name: free_port() for name in ("port", "secure", "controller")}
    settings = folder / "server.properties"
    settings.write_text(_properties(folder, jars, ports))
    options = [f"-Dkafka.logs.dir={folder}", "-cp", f"{jars / 'jars'}/*"]
    command = [*_JAVA, *options, "kafka.Kafka", str(settings)]
    asked = {"bootstrap.servers": f"127.0.0.1:{ports['port']}", "log_level": 0, "reconnect.backoff.max.ms": 200}
    client: list[AdminClient] = []

    def answers() -> None:
        if not client:
            client.append(AdminClient(asked))
        if not client[0].list_topics(timeout=1).brokers:
            raise KafkaException("it knows no broker yet")

    certificate = jars / "broker.pem"
    return Broker(
        command, folder / "log", answers, KafkaException, signal.SIGTERM, ports=ports, certificate=certificate
    )


@contextmanager
def broker() -> Iterator[Broker]:
    """A broker of one's own until the end of the block."""
    for program in ("java", "keytool", "mvn"):
        if not shutil.which(program):
            unavailable("Kafka", f"default-jdk-headless maven: there is no {program}")
    jars = libraries()
    folder = Path(tempfile.mkdtemp(prefix="citystream-service-"))
    running = prepared(folder, jars)
    try:
        running.start()
        yield running
    finally:
        running.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[Broker]:
    """The broker of this test process. Who kills it starts it again."""
    with broker() as running:
        yield running


@pytest.fixture
def kafka(kafka_broker: Broker) -> str:
    """An address with a prefix that no topic has yet: ``kafka://host:port/prefix``."""
    return f"kafka://{kafka_broker.servers}/test-{uuid.uuid4().hex[:10]}"
