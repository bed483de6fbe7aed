"""Runs the parts of the benchmark, each in a process of its own, and notes how much memory each took at most."""

import json
import math
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    output: str
    seconds: float
    peak: int  # resident bytes


def run(command: list, environment: dict[str, str] | None = None) -> Ran:
    """What a command prints; its complaints are shown only if it fails."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        words = [str(word) for word in command]
        process = subprocess.Popen(words, env={**os.environ, **(environment or {})}, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"measure.py: {words} failed:\n{output.read()[-4000:]}\n{errors.read()[-4000:]}")
        return Ran(output.read(), seconds, usage.ru_maxrss * 1024)


def libtorch_of(program: Path) -> Path:
    """The folder of the LibTorch that a program loads."""
    for line in run(["ldd", program]).output.splitlines():
        words = line.split()
        if words[0] == "libtorch_cpu.so" and len(words) > 2:
            return Path(words[2]).resolve().parents[1]
    raise SystemExit(f"measure.py: {program} finds no libtorch_cpu.so")


def native(
    program: Path, cases: Path, folder: Path, names: list[str], seconds: float
) -> tuple[dict[tuple[str, str], float], int]:
    """Microseconds per way (`floor`, `cpp`) and case."""
    with tempfile.TemporaryDirectory() as out:
        file = Path(out, "native.json")
        # Google Benchmark's own warm-up is the search for the number of iterations.
        ran = run(
            [
                program,
                f"--cases={cases}",
                f"--folder={folder}",
                f"--benchmark_filter=/({'|'.join(names)})/",
                # The two ways of a case in random turns: whatever slows the machine falls on both.
                f"--benchmark_min_time={seconds / 5}",
                "--benchmark_repetitions=5",
                "--benchmark_enable_random_interleaving=true",
                "--benchmark_report_aggregates_only=true",
                "--benchmark_out_format=json",
                f"--benchmark_out={file}",
            ],
            # What PreGrad sets in a JVM by itself, a C++ program has to set where LibTorch stands on OpenBLAS.
            {"OPENBLAS_THREAD_TIMEOUT": "4"},
        )
        times = {}
        for entry in json.loads(file.read_text())["benchmarks"]:
            if entry["aggregate_name"] == "median":
                way, case = entry["run_name"].split("/")[:2]
                times[way, case] = entry["real_time"]
        return times, ran.peak


def threads(program: Path, cases: Path, folder: Path, seconds: float) -> dict[str, float]:
    """Single samples per second with 16 threads, of `cpp` and `floor`."""
    return json.loads(run([program, f"--cases={cases}", f"--folder={folder}", f"--threads={seconds}"]).output)


def saved_memory(program: Path, cases: Path, folder: Path) -> dict[str, int]:
    return json.loads(run([program, f"--cases={cases}", f"--folder={folder}", "--memory"]).output)


def java(
    command: list, properties: list[str], benchmarks: str, names: list[str], seconds: float
) -> tuple[dict[tuple[str, str], float], int]:
    """Microseconds per way (`java`, `javacpp`, `call`, `npz`, `copy`, `java-products`, `java-threads`) and case."""
    ways = {
        "AttributionBenchmark.array": "java",
        "JavaCppBenchmark.add": "javacpp",
        "AttributionBenchmark.threads": "java-threads",
        "NativeCallBenchmark.call": "call",
        "NpzBenchmark.read": "npz",
        "NpzBenchmark.copy": "copy",
        "ProductsBenchmark.products": "java-products",
    }
    entries, peak = jmh(command, properties, benchmarks, names, seconds)
    times = {}
    for entry in entries:
        name = ".".join(entry["benchmark"].split(".")[-2:])
        unit = {"us/op": 1.0, "ns/op": 1e-3}[entry["primaryMetric"]["scoreUnit"]]
        middle = statistics.median_low(values(entry["primaryMetric"]))
        times[ways[name], entry.get("params", {}).get("name", "")] = middle * unit
    return times, peak


def java_beside_cpp(
    command: list, properties: list[str], name: str, seconds: float, processes: int
) -> tuple[dict[tuple[str, str], float], int]:
    """Microseconds of C++ inside the JVM, and of the other ways in proportion to it: medians over all iterations of so many
    processes, or one more, half of them with C++ opened first."""
    forks = math.ceil(processes / 2)
    entries, peak = jmh(command, properties, "BesideCppBenchmark", [name], seconds, forks, iterations=5)
    found = {
        way: [each for entry in entries for each in values(entry["secondaryMetrics"][way])]
        for way in entries[0]["secondaryMetrics"]
    }
    cpp = found["cpp"]
    middle = statistics.median(cpp)
    times = {("jvm-cpp", name): middle}
    keys = {
        "array": "jvm-java",
        "direct": "jvm-java-direct",
        "copyingCpp": "jvm-cpp-copy",
        "jniCopyingCpp": "jvm-cpp-jni-copy",
    }
    for way, key in keys.items():
        times[key, name] = middle * statistics.median(here / there for here, there in zip(found[way], cpp, strict=True))
    return times, peak


def values(metric: dict) -> list[float]:
    """Those of all iterations of all processes."""
    return sum(metric["rawData"], [])


def jmh(
    command: list, properties: list[str], benchmarks: str, names: list[str], seconds: float, forks: int = 1, iterations: int = 3
) -> tuple[list[dict], int]:
    """The entries of JMH's report, and the most bytes that it took."""
    time_each = f"{round(seconds * 1000)}ms"
    with tempfile.TemporaryDirectory() as out:
        file = Path(out, "java.json")
        options = ["-f", forks, "-wi", "2", "-w", time_each, "-i", iterations, "-r", time_each, "-foe", "true"]
        parameters = ["-p", "name=" + ",".join(names)] if names else []
        report = ["-rf", "json", "-rff", file, "-jvmArgsAppend", " ".join(properties)]
        ran = run([*command, *options, *parameters, *report, benchmarks])
        return json.loads(file.read_text()), ran.peak


def python(command: list, folder: Path, seconds: float, names: list[str]) -> tuple[dict[tuple[str, str], float], int]:
    """Microseconds per way (`loop`, `hook`, `captum`) and case."""
    ran = run([*command, folder, seconds, *names])
    entries = [json.loads(line) for line in ran.output.splitlines()]
    return {(entry["way"], entry["case"]): entry["us"] for entry in entries}, ran.peak
