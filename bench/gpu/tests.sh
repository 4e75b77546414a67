# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: the parts suite and sanitizer, which run tests.

# discover or execute tests: $1 seconds, then the console's words
junit() {
    local s=$1
    shift
    (cd "$home" && bounded "$s" "${before[@]}" "$java" "${flags[@]}" -Xmx8g -Dtweedie.device=cuda -cp "$classpath:$console" \
        org.junit.platform.console.ConsoleLauncher "$@" --disable-banner --disable-ansi-colors)
}
before=() # a tool that the tests run under

found() { grep -c '[A-Za-z0-9_](.*)' "$work/last"; } # methods: how many cases a parameterized one has is known when it runs

# The class whose tests run on a real card, and only where -Dtweedie.device=cuda asks for it.
selected=()
selection() { selected=(--scan-class-path "$tests" --include-classname '.*[.]CardTest'); }

# Each kernel of ours by itself, on a card where that property asks for it, else on the PTX machine.
kernels() { selected=(--scan-class-path "$tests" --include-tag kernels); }

no_tests() {
    no_java && return
    [[ -r $console ]] || { echo "no junit-platform-console-standalone.jar: give --pack"; return; }
    return 1
}

tested() { # part, what, exit code of the console
    local good bad
    good=$(sed -n 's/^\[ *\([0-9]*\) tests successful *\]$/\1/p' "$work/last")
    bad=$(sed -n 's/^\[ *\([0-9]*\) tests failed *\]$/\1/p' "$work/last")
    if (($3 == 0 && ${good:-0} > 0)); then
        row "$1" tweedie "$2" '' '' '' "$good" 'tests passed' '' '' ok
    else
        row "$1" tweedie "$2" '' '' '' "${good:-0}" 'tests passed' '' '' "$(
            if ((${bad:-0} > 0)); then
                echo "failed: $bad tests, see log.txt"
            elif grep -q '^ *=> ' "$work/last"; then # before the first test
                echo "failed: $(sed -n 's/^ *=> //p' "$work/last" | head -n 1 | cut -c 1-200)"
            else
                why "$3"
            fi
        )"
    fi
}

suite() {
    local reason code
    if reason=$(no_tests); then
        row suite tweedie 'device tests' '' '' '' '' '' '' '' "not run: $reason"
        return
    fi
    selection
    if [[ -n $dry ]]; then
        junit 60 discover "${selected[@]}" --details=tree
        reason=$(found)
        row suite tweedie 'device tests' '' '' '' "$reason" 'test methods' '' '' "$( ((${reason:-0} > 0)) && echo 'not run: dry run' || echo 'failed: CardTest is not in the pack')"
        kernels
        junit 60 discover "${selected[@]}" --details=tree
        reason=$(found)
        row suite tweedie 'kernel tests' '' '' '' "$reason" 'test methods' '' '' "$( ((${reason:-0} > 0)) && echo 'not run: dry run' || echo 'failed: no kernel tests are in the pack')"
        junit 60 discover --scan-class-path "$tests" --details=tree
        code=$?
        reason=$(found)
        row suite tweedie 'all tests of the pack' '' '' '' "$reason" 'test methods' '' '' "$( ((${reason:-0} > 0)) && echo 'not run: dry run' || why $code)"
        return
    fi
    local end=$((SECONDS + $1))
    junit $(($1 * 2 / 3)) execute "${selected[@]}" --details=summary
    code=$?
    tested suite 'device tests' $code
    kernels
    junit $((end - SECONDS)) execute "${selected[@]}" --details=summary
    code=$?
    tested suite 'kernel tests' $code
}

sanitizer() {
    local tool reason='' code n
    command -v compute-sanitizer > /dev/null || reason="compute-sanitizer is not there"
    [[ -n $reason ]] || reason=$(no_tests) || reason=
    [[ -z $dry ]] || reason="dry run${reason:+; $reason}"
    for tool in memcheck racecheck; do
        if [[ -n $reason ]]; then
            row sanitizer tweedie "$tool" '' '' '' '' '' '' '' "not run: $reason"
            continue
        fi
        kernels
        before=(compute-sanitizer --tool "$tool" --target-processes all --error-exitcode 86 --print-limit 20)
        [[ $tool == racecheck ]] || before+=(--report-api-errors no) # libraries ask the driver for functions that it need not have
        junit $(($1 / 2)) execute "${selected[@]}" --details=summary
        code=$?
        before=()
        n=$(sed -n 's/.*\(ERROR\|RACECHECK\) SUMMARY: \([0-9]*\).*/\2/p' "$work/last" "$work/last.err" | tail -n 1)
        if [[ -n $n ]]; then
            row sanitizer tweedie "$tool" '' '' '' "$n" findings '' '' "$( ((n == 0 && code == 0)) && echo ok || echo "failed ($code): see log.txt")"
        else
            row sanitizer tweedie "$tool" '' '' '' '' '' '' '' "$(why $code)"
        fi
    done
}
