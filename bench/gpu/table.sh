# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: results.csv and what is made of it.

results() {
    {
        echo part,who,what,batch,mode,dtype,value,unit,fastest,memory_mib,status
        cat "$rows"
    } > "$out/results.csv"
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; print "["; next }
        { s = ""; for (i = 1; i <= 11; i++) if ($i != "") {
                v = $i
                gsub(/\\/, "\\\\", v)
                if (v !~ /^-?[0-9]+(\.[0-9]+)?$/) v = "\"" v "\""
                s = s (s == "" ? "" : ", ") "\"" name[i] "\": " v
            }
            printf "%s  {%s}", (NR > 2 ? ",\n" : ""), s }
        END { print "\n]" }' "$out/results.csv" > "$out/results.json"
}

# What is printed at the end.
table() {
    awk -F, -v items="${TIMED[*]}" -v dry="$dry" '
        function cell(who, key, mode, dtype,   k) { k = who SUBSEP key SUBSEP mode SUBSEP dtype; return k in ms ? sprintf("%.2f", ms[k]) : "not run" }
        function least(key, dtype,   best, n, m, k) {
            n = split("reduce-overhead max-autotune-no-cudagraphs", m, " "); best = ""
            for (k = 1; k <= n; k++) if (("pytorch" SUBSEP key SUBSEP m[k] SUBSEP dtype) in ms && (best == "" || ms["pytorch", key, m[k], dtype] < best)) best = ms["pytorch", key, m[k], dtype]
            return best == "" ? "not run" : sprintf("%.2f", best)
        }
        function over(a, b) { return a == "not run" || b == "not run" ? "not run" : sprintf("%.2f", a / b) }
        function goal(name, got, sign, bound) {
            printf "  %-44s %10s   %s %-5s %s\n", name, got, sign == "<" ? "at most" : "at least", bound, got == "not run" ? "not measured" : ((sign == "<") == (got + 0 <= bound + 0)) || got + 0 == bound + 0 ? "reached" : "missed"
        }
        NR == 1 { next }
        $1 == "environment" && $2 == "machine" { printf "  %-34s %s%s\n", $3, $7, $11 == "ok" ? "" : "  (" $11 ")" }
        $8 == "ms" && $11 == "ok" { ms[$2, $3 ":" $4, $5, $6] = $7 }
        $1 != "environment" && $1 != "bench" && $1 != "peers" && $2 != "gpu-check" { other[++o] = sprintf("  %-10s %-8s %-22s %-6s %10s %-13s %s", $1, $2, $3, $6, $7 == "" ? "not run" : $7, $8, $11 == "ok" ? "" : $11) }
        $2 != "gpu-check" && $11 ~ /^failed/ { failed[++f] = "  " $1 ": " $2 " " $3 " " $4 " " $5 " " $6 ": " $11 }
        END {
            print ""
            for (i = 1; i <= o; i++) print other[i]
            print "\nmilliseconds, SD 1.5 at 512 px, random weights\n"
            printf "  %-14s %10s %10s %10s %10s %12s %12s %12s\n", "what:batch", "ours f16", "ours bf16", "eager f16", "eager bf16", "compiled f16", "compiled bf16", "eager/ours"
            n = split(items, item, " ")
            for (i = 1; i <= n; i++) { k = item[i]
                printf "  %-14s %10s %10s %10s %10s %12s %12s %12s\n", k, cell("tweedie", k, "graphs", "f16"), cell("tweedie", k, "graphs", "bf16"), cell("pytorch", k, "eager", "f16"),
                    cell("pytorch", k, "eager", "bf16"), least(k, "f16"), least(k, "bf16"), over(cell("pytorch", k, "eager", "f16"), cell("tweedie", k, "graphs", "f16")) }
            print "\ntargets (F16)\n"
            u = cell("tweedie", "unet:1", "graphs", "f16"); s = cell("tweedie", "inner-step:1", "graphs", "f16")
            goal("guided UNet step, batch 2, ms", cell("tweedie", "unet:2", "graphs", "f16"), "<", 9.5)
            goal("UNet forward + VJP over forward", over(cell("tweedie", "unet-vjp:1", "graphs", "f16"), u), "<", 2.3)
            goal("decoder forward + VJP over forward", over(cell("tweedie", "decode-vjp:1", "graphs", "f16"), cell("tweedie", "decode:1", "graphs", "f16")), "<", 2.1)
            goal("STSL inner step: PyTorch eager over ours", over(cell("pytorch", "inner-step:1", "eager", "f16"), s), ">", 2)
            goal("STSL inner step: best compiled over ours", over(least("inner-step:1", "f16"), s), ">", 1.3)
            goal("50 x 5 restoration at 512 px, s", restored == "" ? "not run" : restored, "<", 10)
            print "  memory-bound kernels, launch overhead: ops.txt"
            if (f) print "\nfailed\n"
            for (i = 1; i <= f && i <= 12; i++) print failed[i]
            if (f > 12) print "  and " f - 12 " more, see results.csv"
            if (dry) print "\ndry run: nothing was launched, so nothing was measured"
        }
        $1 == "restore" && $8 == "s" && $2 == "tweedie" { restored = $7 }' "$out/results.csv"
}
