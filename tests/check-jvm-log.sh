#!/usr/bin/env bash
# Fails where a JVM that ran tests complained: of JNI calls (-Xcheck:jni), or of what newer JDKs warn of.
#
#   check-jvm-log.sh TARGET_FOLDER
set -euo pipefail
shopt -s nullglob

failed=0
# A complaint is followed by the Java frames it came from, the native method first. Where that is none of ours, it is
# JavaCPP's, which we cannot mend.
for log in "$1"/jvm-logs/*.log; do
  complaints=$(awk '
    function flush() { if (ours || fatal) printf "%s", block; block = ""; ours = 0; fatal = 0; frames = 0 }
    /WARNING in native method|FATAL ERROR in native method|WARNING: JNI local refs/ {
      flush(); block = $0 "\n"; fatal = /FATAL/; next }
    block != "" && /^[ \t]+(at|- )/ {
      if (frames++ == 0) ours = /org[.\/]pregrad/
      block = block $0 "\n"; next }
    { flush() }
    END { flush() }' "$log")
  if [[ -n $complaints ]]; then
    printf 'check-jvm-log.sh: %s has complaints of JNI calls:\n%s\n' "$log" "$complaints" >&2
    failed=1
  fi
done
# The JVM's warnings at run time: native access, Unsafe, dynamic agents.
for output in "$1"/surefire-reports-modern/*-output.txt "$1"/surefire-reports-modern/*.dumpstream; do
  if grep -H -E 'WARNING: (A restricted method|A terminally deprecated|Use --enable-native-access|java\.lang\.System::load|sun\.misc\.Unsafe)' "$output" >&2; then
    failed=1
  fi
done
exit "$failed"
