"""CPU of `citystream --help` and of importing the package, in milliseconds; the aim is under 300.

Run: python benchmarks/startup.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

ASKED = {
    "python -c pass": ["-c", "pass"],
    "import citystream": ["-c", "import citystream"],
    "citystream --help": ["-m", "citystream.cli", "--help"],
    "citystream --version": ["-m", "citystream.cli", "--version"],
    "citystream import --help": ["-m", "citystream.cli", "import", "--help"],
}


def cpu(words: list[str]) -> float:
    """User and system time of one child, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print the median of nine, after one that warms the disk."""
    for name, words in ASKED.items():
        cpu(words)
        print(f"{name:28} {statistics.median(cpu(words) for _ in range(9)):6.0f} ms")


if __name__ == "__main__":
    main()
