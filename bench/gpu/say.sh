# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: what is said while it runs, and a row for each result. They go to $rows and $log.

note() { printf 'gpu-check: %s\n' "$*" | tee -a "$log" >&2; }

# part, who, what, batch, mode, dtype, value, unit, fastest, memory in MiB, status; commas within a field become semicolons
row() {
    local f s=''
    for f in "$@"; do
        f=${f//,/;}
        s+=,${f//\"/\'}
    done
    echo "${s:1}" >> "$rows"
}

# A JSON object a line to rows. Only flat keys of known names are read, so no JSON parser is needed.
rows_of() {
    awk -v part="$1" -v who="$2" '
        function text(k,   s) { if (match($0, "\"" k "\": ?\"[^\"]*\"")) { s = substr($0, RSTART, RLENGTH); sub(/^"[^"]*": ?"/, "", s); sub(/"$/, "", s); gsub(/,/, ";", s); return s } return "" }
        function number(k,   s) { if (match($0, "\"" k "\": ?-?[0-9][0-9.eE+-]*")) { s = substr($0, RSTART, RLENGTH); sub(/^"[^"]*": ?/, "", s); return s + 0 } return "" }
        function mib(b) { return b == "" ? "" : sprintf("%.0f", b / 1048576) }
        {
            what = text("what"); batch = number("batch"); mode = text("mode"); status = text("status") == "" ? "ok" : text("status")
            if (mode == "") mode = ENVIRON["ROW_MODE"]
            head = part "," who "," what "," batch "," mode "," text("dtype") ","
            s = number("median_s"); bytes = number("device_bytes"); if (bytes == "") bytes = number("peak_bytes")
            if (status != "ok") print head ",,,," status
            else if (what == "copy" && who == "pytorch") printf "%s%.3f,TB/s,,,ok\n", head, 2 * batch * 1048576 / s / 1e12
            else if (what == "gemm" && who == "pytorch") printf "%s%.1f,TFLOP/s,,,ok\n", head, 2 * batch * batch * batch / s / 1e12
            else if (what == "copy") printf "%s%.3f,TB/s,,,ok\n", head, number("bytes_per_s") / 1e12
            else if (what == "gemm") printf "%s%.1f,TFLOP/s,,,ok\n", head, number("flops_per_s") / 1e12
            else if (what == "restore") printf "%s%.2f,s,,,ok\n", head, number("seconds")
            else {
                printf "%s%.3f,ms,%.3f,%s,ok\n", head, s * 1e3, number("fastest_s") * 1e3, mib(bytes)
                if (number("device_s") != "") printf "%s%.3f,device ms,,,ok\n", head, number("device_s") * 1e3
            }
        }' >> "$rows"
}
