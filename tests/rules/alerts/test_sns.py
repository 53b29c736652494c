"""Amazon SNS: what is signed, and which addresses are Amazon's."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from allswell.intake.parsers.alerts import sns
from allswell.intake.parsers.alerts.shape import Action

from .asking import refused, report, taken

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


def notification(message: Any, **more: Any) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    facts = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Message": text,
        "Timestamp": "2026-11-23T01:00:00.000Z",
    }
    return {**facts, "SignatureVersion": "1", **more}


def alarm(state: str) -> dict[str, Any]:
    return {
        "AlarmName": "cpu",
        "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": "2026-11-23T00:59:45.093+0000",
        "Trigger": {
            "Namespace": "AWS/EC2",
            "MetricName": "CPUUtilization",
            "Dimensions": [{"name": "InstanceId", "value": "i-1"}],
        },
    }


@pytest.mark.parametrize(
    ("state", "action"), [("ALARM", Action.FIRE), ("OK", Action.RESOLVE), ("INSUFFICIENT_DATA", Action.NOTE)]
)
def test_an_alarm_of_cloudwatch(state: str, action: Action) -> None:
    one = report("sns", notification(alarm(state)), kind="text/plain; charset=UTF-8")
    assert (one.action, one.key) == (action, "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu")
    assert one.labels["InstanceId"] == "i-1"
    assert one.happened_at == datetime(2026, 11, 23, 0, 59, 45, 93000, UTC)
    assert report("sns", alarm(state)).action is action, "raw delivery"


def test_a_plain_message_is_an_alert_by_its_subject() -> None:
    begun = report("sns", notification("it burns", Subject="ALARM: kitchen"))
    ended = report("sns", notification("it does not", Subject="RESOLVED: kitchen"))
    assert (begun.action, begun.text, ended.action) == (Action.FIRE, "it burns", Action.RESOLVE)
    assert refused("sns", {"Type": "Notification"}).status == 400
    assert refused("sns", notification({**alarm("ODD")})).status == 400


def confirmation(url: str) -> dict[str, Any]:
    facts = {"Type": "SubscriptionConfirmation", "MessageId": "m", "Token": "t", "TopicArn": TOPIC, "Message": "confirm"}
    return {**facts, "Timestamp": "2026-11-23T01:00:00.000Z", "SubscribeURL": url}


@pytest.mark.parametrize(
    "host", ["sns.eu-west-1.amazonaws.com", "sns.us-gov-west-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn"]
)
def test_an_address_of_amazon_may_be_called(host: str) -> None:
    url = f"https://{host}/?Action=ConfirmSubscription&Token=t"
    assert taken("sns", confirmation(url)).confirm_url == url
    assert taken("sns", confirmation(url)).reports == ()
    certificate = f"https://{host}/SimpleNotificationService-eaea6120e66ea12e88dcd8bcbddca752.pem"
    assert sns.certificate_url({"SigningCertURL": certificate}) == certificate


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://sns.eu-west-1.amazonaws.com@evil.example/",
        "https://evil.example/sns.eu-west-1.amazonaws.com",
        "https://user@sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://sns.s3-us-west-2.amazonaws.com/x",
        "https://sns.s3.amazonaws.com/x",
        "https://SNS.eu-west-1.amazonaws.com\\@evil.example/",
        "https://sns.eu-west-1.amazonaws.com\n.evil.example/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[",
        "file:///etc/passwd",
    ],
)
def test_no_other_address_is(url: str) -> None:
    assert refused("sns", confirmation(url)).status == 400
    assert sns.certificate_url({"SigningCertURL": url}) == ""
    assert not sns.is_amazons(url)


def test_a_certificate_is_no_file_of_somebody_else() -> None:
    assert sns.certificate_url({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/other.pem"}) == ""
    assert (
        sns.certificate_url({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem?x=1"}) == ""
    )


def test_what_is_signed_is_what_amazon_says() -> None:
    assert sns.to_sign(notification("hello", Subject="s")) == (
        f"Message\nhello\nMessageId\nm1\nSubject\ns\nTimestamp\n2026-11-23T01:00:00.000Z\nTopicArn\n{TOPIC}\nType\nNotification\n".encode()
    )
    assert b"Subject" not in sns.to_sign(notification("hello"))
    assert sns.to_sign(confirmation("https://x")).startswith(
        b"Message\nconfirm\nMessageId\nm\nSubscribeURL\nhttps://x\nTimestamp\n"
    )


@pytest.fixture(scope="module")
def signer() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = built.not_valid_before(begins).not_valid_after(begins + timedelta(days=365)).sign(key, hashes.SHA256())
    return key, certificate.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(("version", "algorithm"), [("1", hashes.SHA1), ("2", hashes.SHA256)])
def test_a_signature_holds_for_what_was_signed_only(
    signer: tuple[rsa.RSAPrivateKey, bytes], version: str, algorithm: Any
) -> None:
    key, certificate = signer
    message = notification(alarm("ALARM"), SignatureVersion=version)
    message["Signature"] = base64.b64encode(key.sign(sns.to_sign(message), padding.PKCS1v15(), algorithm())).decode()
    assert sns.is_signed(message, certificate)
    assert not sns.is_signed({**message, "Message": "{}"}, certificate)
    assert not sns.is_signed({**message, "SignatureVersion": "3"}, certificate)
    assert not sns.is_signed({**message, "Signature": "?"}, certificate)
    assert not sns.is_signed(message, b"no certificate")
