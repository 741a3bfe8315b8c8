"""Each thing is told once at each target: over restarts, deaths, servers that are down, and quiet hours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.errors import ConfigError, OutcomeUnknown, SinkError
from citystream.notify.atom import AtomTarget
from citystream.notify.courier import SINGLY, Courier, Patience
from citystream.notify.ledger import Ledger, states
from citystream.notify.quiet import Quiet, read_quiet
from citystream.notify.services import ServiceTarget
from citystream.notify.webhook import WebhookTarget
from citystream.ports import Message, Notification, Target
from tests.receiver import Receiver, receiving

SECRET = "not to be told"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUICK = Patience(attempts=3, first=0.001, longest=0.002)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def news(name: str, what: str = "raised", zone: str = "America/Chicago") -> Notification:
    return Notification(
        name, what, "springfield/crimes", zone, f"Title {name}", f"Text {name}", "Notice.", {"observed": 9}
    )


class Clock:
    """The time, which goes on by a second whenever somebody looks."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@contextmanager
def courier(
    folder: Path, target: Target, *, quiet: Quiet | None = None, clock: Clock | None = None
) -> Iterator[Courier]:
    with Ledger(folder, "there") as ledger:
        yield Courier(ledger, target, quiet or Quiet(), clock or Clock(), lambda: False, QUICK)


def delivered(folder: Path, target: Target, *found: Notification, clock: Clock | None = None) -> list[list[str]]:
    """Notice *found*, send what is due; the alerts of each message."""
    with courier(folder, target, clock=clock) as one:
        for each in found:
            one.ledger.notice(each, one.clock(), held=False)
        return [[each.alert_id for each in message.told] for message in one.deliver()]


def keys(receiver: Receiver) -> list[str]:
    return [each.headers["webhook-id"] for each in receiver.received]


def test_the_webhook_is_signed(tmp_path: Path, receiver: Receiver) -> None:
    delivered(tmp_path, WebhookTarget(receiver.url, SECRET), news("a"))
    (got,) = receiver.received
    stamp, key = got.headers["webhook-timestamp"], got.headers["webhook-id"]
    signed = f"{key}.{stamp}.".encode() + got.body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert got.headers["idempotency-key"] == key
    assert abs(int(stamp) - NOW.timestamp()) < 60
    said = json.loads(got.body)
    assert said["id"] == key
    assert said["alerts"][0]["alert_id"] == "a"
    assert said["notices"] == ["Notice."]
    assert SECRET.encode() not in got.body
    # the form in which receivers that know Standard Webhooks have their secrets
    receiver.received.clear()
    delivered(tmp_path, WebhookTarget(receiver.url, f"whsec_{base64.b64encode(SECRET.encode()).decode()}"), news("b"))
    (got,) = receiver.received
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("answers", [[500], [0], [429, 0], [503, 307]])
def test_a_webhook_that_failed_is_tried_again_under_the_same_key(
    tmp_path: Path, receiver: Receiver, answers: list[int]
) -> None:
    receiver.answers = list(answers)
    assert delivered(tmp_path, WebhookTarget(receiver.url, SECRET), news("a")) == [["a"]]
    assert len(receiver.received) == len(answers) + 1
    assert len({(*keys(receiver)[:1], each.body) for each in receiver.received}) == 1
    assert len(set(keys(receiver))) == 1


def test_what_a_target_that_is_down_missed_waits_and_is_told_once(tmp_path: Path, receiver: Receiver) -> None:
    target = WebhookTarget(receiver.url, SECRET)
    receiver.answers = [500] * 3
    with pytest.raises(SinkError, match="HTTP 500") as caught:
        delivered(tmp_path, target, news("a"), news("b"))
    assert SECRET not in str(caught.value)
    assert receiver.url not in str(caught.value)
    first = keys(receiver)[0]
    receiver.received.clear()
    assert delivered(tmp_path, target, news("a"), news("c")) == [["a"], ["b"], ["c"]]
    assert keys(receiver)[0] == first
    receiver.received.clear()
    assert delivered(tmp_path, target, news("a"), news("b"), news("c")) == []
    assert receiver.received == []


def test_a_refused_message_is_given_up_and_holds_back_no_other(tmp_path: Path, receiver: Receiver) -> None:
    target = WebhookTarget(receiver.url, SECRET)
    receiver.answers = [422]
    with pytest.raises(SinkError, match="refused"):
        delivered(tmp_path, target, news("a"))
    assert delivered(tmp_path, target, news("a"), news("b")) == [["b"]]


def test_what_could_not_be_sent_for_days_is_given_up(tmp_path: Path, receiver: Receiver) -> None:
    target = WebhookTarget(receiver.url, SECRET)
    for at in (NOW, NOW + timedelta(days=4)):
        receiver.answers = [500] * 3
        with pytest.raises(SinkError):
            delivered(tmp_path, target, *([news("a")] if at == NOW else []), clock=Clock(at))
    assert delivered(tmp_path, target, clock=Clock(NOW + timedelta(days=4))) == []


class Dying(Exception):
    """The process ends here."""


class Fatal:
    """A target at which the process dies *before* or after the message arrived."""

    recognises, disturbs = True, True

    def __init__(self, inner: Target, *, before: bool) -> None:
        self.inner, self.before, self.recognises = inner, before, inner.recognises

    def prepare(self) -> None: ...

    def send(self, message: Message, at: datetime) -> None:
        if not self.before:
            self.inner.send(message, at)
        raise Dying


@pytest.mark.parametrize("before", [True, False])
def test_after_a_death_a_webhook_gets_the_same_message(tmp_path: Path, receiver: Receiver, before: bool) -> None:
    target = WebhookTarget(receiver.url, SECRET)
    with pytest.raises(Dying):
        delivered(tmp_path, Fatal(target, before=before), news("a"))
    assert delivered(tmp_path, target) == [["a"]]
    assert len(receiver.received) == (1 if before else 2)
    assert len(set(keys(receiver))) == len({each.body for each in receiver.received}) == 1


@pytest.mark.parametrize("before", [True, False])
def test_after_a_death_a_service_is_told_at_most_once(tmp_path: Path, receiver: Receiver, before: bool) -> None:
    target = ServiceTarget(receiver.url.replace("http://", "json://"))
    with pytest.raises(Dying):
        delivered(tmp_path, Fatal(target, before=before), news("a"))
    assert delivered(tmp_path, target, news("b")) == [["b"]]
    assert len(receiver.received) == (1 if before else 2)
    with Ledger(tmp_path, "there") as ledger:
        assert ledger.tried("a")
        assert ledger.unfinished() == []


def test_what_was_only_intended_is_sent_everywhere(tmp_path: Path, receiver: Receiver) -> None:
    """Nobody tried to send it, and that is known."""
    with Ledger(tmp_path, "there") as ledger:
        ledger.notice(news("a"), NOW, held=False)
        ledger.intend([news("a")], NOW)
    assert delivered(tmp_path, ServiceTarget(receiver.url.replace("http://", "json://"))) == [["a"]]
    assert len(receiver.received) == 1


def test_a_service_is_told_through_apprise(tmp_path: Path, receiver: Receiver) -> None:
    target = ServiceTarget(receiver.url.replace("http://", "json://me:hidden@"))
    receiver.answers = [500]
    assert delivered(tmp_path, target, news("a")) == [["a"]]
    refused, taken = receiver.received
    assert refused.body == taken.body
    said = json.loads(taken.body)
    assert (said["title"], said["message"]) == ("Title a", "Text a\n\nNotice.")


def test_a_service_whose_answer_was_lost_is_not_told_again(
    tmp_path: Path, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    target = ServiceTarget(receiver.url.replace("http://", "json://me:hidden@"))
    receiver.answers = [0]
    with pytest.raises(OutcomeUnknown) as caught:
        delivered(tmp_path, target, news("a"))
    assert delivered(tmp_path, target) == []
    assert len(receiver.received) == 1
    assert "hidden" not in f"{caught.value}{capfd.readouterr()}"


def test_a_service_that_nobody_reached_is_told_later(tmp_path: Path, receiver: Receiver) -> None:
    with receiving() as gone:
        there = gone.url
    with pytest.raises(SinkError, match="cannot be reached"):
        delivered(tmp_path, ServiceTarget(there.replace("http://", "json://")), news("a"))
    with pytest.raises(SinkError, match="cannot be reached"):
        delivered(tmp_path, WebhookTarget(there, SECRET))
    assert delivered(tmp_path, ServiceTarget(receiver.url.replace("http://", "json://"))) == [["a"]]


@pytest.mark.parametrize("address", ["nonsense", "martians://secret-token", "mailto://"])
def test_a_service_that_is_none_is_refused_without_its_address(address: str) -> None:
    with pytest.raises(ConfigError, match="Apprise") as caught:
        ServiceTarget(address)
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://example.org/x", "ftp://example.org", "", "https://"])
def test_a_webhook_is_encrypted_or_here(address: str) -> None:
    with pytest.raises(ConfigError, match=r"notify\.webhook"):
        WebhookTarget(address, SECRET)
    with pytest.raises(ConfigError, match="secret"):
        WebhookTarget("https://example.org", "")


def test_many_are_told_together(tmp_path: Path, receiver: Receiver) -> None:
    many = [news(f"a{n}") for n in range(SINGLY + 1)]
    assert delivered(tmp_path, WebhookTarget(receiver.url, SECRET), *many) == [[each.alert_id for each in many]]


def test_targets_know_nothing_of_each_other(tmp_path: Path, receiver: Receiver) -> None:
    target = WebhookTarget(receiver.url, SECRET)
    delivered(tmp_path, target, news("a"))
    with Ledger(tmp_path, "elsewhere") as ledger:
        ledger.notice(news("a"), NOW, held=False)
        other = Courier(ledger, target, Quiet(), Clock(), lambda: False, QUICK)
        assert len(list(other.deliver())) == 1
    assert len(receiver.received) == 2


ATOM = "{http://www.w3.org/2005/Atom}"


def texts(entry: ElementTree.Element) -> dict[str, str | None]:
    return {child.tag.removeprefix(ATOM): child.text for child in entry if child.tag != f"{ATOM}category"}


def test_the_feed(tmp_path: Path) -> None:
    path = tmp_path / "web" / "alerts.atom"
    clock = Clock()
    with Ledger(tmp_path, "there") as ledger:
        ledger.since("springfield/crimes", "", 0, clock())
        target = AtomTarget(str(path), "", ledger)
        target.prepare()
        empty = ElementTree.parse(path).getroot()
        assert {"id", "title", "updated", "author"} <= {child.tag.removeprefix(ATOM) for child in empty}
        one = Courier(ledger, target, read_quiet("00:00-23:59"), clock, lambda: False, QUICK)
        odd = replace(news("b"), title="<b> & ü", text="]]>")
        for each in (news("a"), odd):
            ledger.notice(each, clock(), held=False)
        assert len(list(one.deliver())) == 2  # a feed disturbs nobody
        before = {entry["title"]: entry for entry in map(texts, ElementTree.parse(path).getroot().iter(f"{ATOM}entry"))}
        ledger.notice(replace(news("a", "withdrawn"), title="Withdrawn: a"), clock(), held=False)
        list(one.deliver())
    root = ElementTree.parse(path).getroot()
    after = {entry["title"]: entry for entry in map(texts, root.iter(f"{ATOM}entry"))}
    assert after.keys() == {"Withdrawn: a", "<b> & ü"}
    assert after["<b> & ü"] == before["<b> & ü"]
    assert after["<b> & ü"]["summary"] == "]]>"
    withdrawn, raised = after["Withdrawn: a"], before["Title a"]
    assert (withdrawn["id"], withdrawn["published"]) == (raised["id"], raised["published"])
    assert str(withdrawn["updated"]) > str(raised["updated"])
    assert root.findtext(f"{ATOM}id") == empty.findtext(f"{ATOM}id")
    assert root.findtext(f"{ATOM}updated") == withdrawn["updated"]
    assert [each.name for each in path.parent.iterdir()] == ["alerts.atom"]


class Keeping:
    """A target that takes everything, with the time."""

    recognises, disturbs = False, True

    def __init__(self) -> None:
        self.got: list[tuple[datetime, Message]] = []

    def prepare(self) -> None: ...

    def send(self, message: Message, at: datetime) -> None:
        self.got.append((at, message))


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([7, 8, 24]), st.lists(st.integers(0, 47), min_size=1, max_size=8))
def test_over_a_change_of_clocks_nobody_is_disturbed_and_all_that_was_held_comes_as_one(
    tmp_path_factory: pytest.TempPathFactory, day: int, noticed: list[int]
) -> None:
    """Looked at each half hour, over the two days around 2026-03-08 02:00 in Chicago, when clocks are put on."""
    target, quiet, zone = Keeping(), read_quiet("22:00-07:00"), "America/Chicago"
    begins = datetime(2026, 3, day, tzinfo=UTC)
    due = [begins + timedelta(minutes=30 * slot) for slot in sorted(noticed)]
    with Ledger(tmp_path_factory.mktemp("ledger"), "there") as ledger:
        for slot in range(96):
            at = begins + timedelta(minutes=30 * slot)
            for number, when in enumerate(due):
                if when == at:
                    ledger.notice(news(f"a{number}"), at, held=quiet.holds(at, zone))
            list(Courier(ledger, target, quiet, lambda at=at: at, lambda: False, QUICK).deliver())
    told = [each.alert_id for _, message in target.got for each in message.told]
    assert sorted(told) == sorted(f"a{number}" for number in range(len(due)))
    assert not any(quiet.holds(at, zone) for at, _ in target.got)
    mornings = [
        at for at, message in target.got if any(quiet.holds(due[int(each.alert_id[1:])], zone) for each in message.told)
    ]
    assert len(mornings) == len(set(mornings))
    summer = [at for at in mornings if at >= datetime(2026, 3, 8, 8, tzinfo=UTC)]
    assert all((at.hour, at.minute) == ((12, 0) if at in summer else (13, 0)) for at in mornings)


def test_status_says_what_was_told_and_what_waits(tmp_path: Path, receiver: Receiver) -> None:
    assert states(tmp_path) == []
    target = WebhookTarget(receiver.url, SECRET)
    with Ledger(tmp_path, "there") as ledger:
        ledger.since("springfield/crimes", "all", 5, NOW)
    delivered(tmp_path, target, news("a"))
    receiver.answers = [500] * 3
    with pytest.raises(SinkError):
        delivered(tmp_path, target, news("b"), news("c"))
    (state,) = states(tmp_path)
    assert (state.target, state.dataset, state.told, state.waiting) == ("there", "springfield/crimes", 1, 2)
    assert (state.last, state.error) == ("Title a", "the webhook answered HTTP 500")
    assert state.since == "2026-11-24T12:00:00"


def test_it_begins_anew_with_other_wishes_or_another_log(tmp_path: Path) -> None:
    with Ledger(tmp_path, "there") as ledger:
        assert ledger.since("d", "all", 100, NOW) == (100, True)
        assert ledger.since("d", "all", 250, NOW) == (100, False)
        assert ledger.since("d", "rare", 300, NOW) == (300, True)
        assert ledger.since("d", "rare", 20, NOW) == (20, True)


def test_words_may_change_until_somebody_tried_to_send_them(tmp_path: Path) -> None:
    with Ledger(tmp_path, "there") as ledger:
        for text in ("one", "two"):
            ledger.notice(replace(news("a"), text=text), NOW, held=False)
        message = ledger.intend([each.notification for each in ledger.waiting()], NOW)
        ledger.notice(replace(news("a"), text="three"), NOW, held=False)
        ledger.forget("a", "raised")
        assert [each.text for each in message.told] == ["two"]
        assert [each.message for each in ledger.unfinished()] == [message]


def test_what_is_written_together_is_there_or_not(tmp_path: Path) -> None:
    with Ledger(tmp_path, "there") as ledger:
        with pytest.raises(Dying), ledger.together():
            ledger.notice(news("a"), NOW, held=False)
            raise Dying
        assert ledger.waiting() == []
    with Ledger(tmp_path, "there", writes=False) as copy:
        copy.notice(news("a"), NOW, held=False)
        assert len(copy.waiting()) == 1
    with Ledger(tmp_path, "there") as ledger:
        assert ledger.waiting() == []
