"""A program that uses a vendor's client, as anybody would: python clients.py NAME ADDRESS KEY; then a line of JSON for each thing to do.

It runs in the environment of the clients, not in the desk's. What it writes is a line for each: {"said": …} or {"failed": …}.
"""

import json
import sys
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime

Do = Callable[[str], object]
TITLE = "Disk of db1 is full"


def pagerduty(address: str, key: str) -> dict[str, Do]:
    import pagerduty

    client = pagerduty.EventsApiV2Client(key, base_url=address)
    return {
        "fire": lambda one: client.trigger(TITLE, "db1", dedup_key=one, severity="critical"),
        "acknowledge": client.acknowledge,
        "resolve": client.resolve,
    }


def pdpyras(address: str, key: str) -> dict[str, Do]:
    import pdpyras

    client = pdpyras.EventsAPISession(key)
    client.url = address
    return {
        "fire": lambda one: client.trigger(TITLE, "db1", dedup_key=one, severity="critical"),
        "acknowledge": client.acknowledge,
        "resolve": client.resolve,
    }


def opsgenie(address: str, key: str) -> dict[str, Do]:
    import opsgenie_sdk

    settings = opsgenie_sdk.configuration.Configuration()
    settings.host = address
    settings.api_key["Authorization"] = key
    settings.retry_count = 1
    client = opsgenie_sdk.AlertApi(api_client=opsgenie_sdk.api_client.ApiClient(configuration=settings))

    def fire(one: str) -> object:
        payload = opsgenie_sdk.CreateAlertPayload(message=TITLE, alias=one, priority="P1", tags=["db"], details={"host": "db1"})
        answer = client.create_alert(payload)
        request = client.get_request_status(answer.request_id)
        return [answer.result, request.data.is_success]

    return {
        "fire": fire,
        "acknowledge": lambda one: client.acknowledge_alert(
            one, identifier_type="alias", acknowledge_alert_payload=opsgenie_sdk.AcknowledgeAlertPayload(user="lena")
        ),
        "resolve": lambda one: client.close_alert(one, identifier_type="alias"),
    }


def alerta(address: str, key: str) -> dict[str, Do]:
    from alertaclient.api import Client

    client = Client(endpoint=f"{address}/api", key=key, timeout=10.0)

    def send(severity: str) -> Do:
        return lambda one: client.send_alert(
            resource="db1", event=one, environment="Production", severity=severity, text=TITLE, service=["Database"]
        )

    return {"fire": send("critical"), "resolve": send("normal")}


def apprise(address: str, key: str) -> dict[str, Do]:
    import apprise

    sender = apprise.Apprise()
    scheme = {"json": "json", "form": "form", "xml": "xml"}[KIND]
    sender.add(f"{scheme}{'s' if address.startswith('https') else ''}://{address.split('://')[1]}/in/apprise/{key}")

    def send(kind: str) -> Do:
        def sent(one: str) -> object:
            if not sender.notify(title=f"{TITLE} ({one})", body="98 % of 100 GB", notify_type=kind):
                raise RuntimeError("it was not sent")
            return True

        return sent

    return {"fire": send("failure"), "resolve": send("success")}


def cloudevents(address: str, key: str) -> dict[str, Do]:
    from cloudevents.core.bindings import http
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    counted = iter(range(1, 1000))

    def send(kind: str) -> Do:
        def sent(one: str) -> object:
            event = CloudEvent(
                attributes={
                    "id": f"{one}-{next(counted)}",
                    "source": "/db1",
                    "type": f"com.example.disk.{kind}",
                    "subject": one,
                    "specversion": "1.0",
                    "time": datetime.now(UTC),
                    "datacontenttype": "application/json",
                },
                data={"severity": "critical", "summary": TITLE},
            )
            to = http.to_structured if KIND == "structured" else http.to_binary
            message = to(event, JSONFormat())
            request = urllib.request.Request(f"{address}/in/cloudevents/{key}", message.body, dict(message.headers))
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status

        return sent

    return {"fire": send("triggered"), "acknowledge": send("acknowledged"), "resolve": send("resolved")}


NAME, _, KIND = sys.argv[1].partition(":")


def main() -> None:
    """Do what each line asks for."""
    does = {one.__name__: one for one in (pagerduty, pdpyras, opsgenie, alerta, apprise, cloudevents)}[NAME](*sys.argv[2:4])
    print(json.dumps({"said": sorted(does)}), flush=True)
    for line in sys.stdin:
        verb, key = json.loads(line)
        try:
            print(json.dumps({"said": str(does[verb](key))[:300]}), flush=True)
        except Exception as error:  # whatever a client makes of a desk that is not there
            print(json.dumps({"failed": f"{type(error).__name__}: {error}"[:300]}), flush=True)


if __name__ == "__main__":
    main()
