# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: the parts suite and sanitizer, which run tests.

ON_CARD=(--include-classname '.*[.]CardTest') # the class that opens the cuda device; a JVM for each of its methods
KERNELS=(--include-tag kernels)               # our kernels by themselves, on the card where tweedie.device says so; a JVM for each class
SANITIZED=(--include-tag sanitized)           # a method or two of each of those classes, of few and small cases
SIDE_BY_SIDE=4                                # JVMs with kernels, which are not timed
before=()                                     # a tool that the tests run under

# seconds, then the console's words
junit() {
    local s=$1
    shift
    (cd "$home" && bounded "$s" "${before[@]}" "$java" "${flags[@]}" -Xmx8g -Dtweedie.device=cuda -cp "$classpath:$console" \
        org.junit.platform.console.ConsoleLauncher "$@" --scan-class-path "$tests" --disable-banner --disable-ansi-colors)
}

discover() { junit 60 discover "$@" --details=tree --details-theme=ascii; }

execute() { # seconds, which; each case says when it starts and how it ended
    local s=$1
    shift
    junit "$s" execute "$@" --details=testfeed
}

classes() { grep -o '[A-Za-z0-9_]*Test$' "$work/last"; }

methods() { sed -n 's/.*[^A-Za-z0-9_]\([A-Za-z0-9_]*\)(.*).*/\1/p' "$work/last"; } # how many cases one has is known when it runs

no_tests() {
    no_java && return
    [[ -r $console ]] || { echo "no junit-platform-console-standalone.jar: give --pack"; return; }
    return 1
}

# Cases as they were told, by what became of them: STARTED, SUCCESSFUL, FAILED
cases() { sed -n "s/^JUnit Jupiter > \(.*\) :: $1\$/\1/p" "$work/last"; }

# What went wrong, in one line: after a fault of the card all that follows in that JVM fails, so only the first case says something. $1 is the exit code
wrong() {
    local bad first reason last
    bad=$(cases FAILED | wc -l)
    last=$(cases STARTED | tail -n 1)
    if ((bad > 0)); then
        first=$(cases FAILED | head -n 1)
        reason=$(sed -n '/ :: FAILED$/{n;s/^[[:space:]]*//p;q}' "$work/last")
        echo "failed: $bad tests, first ${first:0:120}: ${reason:0:200}"
    else
        echo "$(why "$1")${last:+; after $(cases SUCCESSFUL | wc -l) cases, the last begun ${last:0:120}}"
    fi
}

tested() { # part, what, exit code of the console
    local good status=ok
    good=$(cases SUCCESSFUL | wc -l)
    (($3 == 0 && good > 0)) || status=$(wrong "$3")
    row "$1" tweedie "$2" '' '' '' "$good" 'tests passed' '' '' "$status"
}

suite() {
    local reason end=$((SECONDS + $1)) all each n=0
    if reason=$(no_tests); then
        row suite tweedie 'device tests' '' '' '' '' '' '' '' "not run: $reason"
        return
    fi
    if [[ -n $dry ]]; then
        listed 'device tests' "${ON_CARD[@]}"
        listed 'kernel tests' "${KERNELS[@]}"
        listed 'of these sanitized' "${SANITIZED[@]}"
        listed 'all tests of the pack'
        return
    fi
    discover "${ON_CARD[@]}"
    all=$(methods)
    [[ -n $all ]] || row suite tweedie 'device tests' '' '' '' '' '' '' '' "failed: no CardTest among the tests"
    for each in $all; do
        execute $(((end - SECONDS) / 2)) "${ON_CARD[@]}" --include-methodname ".*#$each"
        tested suite "CardTest: $each" $?
    done
    discover "${KERNELS[@]}"
    all=$(classes)
    [[ -n $all ]] || row suite tweedie 'kernel tests' '' '' '' '' '' '' '' "failed: no kernel tests among the tests"
    for each in $all; do
        ( # with files of its own for what it says
            work=$work/$each
            mkdir -p "$work"
            execute $((end - SECONDS)) "${KERNELS[@]}" --include-classname ".*[.]$each"
            tested suite "kernels: $each" $?
        ) &
        ((++n % SIDE_BY_SIDE)) || wait
    done
    wait
}

listed() { # what, which
    local n code
    discover "${@:2}"
    code=$?
    n=$(methods | wc -l)
    row suite tweedie "$1" '' '' '' "$n" 'test methods' '' '' "$( ((code != 0)) && why $code || { ((n > 0)) && echo 'not run: dry run' || echo "failed: no $1 in the pack"; })"
}

sanitizer() {
    local tool reason='' code n tools=2 end=$((SECONDS + $1))
    command -v compute-sanitizer > /dev/null || reason="compute-sanitizer is not there"
    [[ -n $reason ]] || reason=$(no_tests) || reason=
    [[ -z $dry ]] || reason="dry run${reason:+; $reason}"
    for tool in memcheck racecheck; do
        if [[ -n $reason ]]; then
            row sanitizer tweedie "$tool" '' '' '' '' '' '' '' "not run: $reason"
            continue
        fi
        before=(compute-sanitizer --tool "$tool" --target-processes all --error-exitcode 86 --print-limit 20)
        [[ $tool == racecheck ]] || before+=(--report-api-errors no) # libraries ask the driver for functions that it need not have
        execute $(((end - SECONDS) / tools)) "${SANITIZED[@]}"
        code=$?
        before=() tools=1
        n=$(sed -n 's/.*\(ERROR\|RACECHECK\) SUMMARY: \([0-9]*\).*/\2/p' "$work/last" "$work/last.err" | tail -n 1)
        if [[ -n $n ]]; then
            row sanitizer tweedie "$tool" '' '' '' "$n" findings '' '' "$( ((n == 0 && code == 0)) && echo ok || { ((n > 0)) && echo "failed ($code): see log.txt" || wrong $code; })"
        else
            row sanitizer tweedie "$tool" '' '' '' '' '' '' '' "$(wrong $code)"
        fi
    done
}
