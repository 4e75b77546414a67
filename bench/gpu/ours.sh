# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: the parts that time Tweedie.

# Our times of a list of things, in one JVM; when one fails the rest go on in another. part seconds dtype repeat WHAT...
ours() {
    local part=$1 end=$((SECONDS + $2)) dtype=$3 repeat=$4 reason='' code n s
    shift 4
    local todo=("$@")
    if reason=$(no_java); then :; elif [[ -n $dry ]]; then reason='dry run'; fi
    while ((${#todo[@]})) && [[ -z $reason ]]; do
        bounded $((end - SECONDS)) "$java" "${flags[@]}" -jar "$jars/tweedie.jar" profile --model "$home/bench/sd15:random" --height 64 --width 64 --device cuda \
            --dtype "$dtype" --graphs on --repeat "$repeat" --what "$(joined "${todo[@]}")" "${more[@]}"
        code=$?
        grep '^{' "$work/last" | tee -a "$lines" | ROW_MODE=graphs rows_of "$part" tweedie
        n=$(grep -c '^{' "$work/last")
        todo=("${todo[@]:n}")
        ((code != 0 && ${#todo[@]} > 0)) || break
        reason=$(why $code)
        [[ $reason != 'time limit' && $n != 0 ]] || [[ $reason != 'time limit' && ${#todo[@]} -gt 1 ]] || break
        row "$part" tweedie "${todo[0]%:*}" "${todo[0]#*:}" graphs "$dtype" '' '' '' '' "$reason"
        todo=("${todo[@]:1}") reason=
    done
    for n in "${todo[@]}"; do
        s=$reason
        [[ $reason == failed* ]] || s="not run: ${reason:-nothing was said}" # a failure of the last one is a failure
        row "$part" tweedie "${n%:*}" "${n#*:}" graphs "$dtype" '' '' '' '' "$s"
    done
}
more=()

ceilings() {
    local d reason end=$((SECONDS + $1))
    for d in "${DTYPES[@]}"; do
        ours ceilings $(((end - SECONDS) / 2)) "$d" 10 gemm:8192 $([[ $d == f16 ]] && echo copy:16384)
    done
    peers_run ceilings $((end - SECONDS)) "$(joined "${DTYPES[@]}")" eager copy:2048,gemm:8192 ''
}

# Engines for all programs of `bench`, which then only has them made again: the first time cuDNN finishes several candidates for each call and they are tried,
# some of them compiled. What was chosen when the time is up stays stored; whatever comes next chooses the rest.
choose() {
    local d n status begin end=$((SECONDS + $1))
    for d in "${DTYPES[@]}"; do
        begin=$SECONDS status=ok
        : > "$work/choose.csv"
        (rows=$work/choose.csv lines=/dev/null; ours choose $(((end - SECONDS) * ($([[ $d == f16 ]] && echo 60 || echo 100)) / 100)) "$d" 1 "${TIMED[@]}")
        n=$(grep -c ',ms,.*,ok$' "$work/choose.csv")
        ((n == ${#TIMED[@]})) || status=$(awk -F, '$11 != "ok" { print $11 "; at " $3 ":" $4; exit }' "$work/choose.csv")
        row choose tweedie "$n of ${#TIMED[@]} programs" '' '' "$d" "$([[ -n $dry ]] || echo $((SECONDS - begin)))" s '' '' "$status"
    done
}

demo() {
    local reason code
    if reason=$(no_java); then
        :
    elif [[ -n $dry ]]; then
        bounded "$1" "$java" "${flags[@]}" -jar "$jars/tweedie.jar" inspect "$home/weights-tools/demo-model"
        code=$?
        reason="dry run; the demo model $( ((code == 0)) && echo 'was read' || why $code)"
    fi
    if [[ -n $reason ]]; then
        row demo tweedie demo '' '' '' '' '' '' '' "not run: $reason"
        return
    fi
    bounded "$1" "$java" "${flags[@]}" -jar "$jars/tweedie.jar" demo --device cuda -o "$work/demo"
    code=$?
    ((code == 0)) && row demo tweedie demo '' '' '' "$(sed -n 's/.* seconds=\([0-9.]*\).*/\1/p' "$work/last")" s '' '' ok &&
        row demo tweedie 'demo: PSNR' '' '' '' "$(sed -n 's/^restored *\([0-9.]*\) dB.*/\1/p' "$work/last")" dB '' '' ok && return
    row demo tweedie demo '' '' '' '' '' '' '' "$(why $code)"
}

bench() {
    local d end=$((SECONDS + $1)) reason code
    for d in "${DTYPES[@]}"; do
        ours bench $(((end - SECONDS) * ($([[ $d == f16 ]] && echo 45 || echo 65)) / 100)) "$d" 20 "${TIMED[@]}"
    done
    if [[ -n $dry ]]; then # the host's part: networks traced, derived and lowered, launches and bytes counted
        if no_java > /dev/null; then return; fi
        bounded 120 "$java" "${flags[@]}" -jar "$jars/tweedie.jar" profile --model "$home/bench/sd15:random" --height 64 --width 64 --dtype f16 --repeat 0 \
            --what "$(joined "${TIMED[@]}")"
        code=$?
        grep '^{' "$work/last" >> "$lines"
        row bench tweedie 'lowered without a card' '' '' f16 "$(grep -c '^{' "$work/last")" programs '' '' "$( ((code == 0)) && echo ok || why $code)"
        return
    fi
    # where the time goes, op by op
    if reason=$(no_java); then
        reason="not run: $reason"
    elif bounded $((end - SECONDS)) "$java" "${flags[@]}" -jar "$jars/tweedie.jar" profile --model "$home/bench/sd15:random" --height 64 \
        --width 64 --device cuda --dtype f16 --repeat 5 --what unet-vjp:1,decode-vjp:1 --time; then
        cp "$work/last.err" "$out/ops.txt"
        return
    else
        reason=$(why $?)
    fi
    row bench tweedie 'op by op' '' '' f16 '' '' '' '' "$reason"
}

restore() {
    more=(--steps 50 --inner 5 --task inpaint:random:0.5)
    ours restore "$1" f16 1 restore:1
    more=()
}
