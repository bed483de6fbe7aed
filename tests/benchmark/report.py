"""Writes what was measured as Markdown."""

from pathlib import Path

Spread = dict[str, float]  # median, least, most

HERE = Path(__file__).resolve().parent
WAYS = {
    "floor": "floor (LibTorch by hand)",
    "cpp": "C++",
    "java": "Java (presets' LibTorch)",
    "javacpp": "JavaCPP by hand",
    "hook": "Python, batched hook",
    "captum": "Python, Captum",
    "loop": "Python, one backward per sample",
}
JVM_WAYS = {
    "jvm-cpp": "C++",
    "jvm-cpp-copy": "C++, its tensor copied first",
    "jvm-cpp-jni-copy": "C++, its `float[]` copied by JNI first",
    "jvm-java": "Java, `float[]`",
    "jvm-java-direct": "Java, direct buffer",
}


def number(value: float) -> str:
    return f"{value:.4g}" if value < 1000 else f"{value:,.0f}"


def spread(entry: Spread) -> str:
    return f"{number(entry['median'])} ({number(entry['least'])}–{number(entry['most'])})"


def table(ways: dict[str, str], times: dict[tuple[str, str], Spread]) -> list[str]:
    lines = ["| case | " + " | ".join(ways.values()) + " |", "| --- |" + " --- |" * len(ways)]
    for case in dict.fromkeys(case for way, case in times if way in ways):
        cells = [spread(times[way, case]) if (way, case) in times else "" for way in ways]
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return lines


def markdown(report: dict, times: dict[tuple[str, str], Spread]) -> str:
    about = report["machine"]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{about['command']}` on {about['date']}: {about['cpu']}, {about['cores']} cores, {about['java']},",
        f"commit {about['commit']}. Microseconds per batch: the median of {report['rounds']} rounds in which all parts take",
        "turns, with the fastest and slowest round. The cases are those of `tests/benchmark/cases.tsv`.",
        "",
        *table(WAYS, times),
        "",
        "## Java beside C++",
        "",
        "Both in one JVM, in turns, on the LibTorch of the C++ column above: what the border between them costs. C++ hands over",
        "the same tensor each time; its `float[]` copied by JNI is what a `float[]` costs at least, without PreGrad's Java.",
        "",
        *table(JVM_WAYS, times),
    ]
    lines += ["", "## Required", "", "| ratio | at most | measured | met |", "| --- | --- | --- | --- |"]
    for row in report["requirements"]:
        unit = f" {row['unit']}" if row["unit"] else ""
        if "measured" in row:
            measured = spread({"median": row["measured"], "least": row["least"], "most": row["most"]})
            met = "yes" if row["met"] else "**no**"
            lines.append(f"| {row['name']} | {number(row['at_most'])}{unit} | {measured} | {met} |")
        else:
            lines.append(f"| {row['name']} | {number(row['at_most'])}{unit} | not measured | |")
    lines += ["", "## By itself", "", "| what | µs |", "| --- | --- |"]
    alone = {
        ("floor-threads", ""): "a sample of mlp-1, 16 threads with a floor each",
        ("cpp-threads", ""): "the same, 16 threads in one C++ `Attribution`",
        ("java-threads", "mlp-1"): "the same, 16 threads in one Java `Attribution`",
        ("products", "mlp-1797"): "the matrix products of mlp-1797 alone, in Python",
        ("java-products", ""): "the same in Java, on the presets' LibTorch",
        ("call", ""): "one native call",
        ("npz", ""): "64 MiB of a stored `.npz`",
        ("copy", ""): "the same bytes copied in memory",
        ("layers", "digits"): "`pregrad layers` on the digits MLP, 1,797 samples",
        ("attribute", "digits"): "`pregrad attribute` on the same",
        ("attribute", "digits-2400"): "the same on 4,312,800 samples, 1 GiB",
    }
    for key, name in alone.items():
        if key in times:
            lines.append(f"| {name} | {spread(times[key])} |")
    lines += ["", "## Peak memory of each part", "", "| part | MiB |", "| --- | --- |"]
    lines += [f"| {name} | {peak / 2**20:,.0f} |" for name, peak in report["peak_bytes"].items()]
    return "\n".join(lines) + "\n\n" + (HERE / "limits.md").read_text()
