"""Amazon SNS reports: only what Amazon signed, only of topics a person allowed, and nothing but Amazon's own addresses is called."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.test import Client

from allswell.desk.alerts import sources
from allswell.engine.amazon import Amazon
from allswell.intake.models import Alert, RawReport
from allswell.intake.parsers.alerts import sns
from allswell.kernel.errors import NotAllowed, NotFound
from allswell.notifications.channels.guarded_http import Reply, Unreachable
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import START, World

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123abcd.pem"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"


@cache
def signer() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, START, START + timedelta(days=365))
    return key, built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Topic(Monitoring):
    """A topic that reports; the certificate and the confirmation are there."""

    def __init__(self, world: World, **values: Any) -> None:
        super().__init__(world, "sns", **values)
        self.called: list[str] = []
        self.is_there = True

    def call(self, url: str) -> Reply:
        self.called.append(url)
        if not self.is_there:
            raise Unreachable
        return Reply(200, {}, signer()[1] if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>")

    def says(self, kind: str, *, at: datetime | None = None, change: dict[str, Any] | None = None, **facts: Any) -> Any:
        told = {"Type": kind, "MessageId": "m1", "TopicArn": TOPIC, "Message": "hello", **facts}
        told |= {"Timestamp": (at or self.world.now).isoformat(), "SignatureVersion": "2", "SigningCertURL": CERTIFICATE}
        key, _ = signer()
        told["Signature"] = base64.b64encode(key.sign(sns.to_sign(told), padding.PKCS1v15(), hashes.SHA256())).decode()
        answer = self.post({**told, **(change or {})}, content_type="text/plain; charset=UTF-8")
        if answer.status_code == 200:
            self.read()
        return answer

    def alarm(self, state: str, **more: Any) -> None:
        changed = self.world.now.isoformat()
        inner = {"AlarmName": "cpu", "AlarmArn": "arn:aws:cloudwatch:a", "NewStateValue": state, "StateChangeTime": changed}
        assert self.says("Notification", Message=json.dumps(inner), **more).status_code == 200

    def asks(self) -> int:
        assert self.says("SubscriptionConfirmation", Token="t", SubscribeURL=CONFIRM).status_code == 200
        return RawReport.objects.exclude(error="").latest("pk").pk


@pytest.fixture
def topic(world: World) -> Topic:
    return Topic(world, service=world.lookup.pk)


def test_a_topic_asks_a_person_allows_it_and_its_alarms_are_incidents(
    world: World, topic: Topic, browser: Callable[..., Client]
) -> None:
    number = topic.asks()
    assert CONFIRM not in topic.called, "nobody allowed it"
    page = browser(world.ada).get("/setup/alert-sources").content.decode()
    assert TOPIC in page
    assert f"{TOPIC} asks to report here. Allow it if the topic is yours." in page
    with pytest.raises(NotAllowed):
        sources.allow_topic(number, **world.by(world.jonas))
    assert browser(world.ada).post(f"/setup/alert-reports/{number}/allow").status_code == 303
    topic.read()
    assert topic.called.count(CONFIRM) == 1
    assert not RawReport.objects.exclude(error="").exists()
    topic.alarm("ALARM")
    assert Ticket.objects.get().channel == "monitoring"
    world.forward(minutes=5)
    topic.alarm("OK")
    assert (Ticket.objects.get().state, Alert.objects.get().state) == ("resolved", "resolved")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Message": "changed"}, "The signature is not Amazon's."),
        ({"Signature": ""}, "The signature is not Amazon's."),
        ({"SignatureVersion": "3"}, "The signature is not Amazon's."),
        ({"SigningCertURL": "https://evil.example/SimpleNotificationService-0.pem"}, "could not be fetched"),
        ({"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"}, "could not be fetched"),
        (
            {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@127.0.0.1/SimpleNotificationService-0.pem"},
            "could not be fetched",
        ),
        ({"SigningCertURL": "https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-0.pem"}, "could not be fetched"),
    ],
)
def test_what_amazon_did_not_sign_is_not_taken(world: World, topic: Topic, change: dict[str, str], why: str) -> None:
    sources.change(topic.source.pk, mapping={"topics": [TOPIC]}, **world.by(world.ada))
    topic.alarm("ALARM", change=change)
    assert why in RawReport.objects.get().error
    assert not Alert.objects.exists()
    assert set(topic.called) <= {CERTIFICATE}


def test_another_topic_with_the_key_and_an_old_message_are_not_taken(world: World, topic: Topic) -> None:
    topic.alarm("ALARM")
    assert "is not one of this source" in RawReport.objects.get().error
    sources.change(topic.source.pk, mapping={"topics": [TOPIC]}, **world.by(world.ada))
    topic.alarm("ALARM", at=world.now - timedelta(days=2))
    assert "more than a day before" in RawReport.objects.latest("pk").error
    assert not Alert.objects.exists()


def test_what_cannot_be_fetched_is_not_asked_for_again_at_once(world: World, topic: Topic) -> None:
    sources.change(topic.source.pk, mapping={"topics": [TOPIC]}, **world.by(world.ada))
    topic.is_there = False
    for _ in range(5):
        topic.alarm("ALARM")
    assert topic.called == [CERTIFICATE]
    assert RawReport.objects.exclude(error="").count() == 5


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:5432/",
        "file:///etc/passwd",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://evil.example/#sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/",
        "https://ec2.eu-west-1.amazonaws.com/",
    ],
)
def test_no_errand_is_run_for_who_asks_to_be_confirmed(world: World, topic: Topic, url: str) -> None:
    sources.change(topic.source.pk, mapping={"topics": [TOPIC]}, **world.by(world.ada))
    assert topic.says("SubscriptionConfirmation", Token="t", SubscribeURL=url).status_code == 400
    assert topic.called == []
    assert not Amazon(topic.call).confirm(url)
    assert Amazon(topic.call).certificate(url) is None
    assert topic.called == []


def test_only_what_asks_can_be_allowed(world: World, topic: Topic) -> None:
    topic.alarm("ALARM")
    with pytest.raises(NotFound):
        sources.allow_topic(RawReport.objects.get().pk, **world.by(world.ada))
    with pytest.raises(NotFound):
        sources.allow_topic(987654321, **world.by(world.ada))
