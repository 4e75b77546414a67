# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: the part environment.

fact() { row environment machine "$1" '' '' '' "$2" '' '' '' "${3:-ok}"; }

environment() {
    local s reason end=$((SECONDS + $1))
    fact processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) threads"
    fact system "$(uname -sr)"
    [[ -n $pack ]] && fact pack "$(head -n 1 "$pack/VERSION")"
    if command -v nvidia-smi > /dev/null && bounded 10 nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap,power.limit,clocks.max.sm,clocks.max.mem --format=csv,noheader; then
        fact card "$(head -n 1 "$work/last")"
    else
        fact card none "$([[ -n $dry ]] && echo 'dry run: no card is needed' || echo 'failed: nvidia-smi finds no card')"
    fi
    fact cublas "${cublas:-not found}${forwarded:+ through the forwarder in $forwarded}"
    fact cudnn "${cudnn:-not found}"
    fact nvrtc "${nvrtc:-not found}"
    command -v nvcc > /dev/null && fact nvcc "$(nvcc --version | sed -n 's/.*release //p')"
    fact compute-sanitizer "$(command -v compute-sanitizer || echo 'not found')"
    fact 'python, torch, its CUDA and cuDNN' "$(torch $(($1 * 3 / 4)) || cat "$work/no-torch")"
    if reason=$(no_java); then
        fact java none "not run: $reason"
        return
    fi
    "$java" -version > "$work/version" 2>&1
    fact java "$(sed -n 's/.* version "\(.*\)".*/\1/p' "$work/version")"
    bounded $((end - SECONDS)) "$java" "${flags[@]}" -jar "$jars/tweedie.jar" doctor
    s=$?
    ((s == 0)) || fact doctor '' "$(why $s)"
    while read -r s; do
        fact 'doctor' "$s"
    done < <(grep -E '^(NVIDIA driver|cuBLAS|cuDNN|NVRTC|device cuda|cuda)' "$work/last" | tr -s ' ' | cut -c 1-150)
}
