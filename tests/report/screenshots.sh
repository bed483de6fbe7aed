#!/usr/bin/env bash
# Takes docs/images/report-light.png and report-dark.png again, with Chromium.
#
#   tests/report/screenshots.sh [DIR [CLUSTER]]
#
# DIR is the --out directory of pregrad ablate or attribute; without it the page shows invented numbers.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
module="$root/java/pregrad-cli"
classpath="$root/target/screenshots.classpath"

cd "$root"
mkdir -p target docs/images
mvn -B -q -DskipTests -Dpregrad.cmake.tests=OFF -Dpregrad.cmake.examples=OFF -pl native,java/pregrad,java/pregrad-cli \
  package dependency:build-classpath -Dmdep.outputFile="$classpath"
java_of_tests=(java -cp "$module/target/classes:$module/target/test-classes:$(cat "$classpath")")

run=${1:-$root/target/screenshots}
if (($# == 0)); then
  "${java_of_tests[@]}" org.pregrad.cli.report.SampleRun "$run"
fi
"$root/pregrad" report --from "$run"
PREGRAD_REQUIRE_CHROMIUM=1 "${java_of_tests[@]}" org.pregrad.cli.report.Screenshots "$run/report.html" docs/images \
  "${@:2}"
