// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/**
 * Computes values twice instead of keeping them (Chen et al. 2016, arXiv 1604.06174). At one instruction of a program, usually
 * the one at which most memory is in use, some values wait for a later reader; in a program with a pull-back these are the
 * values that the forward part saved. {@link #drop} lets those wait no longer that a block made: what reads them later reads
 * copies, which are computed again right before the first such reader. The same ops run on the same operands, so the results are
 * the same bytes.
 *
 * <p>Do not apply {@link Simplify} to the result: it would find that the values are computed twice.
 */
public final class Recompute {
    /** The largest number of neighbouring blocks that are dropped as one. */
    private static final int MOST_BLOCKS = 32;

    /**
     * Neighbouring instructions whose saved values may be dropped.
     *
     * @param from the first instruction
     * @param to the instruction behind the last
     * @param freed bytes less in use at the instruction that was asked about
     * @param flops floating-point operations that computing the values again takes
     */
    public record Offer(int from, int to, long freed, long flops) {
        /** Bytes freed for an operation; values that only have to be moved again come first. */
        double worth() {
            return freed / (flops + 1.0);
        }
    }

    private final Program program;
    private final int at;
    private final ToLongFunction<Value> size;
    private final int[] maker; // the instruction that makes each value; -1 for inputs and constants
    private final int[] root; // the value that a reshape shares its memory with
    private final int[] last; // the last instruction that reads each value; past the end for outputs
    private final int[] lastOfRoot; // the same for all values that share memory
    private final boolean[] constant;
    private final int[] waitingOfRoot; // how many of the values that share memory wait here for a later reader
    private final long[] flops;

    /**
     * Looks at a program at one of its instructions.
     *
     * @param size the bytes of a value
     */
    public Recompute(Program program, int at, ToLongFunction<Value> size) {
        this.program = program;
        this.at = at;
        this.size = size;
        int n = program.values();
        maker = new int[n];
        root = new int[n];
        last = new int[n];
        lastOfRoot = new int[n];
        constant = new boolean[n];
        waitingOfRoot = new int[n];
        flops = program.body().stream().mapToLong(i -> i.cost().flops()).toArray();
        Arrays.fill(maker, -1);
        Arrays.setAll(root, v -> v);
        program.constants().forEach(c -> constant[c.value().id()] = true);
        List<Instr> body = program.body();
        for (int k = 0; k < body.size(); k++) {
            Instr i = body.get(k);
            for (Value v : i.in()) {
                last[v.id()] = k;
            }
            for (Value v : i.out()) {
                maker[v.id()] = k;
            }
            if (i.op() instanceof Reshape) {
                root[i.result().id()] = root[i.in().getFirst().id()];
                constant[i.result().id()] = constant[i.in().getFirst().id()];
            }
        }
        program.outputs().forEach(o -> last[o.value().id()] = body.size());
        for (int v = 0; v < n; v++) {
            lastOfRoot[root[v]] = Math.max(lastOfRoot[root[v]], last[v]);
            waitingOfRoot[root[v]] += last[v] > at && maker[v] <= at ? 1 : 0;
        }
    }

    /**
     * The offers, the one first that frees most bytes for an operation: each block, and each 2, 4, 8, ... neighbouring blocks.
     *
     * @param least the bytes that an offer must free at least
     */
    public List<Offer> offers(long least) {
        List<Offer> offers = new ArrayList<>();
        List<Integer> starts = starts();
        for (int together = 1; together <= MOST_BLOCKS; together *= 2) {
            for (int b = 0; b + 1 < starts.size(); b += together) {
                Offer o = offer(starts.get(b), starts.get(Math.min(b + together, starts.size() - 1)));
                if (o.freed > 0 && o.freed >= least) {
                    offers.add(o);
                }
            }
        }
        offers.sort(Comparator.comparingDouble(o -> -o.worth()));
        return offers;
    }

    /**
     * The first instructions of the blocks before this place, and the end of the last. An instruction without a name belongs to
     * the block before it, unless it only moves values, as the concatenation at the start of a block does.
     */
    private List<Integer> starts() {
        List<Integer> starts = new ArrayList<>(List.of(0));
        String block = "";
        int moves = -1; // where the nameless moves right before an instruction begin
        for (int k = 0; k <= at; k++) {
            Instr i = program.body().get(k);
            if (i.where().isEmpty()) {
                moves = !isMove(i.op()) ? -1 : moves < 0 ? k : moves;
                continue;
            }
            if (!i.block(2).equals(block)) {
                block = i.block(2);
                int start = moves < 0 ? k : moves;
                if (start > starts.getLast()) {
                    starts.add(start);
                }
            }
            moves = -1;
        }
        if (at > starts.getLast()) {
            starts.add(at);
        }
        return starts;
    }

    private static boolean isMove(Op op) {
        return op instanceof Concat || op instanceof Upsample || op instanceof Reshape || op instanceof Broadcast
                || op instanceof Pad || op instanceof Slice || op instanceof Transpose;
    }

    private boolean within(Value v, int from, int to) {
        return maker[v.id()] >= from && maker[v.id()] < to;
    }

    /** The values that these instructions make and that wait here for a later reader. An output waits for the end of the run. */
    private Set<Value> waiting(int from, int to) {
        Set<Value> waiting = new HashSet<>();
        for (Instr i : program.body().subList(from, to)) {
            for (Value v : i.out()) {
                if (last[v.id()] > at && lastOfRoot[root[v.id()]] < program.body().size() && !constant[v.id()]) {
                    waiting.add(v);
                }
            }
        }
        return waiting;
    }

    private Offer offer(int from, int to) {
        Set<Value> waiting = waiting(from, to);
        Map<Integer, Integer> ofRoot = new HashMap<>();
        long freed = 0;
        for (Value v : waiting) {
            int r = root[v.id()];
            if (ofRoot.merge(r, 1, Integer::sum) == waitingOfRoot[r]) {
                freed += size.applyAsLong(v); // all that share this memory go
            }
        }
        long again = 0;
        Set<Integer> kept = new HashSet<>();
        for (int k : needed(waiting, from, to, Set.of())) {
            Instr i = program.body().get(k);
            again += flops[k];
            for (Value v : i.in()) {
                boolean dies = !within(v, from, to) && !constant[v.id()] && lastOfRoot[root[v.id()]] <= at;
                if (dies && kept.add(root[v.id()])) {
                    freed -= size.applyAsLong(v); // it must be kept, so that these instructions can read it again
                }
            }
        }
        return new Offer(from, to, freed, again);
    }

    /** The instructions among these that must run again for some values, in order. @param done the values that are there */
    private TreeSet<Integer> needed(Iterable<Value> values, int from, int to, Set<Value> done) {
        TreeSet<Integer> needed = new TreeSet<>();
        List<Value> open = new ArrayList<>();
        values.forEach(open::add);
        while (!open.isEmpty()) {
            Value v = open.removeLast();
            boolean again = within(v, from, to) && !constant[v.id()] && !done.contains(v)
                    && lastOfRoot[root[v.id()]] < program.body().size();
            if (again && needed.add(maker[v.id()])) {
                open.addAll(program.body().get(maker[v.id()]).in());
            }
        }
        return needed;
    }

    /** The program in which later readers read copies of what the offered instructions made. */
    public Program drop(Offer o) {
        Set<Value> waiting = waiting(o.from, o.to);
        List<Instr> body = new ArrayList<>(program.body().subList(0, at + 1));
        Map<Value, Value> copies = new HashMap<>();
        int values = program.values();
        for (Instr i : program.body().subList(at + 1, program.body().size())) {
            List<Value> again = i.in().stream().filter(waiting::contains).toList();
            for (int k : needed(again, o.from, o.to, copies.keySet())) {
                Instr first = program.body().get(k);
                List<Value> out = new ArrayList<>();
                for (Value v : first.out()) {
                    out.add(new Value(values++, v.type()));
                }
                body.add(new Instr(first.op(), copied(first.in(), copies), out, first.where()));
                for (int n = 0; n < out.size(); n++) {
                    copies.put(first.out().get(n), out.get(n));
                }
            }
            body.add(again.isEmpty() ? i : new Instr(i.op(), copied(i.in(), copies), i.out(), i.where()));
        }
        return new Program(program.name(), program.inputs(), program.constants(), body, program.outputs(), values);
    }

    private static List<Value> copied(List<Value> in, Map<Value, Value> copies) {
        return in.stream().map(v -> copies.getOrDefault(v, v)).toList();
    }
}
