"""Who is on call for very many services at once, on both databases.

    python -m bench.rotas [--databases sqlite,postgresql] [--services 500] [--rounds 30]

Every service has a team of its own, every team a rota: days, nights and a backup, thirteen weeks behind and thirteen ahead. Asked is for
all of them at an instant in the middle: the answer a page of all services shows.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_WEEKS = timedelta(weeks=13)


def _fill(services: int) -> dict[int, int]:
    """Teams with their people, rotas and shifts; service -> team."""
    from allswell.oncall import rules
    from allswell.oncall.models import Rota, RotaVersion, Shift
    from allswell.people.models import Person, Team

    teams = Team.objects.bulk_create([Team(name=f"Team {n}", slug=f"team-{n}") for n in range(services)])
    people = [person.pk for person in Person.objects.bulk_create([Person(name=f"Person {n}", created_at=NOW) for n in range(60)])]
    rotas = Rota.objects.bulk_create(
        [
            Rota(name=team.name, slug=team.slug, team=team, number=1, levels=2, created_at=NOW, planned_until=NOW + _WEEKS)
            for team in teams
        ]
    )
    days, nights = (((420, 1140),),) * 7, (((0, 420), (1140, 1440)),) * 7
    begin = date(2026, 6, 1)
    for start in range(0, services, 50):
        shifts: list[Shift] = []
        for place, rota in enumerate(rotas[start : start + 50], start):
            three = tuple(people[(place + n) % 60] for n in range(3))
            definition = rules.Definition(
                "Europe/Zurich",
                (
                    rules.Layer(1, "Days", three, begin, 420, week=days),
                    rules.Layer(2, "Nights", three[::-1], begin, 420, week=nights),
                    rules.Layer(3, "Backup", three[1:], begin, 540, level=2),
                ),
            )
            version = rules.Version(1, NOW - 2 * _WEEKS, definition)
            RotaVersion.objects.create(
                rota=rota, number=1, effective_at=version.effective_at, definition=definition.as_json(), created_at=NOW
            )
            shifts += [
                Shift(
                    rota=rota,
                    level=slot.level,
                    starts_at=slot.starts_at,
                    ends_at=slot.ends_at,
                    person_id=slot.person,
                    layer=slot.layer,
                    turn=slot.turn,
                )
                for slot in rules.resolve([version], NOW - _WEEKS, NOW + _WEEKS)
            ]
        Shift.objects.bulk_create(shifts, batch_size=2000)
    return {number: team.pk for number, team in enumerate(teams, 1)}


def play(services: int, rounds: int) -> dict[str, Any]:
    """Fill the database the environment names, ask, and say how long it took."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allswell.boot.settings")
    django.setup()
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    from allswell.oncall import queries
    from allswell.oncall.models import Shift

    with transaction.atomic():
        teams = _fill(services)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    walls, burnt = [], []
    for n in range(rounds):
        at = NOW + timedelta(hours=n)
        wall, cpu = time.perf_counter(), time.process_time()
        found = queries.on_call_for(teams, at)
        walls.append((time.perf_counter() - wall) * 1000)
        burnt.append((time.process_time() - cpu) * 1000)
        assert all(answers[0].person and answers[1].person for answers in found.values())
    with CaptureQueriesContext(connection) as asked:
        queries.on_call_for(teams, NOW)
    return {
        "shifts": Shift.objects.count(),
        "ms": {"median": round(statistics.median(walls), 1), "most": round(max(walls), 1)},
        "cpu_ms": round(statistics.median(burnt), 1),
        "statements": len(asked),
    }


def main() -> int:
    """Play on each database, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--services", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(play(options.services, options.rounds)))
        return 0
    from bench.clocks import _environment

    print(
        "| database | shifts | who is on call for all services | of it CPU of the program | statements |\n|---|---|---|---|---|"
    )
    for database in options.databases.split(","):
        folder = Path(tempfile.mkdtemp(prefix="allswell-rotas-"))
        environment, server = _environment(folder, database)
        try:
            subprocess.run([sys.executable, "-m", "allswell", "migrate"], env=environment, check=True, capture_output=True)
            sizes = ["--services", str(options.services), "--rounds", str(options.rounds)]
            command = [sys.executable, "-m", "bench.rotas", "--inside", *sizes]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            took = f"median {found['ms']['median']} ms, at most {found['ms']['most']} ms"
            print(f"| {database} | {found['shifts']:,} | {took} | {found['cpu_ms']} ms | {found['statements']} |", flush=True)
        finally:
            if server:
                server.stop()
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
