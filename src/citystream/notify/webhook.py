"""Alerts posted to an address as JSON, signed, so that the receiver knows who sent it and when.

Headers are those of Standard Webhooks: ``webhook-id``, the message's key, the same however often it comes (also as
``idempotency-key``); ``webhook-timestamp``, seconds since 1970; ``webhook-signature``, ``v1,`` and the base64 of the
HMAC-SHA256 over id, timestamp and body, with dots between.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Final

import httpx

from citystream.errors import ConfigError, OutcomeUnknown, SinkError
from citystream.notify.wording import body, notices, subject
from citystream.ports import Message, Told

_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
#: What says that this very message is not wanted, now or later.
_REFUSING: Final = (400, 413, 415, 422)
_HINT: Final = "it is tried again; see whether the address under [notify] answers"
_PREFIX: Final = "whsec_"


class WebhookTarget:
    """The webhook at *address*; *secret* signs."""

    recognises, disturbs = True, True

    def __init__(self, address: str, secret: str, _told: Told | None = None, *, timeout: float = 10.0) -> None:
        self._url = _checked(address)
        self._key = _key(secret)
        self._timeout = timeout

    def prepare(self) -> None:
        """Nothing."""

    def send(self, message: Message, at: datetime) -> None:
        """Post it."""
        content = content_of(message)
        stamp = str(int(at.timestamp()))
        headers = {
            "content-type": "application/json",
            "user-agent": "citystream",
            "idempotency-key": message.key,
            "webhook-id": message.key,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self._key, message.key, stamp, content),
        }
        try:
            answer = httpx.post(self._url, content=content, headers=headers, timeout=self._timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as fault:
            raise SinkError(f"the webhook cannot be reached ({type(fault).__name__})", _HINT, passing=True) from None
        except httpx.HTTPError as fault:
            raise OutcomeUnknown(
                f"the webhook's answer was lost ({type(fault).__name__})", _HINT, passing=True
            ) from None
        _check(answer.status_code)


def content_of(message: Message) -> bytes:
    """The body: the same bytes whenever *message* is sent."""
    named = ("alert_id", "what", "dataset", "title", "text")
    alerts = [{**each.facts, **{name: getattr(each, name) for name in named}} for each in message.told]
    whole = {
        "id": message.key,
        "type": "test" if message.test else "alerts",
        "subject": subject(message),
        "text": body(message),
        "alerts": alerts,
        "notices": notices(message.told),
    }
    return json.dumps(whole, ensure_ascii=False, sort_keys=True).encode()


def signature(key: bytes, name: str, stamp: str, content: bytes) -> str:
    """Of message *name*, sent at *stamp*."""
    signed = f"{name}.{stamp}.".encode() + content
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def _check(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in _REFUSING:
        raise SinkError(f"the webhook refused the message: HTTP {status}", "it is not sent again")
    hint = "name the address that it has moved to" if 300 <= status < 400 else _HINT
    raise SinkError(f"the webhook answered HTTP {status}", hint, passing=True)


def _checked(address: str) -> str:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if (url.scheme == "https" and url.host) or (url.scheme == "http" and url.host in _LOCAL):
        return str(url)
    raise ConfigError("notify.webhook is no address to post to", "write https://..., or http://127.0.0.1:... here")


def _key(secret: str) -> bytes:
    """A secret as Standard Webhooks write it (``whsec_`` and base64), or any other text."""
    if not secret:
        raise ConfigError(
            "a webhook's messages are signed, and there is no secret to sign with",
            "set CITYSTREAM_NOTIFY_SECRET in the environment, and give the same to the receiver",
        )
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ConfigError(
            f"CITYSTREAM_NOTIFY_SECRET begins with {_PREFIX} and is no base64", "see your receiver"
        ) from None
