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

# clang-tidy cannot read GCC's precompiled header, only what that was made of; and it looks at a source by itself, also
# where the build compiles several as one.
sed -E 's/ -Winvalid-pch//g; s/ -include [^ ]*cmake_pch\.hxx/ -include torch\/script.h/g' "$build/compile_commands.json" |
  python3 -c '
import json, re, sys

entries = []
for entry in json.load(sys.stdin):
    sources = [entry["file"]]
    if "/Unity/unity_" in entry["file"]:
        sources = re.findall("#include \"(.*)\"", open(entry["file"]).read())
    for source in sources:
        entries.append({**entry, "file": source, "command": entry["command"].replace(entry["file"], source)})
json.dump(entries, sys.stdout, indent=0)
' >"$passed/compile_commands.json"

newest=$(find "$root/native/include" "$root/native/src" "$root/.clang-tidy" \( -name '*.hpp' -o -name '*.h' -o -name .clang-tidy \) \
  -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
if (($# > 0)); then
  mapfile -t sources < <(realpath -- "$@")
else
  # Those that this build compiles: without nvcc it has no use for the CUDA kernels.
  mapfile -t sources < <(find "$root/native/src" -name '*.cpp' | sort | while read -r source; do
    ! grep -qF "\"$source\"" "$passed/compile_commands.json" || echo "$source"
  done)
fi

# find_stale SOURCE...: those of the sources that have not passed as they are.
find_stale() {
  local source stamp
  stale=()
  for source in "$@"; do
    stamp=$passed/${source//\//_}
    if [[ ! -e $stamp || $source -nt $stamp || $newest -nt $stamp ]]; then
      stale+=("$source")
    fi
  done
}

# check FILE ARGUMENT...: clang-tidy on a file.
check() {
  local file=$1 log=$passed/log.$BASHPID
  shift
  # Its count of suppressed warnings goes to stderr and is no news; it need not know all of GCC's warnings.
  "$tidy" --quiet --config-file="$root/.clang-tidy" --extra-arg=-Wno-unknown-warning-option "$@" "$file" 2>"$log" || {
    cat "$log" >&2
    return 1
  }
}

check_one() {
  check "$1" -p "$passed" && touch "$passed/${1//\//_}"
}

# check_together SOURCE...: reads all sources of a folder as one, since LibTorch's headers are most of the work. If that
# finds anything it says nothing: the files themselves are looked at then.
check_together() {
  local source together=$passed/${1//\//_}.together
  mkdir -p "$together"
  printf '#include "%s"\n' "$@" >"$together/all.cpp"
  python3 - "$passed/compile_commands.json" "$1" "$together/all.cpp" >"$together/compile_commands.json" <<'PYTHON'
import json
import sys

commands, source, together = sys.argv[1:]
[one] = [entry for entry in json.load(open(commands)) if entry["file"] == source]
print(json.dumps([{**one, "file": together, "command": one["command"].replace(source, together)}]))
PYTHON
  check "$together/all.cpp" -p "$together" --checks=-bugprone-suspicious-include >/dev/null 2>&1 || return 0
  for source in "$@"; do
    touch "$passed/${source//\//_}"
  done
}

# in_turns COMMAND: starts it, and waits where all processors are busy.
in_turns() {
  "$@" &
  while (($(jobs -rp | wc -l) >= $(nproc))); do
    wait -n || true
  done
}

find_stale "${sources[@]}"
declare -A folders=()
for source in "${stale[@]}"; do
  folders[${source%/*}]=1
done
for folder in "${!folders[@]}"; do
  members=()
  for source in "${stale[@]}"; do
    [[ ${source%/*} != "$folder" ]] || members+=("$source")
  done
  ((${#members[@]} == 1)) || in_turns check_together "${members[@]}"
done
wait

find_stale "${sources[@]}"
for source in "${stale[@]}"; do
  in_turns check_one "$source"
done
wait

# Only what passed has its stamp: no exit status can get lost on the way.
find_stale "${sources[@]}"
if ((${#stale[@]} > 0)); then
  echo "tidy.sh: clang-tidy found the above: mend it, or build with -Dpregrad.tidy=false" >&2
  exit 1
fi
