"""Settings of a source that its format cannot work with are refused before an alert is lost by them."""

from __future__ import annotations

import pytest

from allswell.desk.alerts import sources
from allswell.kernel.errors import Invalid
from tests.support.monitoring import Monitoring
from tests.support.world import World


def test_a_mapping_that_cannot_be_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="colour") as refused:
        Monitoring(world, "generic", mapping={"key": "id", "colour": "red"})
    assert refused.value.field == "mapping"
    source = Monitoring(world, "generic", mapping={"key": "id", "title": "name"}).source
    with pytest.raises(Invalid, match="cannot be read from"):
        sources.change(source.pk, mapping={"key": "a..b"}, **world.by(world.ada))
    assert sources.change(source.pk, mapping={"key": "nr|id"}, **world.by(world.ada)).mapping == {"key": "nr|id"}


def test_an_alert_comes_by_the_mapping_of_its_source(world: World) -> None:
    tool = Monitoring(
        world, "generic", mapping={"key": "nr", "title": "what", "action": {"path": "how", "words": {"bad": "fire"}}}
    )
    assert tool.post({"nr": 7, "what": "disk full", "how": "bad"}).status_code == 200
    assert tool.post({"nothing": "known"}).status_code == 400
    tool.read()
    assert tool.alert("disk full").key == "7"


def test_a_vendors_path_with_the_key_in_it_finds_its_source(world: World) -> None:
    tool = Monitoring(world, "oncall")
    said = {"alert_uid": "u1", "title": "disk full", "state": "alerting"}
    answer = tool.post(said, path=f"/integrations/v1/formatted_webhook/{tool.key}/")
    assert (answer.status_code, answer.content) == (200, b"Ok.")
    assert tool.post(said, path="/integrations/v1/formatted_webhook/somebody-elses-key/").status_code == 401
