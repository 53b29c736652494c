"""Many tickets changed at once through the API."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk import bulk, views
from allswell.desk import tickets as desk
from allswell.jobs import operations as jobs
from allswell.jobs.models import Job
from allswell.kernel.actor import engine
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def jonas(world: World) -> Program:
    return Program(world, world.jonas)


def work(world: World) -> None:
    """The engine does the oldest job to its end."""
    job = bulk.claim(actor=engine(), now=world.now)
    assert job is not None
    while bulk.run_batch(job, actor=engine(), now=world.now):
        pass


def tags(program: Program, number: int) -> Any:
    return program.get(f"/tickets/{number}").json()["tags"]


def test_named_tickets_are_changed_in_the_background(world: World, jonas: Program) -> None:
    numbers = [world.report(title=f"Report {n}").pk for n in range(3)]
    answer = jonas.post("/jobs", verb="tag", params={"name": "storm"}, numbers=[*numbers, 999_999])
    assert answer.status_code == 201
    started = answer.json()
    assert (started["total"], started["position"], started["finished_at"]) == (4, 0, None)
    assert tags(jonas, numbers[0]) == []
    work(world)
    done = jonas.get(answer.headers["Location"].removeprefix("/api/v1")).json()
    assert (done["position"], done["changed"]) == (4, 3)
    assert done["finished_at"] is not None
    assert [(problem["ticket"], problem["code"]) for problem in done["problems"]] == [(999_999, "not-found")]
    assert [tags(jonas, number) for number in numbers] == [["storm"]] * 3
    (listed,) = jonas.get("/jobs").json()["items"]
    assert (listed["id"], listed["verb"], listed["changed"]) == (started["id"], "tag", 3)
    assert Program(world, world.julia).get("/jobs").json()["items"] == []
    assert Program(world, world.julia).get(f"/jobs/{started['id']}").status_code == 404


def test_a_filter_means_the_tickets_it_finds_now(world: World, jonas: Program) -> None:
    slow, other = world.report(title="Ledger is slow").pk, world.report(title="Printer jams").pk
    assert jonas.post("/jobs", verb="watch", filters={"q": "ledger"}).json()["total"] == 1
    late = world.report(title="Ledger is slow again").pk
    job = Job.objects.get()
    assert job.params["numbers"] == [slow]
    assert {other, late}.isdisjoint(job.params["numbers"])


def test_a_view_under_its_own_filters_and_further_ones(world: World, jonas: Program) -> None:
    done = world.report(title="Ledger was slow").pk
    desk.resolve(done, **world.by(world.jonas))
    world.report(title="Ledger is slow")
    view = views.save("Done", filters={"state": "done"}, **world.by(world.jonas))
    jonas.post("/jobs", verb="watch", view=view.slug, filters={"q": "ledger"})
    assert Job.objects.get().params["numbers"] == [done]
    assert jonas.post("/jobs", verb="watch", view="nowhere").status_code == 404


def test_tickets_of_others_are_not_changed(world: World, jonas: Program) -> None:
    """An agent of another organization starts a job over our ticket's number: it is a problem like a number that is none."""
    ours = world.report(title="Ledger is slow").pk
    oskar = Program(world, world.oskar)
    job = oskar.post("/jobs", verb="tag", params={"name": "x"}, numbers=[ours, 999_999]).json()["id"]
    work(world)
    problems = oskar.get(f"/jobs/{job}").json()["problems"]
    assert {(problem["code"], problem["detail"]) for problem in problems} == {
        ("not-found", "There is no such ticket, or you may not see it.")
    }
    assert tags(jonas, ours) == []
    assert oskar.post("/jobs", verb="tag", params={"name": "x"}, filters={"q": "ledger"}).status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"verb": "take", "numbers": [1]}, "verb"),
        ({"verb": "tag", "numbers": [1]}, "name"),
        ({"verb": "tag", "params": {"name": 3}, "numbers": [1]}, "name"),
        ({"verb": "tag", "params": {"title": "x", "name": "x"}, "numbers": [1]}, "title"),
        ({"verb": "cancel", "numbers": [1]}, "reason"),
        ({"verb": "edit", "params": {"changes": {"impact": 9}}, "numbers": [1]}, "changes"),
        ({"verb": "edit", "params": {"changes": {"state": "closed"}}, "numbers": [1]}, "changes"),
        ({"verb": "watch"}, "numbers"),
        ({"verb": "watch", "numbers": []}, "numbers"),
        ({"verb": "watch", "numbers": [1], "filters": {"q": "x"}}, "numbers"),
        ({"verb": "watch", "filters": {"colour": "red"}}, "colour"),
        ({"verb": "watch", "filters": {"q": "nothing is called this"}}, "numbers"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_starts(jonas: Program, body: dict[str, Any], field: str) -> None:
    answer = jonas.post("/jobs", **body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not Job.objects.exists()


def test_a_job_is_stopped_once(world: World, jonas: Program) -> None:
    job = jonas.post("/jobs", verb="watch", numbers=[world.report().pk]).json()["id"]
    assert Program(world, world.julia).post(f"/jobs/{job}/cancel").status_code == 404
    assert jonas.post(f"/jobs/{job}/cancel").json()["is_cancelled"] is True
    work(world)
    assert jonas.get(f"/jobs/{job}").json()["changed"] == 0
    assert jonas.post(f"/jobs/{job}/cancel").status_code == 409


def test_a_repeated_call_starts_one_job(world: World, jonas: Program) -> None:
    body, key = {"verb": "watch", "numbers": [world.report().pk]}, {"Idempotency-Key": "storm"}
    first = jonas.post("/jobs", headers=key, **body)
    again = jonas.post("/jobs", headers=key, **body)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Job.objects.count() == 1


def test_texts_are_kept_as_both_databases_hold_them(world: World, jonas: Program) -> None:
    assert jonas.post("/jobs", verb="note", params={"body": "a\x00b"}, numbers=[world.report().pk]).status_code == 201
    assert Job.objects.get().params["params"] == {"body": "ab"}


def test_only_what_is_listed_is_stopped(world: World) -> None:
    row = jobs.start("clocks", params={"after": 0}, total=1, **world.by(world.jonas))
    answer = Program(world, world.jonas, "tickets:write").post(f"/jobs/{row.pk}/cancel")
    assert answer.status_code == 404
    assert not Job.objects.get(pk=row.pk).is_cancelled
