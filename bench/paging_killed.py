"""kill -9 among pages: python -m bench.paging_killed [--database postgresql] [--kills 200] [--apart 5] [--rate 4] [--seed 1]

Incidents come in, one engine (two on PostgreSQL) pages for them through a carrier that goes wrong in one call of five, and every few
seconds an engine is killed at a random instant and started again. Afterwards no incident that was kept is without its page, no step was
missed, and what came twice carries the same key; how much that is, is printed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

#: from so many kills on it is judged how much came twice; in a short night one page is several percent
_LONG = 100


def main() -> int:
    """Play one long night."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--apart", type=float, default=5.0, help="seconds between two kills, on average")
    parser.add_argument("--rate", type=float, default=4.0, help="incidents a second")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    os.environ["TEST_DATABASE"] = asked.database
    from tests.chaos.night import Night, play
    from tests.support import early
    from tests.support.carrier import Carrier

    with tempfile.TemporaryDirectory(prefix="allswell-night-") as folder, Carrier(badness=0.2, seed=asked.seed) as carrier:
        Path(folder).chmod(0o755)
        count = int(asked.kills * asked.apart * asked.rate)
        engines = 2 if early.SERVER is not None else 1
        night = Night(Path(folder), carrier)
        try:
            morning = play(night, kills=asked.kills, count=count, engines=engines, apart=asked.apart, seed=asked.seed)
        finally:
            for process in night.engines:
                process.kill()
        print(
            f"{asked.database}, {engines} engine(s), {asked.kills} kills: {len(morning.reported):,} incidents kept, "
            f"{len(morning.without_page)} without their page, {len(morning.missed_steps)} with a step missed, "
            f"{len(morning.unknown_keys)} unknown keys; {len(carrier.keys):,} pages, {carrier.twice} came twice "
            f"({100 * morning.twice:.2f} %), each with its own key"
        )
        is_too_often = asked.kills >= _LONG and morning.twice >= 0.02
        return int(bool(morning.without_page or morning.missed_steps or morning.unknown_keys or is_too_often))


if __name__ == "__main__":
    sys.exit(main())
