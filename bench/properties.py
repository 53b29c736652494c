"""The property tests of the pure rules, many times over, each time on examples never seen before.

    python -m bench.properties [--rounds 20] [--seed 1]

CI tries the same examples each time. A round that fails prints what it found and its seed, which `pytest --hypothesis-seed` plays again.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys


def main() -> int:
    """Play the rounds; 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    options = parser.parse_args()
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    failed = 0
    for seed in range(options.seed, options.seed + options.rounds):
        command = [sys.executable, "-m", "pytest", "tests/rules", f"--hypothesis-seed={seed}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            failed += 1
            print(f"seed {seed}:\n{done.stdout[-4000:]}", flush=True)
    print(f"{options.rounds} rounds of tests/rules, seeds {options.seed} to {options.seed + options.rounds - 1}: {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
