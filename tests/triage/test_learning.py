"""What is learned of tickets, how sure it is of itself, which words decided; and tickets that nobody would wish for."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from allswell.triage.rules.evaluating import Example, evaluate, in_order
from allswell.triage.rules.facts import HEAD, TAIL, Facts, facts
from allswell.triage.rules.learning import train
from allswell.triage.rules.model import Model
from allswell.triage.rules.words import plain, word_terms

BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)
SAYS = {
    "Payments": ["card terminal refuses payment", "settlement file missing", "refund booked twice"],
    "Network": ["vpn drops every hour", "no route to branch", "wifi very slow upstairs"],
    "Desk": ["password forgotten", "new mouse needed", "keyboard types twice"],
}


def tickets(count: int, seed: int = 3) -> list[Example]:
    """Tickets of three teams, told by their words and a little by their site."""
    chance, made = random.Random(seed), []
    for number in range(count):
        team = chance.choice(sorted(SAYS))
        title = f"{chance.choice(SAYS[team])} {chance.randrange(1000)}"
        site = "Bern" if team == "Payments" and chance.random() < 0.8 else chance.choice(["Lyon", "Rome"])
        known = facts(
            title=title, description="Please help. Thank you.", names={"site": site}, opened_at=BEGAN + timedelta(hours=number)
        )
        made.append(Example(known, team, at=known.opened_at))
    return made


@pytest.fixture(scope="module")
def model() -> Model:
    """What 200 of them teach."""
    known = tickets(200)
    return train([one.facts for one in known], [one.label for one in known])


def test_it_tells_the_team_and_the_words_that_decided(model: Model) -> None:
    asked = facts(title="Card terminal refuses again", names={"site": "Bern"})
    likely = model.likely(asked)
    assert likely[0].label == "Payments"
    assert [one.probability for one in likely] == sorted((one.probability for one in likely), reverse=True)
    assert sum(one.probability for one in likely) <= 1.001
    because = model.because(asked, "Payments")
    assert {one.word for one in because} & {"card", "terminal", "refuses"}
    assert all(0 < one.weight <= 1 for one in because)
    assert model.because(asked, "A team never seen") == []


def test_the_same_tickets_teach_the_same(model: Model) -> None:
    known = tickets(200)
    again = train([one.facts for one in known], [one.label for one in known])
    asked = [one.facts for one in tickets(20, seed=9)]
    assert np.array_equal(again.probabilities(asked), model.probabilities(asked))


def test_a_model_holds_no_word_of_a_ticket(model: Model) -> None:
    for member in model.members:
        for block in member.blocks:
            assert block.kept.dtype == np.int32
            assert block.weight.dtype == np.float32
    assert set(model.labels) == set(SAYS)


def test_figures_of_what_can_be_told() -> None:
    report = evaluate(tickets(300), "team")
    assert report["n"] == 60
    assert report["n_train"] == 240
    assert report["top1"] >= 0.95
    assert report["top1"] > report["baselines"]["majority"]["top1"]
    assert sum(one["n"] for one in report["calibration"]["bins"]) == 60


def test_later_tickets_are_asked_about_and_earlier_ones_learned_from() -> None:
    known = tickets(50)
    turned, order = in_order(known[::-1])
    assert (turned, order) == (known, "opened_at")
    timeless = [Example(one.facts, one.label) for one in known]
    assert in_order(timeless) == (timeless, "file")
    # a team that exists only since yesterday cannot be told: it counts as missed
    new = [*known[:40], *(Example(one.facts, "Newcomers", at=one.at) for one in known[40:])]
    report = evaluate(new, "team")
    assert (report["top1"], report["top3"], report["labels_never_seen_before"]) == (0.0, 0.0, 10)


def test_its_own_target_tells_nothing() -> None:
    known = [Example(facts(title="It", names={"category": team, "category_top": team}), team) for team in ["A", "B", "C"] * 40]
    assert evaluate(known, "category")["top1"] < 0.5


@pytest.mark.parametrize("count", [0, 1, 2, 19, 21, 40, 99, 101])
def test_histories_of_any_length(count: int) -> None:
    report = evaluate(tickets(count), "team")
    assert report["n"] + report["n_train"] == count


def test_one_team_does_everything() -> None:
    report = evaluate([Example(one.facts, "Desk", at=one.at) for one in tickets(60)], "team")
    assert (report["top1"], report["top3"], report["labels"]) == (1.0, 1.0, 1)
    model = train([one.facts for one in tickets(60)], ["Desk"] * 60)
    assert model.likely(facts(title="anything"))[0].label == "Desk"
    assert model.because(facts(title="anything"), "Desk") == []
    assert train([], []).likely(facts(title="anything")) == []


BAD = {
    "nothing": facts(),
    "white space": facts(title=" \t ", description="\n\n"),
    "no letters": facts(title="?!…", description="=== --- ==="),
    "another script": facts(title="打印机坏了", description="принтер не работает"),
    "a lone surrogate and a NUL": facts(title="x\ud800y\x00z"),
    "a megabyte of log": facts(title="log", description="2026-01-01 ERROR card terminal 0x80070005 refused\n" * 20_000),
    "one endless word": facts(title="a" * 500, description="b" * 1_000_000),
    "new values": facts(title="It is slow", names={"site": "Nowhere", "unheard": "of"}),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_answered(model: Model, what: str) -> None:
    likely = model.likely(BAD[what])
    assert len(likely) == 3
    assert all(0 <= one.probability <= 1 for one in likely)
    model.because(BAD[what], likely[0].label)


def test_bad_input_is_learned_from() -> None:
    known = [*(one.facts for one in tickets(100)), *BAD.values()]
    labels = [*(one.label for one in tickets(100)), *["Desk"] * len(BAD)]
    assert train(known, labels).likely(facts(title="vpn drops"))[0].label == "Network"
    empty = train([facts()] * 60, ["Desk", "Network", "Desk"] * 20)
    assert empty.likely(facts())[0].label == "Desk"


def test_a_long_text_is_looked_at_where_it_begins_and_ends() -> None:
    known = facts(description="begin " + "x" * 1_000_000 + " end")
    assert len(known.description) <= HEAD + TAIL + 1
    assert {"begin", "end"} <= set(word_terms(known))


def test_letters_that_were_read_wrongly_are_read_again() -> None:
    broken = "Zürich Übermittlung gestört".encode().decode("latin-1")
    assert plain(broken) == plain("Zürich Übermittlung gestört")
    assert plain("Ã alone stays") == "ã alone stays"
    assert word_terms(Facts(title="srv-db-01 down"))[0] == "srv-db-01"
