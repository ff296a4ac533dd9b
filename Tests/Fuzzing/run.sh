#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds: 10, or $1. What they find stays in findings/.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-10}
scratch=${FJORD_FUZZ_SCRATCH:-${TMPDIR:-/tmp}/fjord-fuzzing}
swift build -c release --scratch-path "$scratch"
for target in FuzzChecksum FuzzSegmenter FuzzCoalescer; do
    echo "$target, $seconds s"
    mkdir -p "$scratch/corpus/$target" findings
    SWIFT_BACKTRACE=enable=no "$scratch/release/$target" -max_total_time="$seconds" -max_len=4096 -timeout=20 -print_final_stats=1 \
        -artifact_prefix=findings/ "$scratch/corpus/$target" 2>"$scratch/$target.log" ||
        { tail -40 "$scratch/$target.log"; exit 1; }
    grep -E "number_of_executed_units|peak_rss" "$scratch/$target.log"
done
rmdir findings 2>/dev/null || true
