// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.device.Ceilings;
import org.tweedie.device.OpTimes;
import org.tweedie.program.op.Cost;

/**
 * Where time goes, for people: a line for each network evaluation, then a line for each kind of op with its share, its rates of arithmetic and of memory, and
 * the higher of the two against what the device reaches at best.
 */
final class TimeTable {
    /** Kinds of op that are shown; the rest is one line. */
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

    /** @param ceilings null where they are not known: the last column stays empty then */
    static List<String> lines(OpTimes times, Ceilings ceilings) {
        List<String> lines = new ArrayList<>();
        double all = times.ops().stream().mapToDouble(o -> o.getValue().seconds()).sum();
        Map<String, Sum> programs = new HashMap<>();
        Map<Kind, Sum> kinds = new HashMap<>();
        times.ops().forEach(o -> {
            OpTimes.Op op = o.getKey();
            programs.computeIfAbsent(op.program(), p -> new Sum()).add(o.getValue(), op.cost());
            kinds.computeIfAbsent(new Kind(op.program(), op.op(), op.how()), k -> new Sum()).add(o.getValue(), op.cost());
        });
        lines.add(String.format(Locale.ROOT, "%-28s %7s %11s %11s %9s", "network evaluation", "runs", "total ms", "ms a run", "TFLOP/s"));
        times.runs().forEach(r -> lines.add(String.format(Locale.ROOT, "%-28s %7d %11.2f %11.3f %9.2f", r.getKey(), r.getValue().count(), r.getValue().seconds() * 1e3,
                r.getValue().seconds() * 1e3 / r.getValue().count(), programs.get(r.getKey()).flops / r.getValue().seconds() / 1e12)));
        lines.add("");
        lines.add(String.format(Locale.ROOT, "%-20s %-24s %-44s %7s %10s %6s %8s %8s %8s", "program", "op", "kernel or library", "times", "total ms", "share", "TFLOP/s",
                "GB/s", "of best"));
        List<Map.Entry<Kind, Sum>> sorted = new ArrayList<>(kinds.entrySet());
        sorted.sort((a, b) -> Double.compare(b.getValue().seconds, a.getValue().seconds));
        sorted.stream().limit(MOST).forEach(e -> lines.add(line(e.getKey(), e.getValue(), all, ceilings)));
        if (sorted.size() > MOST) {
            Sum rest = new Sum();
            sorted.stream().skip(MOST).forEach(e -> {
                rest.count += e.getValue().count;
                rest.seconds += e.getValue().seconds;
                rest.flops += e.getValue().flops;
                rest.bytes += e.getValue().bytes;
            });
            lines.add(line(new Kind("all", (sorted.size() - MOST) + " kinds more", ""), rest, all, ceilings));
        }
        lines.add("best: " + (ceilings == null ? "not measured on this device" : String.format(Locale.ROOT, "%.1f TFLOP/s and %.0f GB/s (%s)",
                ceilings.flopsPerSecond() / 1e12, ceilings.bytesPerSecond() / 1e9, ceilings.how())));
        return lines;
    }

    private static String line(Kind k, Sum s, double all, Ceilings c) {
        double flops = s.flops / s.seconds;
        double bytes = s.bytes / s.seconds;
        String best = c == null ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * Math.max(flops / c.flopsPerSecond(), bytes / c.bytesPerSecond()));
        return String.format(Locale.ROOT, "%-20s %-24s %-44s %7d %10.2f %4.1f %% %8.2f %8.1f %8s", cut(k.program, 20), cut(k.op, 24), cut(k.how, 44), s.count, s.seconds * 1e3,
                100 * s.seconds / all, flops / 1e12, bytes / 1e9, best).stripTrailing();
    }

    private static String cut(String s, int most) {
        return s.length() <= most ? s : s.substring(0, most - 1) + "…";
    }
}
