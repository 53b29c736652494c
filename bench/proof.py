"""`make proof`: the figures and the long fault runs. Prints what `bench/RESULTS.md` holds; two hours or so on 2 cores.

    python -m bench.proof [--out bench/RESULTS.md] [--only speed,million,import,clocks,paging,alerts,mail,properties,kills] [--short]

Each part stands alone (`python -m bench.speed`, `bench.bring_in`, `bench.clocks`, `bench.paging`, …); this plays them one after the
other, so that nothing else uses the machine, and writes their output down with the machine they ran on. In a file that is there
already, each part replaces what the last run wrote between its two marks, or stands at the end; everything else is left alone, and so
is what stands there of a part that failed. `--short` plays everything with the smallest sizes, some minutes, to see that it runs; its
figures mean nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PARTS = {
    "speed": ("Speed with 100,000 tickets", [["bench.speed", "--tickets", "100000"]]),
    "million": ("Speed with 1,000,000 tickets", [["bench.speed", "--tickets", "1000000", "--seconds", "4"]]),
    "import": (
        "Import",
        [["bench.bring_in", "--database", "sqlite"], ["bench.bring_in", "--database", "postgresql"]],
    ),
    "clocks": ("Clocks", [["bench.clocks_solve"], ["bench.clocks"]]),
    "paging": (
        "Paging",
        [
            ["bench.paging"],
            ["bench.paging_killed", "--kills", "200", "--database", "sqlite"],
            ["bench.paging_killed", "--kills", "200", "--database", "postgresql"],
            ["bench.rotas"],
            ["bench.coverage"],
            ["bench.thumb"],
        ],
    ),
    "alerts": (
        "Floods of alerts",
        [
            ["bench.alerts", "--databases", "postgresql", "--rate", "5000"],
            ["bench.alerts", "--databases", "sqlite", "--rate", "3000"],
            ["bench.alerts", "--databases", "postgresql", "--rate", "5000", "--kill"],
            ["bench.alerts", "--databases", "sqlite", "--rate", "3000", "--kill"],
            ["bench.alert_storm"],
            ["bench.senders"],
        ],
    ),
    "mail": (
        "Mail",
        [
            ["bench.mail_in"],
            ["bench.mail_in", "--kill"],
            ["bench.mail_corpus"],
            ["bench.mail_loops", "--days", "1000"],
        ],
    ),
    "properties": ("Properties of the rules on new examples", [["bench.properties", "--rounds", "20"]]),
    "kills": (
        "kill -9 of the desk while tickets arrive, and among clocks",
        [
            ["bench.sudden_death", "--kills", "100", "--tickets", "2000"],
            ["bench.clocks_killed", "--database", "sqlite"],
            ["bench.clocks_killed", "--database", "postgresql"],
        ],
    ),
}
#: what makes a part small; the last of two says
SHORT = {
    "bench.speed": ["--tickets", "2000", "--seconds", "3"],
    "bench.bring_in": ["--rows", "500"],
    "bench.clocks": ["--entries", "5000", "--clocks", "2000", "--rate", "20", "--seconds", "3"],
    "bench.paging": ["--deadlines", "2000", "--rate", "20", "--seconds", "2", "--incidents", "3"],
    "bench.paging_killed": ["--kills", "2", "--apart", "2"],
    "bench.rotas": ["--services", "10", "--rounds", "3"],
    "bench.coverage": ["--services", "10", "--weeks", "1"],
    "bench.thumb": ["--rounds", "1"],
    "bench.alerts": ["--rate", "300", "--seconds", "6", "--tickets", "500"],
    "bench.alert_storm": ["--alerts", "1000", "--tickets", "500"],
    "bench.senders": ["--down", "8"],
    "bench.mail_in": ["--messages", "300"],
    "bench.mail_loops": ["--days", "10"],
    "bench.properties": ["--rounds", "1"],
    "bench.sudden_death": ["--kills", "2", "--tickets", "20"],
    "bench.clocks_killed": ["--kills", "2", "--acts", "20", "--tickets", "100", "--readers", "5"],
}
RESULTS = Path(__file__).parent / "RESULTS.md"


def _machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1_000_000
    return f"{os.cpu_count()} cores ({model}), {memory} GB, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _play(title: str, commands: list[list[str]]) -> tuple[str, bool]:
    """The output of a part as Markdown, and whether it went well."""
    texts, is_well = [], True
    for command in commands:
        done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
        is_well &= done.returncode == 0
        shown = done.stdout.strip() or done.stderr.strip()[-2000:]
        if done.returncode:
            print(f"{title}: {' '.join(command)} failed\n{done.stderr.strip()[-2000:]}", file=sys.stderr, flush=True)
        is_table = "\n|" in shown
        texts.append(f"`python -m {' '.join(command)}`\n\n{shown if is_table else f'```{chr(10)}{shown}{chr(10)}```'}")
        print(f"{title}: {' '.join(command)}\n{shown}\n", flush=True)
    return f"## {title}\n\n" + "\n\n".join(texts), is_well


def put(page: str, name: str, text: str) -> str:
    """The page with what was measured for a part between its marks."""
    begin, end = f"<!-- proof {name}: written by make proof -->", f"<!-- end of proof {name} -->"
    block = f"{begin}\n\n{text}\n\n{end}"
    before, mark, rest = page.partition(begin)
    _, closing, after = rest.partition(end)
    return before + block + after if mark and closing else f"{page.rstrip()}\n\n{block}\n"


def main() -> int:
    """Play the parts and write them down; 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--short", action="store_true", help="the smallest sizes, to see that it runs")
    options = parser.parse_args()
    if unknown := set(options.only.split(",")) - PARTS.keys():
        parser.error(f"there is no part {min(unknown)}; there are {', '.join(PARTS)}")
    if options.short and options.out and options.out.resolve() == RESULTS.resolve():
        parser.error("--short measures nothing; give it another --out")
    today = datetime.now(UTC).date()  # noqa: TID251 - the day of the measurement
    where = f"Measured on {today} on {_machine()}, the load generator on the same cores."
    page = options.out.read_text() if options.out and options.out.exists() else "# Results\n"
    is_well = True
    for name in options.only.split(","):
        title, commands = PARTS[name]
        if options.short:
            commands = [[*command, *SHORT.get(command[0], [])] for command in commands]
        text, went_well = _play(title, commands)
        is_well &= went_well
        if options.out and went_well:  # part by part: an hour's work is not lost with its last minute
            page = put(page, name, f"{text}\n\n{where}")
            options.out.write_text(page)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
