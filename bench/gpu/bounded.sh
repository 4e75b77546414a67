# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: commands under a time limit, and why they failed.

joined() { local IFS=,; echo "$*"; }

left() { echo $((deadline - SECONDS)); }

# bounded SECONDS COMMAND...: output to the log and to $work/last; the exit code, 124 past the limit
bounded() {
    local s=$1
    shift
    ((s >= 1)) || { echo 'no time left' > "$work/last"; return 124; }
    printf '\n$ %s\n' "$*" >> "$log"
    timeout --kill-after=5 "$s" "$@" > "$work/last" 2> "$work/last.err" < /dev/null
    local code=$?
    cat "$work/last" "$work/last.err" >> "$log"
    return $code
}

why() { # of a command that failed with a code, in one line
    if (($1 == 124 || $1 == 137)); then
        echo "time limit"
    else
        local s
        s=$(grep -v '^WARNING' "$work/last.err" | grep . | tail -n 1)
        echo "failed ($1): ${s:0:200}"
    fi
}
