"""Web push: what only the browser can read, how we prove who we are, and what a push service answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from allswell.notifications import push_keys
from allswell.notifications.addresses import Subscription, padless, unpadded
from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.letters import Way
from allswell.notifications.rules import Outcome
from tests.channels.pages import AT, PAGE, send
from tests.support.receiver import Receiver

CURVE = ec.SECP256R1()
OURS = push_keys.new_pair()


@dataclass
class Browser:
    """A browser that asked for pages: it alone has the private key and reads what comes."""

    key: ec.EllipticCurvePrivateKey
    secret: bytes

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, endpoint: str) -> str:
        return json.dumps(
            {
                "endpoint": endpoint,
                "expirationTime": None,
                "keys": {"p256dh": padless(self.public_key), "auth": padless(self.secret)},
            }
        )

    def read(self, body: bytes) -> bytes:
        """As RFC 8291 says a browser does it."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))

        def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
            return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)

        secret = derived(shared, self.secret, b"WebPush: info\0" + self.public_key + theirs, 32)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        text = AESGCM(key).decrypt(derived(secret, salt, b"Content-Encoding: nonce\0", 12), sealed, None)
        assert text.rstrip(b"\0").endswith(b"\x02")
        return text.rstrip(b"\0")[:-1]


@pytest.fixture
def service() -> Iterator[Receiver]:
    with Receiver() as receiver:
        receiver.answers["/wpush/abc"] = (201, {"location": "https://push.example.org/m/0001"}, b"")
        yield receiver


@pytest.fixture
def phone() -> Browser:
    return Browser(ec.generate_private_key(CURVE), b"s" * 16)


def way(phone: Browser, service: Receiver, path: str = "/wpush/abc") -> Way:
    return Way("push", phone.subscription(service.url(path)), secret=OURS.private)


def test_only_the_browser_can_read_the_page(phone: Browser, service: Receiver) -> None:
    answer = send(way(phone, service))
    assert (answer.outcome, answer.status, answer.reference) == (Outcome.SENT, 201, "")
    (call,) = service.calls
    assert b"Payments" not in call.body
    assert json.loads(phone.read(call.body)) == {
        "tag": PAGE.key,
        "title": PAGE.headline,
        "body": PAGE.text,
        "link": PAGE.link,
        "reference": "INC-1042",
        "urgency": "urgent",
        "is_drill": False,
        "open": "Open the page",
        "acknowledge": "Acknowledge",
        "locale": "en",
    }
    names = ("content-encoding", "ttl", "urgency")
    assert [call.headers[name] for name in names] == ["aes128gcm", "3600", "high"]


def test_a_retry_replaces_the_page_that_still_waits(phone: Browser, service: Receiver) -> None:
    send(way(phone, service))
    send(way(phone, service))
    send(way(phone, service), replace(PAGE, key="page.7.42", urgency="normal"))
    topics = [call.headers["topic"] for call in service.calls]
    assert topics[0] == topics[1] != topics[2]
    assert all(len(topic) == 32 for topic in topics)
    assert (service.calls[2].headers["urgency"], service.calls[2].headers["ttl"]) == ("normal", "14400")
    assert service.calls[0].body[:16] != service.calls[1].body[:16], "the salt must be new for each"


def test_we_prove_who_we_are(phone: Browser, service: Receiver, settings: object) -> None:
    settings.MAIL_FROM = "Desk <desk@example.org>"  # type: ignore[attr-defined]
    send(way(phone, service))
    scheme, _space, rest = service.calls[0].headers["authorization"].partition(" ")
    told = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, claims, signed = told["t"].split(".")
    assert (scheme, told["k"]) == ("vapid", OURS.public)
    assert json.loads(unpadded(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(unpadded(claims)) == {
        "aud": f"http://127.0.0.1:{service.port}",
        "exp": int((AT + timedelta(hours=12)).timestamp()),
        "sub": "mailto:desk@example.org",
    }
    raw = unpadded(signed)
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unpadded(OURS.public))
    key.verify(signature, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_left_is_gone(status: int, phone: Browser, service: Receiver) -> None:
    service.answers["/wpush/abc"] = (status, {}, b"")
    answer = send(way(phone, service))
    assert (answer.outcome, answer.is_gone) == (Outcome.FAILED, True)


def test_what_else_a_push_service_answers(phone: Browser, service: Receiver) -> None:
    service.answers["/wpush/abc"] = (429, {"retry-after": "20"}, b"")
    assert (send(way(phone, service)).outcome, send(way(phone, service)).retry_after) == (Outcome.RETRY, timedelta(seconds=20))
    service.answers["/wpush/abc"] = (403, {}, b"")
    assert (send(way(phone, service)).outcome, send(way(phone, service)).is_gone) == (Outcome.FAILED, False)
    service.dropped.add("/wpush/abc")
    assert (send(way(phone, service)).outcome, send(way(phone, service)).is_certain) == (Outcome.RETRY, False)


def test_a_long_page_fits_into_what_a_push_service_takes(phone: Browser, service: Receiver) -> None:
    send(way(phone, service), replace(PAGE, headline="Ü" * 2000, text='"' * 9000, link="https://d.example/" + "x" * 200))
    assert len(service.calls[0].body) <= 4096
    assert json.loads(phone.read(service.calls[0].body))["title"].endswith("…")


@pytest.mark.parametrize("secret", ["", "no key", "AA", padless(b"\0" * 32), padless(b"\xff" * 32)])
def test_without_a_key_of_ours_nothing_is_sent(secret: str, phone: Browser, service: Receiver) -> None:
    answer = send(replace(way(phone, service), secret=secret))
    assert (answer.outcome, answer.is_certain) == (Outcome.FAILED, True)
    assert service.calls == []


def test_a_key_that_is_no_point_of_the_curve_is_no_subscription(service: Receiver) -> None:
    told = {"endpoint": service.url(), "keys": {"p256dh": padless(b"\x04" + b"\x01" * 64), "auth": padless(b"s" * 16)}}
    assert send(Way("push", json.dumps(told), secret=OURS.private)).outcome == Outcome.FAILED
    assert service.calls == []


def test_a_push_service_of_a_private_network_is_not_called(phone: Browser, service: Receiver) -> None:
    assert send(way(phone, service), allowed=Allowed()).outcome == Outcome.RETRY
    assert service.connections == 0


def test_the_example_of_rfc_8291() -> None:
    told = Subscription(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        unpadded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        unpadded("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    number = int.from_bytes(unpadded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    own, salt = ec.derive_private_key(number, CURVE), unpadded("DGv6ra1nlYgDCS1FRnbzlw")
    made = push_keys.encrypted(b"When I grow up, I want to be a watermelon", told, own=own, salt=salt)
    assert padless(made) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6"
        "cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_pair_of_keys_is_told_by_name_and_hides_its_half() -> None:
    assert len(unpadded(OURS.public)) == 65
    assert len(unpadded(OURS.private)) == 32
    assert OURS.private not in repr(OURS)
    assert push_keys.name(OURS.public) != push_keys.name(push_keys.new_pair().public)
    assert base64.urlsafe_b64decode(OURS.public + "=")[0] == 4
