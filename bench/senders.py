"""The tools people run, as they are packaged, against a desk that is killed in between: python -m bench.senders [--down 60]

The same as `make test-senders`: what each came to, one line a sender.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys


def main() -> int:
    """Fetch them, play them, tell; 1 when one did not come to one incident that is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--down", type=float, default=60.0, help="seconds for which the desk is down")
    asked = parser.parse_args()
    subprocess.run([sys.executable, "-m", "tests.senders.install"], check=True, stdout=sys.stderr)
    command = [sys.executable, "-m", "pytest", "tests/senders", "-rA", "--tb=short"]
    environment = {**os.environ, "SENDERS_DOWN": f"{asked.down:g}", "TEST_DATABASE": "sqlite"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    ended = re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\w+)(?:\[(.+?)\])?", done.stdout, re.MULTILINE)
    for outcome, test, sender in ended:
        words = "one incident, over" if sender else test.removeprefix("test_").replace("_", " ")
        print(f"{sender or 'all'}: {words if outcome == 'PASSED' else outcome}")
    print(f"the desk was killed and down for {asked.down:g} s; {done.stdout.strip().splitlines()[-1].strip('= ')}")
    if done.returncode:
        print(done.stdout[-6000:], file=sys.stderr)
    return int(done.returncode != 0 or not ended)


if __name__ == "__main__":
    sys.exit(main())
