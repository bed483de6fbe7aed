#!/usr/bin/env bash
# Prints the home of a JDK of at least the given version, the oldest that fits, or nothing where there is none.
#
#   find-jdk.sh VERSION
set -euo pipefail
shopt -s nullglob

best=""
best_version=1000
for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
  [[ -x $home/bin/javac && -r $home/release ]] || continue
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
  if ((${version:-0} >= $1 && version < best_version)); then
    best=$home
    best_version=$version
  fi
done
printf '%s' "$best"
