# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: PyTorch's times.

# PyTorch's times: part seconds dtypes modes what compiled
peers_run() {
    local reason='' d m w end=$((SECONDS + $2))
    if ! command -v python3 > /dev/null; then
        reason='no python3'
    elif ! python3 -c 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]' "$here"/peers/*.py 2>> "$log"; then
        reason='the scripts cannot be parsed, see log.txt'
    elif [[ -n $dry ]]; then
        reason='dry run; the scripts were parsed'
    elif ! torch 40 > /dev/null; then
        reason=$(< "$work/no-torch")
    fi
    if [[ -z $reason ]]; then
        export TORCHINDUCTOR_CACHE_DIR=$work/inductor TRITON_CACHE_DIR=$work/triton
        bounded $((end - SECONDS)) env LD_LIBRARY_PATH="$user_path" python3 "$here/peers/pytorch_gpu.py" --seconds $((end - SECONDS - 8)) --dtypes "$3" --modes "$4" --what "$5" --compiled "$6" --autotuned "$(joined "${AUTOTUNED[@]}")"
        m=$?
        ((m == 0)) || reason=$(why $m)
        grep '^{' "$work/last" | tee -a "$lines" | rows_of "$1" pytorch
    fi
    for m in ${4//,/ }; do
        case $m in
            eager) w=${5//,/ } ;;
            max-autotune*) w=${AUTOTUNED[*]} ;;
            *) w=${6//,/ } ;;
        esac
        for w in $w; do
            for d in ${3//,/ }; do
                grep -q "^$1,pytorch,${w%:*},${w#*:},$m,$d," "$rows" || row "$1" pytorch "${w%:*}" "${w#*:}" "$m" "$d" '' '' '' '' "not run: ${reason:-nothing was said}"
            done
        done
    done
}

peers() {
    peers_run peers "$1" "$(joined "${DTYPES[@]}")" "eager,$(joined "${MODES[@]}")" "$(joined "${TIMED[@]}")" "$(joined "${COMPILED[@]}")"
}
