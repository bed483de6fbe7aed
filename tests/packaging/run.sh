#!/usr/bin/env bash
# Builds and runs programs that use PreGrad as its users do, from copies outside the tree.
#
#   run.sh ROOT VERSION LOCAL_MAVEN_REPOSITORY
set -euo pipefail

root=$1
version=$2
repository=$3
here=$root/tests/packaging
model=$root/tests/fixtures/digits-mlp.scripted.pt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

passed=0
# expect NAME PATTERN COMMAND...: runs it and looks for the pattern in what it prints.
expect() {
  local name=$1 pattern=$2 output
  shift 2
  if ! output=$("$@" 2>&1) || ! grep -qE "$pattern" <<<"$output"; then
    printf 'packaging: %s failed; it should print %s, and printed:\n%s\n' "$name" "$pattern" "$output" >&2
    exit 1
  fi
  passed=$((passed + 1))
  echo "packaging: $name: $(head -1 <<<"$output")"
}
# quietly NAME COMMAND...: shows what it prints only if it fails.
quietly() {
  local name=$1 output
  shift
  output=$("$@" 2>&1) || {
    printf 'packaging: %s failed:\n%s\n' "$name" "$output" >&2
    exit 1
  }
}

# The installed package, moved: nothing in it may point back into the tree.
cp -r "$root/native/target/install" "$work/prefix"
if grep -rlF -- "$root/native/" "$work/prefix"; then
  echo "packaging: the installed files above name the folder of the build" >&2
  exit 1
fi
libtorch=$(sed -n 's/^LibTorch_DIR:PATH=//p' "$root/native/target/build/CMakeCache.txt")

mkdir "$work/cmake" "$work/c"
cp "$here/cmake/CMakeLists.txt" "$root"/native/examples/{attribute,probe}.cpp "$work/cmake"
cp "$here/c/CMakeLists.txt" "$root/native/examples/attribute.c" "$work/c"
for consumer in cmake c; do
  quietly "configuring the $consumer consumer" cmake -S "$work/$consumer" -B "$work/$consumer/build" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" -DLIBTORCH="$libtorch"
  quietly "building the $consumer consumer" cmake --build "$work/$consumer/build"
done
expect "a C++ program on an installed PreGrad" '^act1@0, gradient.*, [0-9]+ neurons' \
  "$work/cmake/build/attribute" "$model" act1 8,64
expect "a C++ program with a probe" '^fc1, class' "$work/cmake/build/probe"
expect "a C program on an installed PreGrad" '^act1@0, gradient' "$work/c/build/attribute" "$model" act1 8 64

# Without CMake: the header is C99, and the library says by itself where LibTorch is.
quietly "compiling the C program by hand" "${CC:-cc}" -std=c99 -pedantic-errors -Wall -Wextra -Werror \
  -I"$work/prefix/include" "$work/c/attribute.c" -o "$work/c/by-hand" -L"$work/prefix/lib" -lpregrad \
  -Wl,-rpath,"$work/prefix/lib" -Wl,--allow-shlib-undefined
expect "a C program built by hand" '^act1@0, gradient' "$work/c/by-hand" "$model" act1 8 64

# A local repository that has all of the user's but PreGrad, so that the user's own stays as it is.
mkdir -p "$work/m2/org/pregrad/pregrad/$version"
for entry in "$repository"/* "$repository"/org/*; do
  if [[ $entry != */org && $entry != */org/pregrad ]]; then
    ln -s "$entry" "$work/m2/${entry#"$repository"/}"
  fi
done
module=$root/java/pregrad/target
cp "$module/.flattened-pom.xml" "$work/m2/org/pregrad/pregrad/$version/pregrad-$version.pom"
cp "$module"/pregrad-"$version"{,-linux-x86_64}.jar "$work/m2/org/pregrad/pregrad/$version/"
cp -r "$here/maven" "$work/maven"
quietly "building the Maven consumer" mvn -B -ntp -q -f "$work/maven/pom.xml" -Dmaven.repo.local="$work/m2" \
  -Dpregrad.version="$version" compile
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
expect "a Java program with PreGrad from Maven" '^neurons 128, samples 2, sum' \
  "$java" -cp "$work/maven/target/classes:$(<"$work/maven/target/classpath")" example.Main "$model"

echo "packaging: $passed programs passed"
