#!/usr/bin/env bash
# Checks what libpregrad.so exports and what it needs.
#
#   run.sh ROOT
set -euo pipefail

root=$1
library=$root/native/target/install/lib/libpregrad.so
carried=$root/native/target/stage/org/pregrad/native/linux-x86_64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the exports of a library that are no part of PreGrad's interfaces. Namespaces within pregrad are internals.
strangers() {
  nm -DC --defined-only "$1" | cut -c 20- | grep -vE '^(pregrad_[a-z0-9_]+|Java_org_pregrad_[A-Za-z0-9_]+|JNI_On(Load|Unload))$' |
    grep -vE '^((typeinfo|typeinfo name|vtable|VTT|(non-)?virtual thunk to) (for )?)?pregrad::[A-Z][A-Za-z]*(::|\(|$)' |
    grep -vE '^pregrad::[a-z_]+(\[abi:cxx11\])?\(|^pregrad::operator' || true
}

# Prints the symbols that a library needs and that no file named in `providers` defines.
orphans() {
  comm -23 <(nm -D --undefined-only "$1" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | sort -u) "$work/provided"
}

fail() {
  printf 'symbols: %s:\n%s\n' "$1" "$2" >&2
  exit 1
}

needed() {
  readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}
allowed='libtorch_cpu\.so|libc10\.so|libstdc\+\+\.so\.6|libgcc_s\.so\.1|libm\.so\.6|libc\.so\.6|ld-linux-x86-64\.so\.2'
jars=("$root"/java/pregrad-cli/target/lib/{pytorch,openblas,javacpp}-*-linux-x86_64.jar)
if needed "$library" | grep -qx 'libc10_cuda\.so'; then
  allowed+='|libtorch_cuda\.so|libc10_cuda\.so|libcudart\.so\.[0-9]+'
  jars+=("$root"/java/pregrad-cli/target/lib/{pytorch-*-linux-x86_64-gpu,cuda-redist-*-linux-x86_64}.jar)
fi

# What the presets carry, and what every Linux has.
mkdir "$work/presets"
(cd "$work/presets" && for jar in "${jars[@]}"; do
  cmake -E tar xf "$jar"
done)
{
  find "$work/presets" -name 'lib*.so*' -type f
  for name in libc.so.6 libm.so.6 libstdc++.so.6 libgcc_s.so.1 ld-linux-x86-64.so.2; do
    "${CXX:-c++}" -print-file-name="$name"
  done
} >"$work/providers"
# shellcheck disable=SC2046 # one word per file
nm -D --defined-only $(<"$work/providers") 2>/dev/null | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/provided"

# The checks must be able to fail.
cat >"$work/bad.cpp" <<'SOURCE'
namespace pregrad::graph { int internal() { return 1; } }
int missing_from_libtorch();
extern "C" int leaked() { return missing_from_libtorch(); }
SOURCE
"${CXX:-c++}" -shared -fPIC "$work/bad.cpp" -o "$work/libbad.so"
[[ $(strangers "$work/libbad.so" | sort | tr '\n' ' ') == "leaked pregrad::graph::internal() " ]] ||
  fail "the check of exports does not see those of a bad library, but" "$(strangers "$work/libbad.so")"
[[ $(orphans "$work/libbad.so") == _Z21missing_from_libtorchv ]] ||
  fail "the check of needs does not see those of a bad library, but" "$(orphans "$work/libbad.so")"

exports=$(nm -DC --defined-only "$library")
for wanted in ' pregrad_version$' ' pregrad::Model::load\(' ' vtable for pregrad::Error$' ' Java_org_pregrad_|JNI_OnLoad$'; do
  grep -qE -- "$wanted" <<<"$exports" || fail "libpregrad.so does not export" "$wanted"
done
for file in "$library" "$carried"/lib*.so; do
  found=$(strangers "$file")
  [[ -z $found ]] || fail "$file exports what is no part of its interfaces" "$found"
  found=$(orphans "$file")
  [[ -z $found ]] || fail "$file needs what neither LibTorch of the presets nor the system has" "$found"
done

found=$(needed "$library" | grep -vxE "$allowed" || true)
[[ -z $found ]] || fail "$library is linked with more than it should be" "$found"
found=$(needed "$carried/libpregrad_boot.so" | grep -vx 'libc\.so\.6' || true)
[[ -z $found ]] || fail "libpregrad_boot.so must need nothing but the C library, and needs" "$found"
found=$(readelf -d "$carried"/lib*.so | grep -E '(RPATH|RUNPATH)' || true)
[[ -z $found ]] || fail "what the jar carries names folders of this machine" "$found"

echo "symbols: $(grep -c ' [TVWBDR] ' <<<"$exports") exports and $(nm -D --undefined-only "$library" | wc -l) needs are right"
