#!/usr/bin/env bash
# Checks when ./pregrad builds, with which options, and what it tells the JVM. Maven, Java and the compiler are stand-ins
# that write down how they were called.
#
#   run.sh ROOT
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checkout=$work/checkout
calls=$work/calls
library=$checkout/java/pregrad-cli/target/lib

mkdir -p "$checkout"/{cmake,native/{include,src},java/pregrad{,-cli}/src/main} "$work"/{bin,jdk/bin}
cp "$1/pregrad" "$checkout"
touch "$checkout"/{pom.xml,native/{CMakeLists.txt,pom.xml},java/pregrad{,-cli}/pom.xml}

# stand_in FILE SCRIPT
stand_in() {
  printf '#!/bin/sh\n%s\n' "$2" >"$1"
  chmod +x "$1"
}
stand_in "$work/bin/mvn" "echo \"mvn \$*\" >>'$calls'
if [ -n \"\${BREAK_BUILD:-}\" ]; then
  echo '[ERROR] it broke'
  exit 1
fi
mkdir -p '$library' && touch '$library/built.jar'"
stand_in "$work/jdk/bin/java" "echo \"java \$*\" >>'$calls'"
for tool in "$work"/{jdk/bin/javac,bin/cmake,bin/ninja,bin/c++}; do
  stand_in "$tool" ''
done
echo 'JAVA_VERSION="17.0.15"' >"$work/jdk/release"

# pregrad [NAME=VALUE]... [-- ARGUMENT...]: calls the command; leaves `status`, `errors`, `builds` and `jvm`.
pregrad() {
  local variables=()
  while (($# > 0)) && [[ $1 != -- ]]; do
    variables+=("$1")
    shift
  done
  : >"$calls"
  status=0
  errors=$(env -u PREGRAD_JAVA_OPTIONS -u PREGRAD_MAVEN_OPTIONS PATH="$work/bin:$PATH" JAVA_HOME="$work/jdk" LIBTORCH=any \
    CXX=c++ "${variables[@]}" "$checkout/pregrad" "${@:2}" 2>&1 >/dev/null) || status=$?
  builds=$(grep '^mvn' "$calls" || true)
  jvm=$(grep '^java' "$calls" || true)
}

fail() {
  printf 'launcher: %s\nstatus %s\n%s\n%s\n%s\n' "$1" "$status" "$errors" "$builds" "$jvm" >&2
  exit 1
}
expect_build() {
  [[ $status == 0 && $(wc -l <<<"$builds") == 1 && $builds == mvn* && $builds == *"$1"*package ]] || fail "$2: no build"
  [[ -n $jvm ]] || fail "$2: the command did not run"
}
expect_no_build() {
  [[ $status == 0 && -z $builds && -n $jvm ]] || fail "$1: not just the command"
}
expect_refusal() {
  [[ $status == "$1" && $errors == *"$2"* && -z $jvm ]] || fail "not refused: $2"
}

pregrad
expect_build '-DskipTests' 'the first time'
pregrad
expect_no_build 'the second time'

sleep 0.01
touch "$checkout/native/src/newer.cpp"
pregrad
expect_build '' 'a source is newer'

touch "$library/of-other-options.jar"
pregrad PREGRAD_MAVEN_OPTIONS=-Pgpu
expect_build '-Pgpu' 'other options'
[[ ! -e $library/of-other-options.jar ]] || fail 'a jar of the build before is left on the classpath'
pregrad PREGRAD_MAVEN_OPTIONS=-Pgpu
expect_no_build 'the same options'
pregrad
expect_no_build 'no options take what is there'
pregrad PREGRAD_MAVEN_OPTIONS=-Dx=1
expect_build '-Dx=1' 'yet other options'

sleep 0.01
touch "$checkout/pom.xml"
pregrad BREAK_BUILD=1
expect_refusal 1 '[ERROR] it broke'
[[ $errors == *"$checkout/target/build.log has all"* ]] || fail 'the log is not named'
pregrad
expect_build '' 'after a failed build'

pregrad PREGRAD_JAVA_OPTIONS=-Xmx1g -- -Dname=value layers --model m.pt
[[ $jvm == *" -Dname=value -Xmx1g -cp $library/* org.pregrad.cli.Main layers --model m.pt" ]] || fail 'the JVM got other words'
[[ $jvm == *TieredStopAtLevel=1* ]] || fail 'a short run waits for the second compiler'
truncate -s 40M "$work/large.npz"
for word in "$work/large.npz" "--data=$work/large.npz"; do
  pregrad -- attribute "$word"
  [[ $jvm != *TieredStopAtLevel* ]] || fail "a long run of $word has no second compiler"
done

pregrad JAVA_HOME="$work/none"
expect_refusal 2 "JAVA_HOME is '$work/none', which has no bin/java"
echo 'JAVA_VERSION="11.0.2"' >"$work/jdk/release"
pregrad
expect_refusal 2 'is Java 11, and PreGrad needs 17 or later'
echo 'JAVA_VERSION="25"' >"$work/jdk/release"
pregrad
expect_no_build 'a newer JDK'
[[ $jvm == *--enable-native-access=ALL-UNNAMED* ]] || fail 'JDK 25 would warn of native access'
echo "launcher: passed"
