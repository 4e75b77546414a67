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
        function clock(key, dtype,   k) { k = key SUBSEP dtype; return k in device ? sprintf("%.2f", device[k]) : "not run" }
        # Ours beside PyTorch, whose times are by the clock of the card: so are ours where there are such.
        function beside(key) { return clock(key, "f16") == "not run" ? cell("tweedie", key, "graphs", "f16") : clock(key, "f16") }
        function by(key) { return clock(key, "f16") == "not run" ? "" : ", by the card\047s clock" }
        function lost(key,   t) { t = cell("tweedie", key, "graphs", "f16"); return t == "not run" || clock(key, "f16") == "not run" ? "not run" : sprintf("%.1f", 100 * (1 - device[key, "f16"] / ms["tweedie", key, "graphs", "f16"])) }
        function over(a, b) { return a == "not run" || b == "not run" ? "not run" : sprintf("%.2f", a / b) }
        function goal(name, got, sign, bound) {
            printf "  %-62s %10s   %s %-5s %s\n", name, got, sign == "<" ? "at most" : "at least", bound, got == "not run" ? "not measured" : ((sign == "<") == (got + 0 <= bound + 0)) || got + 0 == bound + 0 ? "reached" : "missed"
        }
        NR == 1 { next }
        $1 == "environment" && $2 == "machine" { printf "  %-34s %s%s\n", $3, $7, $11 == "ok" ? "" : "  (" $11 ")" }
        $8 == "ms" && $11 == "ok" { ms[$2, $3 ":" $4, $5, $6] = $7 }
        $8 == "device ms" && $11 == "ok" { device[$3 ":" $4, $6] = $7 }
        $1 != "environment" && $1 != "bench" && $1 != "peers" && $2 != "gpu-check" { other[++o] = sprintf("  %-10s %-8s %-22s %-6s %10s %-13s %s", $1, $2, $3, $6, $7 == "" ? "not run" : $7, $8, $11 == "ok" ? "" : $11) }
        $2 != "gpu-check" && $11 ~ /^failed/ { failed[++f] = "  " $1 ": " $2 " " $3 " " $4 " " $5 " " $6 ": " $11 }
        END {
            print ""
            for (i = 1; i <= o; i++) print other[i]
            print "\nmilliseconds, SD 1.5 at 512 px, random weights; device: the program alone, by the card\047s clock, as PyTorch\047s times are\n"
            printf "  %-14s %10s %10s %10s %11s %10s %10s %12s %12s %12s\n", "what:batch", "ours f16", "ours bf16", "device f16", "device bf16", "eager f16", "eager bf16", "compiled f16", "compiled bf16", "eager/ours"
            n = split(items, item, " ")
            for (i = 1; i <= n; i++) { k = item[i]
                printf "  %-14s %10s %10s %10s %11s %10s %10s %12s %12s %12s\n", k, cell("tweedie", k, "graphs", "f16"), cell("tweedie", k, "graphs", "bf16"), clock(k, "f16"), clock(k, "bf16"), cell("pytorch", k, "eager", "f16"),
                    cell("pytorch", k, "eager", "bf16"), least(k, "f16"), least(k, "bf16"), over(cell("pytorch", k, "eager", "f16"), beside(k)) }
            print "\ntargets (F16)\n"
            u = cell("tweedie", "unet:1", "graphs", "f16"); s = "inner-step:1"
            goal("guided UNet step, batch 2, ms", cell("tweedie", "unet:2", "graphs", "f16"), "<", 9.5)
            goal("UNet forward + VJP over forward", over(cell("tweedie", "unet-vjp:1", "graphs", "f16"), u), "<", 2.3)
            goal("decoder forward + VJP over forward", over(cell("tweedie", "decode-vjp:1", "graphs", "f16"), cell("tweedie", "decode:1", "graphs", "f16")), "<", 2.1)
            goal("STSL inner step: PyTorch eager over ours" by(s), over(cell("pytorch", s, "eager", "f16"), beside(s)), ">", 2)
            goal("STSL inner step: best compiled over ours" by(s), over(least(s, "f16"), beside(s)), ">", 1.3)
            goal("50 x 5 restoration at 512 px, s", restored == "" ? "not run" : restored, "<", 10)
            goal("guided UNet step, batch 2: host and copies, % of the time", lost("unet:2"), "<", 5)
            goal("STSL inner step: host and copies, % of the time", lost(s), "<", 5)
            print "  memory-bound kernels: ops.txt"
            if (f) print "\nfailed\n"
            for (i = 1; i <= f && i <= 12; i++) print failed[i]
            if (f > 12) print "  and " f - 12 " more, see results.csv"
            if (dry) print "\ndry run: nothing was launched, so nothing was measured"
        }
        $1 == "restore" && $8 == "s" && $2 == "tweedie" { restored = $7 }' "$out/results.csv"
}
