"""Amazon SNS, and CloudWatch's alarms in it.

Everything SNS sends is signed with a key whose certificate it names, and a subscription is confirmed by calling an address it names:
both are looked at only where they are Amazon's own. Fetching them is not done here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .reading import instant, json_object, labels_of, listed, said, within, word
from .severities import severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, clean_report, made_up, refusal
from .titles import said_in, without_state

# a region, not anything: "sns.s3-us-west-2.amazonaws.com" is somebody's bucket
_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}\.amazonaws\.com(?:\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_TOPIC = re.compile(r"arn:aws(?:-[a-z]{2,8}){0,3}:sns:[a-z0-9-]{1,30}:\d{12}:[A-Za-z0-9_.-]{1,256}")
#: so many topics may report to one source
TOPICS = 50
#: how old what was signed may be: Amazon tries again for some hours
FRESH = timedelta(days=1)
STATES = {"alarm": Action.FIRE, "ok": Action.RESOLVE, "insufficient_data": Action.NOTE}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """What a message of a topic says; a confirmation reports nothing and names the address to call."""
    try:
        message = json_object(request.body)
        kind = said(message.get("Type")) or request.headers.get("x-amz-sns-message-type", "")
        if kind == "SubscriptionConfirmation":
            url = said(message.get("SubscribeURL"))
            if not is_amazons(url):
                raise Malformed("“SubscribeURL” is not an address of Amazon SNS.")
            return Accepted(200, b'{"status":"success"}', confirm_url=url)
        if kind == "UnsubscribeConfirmation":
            return Accepted(200, b'{"status":"success"}')
        return accepted([_report(message)])
    except Malformed as error:
        return refusal(str(error))


def judge(options: Options) -> None:
    """Whether `topics` names topics. Raises Malformed."""
    topics = options.get("topics", [])
    if set(options) - {"topics"} or not isinstance(topics, list) or len(topics) > TOPICS:
        raise Malformed("The settings hold “topics”, a list of the ARNs of topics.")
    if not all(isinstance(one, str) and _TOPIC.fullmatch(one) for one in topics):
        raise Malformed("A topic is written like arn:aws:sns:eu-west-1:123456789012:alarms.")


def topic_of(message: dict[str, Any]) -> str:
    """The topic a message is of, "" where it names none."""
    topic = said(message.get("TopicArn"))
    return topic if _TOPIC.fullmatch(topic) else ""


def asks_to_report(body: bytes) -> str:
    """The topic that a message asks to be confirmed, "" where it asks for nothing."""
    try:
        message = json_object(body)
    except Malformed:
        return ""
    return topic_of(message) if said(message.get("Type")) == "SubscriptionConfirmation" else ""


def why_not(message: dict[str, Any], certificate: bytes | None, *, topics: Collection[str], received_at: datetime) -> str:
    """Why a message is not believed, "" when it is: it must be Amazon's, of a topic that was allowed, and of today."""
    if certificate is None:
        return "The certificate of its signature could not be fetched from Amazon."
    if not is_signed(message, certificate):
        return "The signature is not Amazon's."
    told = instant(message.get("Timestamp"))
    if told is None or abs(received_at - told) > FRESH:
        return "It was signed more than a day before or after it came."
    topic = topic_of(message)
    if topic not in topics:
        return f"The topic {topic} is not one of this source." if topic else "It names no topic."
    return ""


def is_amazons(url: str) -> bool:
    """Whether an address is one of SNS itself: https, its own host in a region, no port, no name before it."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None and not re.search(r"[\s\\\x00-\x20]", url)
    except ValueError:
        return False


def certificate_url(message: dict[str, Any]) -> str:
    """Where the certificate of a signature is, "" where it is not Amazon's."""
    url = said(message.get("SigningCertURL") or message.get("SigningCertUrl"))
    return url if is_amazons(url) and _CERTIFICATE.fullmatch(urlsplit(url).path) and not urlsplit(url).query else ""


def to_sign(message: dict[str, Any]) -> bytes:
    """The text that Amazon signed."""
    names = _NOTIFICATION if said(message.get("Type")) == "Notification" else _CONFIRMATION
    parts = (f"{name}\n{said(message[name])}\n" for name in names if message.get(name) is not None)
    return "".join(parts).encode("utf-8", "surrogatepass")


def is_signed(message: dict[str, Any], certificate: bytes) -> bool:
    """Whether a message carries Amazon's signature by a certificate (PEM) that was fetched from `certificate_url`."""
    algorithm = {"1": hashes.SHA1, "2": hashes.SHA256}.get(said(message.get("SignatureVersion")))
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
        signature = base64.b64decode(said(message.get("Signature")), validate=True)
        if algorithm is None or not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(signature, to_sign(message), padding.PKCS1v15(), algorithm())
    except (ValueError, InvalidSignature):
        return False
    return True


def _report(message: dict[str, Any]) -> AlertReport:
    inner = _inner(message)
    if "AlarmName" in inner:
        return _alarm(inner, message)
    subject, topic = said(message.get("Subject")), said(message.get("TopicArn"))
    if not (subject or message.get("Message")):
        raise Malformed("“Message” is missing.")
    text = said(message.get("Message"))
    return clean_report(
        said_in(subject) or Action.FIRE,
        f"{topic}/{without_state(subject) if subject else made_up(text)}",
        title=subject or text,
        text=text,
        severity=severity_of(inner.get("severity")),
        labels=labels_of({name: value for name, value in inner.items() if not isinstance(value, dict | list)}, {"topic": topic}),
        happened_at=instant(message.get("Timestamp")),
    )


def _inner(message: dict[str, Any]) -> dict[str, Any]:
    """The message within: a text that holds JSON, an object already, or all there is (raw delivery)."""
    inner = message.get("Message", message)
    if isinstance(inner, str):
        try:
            return json_object(inner.encode("utf-8", "replace"))
        except Malformed:
            return {}
    return within(inner)


def _alarm(alarm: dict[str, Any], message: dict[str, Any]) -> AlertReport:
    trigger, name = within(alarm.get("Trigger")), said(alarm["AlarmName"])
    action = STATES.get(word(alarm.get("NewStateValue")) or "alarm")
    if action is None:
        raise Malformed("“NewStateValue” is not one of: ALARM, OK, INSUFFICIENT_DATA.")
    dimensions = {said(one.get("name")): one.get("value") for one in listed(trigger.get("Dimensions")) if isinstance(one, dict)}
    facts = {"alarm": name, "account": alarm.get("AWSAccountId"), "region": alarm.get("Region"), "topic": message.get("TopicArn")}
    changed = instant(alarm.get("StateChangeTime")) or instant(message.get("Timestamp"))
    return clean_report(
        action,
        said(alarm.get("AlarmArn")) or "/".join(said(alarm.get(part)) for part in ("AWSAccountId", "Region", "AlarmName")),
        title=said(alarm.get("AlarmDescription")) or name,
        text=said(alarm.get("NewStateReason")),
        severity=severity_of(alarm.get("Priority"), alarm.get("Severity")),
        labels=labels_of(
            dimensions,
            {
                "namespace": trigger.get("Namespace") or alarm.get("Namespace"),
                "metric": trigger.get("MetricName") or alarm.get("MetricName"),
            },
            facts,
        ),
        happened_at=changed,
        ended_at=changed if action is Action.RESOLVE else None,
        note="The alarm has no data." if action is Action.NOTE else "",
    )
