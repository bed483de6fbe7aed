#!/usr/bin/env bash
# Runs clang-tidy on the library's sources, those that changed since they last passed.
#
#   tidy.sh BUILD_FOLDER [SOURCE]...
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd -- "$1" && pwd)
shift
tidy=$("$root/cmake/clang-tool.sh" clang-tidy)
passed=$build/tidy
mkdir -p "$passed"

# clang-tidy cannot read GCC's precompiled header, only what that was made of.
sed -E 's/ -Winvalid-pch//g; s/ -include [^ ]*cmake_pch\.hxx/ -include torch\/script.h/g' "$build/compile_commands.json" \
  >"$passed/compile_commands.json"

newest=$(find "$root/native/include" "$root/native/src" "$root/.clang-tidy" \( -name '*.hpp' -o -name '*.h' -o -name .clang-tidy \) \
  -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
if (($# > 0)); then
  sources=("$@")
else
  mapfile -t sources < <(find "$root/native/src" -name '*.cpp' | sort)
fi

stale=()
for source in "${sources[@]}"; do
  stamp=$passed/${source//\//_}
  if [[ ! -e $stamp || $source -nt $stamp || $newest -nt $stamp ]]; then
    stale+=("$source")
  fi
done
((${#stale[@]} > 0)) || exit 0

export tidy passed
check() {
  # Its count of suppressed warnings goes to stderr and is no news; it need not know all of GCC's warnings.
  if "$tidy" --quiet --extra-arg=-Wno-unknown-warning-option -p "$passed" "$1" 2>"$passed/log.$$"; then
    touch "$passed/${1//\//_}"
  else
    cat "$passed/log.$$" >&2
    return 1
  fi
}
export -f check
printf '%s\0' "${stale[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'check "$1"' _ || {
  echo "tidy.sh: clang-tidy found the above: mend it, or build with -Dpregrad.tidy=false" >&2
  exit 1
}
