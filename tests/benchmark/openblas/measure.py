"""Shows what OpenBLAS's own threads cost in the JVM, and that PreGrad avoids it by itself.

Runs each setting in a process of its own, round robin, so that what else the machine does falls on all alike, and
prints a Markdown table. Needs PreGrad built (`./pregrad --help`), java in JAVA_HOME or on the PATH, and torch.

Usage: measure.py [ROUNDS [REPETITIONS]]
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
JARS = HERE.parents[2] / "java" / "pregrad-cli" / "target" / "lib"
# File, layer, shape of the input.
MODELS = (("resnet18.pt", "layer4.1.relu@1", "16,3,64,64"), ("mlp.pt", "1", "1024,1024"))
DEFAULT = {"OPENBLAS_THREAD_TIMEOUT": "26"}
ONE_THREAD = DEFAULT | {"OPENBLAS_NUM_THREADS": "1"}
SETTINGS = {
    "PreGrad, nothing set": {},
    "OpenBLAS's own threads, `OPENBLAS_THREAD_TIMEOUT=4`": {"OPENBLAS_THREAD_TIMEOUT": "4"},
    "OpenBLAS's own threads and default, `OPENBLAS_THREAD_TIMEOUT=26`": DEFAULT,
    "OpenBLAS on one thread, `OPENBLAS_NUM_THREADS=1`": ONE_THREAD,
}
YARDSTICK = "Python's torch, the same file"


def run(command: list, setting: dict[str, str]) -> list[list[float]]:
    environment = {name: value for name, value in os.environ.items() if name not in ONE_THREAD} | setting
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [[float(word) for word in line.split()] for line in output.splitlines()]


def java() -> list:
    program = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
    return [program, "-cp", f"{JARS}/*", HERE / "ForwardTime.java"]


def cell(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} ({min(times):.1f})" if times else ""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    repetitions = sys.argv[2] if len(sys.argv) > 2 else "30"
    if not any(JARS.glob("pregrad-*.jar")):
        sys.exit(f"measure.py: no jar of PreGrad in '{JARS}': build it with ./pregrad --help")
    # Per setting: forward and attribution of the first model, then of the second.
    measured: dict[str, list[list[float]]] = {name: [[], [], [], []] for name in [*SETTINGS, YARDSTICK]}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, HERE / "write_models.py", folder], check=True)
        for _ in range(rounds):
            for column, (file, layer, shape) in enumerate(MODELS):
                model = Path(folder, file)
                for name, setting in SETTINGS.items():
                    for line, times in enumerate(run([*java(), model, layer, repetitions, shape], setting)):
                        measured[name][2 * column + line] += times
                python = [sys.executable, HERE / "forward_time.py", model, repetitions, shape]
                measured[YARDSTICK][2 * column] += run(python, {})[0]
    print(f"{os.cpu_count()} cores, {platform.machine()}, {rounds} rounds of {repetitions} calls")
    print("Milliseconds, median (fastest)\n")
    print("| setting | ResNet-18 forward | ResNet-18 attribution | MLP forward | MLP attribution |")
    print("| --- | --- | --- | --- | --- |")
    for name, columns in measured.items():
        print(f"| {name} | {' | '.join(cell(times) for times in columns)} |")


if __name__ == "__main__":
    main()
