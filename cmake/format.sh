#!/usr/bin/env bash
# Checks the format of the C and C++ sources; with --fix it formats them.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
format=$("$root/cmake/clang-tool.sh" clang-format)
mapfile -d '' sources < <(find "$root/native" "$root/tests" -name target -prune -o \
  \( -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) -print0)
if [[ ${1:-} == --fix ]]; then
  "$format" -i "${sources[@]}"
elif ! "$format" --dry-run --Werror "${sources[@]}"; then
  echo "format.sh: the sources named above are not formatted: run cmake/format.sh --fix" >&2
  exit 1
fi
