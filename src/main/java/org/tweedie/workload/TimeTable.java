// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.device.OpTimes;
import org.tweedie.program.op.Cost;

/**
 * A table that shows where time is spent: a line for each network evaluation, then a line for each kind of op with its share
 * of the time, its rates of arithmetic and of memory traffic, and the higher of the two as a fraction of the best rate of the
 * device.
 */
public final class TimeTable {
    /** The largest number of kinds of op that are shown; one line sums up the others. */
    private static final int MOST = 24;

    private record Kind(String program, String op, String how) {}

    private static final class Sum {
        long count;
        double seconds;
        double flops;
        double bytes;

        void add(OpTimes.Total t, Cost once) {
            count += t.count();
            seconds += t.seconds();
            flops += (double) once.flops() * t.count();
            bytes += (double) once.bytes() * t.count();
        }
    }

    private TimeTable() {}

    /** @param best the highest rates of the device, or null if they could not be measured */
    static List<String> lines(List<Map.Entry<OpTimes.Op, OpTimes.Total>> ops, List<Map.Entry<String, OpTimes.Total>> runs,
            Rates best) {
        List<String> lines = new ArrayList<>();
        double all = ops.stream().mapToDouble(o -> o.getValue().seconds()).sum();
        Map<String, Sum> programs = new HashMap<>();
        Map<Kind, Sum> kinds = new HashMap<>();
        ops.forEach(o -> {
            OpTimes.Op op = o.getKey();
            programs.computeIfAbsent(op.program(), p -> new Sum()).add(o.getValue(), op.cost());
            kinds.computeIfAbsent(new Kind(op.program(), op.op(), op.how()), k -> new Sum()).add(o.getValue(), op.cost());
        });
        lines.add(String.format(Locale.ROOT, "%-28s %7s %11s %11s %9s", "network evaluation", "runs", "total ms", "ms a run",
                "GFLOP/s"));
        runs.forEach(r -> lines.add(String.format(Locale.ROOT, "%-28s %7d %11.2f %11.3f %9.1f", r.getKey(), r.getValue().count(),
                r.getValue().seconds() * 1e3,
                r.getValue().seconds() * 1e3 / r.getValue().count(),
                programs.get(r.getKey()).flops / r.getValue().seconds() / 1e9)));
        lines.add("");
        lines.add(String.format(Locale.ROOT, "%-20s %-24s %-44s %7s %10s %6s %8s %8s %8s", "program", "op", "kernel or library",
                "times", "total ms", "share", "GFLOP/s",
                "GB/s", "of best"));
        List<Map.Entry<Kind, Sum>> sorted = new ArrayList<>(kinds.entrySet());
        sorted.sort((a, b) -> Double.compare(b.getValue().seconds, a.getValue().seconds));
        sorted.stream().limit(MOST).forEach(e -> lines.add(line(e.getKey(), e.getValue(), all, best)));
        if (sorted.size() > MOST) {
            Sum rest = new Sum();
            sorted.stream().skip(MOST).forEach(e -> {
                rest.count += e.getValue().count;
                rest.seconds += e.getValue().seconds;
                rest.flops += e.getValue().flops;
                rest.bytes += e.getValue().bytes;
            });
            lines.add(line(new Kind("all", (sorted.size() - MOST) + " kinds more", ""), rest, all, best));
        }
        if (best == null) {
            return lines;
        }
        lines.add(String.format(Locale.ROOT, "best, measured just now: %.1f GFLOP/s in products of %d x %d, %.1f GB/s in passes "
                + "over as many elements",
                best.flops() / 1e9, best.side(), best.side(), best.bytes() / 1e9));
        return lines;
    }

    private static String line(Kind k, Sum s, double all, Rates best) {
        double flops = s.flops / s.seconds;
        double bytes = s.bytes / s.seconds;
        String share = best == null ? "-"
                : String.format(Locale.ROOT, "%.0f %%", 100 * Math.max(flops / best.flops(), bytes / best.bytes()));
        return String.format(Locale.ROOT, "%-20s %-24s %-44s %7d %10.2f %4.1f %% %8.1f %8.1f %8s", cut(k.program, 20),
                cut(k.op, 24), cut(k.how, 44), s.count, s.seconds * 1e3,
                100 * s.seconds / all, flops / 1e9, bytes / 1e9, share);
    }

    private static String cut(String s, int most) {
        return s.length() <= most ? s : s.substring(0, most - 1) + "…";
    }
}
