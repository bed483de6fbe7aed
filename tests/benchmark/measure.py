"""Measures PreGrad against what it is built on and what it replaces, and writes docs/benchmarks.md and .json.

Every round runs every part for a short time, so that what else the machine does falls on all alike; the numbers are
medians over the rounds, with the fastest and slowest round. tests/benchmark/run builds what this needs.

Usage: measure.py [--quick] [--rounds N] [--case NAME]... [--native PROGRAM] [--java-classpath PATH] [--java-property K=V]
                  [--command FILE] [--python FILE] [--out FOLDER]
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import processes
from cases import FILE, read_cases
from ratios import BESIDE, REQUIREMENTS, Times
from report import Spread, markdown

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QUICK = ["mlp-1", "mlp-32"]
# Where a few microseconds count, or OpenMP shares few between threads, one process says little: so many in each round.
PROCESSES = {"mlp-1": 6, "mlp-32": 6, "mlp-1797": 6, "mlp-all-1797": 6, "cnn-256": 6, "vit-32": 6}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of two cases: does it run at all?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--case", action="append", metavar="NAME", help="measure this case of cases.tsv alone; may be given several times"
    )
    parser.add_argument("--native", type=Path, default=ROOT / "native/target/build/benchmarks/pregrad_benchmarks")
    parser.add_argument("--java-classpath", default=str(ROOT / "java/pregrad-benchmarks/target/lib/*"))
    parser.add_argument("--java-property", action="append", default=[])
    parser.add_argument("--command", type=Path, default=ROOT / "pregrad")
    parser.add_argument("--python", default=sys.executable, help="one that has torch")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    chosen = parser.parse_args()
    if chosen.rounds < 1:
        parser.error(f"--rounds is {chosen.rounds}: give 1 or more")
    return chosen


def java_program() -> str:
    return str(Path(os.environ["JAVA_HOME"], "bin", "java")) if "JAVA_HOME" in os.environ else "java"


def let_go(file: Path) -> None:
    """Out of memory to the disk, from where it comes as users' data does: the kernel takes twice as long to copy what was
    just written, and sometimes what has been in memory for long."""
    with file.open("rb") as data:
        os.fsync(data.fileno())
        os.posix_fadvise(data.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Measurement:
    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.folder = ROOT / "target/benchmark"
        self.seconds = 0.05 if chosen.quick else 0.5
        self.libtorch = processes.libtorch_of(chosen.native)
        self.rounds: list[Times] = []
        self.peaks: dict[str, int] = {}

    def run(self) -> None:
        processes.run([self.chosen.python, HERE / "models.py", self.folder])
        count = 1 if self.chosen.quick else self.chosen.rounds
        for number in range(count):
            print(f"measure.py: round {number + 1} of {count}", file=sys.stderr)
            self.rounds.append(self.round())
        if self.chosen.case:
            return
        held = processes.saved_memory(self.chosen.native, FILE, self.folder)
        for times in self.rounds:
            times.update({("bytes", name): size for name, size in held.items()})

    def round(self) -> Times:
        times: Times = {}
        wanted = self.chosen.case or (QUICK if self.chosen.quick else None)
        cases = [case for case in read_cases() if wanted is None or case.name in wanted]
        if not self.chosen.case:
            self.commands(times)
        peers = [self.chosen.python, HERE / "peers.py"]
        # All ways of a case one after the other, so that they meet the same machine.
        for case in cases:
            name = [case.name]
            count = 1 if self.chosen.quick else PROCESSES.get(case.name, 1)
            turns: list[Times] = [{} for _ in range(count)]
            for turn in turns:
                self.part("C++", turn, self.native(case.name))
            times.update({key: statistics.median(turn[key] for turn in turns) for key in turns[0]})
            self.part("Java and C++ in one JVM", times, self.in_one_jvm(case.name, count))
            self.part("Java", times, self.java("AttributionBenchmark.array", name))
            self.part("JavaCPP by hand", times, self.java("JavaCppBenchmark", name))
            self.part("Python", times, processes.python(peers, self.folder, self.seconds, name))
        if self.chosen.case:
            return times
        let_go(self.folder / "large.npz")
        self.part("Java alone", times, self.java("NativeCallBenchmark|NpzBenchmark|ProductsBenchmark", []))
        self.threads(times)
        return times

    def native(self, name: str) -> tuple[Times, int]:
        """A case, and in the same process, in random turns with it, the one that a ratio holds it to."""
        beside = BESIDE.get(name)
        names = [name, beside] if beside else [name]
        found, peak = processes.native(self.chosen.native, FILE, self.folder, names, self.seconds)
        times = {(way, case): time for (way, case), time in found.items() if case == name}
        if beside:
            times["cpp-beside", name] = found["cpp", beside]
        return times, peak

    def threads(self, times: Times) -> None:
        """Microseconds per sample, the samples of 16 threads together, all on C++'s LibTorch."""
        per_second = processes.threads(self.chosen.native, FILE, self.folder, self.seconds)
        times.update({(f"{way}-threads", ""): 1e6 / rate for way, rate in per_second.items()})
        found, peak = self.java("AttributionBenchmark.threads", ["mlp-1"], [f"-Dpregrad.libtorch={self.libtorch}"])
        self.part("Java, 16 threads", times, (found, peak))

    def part(self, name: str, times: Times, result: tuple[Times, int]) -> None:
        times.update(result[0])
        self.peaks[name] = max(self.peaks.get(name, 0), result[1])

    def in_one_jvm(self, name: str, count: int) -> tuple[Times, int]:
        library = self.chosen.native.parent / "libpregrad_benchmarks_jni.so"
        properties = [f"-Dpregrad.libtorch={self.libtorch}", f"-Dpregrad.benchmark.library={library}"]
        return processes.java_beside_cpp(*self.jmh(properties), name, self.seconds, count)

    def java(self, benchmarks: str, names: list[str], more: list[str] | None = None) -> tuple[Times, int]:
        return processes.java(*self.jmh(more or []), benchmarks, names, self.seconds)

    def jmh(self, more: list[str]) -> tuple[list[str], list[str]]:
        """JMH's command, and the properties of the JVMs that it starts."""
        properties = [
            f"-Dpregrad.benchmark.cases={FILE}",
            f"-Dpregrad.benchmark.folder={self.folder}",
            # JavaCPP's own count of the process's memory stops it in the middle of a run.
            "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
            *(f"-D{value}" for value in self.chosen.java_property),
            *more,
        ]
        return [java_program(), "-cp", self.chosen.java_classpath, "org.openjdk.jmh.Main"], properties

    def command(self, name: str, data: Path, words: list, runs: int) -> tuple[Times, int]:
        """Wall clock of the whole process, everything cached: the first run is not counted."""
        model = ["--model", ROOT / "tests/fixtures/digits-mlp.scripted.pt"]
        ran = []
        for _ in range(1 + runs):
            shutil.rmtree(self.folder / "out", ignore_errors=True)
            ran.append(processes.run([self.chosen.command, name, *model, "--data", data, *words]))
        counted = ran[1:]
        seconds = statistics.median(one.seconds for one in counted)
        return {(name, data.stem): seconds * 1e6}, max(one.peak for one in counted)

    def commands(self, times: Times) -> None:
        runs = 1 if self.chosen.quick else 7
        few, many = ROOT / "tests/fixtures/digits.npz", self.folder / "digits-2400.npz"
        attribute = ["--layer", "act1", "--out", self.folder / "out"]
        self.part("command", times, self.command("layers", few, [], runs))
        self.part("command", times, self.command("attribute", few, attribute, runs))
        self.part("command, 1 GiB of data", times, self.command("attribute", many, attribute, 1))


def machine(chosen: argparse.Namespace) -> dict[str, object]:
    information = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [line.split(":", 1)[1].strip() for line in information.splitlines() if line.startswith("model name")]
    java = subprocess.run([java_program(), "-version"], capture_output=True, text=True, check=True).stderr.splitlines()[0]
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "java": java,
        "commit": commit.stdout.strip(),
        # Without the paths of this machine.
        "command": " ".join(
            ["tests/benchmark/run", *(["--quick"] if chosen.quick else ["--rounds", str(chosen.rounds)])]
            + [word for name in chosen.case or [] for word in ("--case", name)]
        ),
    }


def summary(rounds: list[Times]) -> dict[tuple[str, str], Spread]:
    keys = sorted({key for times in rounds for key in times})
    found = {}
    for key in keys:
        values = [times[key] for times in rounds if key in times]
        found[key] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return found


def requirements(rounds: list[Times]) -> list[dict[str, object]]:
    """Each ratio is taken inside a round, where both sides met the same machine; then the median."""
    rows = []
    for requirement in REQUIREMENTS:
        values = []
        for times in rounds:
            try:
                values.append(requirement.measure(times))
            except KeyError:
                continue  # a part that this machine lacks, or that --quick leaves out
        row: dict[str, object] = {"name": requirement.name, "at_most": requirement.at_most, "unit": requirement.unit}
        if values:
            middle = statistics.median(values)
            row |= {"measured": middle, "least": min(values), "most": max(values), "met": middle <= requirement.at_most}
        rows.append(row)
    return rows


def main() -> None:
    chosen = options()
    unknown = set(chosen.case or []) - {case.name for case in read_cases()}
    if unknown:
        raise SystemExit(f"measure.py: {FILE.name} has no case {', '.join(sorted(unknown))}")
    about = machine(chosen)
    measurement = Measurement(chosen)
    measurement.run()
    times = summary(measurement.rounds)
    report = {
        "machine": about,
        "rounds": len(measurement.rounds),
        "microseconds": [
            {"way": way, "case": case, **values} for (way, case), values in times.items() if way != "bytes"
        ],
        "bytes_held_for_backward": {case: values["median"] for (way, case), values in times.items() if way == "bytes"},
        "requirements": requirements(measurement.rounds),
        "peak_bytes": measurement.peaks,
    }
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "benchmarks.json").write_text(json.dumps(report, indent=2) + "\n")
    (chosen.out / "benchmarks.md").write_text(markdown(report, times))
    print(chosen.out / "benchmarks.md")


if __name__ == "__main__":
    main()
