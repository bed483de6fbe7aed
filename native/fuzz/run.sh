#!/usr/bin/env bash
# Builds the fuzzer with Clang and runs it on the corpus and the exported fixtures; needs clang and its run time
# (Debian: apt-get install clang libclang-rt-14-dev).
#
#   native/fuzz/run.sh [SECONDS]      300 if not given; new inputs go to native/target/fuzz/corpus
set -euo pipefail

seconds=${1:-300}
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/native/target/fuzz
cmake -S "$root/native" -B "$build" -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang -DPREGRAD_FUZZ=ON \
  -DPREGRAD_TESTS=OFF -DPREGRAD_EXAMPLES=OFF -DPREGRAD_JNI=OFF
cmake --build "$build" --parallel --target pregrad_fuzz_exported

mkdir -p "$build/corpus" "$build/seeds"
unpack() {
  python3 - "$1" "$2" <<'PYTHON'
import sys, zipfile
from pathlib import Path
archive, seeds = Path(sys.argv[1]), Path(sys.argv[2])
name = archive.name.split(".")[0]
(seeds / f"{name}.a").write_bytes(b"a" + archive.read_bytes())
with zipfile.ZipFile(archive) as records:
    for record in records.namelist():
        if record.endswith("/models/model.json"):
            (seeds / f"{name}.p").write_bytes(b"p" + records.read(record))
        elif record.endswith("_weights_config.json"):
            (seeds / f"{name}.w").write_bytes(b"w" + records.read(record))
PYTHON
}
for model in reused residual cond map scan tied-weights lstm decomposed without-gradient; do
  unpack "$root/tests/fixtures/$model.exported.pt2" "$build/seeds"
done

# LibTorch is not instrumented, so containers that it fills look overfull.
export ASAN_OPTIONS=detect_container_overflow=0:allocator_may_return_null=1:detect_leaks=${PREGRAD_FUZZ_LEAKS:-1}
exec "$build/fuzz/pregrad_fuzz_exported" -max_total_time="$seconds" -max_len=200000 -rss_limit_mb=4096 -timeout=30 \
  -dict="$root/native/fuzz/exported_reader.dict" -artifact_prefix="$build/" -print_final_stats=1 \
  "$build/corpus" "$root/native/fuzz/corpus" "$build/seeds"
