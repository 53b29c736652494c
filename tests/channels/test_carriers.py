"""Text messages and calls through a carrier that speaks Twilio's HTTP API, and who may call back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from allswell.boot.environment import Environment, SettingError
from allswell.notifications import carriers, twiml
from allswell.notifications.carriers import BadCarrier, Carrier
from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.letters import Way
from allswell.notifications.rules import Outcome
from tests.channels.pages import PAGE, send
from tests.support.receiver import Receiver

MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
CALLS = "/2010-04-01/Accounts/AC1/Calls.json"
LENA = Way("sms", "+41790000001")
LENAS_PHONE = Way("voice", "+41790000001")
TAKEN = (201, {}, b'{"sid":"SM0123","status":"queued","error_code":null}')


@pytest.fixture
def carrier(settings: object) -> Iterator[Receiver]:
    with Receiver() as receiver:
        url = f"twilio+http://AC1:canary-token@127.0.0.1:{receiver.port}/?from=%2B15550100"
        settings.SMS_URL = settings.VOICE_URL = url  # type: ignore[attr-defined]
        receiver.answers[MESSAGES] = receiver.answers[CALLS] = TAKEN
        yield receiver


def fields(carrier: Receiver) -> dict[str, str]:
    return dict(parse_qsl(carrier.calls[-1].body.decode(), strict_parsing=True))


def test_a_text_message_goes_out_with_the_account_of_the_operator(carrier: Receiver) -> None:
    answer = send(LENA)
    assert (answer.outcome, answer.reference, answer.status) == (Outcome.SENT, "SM0123", 201)
    call = carrier.calls[0]
    assert call.path == MESSAGES
    assert call.headers["authorization"] == "Basic " + base64.b64encode(b"AC1:canary-token").decode()
    assert call.headers["idempotency-key"] == PAGE.key
    assert fields(carrier) == {"To": "+41790000001", "From": "+15550100", "Body": PAGE.short}


def test_a_carrier_is_told_where_to_report_to(carrier: Receiver) -> None:
    send(LENA, replace(PAGE, callback="https://desk.example.org/carrier/abc"))
    assert fields(carrier)["StatusCallback"] == "https://desk.example.org/carrier/abc/status"


def test_a_service_of_the_carrier_picks_the_number(carrier: Receiver, settings: object) -> None:
    settings.SMS_URL = f"twilio+http://AC1:t@127.0.0.1:{carrier.port}?from=MG77"  # type: ignore[attr-defined]
    send(LENA)
    assert fields(carrier)["MessagingServiceSid"] == "MG77"
    assert "From" not in fields(carrier)


def test_a_call_says_the_page_twice_and_takes_a_key(carrier: Receiver) -> None:
    answer = send(LENAS_PHONE, replace(PAGE, callback="https://desk.example.org/carrier/abc"))
    assert (answer.outcome, answer.reference) == (Outcome.SENT, "SM0123")
    assert carrier.calls[0].path == CALLS
    sent = fields(carrier)
    assert (sent["To"], sent["From"], sent["Timeout"]) == ("+41790000001", "+15550100", "40")
    assert sent["StatusCallback"] == "https://desk.example.org/carrier/abc/status"
    response = ElementTree.fromstring(sent["Twiml"])
    (gather,) = response
    assert (gather.tag, gather.attrib["numDigits"], gather.attrib["method"]) == ("Gather", "1", "POST")
    assert gather.attrib["action"] == "https://desk.example.org/carrier/abc/digits"
    assert [part.tag for part in gather] == ["Say", "Pause", "Say"]
    assert {part.text for part in gather.findall("Say")} == {f"{PAGE.spoken} Press 4 to acknowledge."}


def test_a_call_needs_no_address_of_ours_to_speak(carrier: Receiver) -> None:
    send(LENAS_PHONE, replace(PAGE, locale="de", spoken="Priorität 1. \x00 Störung"))
    response = ElementTree.fromstring(fields(carrier)["Twiml"])
    assert [part.tag for part in response] == ["Say", "Pause", "Say"]
    assert (response[0].attrib["language"], response[0].text) == ("de-DE", "Priorität 1.  Störung")
    assert "StatusCallback" not in fields(carrier)


def test_what_is_said_after_a_key() -> None:
    said = ElementTree.fromstring(twiml.after_key("de", has_worked=True))
    assert said[0].text == "Bestätigt. Danke."


@pytest.mark.parametrize("way", [LENA, LENAS_PHONE])
def test_what_a_carrier_answers_is_told_as_it_is(way: Way, carrier: Receiver) -> None:
    def answers(status: int, body: bytes, **headers: str) -> None:
        carrier.answers[MESSAGES] = carrier.answers[CALLS] = (status, headers, body)

    answers(400, b'{"code":21211,"message":"The number +41790000001 is not valid."}')
    answer = send(way)
    assert (answer.outcome, answer.is_bad_address, answer.is_gone) == (Outcome.FAILED, True, False)
    assert answer.detail == "It answered 400. Its reason is number 21211."
    answers(400, b'{"code":21610}')
    assert (send(way).is_bad_address, send(way).is_gone) == (False, True)
    answers(401, b'{"code":20003}')
    assert (send(way).outcome, send(way).is_bad_address) == (Outcome.FAILED, False)
    answers(429, b'{"code":20429}', **{"retry-after": "3"})
    assert (send(way).outcome, send(way).retry_after) == (Outcome.RETRY, timedelta(seconds=3))
    answers(503, b"<html>")
    assert (send(way).outcome, send(way).is_certain) == (Outcome.RETRY, True)
    answers(201, b'{"sid":"SM9","status":"failed","error_code":30007}')
    answer = send(way)
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "The carrier could not send it. Its reason is number 30007.")


@pytest.mark.parametrize(
    "said", [b"", b"OK", b"<html></html>", b'{"sid":null}', b'{"sid":["SM1"]}', b'"SM1"', b'{"code":true}', b'{"code":"x"}']
)
def test_a_carrier_that_talks_nonsense_may_have_sent_it(said: bytes, carrier: Receiver) -> None:
    carrier.answers[MESSAGES] = (200, {}, said)
    answer = send(LENA)
    assert (answer.outcome, answer.is_certain, answer.reference) == (Outcome.FAILED, False, "")


def test_a_long_name_of_a_message_is_cut(carrier: Receiver) -> None:
    carrier.answers[MESSAGES] = (201, {}, b'{"sid":"%s"}' % (b"S" * 5000))
    assert send(LENA).reference == "S" * 100


def test_a_carrier_that_hangs_up_may_have_sent_it(carrier: Receiver) -> None:
    carrier.dropped |= {MESSAGES, CALLS}
    for way in (LENA, LENAS_PHONE):
        assert (send(way).outcome, send(way).is_certain) == (Outcome.RETRY, False)


def test_a_gateway_of_ones_own_network_is_called_only_where_it_is_allowed(carrier: Receiver) -> None:
    assert send(LENA, allowed=Allowed()).outcome == Outcome.RETRY
    assert carrier.connections == 0


def test_without_a_carrier_nothing_is_ready_and_nothing_is_sent(settings: object) -> None:
    settings.SMS_URL = settings.VOICE_URL = ""  # type: ignore[attr-defined]
    assert not carriers.is_ready("sms")
    assert not carriers.is_ready("voice")
    assert send(LENA).outcome == send(LENAS_PHONE).outcome == Outcome.FAILED
    settings.SMS_URL = settings.VOICE_URL = "twilio+https://AC1:t@h.example/?from=1"  # type: ignore[attr-defined]
    assert carriers.is_ready("sms")
    assert carriers.is_ready("voice")
    assert not carriers.is_ready("pigeon")


def test_the_address_of_a_carrier() -> None:
    carrier = Carrier.parse("twilio+https://AC%201:to%2Fken@api.example.org:8443/base/?from=%2B15550100")
    assert carrier == Carrier("https://api.example.org:8443/base", "AC 1", "to/ken", "+15550100")
    assert "to/ken" not in repr(carrier)
    assert Carrier.parse("twilio+https://A:b@[2001:db8::1]/?from=+1555").url == "https://[2001:db8::1]"
    assert Carrier.parse("twilio+https://A:b@h/?from=+1555").sender == "+1555"


@pytest.mark.parametrize(
    "text",
    [
        "https://A:b@h/?from=1",
        "twilio+https://h/?from=1",
        "twilio+https://A@h/?from=1",
        "twilio+https://A:b@h/",
        "twilio+ftp://A:b@h/?from=1",
        "twilio+https://A:b@/?from=1",
        "twilio+https://A:b@h:99999/?from=1",
        "twilio+https://A:b@[::1/?from=1",
        "twilio+https://A%2Fx:b@h/?from=1",
        "x",
    ],
)
def test_an_address_that_is_none_stops_the_program_and_says_how_it_is_written(text: str) -> None:
    with pytest.raises(BadCarrier, match="twilio\\+https"):
        Carrier.parse(text)


def test_a_switch_is_on_or_off() -> None:
    assert Environment({"ALLSWELL_APPRISE": "1"}).switch("ALLSWELL_APPRISE")
    assert not Environment({}).switch("ALLSWELL_APPRISE")
    with pytest.raises(SettingError, match="must be 1 or 0"):
        Environment({"ALLSWELL_APPRISE": "yes"}).switch("ALLSWELL_APPRISE")


# who calls back

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
GENUINE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
TWILIO = Carrier("https://api.twilio.com", "AC1", "12345", "+18005551212")


def test_a_callback_is_signed_as_its_documentation_says() -> None:
    assert carriers.signature("12345", URL, FIELDS) == GENUINE
    assert carriers.is_genuine(TWILIO, GENUINE, url=URL, fields=reversed(FIELDS))


def test_the_usual_port_may_be_signed_or_left_out() -> None:
    with_port = URL.replace("mycompany.com", "mycompany.com:443")
    assert carriers.is_genuine(TWILIO, carriers.signature("12345", with_port, FIELDS), url=URL, fields=FIELDS)
    assert carriers.is_genuine(TWILIO, GENUINE, url=with_port, fields=FIELDS)
    other = URL.replace("mycompany.com", "mycompany.com:8443")
    assert not carriers.is_genuine(TWILIO, GENUINE, url=other, fields=FIELDS)


@pytest.mark.parametrize("given", ["", "x", GENUINE[:-1], GENUINE.lower(), "\udcff", "é" * 28])
def test_a_forged_callback_is_not_believed(given: str) -> None:
    assert not carriers.is_genuine(TWILIO, given, url=URL, fields=FIELDS)
    assert not carriers.is_genuine(TWILIO, GENUINE, url=URL + "&x=1", fields=FIELDS)
    assert not carriers.is_genuine(TWILIO, GENUINE, url=URL, fields=[*FIELDS, ("Digits", "4")])
