#!/usr/bin/env bash
# Prints the path of a pinned clang-format or clang-tidy, which pip puts into the cache once: other versions format and
# complain differently.
#
#   clang-tool.sh clang-format|clang-tidy
set -euo pipefail

tool=$1
case $tool in
  clang-format) version=23.1.1 ;;
  clang-tidy) version=22.1.8 ;;
  *)
    echo "clang-tool.sh: unknown tool '$tool': it gives clang-format and clang-tidy" >&2
    exit 2
    ;;
esac

cache=${PREGRAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pregrad}
folder=$cache/$tool-$version
program=$folder/${tool/-/_}/data/bin/$tool
if [[ ! -x $program ]]; then
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/.$tool-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  if ! python3 -m pip install --quiet --no-deps --only-binary=:all: --retries 1 --disable-pip-version-check \
    --root-user-action=ignore --target "$work/tree" "$tool==$version" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    echo "clang-tool.sh: pip cannot install $tool $version (its words are above): mend pip's access to its index, or build with -Dpregrad.format=false -Dpregrad.tidy=false" >&2
    exit 1
  fi
  # Someone else may have been faster.
  mv -T "$work/tree" "$folder" 2>/dev/null || [[ -x $program ]]
fi
echo "$program"
