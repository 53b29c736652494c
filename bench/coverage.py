"""The proof of coverage for very many services, on both databases.

    python -m bench.coverage [--databases sqlite,postgresql] [--services 500] [--weeks 4]

Every service has a team, a rota (days, nights and a backup) and a policy of its own: nothing is worked out once for two. Some people
have one way only, some are on leave, some steps hold outside office hours.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.rotas import NOW, _fill


def _furnish(services: int) -> None:
    """Services, their policies, addresses, leave."""
    from allswell.notifications.models import ContactMethod
    from allswell.oncall.models import EscalationPolicy, Leave, PolicyUse, PolicyVersion, Rota
    from allswell.people.models import EmailAddress, Person
    from allswell.services.models import ConfigurationItem

    _fill(services)
    people = list(Person.objects.order_by("pk"))
    EmailAddress.objects.bulk_create(
        EmailAddress(person=one, address=f"p{one.pk}@example.org", proof="confirmed", is_primary=True, added_at=NOW)
        for one in people
    )
    ContactMethod.objects.bulk_create(
        ContactMethod(person=one, kind="push", address="-", created_at=NOW, verified_at=NOW if one.pk % 5 else None)
        for one in people
    )
    Leave.objects.bulk_create(
        Leave(
            person=one, starts_at=NOW + timedelta(days=one.pk % 20), ends_at=NOW + timedelta(days=one.pk % 20 + 7), created_at=NOW
        )
        for one in people[::4]
    )
    for rota in Rota.objects.order_by("pk"):
        service = ConfigurationItem.objects.create(name=f"Service {rota.pk}", slug=f"service-{rota.pk}", team=rota.team)
        policy = EscalationPolicy.objects.create(name=rota.name, slug=rota.slug, team=rota.team, number=1, created_at=NOW)
        steps = [
            {"targets": [{"kind": "rota", "rota": rota.pk, "level": 1}], "wait": 300},
            {"targets": [{"kind": "rota", "rota": rota.pk, "level": 2}], "wait": 600},
            {"targets": [{"kind": "person", "person": people[rota.pk % len(people)].pk}], "wait": 600},
        ]
        definition = {"steps": steps, "repeat": 1, "promise": 1800, "starts": [1, 2, 3], "urgent": [1, 2]}
        PolicyVersion.objects.create(policy=policy, number=1, definition=definition, created_at=NOW)
        PolicyUse.objects.create(policy=policy, service=service)


def play(services: int, weeks: int) -> dict[str, Any]:
    """Fill the database the environment names, prove, and say how long it took."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allswell.boot.settings")
    django.setup()
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    from allswell.desk import coverage
    from allswell.kernel.actor import engine

    with transaction.atomic():
        _furnish(services)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    burnt = []
    for _ in range(3):
        cpu = time.process_time()
        found = coverage.coverage(actor=engine(), now=NOW, weeks=weeks)
        burnt.append(time.process_time() - cpu)
    with CaptureQueriesContext(connection) as asked:
        coverage.coverage(actor=engine(), now=NOW, weeks=weeks)
    stretches = sum(len(one.gaps) for one in found.services)
    return {"cpu": round(min(burnt), 2), "lacking": len(found.lacking), "stretches": stretches, "statements": len(asked)}


def main() -> int:
    """Play on each database, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--services", type=int, default=500)
    parser.add_argument("--weeks", type=int, default=4)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(play(options.services, options.weeks)))
        return 0
    from bench.clocks import _environment

    print("| database | CPU of the program | services with gaps | gaps | statements |\n|---|---|---|---|---|")
    for database in options.databases.split(","):
        folder = Path(tempfile.mkdtemp(prefix="allswell-coverage-"))
        environment, server = _environment(folder, database)
        try:
            subprocess.run([sys.executable, "-m", "allswell", "migrate"], env=environment, check=True, capture_output=True)
            sizes = ["--services", str(options.services), "--weeks", str(options.weeks)]
            command = [sys.executable, "-m", "bench.coverage", "--inside", *sizes]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            cells = f"{found['cpu']} s | {found['lacking']} | {found['stretches']} | {found['statements']}"
            print(f"| {database} | {cells} |", flush=True)
        finally:
            if server:
                server.stop()
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
