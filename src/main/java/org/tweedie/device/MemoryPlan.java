// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.ToLongFunction;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/**
 * Assigns each value of a program a place in one arena before anything runs. A value holds its place from the instruction that
 * makes it to the last that reads it (outputs to the end; inputs from the start). A reshape shares the place of its input; an op
 * that reads an element for the last time when it writes the same element takes over the place. Constants are not in the arena.
 * Buffers are placed by size, the largest first, each into the tightest gap that is free during its life.
 */
public final class MemoryPlan {
    /** Alignment of every offset in bytes: a cache line, the widest CPU vector, and what device libraries want. */
    public static final long ALIGN = 256;

    /** The places that the first result of a step may share. */
    public enum Sharing {
        /** It shares no place. */
        NONE,
        /** It is its operand under another shape: nothing moves. */
        ALIAS,
        /**
         * It may take the place of an operand of its type that no later step reads: element i of that is read for the last time
         * when i is written.
         */
        IN_PLACE,
        /**
         * It may take the place of the last operand if that has its type, is read by no later step and is no other operand as
         * well.
         */
        IN_PLACE_OF_LAST
    }

    /**
     * One step of a program: an instruction, or several that are done together.
     *
     * @param sharing the places that its first result may share; other results share none
     * @param scratch bytes of working memory during the step
     */
    public record Step(List<Value> in, List<Value> out, Sharing sharing, long scratch) {
        public Step {
            if (sharing == Sharing.ALIAS && out.size() != 1) {
                throw new IllegalArgumentException("memory plan: " + out.size() + " results cannot share a place");
            }
        }
    }

    /** A range of bytes of the arena. */
    public record Range(long offset, long bytes) {}

    /** One place: its bytes, the first and the last instruction of its life, and its offset. */
    private static final class Buffer {
        final long bytes;
        final int from;
        int to;
        long offset;

        Buffer(long bytes, int from, int to) {
            this.bytes = bytes;
            this.from = from;
            this.to = to;
        }

        boolean meets(Buffer o) {
            return from <= o.to && o.from <= to;
        }
    }

    private final Program program;
    private final List<Step> steps;
    private final ToLongFunction<Value> size;
    private final int guard;
    private final Buffer[] values;
    private final Buffer[] scratch;
    private final List<Buffer> buffers = new ArrayList<>();
    private long bytes = -1; // before the buffers are placed

    private MemoryPlan(Program program, List<Step> steps, ToLongFunction<Value> size, int guard) {
        this.program = program;
        this.steps = steps;
        this.size = size;
        this.guard = guard;
        this.values = new Buffer[program.values()];
        this.scratch = new Buffer[steps.size()];
        assign();
    }

    /** @param scratch working memory in bytes that the n-th instruction needs while it runs */
    public static MemoryPlan of(Program program, IntToLongFunction scratch) {
        return of(program, scratch, 0);
    }

    /**
     * A plan in which no two buffers share a place and each has unused bytes behind it, where a test sees a kernel that writes
     * too far.
     */
    public static MemoryPlan of(Program program, IntToLongFunction scratch, int guard) {
        List<Step> steps = new ArrayList<>();
        for (Instr i : program.body()) {
            steps.add(new Step(i.in(), i.out(), sharing(i.op()), scratch.applyAsLong(steps.size())));
        }
        return of(program, steps, v -> bytes(v.type()), guard);
    }

    /**
     * The plan of a program that is done in other steps than its instructions, or that stores its numbers otherwise.
     *
     * @param steps in order; each value is made by one, before it is read, unless it is made and read within one step only
     * @param size bytes of a value
     * @param guard unused bytes behind each buffer; if more than 0, no two buffers share a place
     */
    public static MemoryPlan of(Program program, List<Step> steps, ToLongFunction<Value> size, int guard) {
        return new MemoryPlan(program, List.copyOf(steps), size, guard);
    }

    /** The bytes of the arena, which are the most that are in use at once. */
    public long bytes() {
        placed();
        return bytes;
    }

    /** The bytes in use during each step. The largest of them is a lower bound of {@link #bytes}, which has gaps as well. */
    public long[] inUse() {
        long[] change = new long[steps.size() + 1];
        for (Buffer b : buffers) {
            change[Math.max(0, b.from)] += size(b);
            if (b.to + 1 < change.length) {
                change[b.to + 1] -= size(b);
            }
        }
        Arrays.parallelPrefix(change, Long::sum);
        return Arrays.copyOf(change, steps.size());
    }

    /** Offset of a value in the arena, or -1 for a constant (or a reshaped one). */
    public long offset(Value v) {
        placed();
        return values[v.id()] == null ? -1 : values[v.id()].offset;
    }

    /** Offset of the working memory of the n-th instruction, or -1 where it needs none. */
    public long scratch(int n) {
        placed();
        return scratch[n] == null ? -1 : scratch[n].offset;
    }

    /** The places whose last reader is the n-th step (its own working memory too): nothing may read them after it. */
    public List<Range> ends(int n) {
        placed();
        return buffers.stream().filter(b -> b.to == n).map(b -> new Range(b.offset, b.bytes)).toList();
    }

    /** Offsets of the guard zones, each of the size asked for; a buffer owns the rest of its last 64 bytes. */
    public List<Long> guards() {
        placed();
        return buffers.stream().map(b -> b.offset + (b.bytes + 63) / 64 * 64).toList();
    }

    /** Returns the bytes that a value of this type takes: 8 for an integer, 4 for any other number. */
    public static long bytes(Type t) {
        return t.shape().size() * (t.dtype() == DType.I64 ? 8 : 4);
    }

    private void assign() {
        int[] last = lastUses();
        program.inputs().forEach(i -> values[i.value().id()] = buffer(size.applyAsLong(i.value()), -1, last[i.value().id()]));
        for (int n = 0; n < steps.size(); n++) {
            Step s = steps.get(n);
            for (Value v : s.out()) {
                values[v.id()] = switch (v == s.out().getFirst() ? s.sharing() : Sharing.NONE) {
                    case ALIAS -> values[s.in().getFirst().id()];
                    case IN_PLACE -> takeOver(s, s.in(), n, last[v.id()]);
                    case IN_PLACE_OF_LAST -> readOnce(s.in().getLast(), s) ? takeOver(s, List.of(s.in().getLast()), n,
                            last[v.id()]) : null;
                    case NONE -> null;
                };
                if (values[v.id()] == null && s.sharing() != Sharing.ALIAS) {
                    values[v.id()] = buffer(size.applyAsLong(v), n, last[v.id()]);
                }
            }
            scratch[n] = s.scratch() == 0 ? null : buffer(s.scratch(), n, n);
        }
    }

    private Buffer buffer(long bytes, int from, int to) {
        Buffer b = new Buffer(bytes, from, guard > 0 ? steps.size() : Math.max(from, to));
        buffers.add(b);
        return b;
    }

    /** The last step that reads each value or a reshape of it; its own where none does; past the end for outputs. */
    private int[] lastUses() {
        int[] last = new int[program.values()];
        program.outputs().forEach(o -> last[o.value().id()] = steps.size());
        for (int n = steps.size() - 1; n >= 0; n--) {
            Step s = steps.get(n);
            for (Value v : s.out()) {
                last[v.id()] = Math.max(last[v.id()], n);
            }
            int use = s.sharing() == Sharing.ALIAS ? last[s.out().getFirst().id()] : n;
            for (Value v : s.in()) {
                last[v.id()] = Math.max(last[v.id()], use);
            }
        }
        return last;
    }

    private boolean readOnce(Value v, Step s) {
        return s.in().stream().filter(o -> values[o.id()] != null && values[o.id()] == values[v.id()]).count() == 1;
    }

    /** The place of one of these operands that no later step reads and that may be written over, or null. */
    private Buffer takeOver(Step s, List<Value> operands, int n, int last) {
        Value to = s.out().getFirst();
        for (Value v : operands) {
            Buffer b = values[v.id()];
            if (b != null && b.to == n && v.type().equals(to.type()) && size.applyAsLong(v) == size.applyAsLong(to)) {
                b.to = Math.max(b.to, last);
                return b;
            }
        }
        return null;
    }

    /** The sharing that the kernels of an op allow. */
    public static Sharing sharing(Op op) {
        return switch (op) {
            case Reshape _ -> Sharing.ALIAS;
            case Affine _, Binary _, Unary _, UnaryMul _, Softmax _, GegluVjp _, GroupNormalization _, GroupNormalizationVjp _,
                    GroupNormalizationJvp _ -> Sharing.IN_PLACE;
            case Broadcast _, Concat _, Convolution _, ConvolutionVjp _, DdimMove _, DotProductAttention _,
                    DotProductAttentionJvp _,
                    DotProductAttentionVjp _, Gather _, Geglu _, GegluJvp _, Guidance _, GuidanceVjp _, HutchinsonEstimate _,
                    HutchinsonEstimateVjp _, HutchinsonPair _, HutchinsonPairVjp _, MatMul _, Pad _, ReduceSum _, Slice _,
                            SumPool _,
                    Transpose _, TweedieMean _, Upsample _ -> Sharing.NONE;
            case FusedOp _ -> Sharing.NONE; // the reference device keeps it, all others decompose it
        };
    }

    /** Gives the buffers their places when one is asked for: a search through forms of a program asks for few. */
    private void placed() {
        if (bytes < 0) {
            bytes = 0;
            place();
        }
    }

    private void place() {
        List<Buffer> placed = new ArrayList<>(); // by offset
        buffers.sort(Comparator.comparingLong((Buffer b) -> -b.bytes).thenComparingInt(b -> b.from));
        for (Buffer b : buffers) {
            b.offset = gap(b, placed);
            int at = placed.size();
            while (at > 0 && placed.get(at - 1).offset > b.offset) {
                at--;
            }
            placed.add(at, b);
            bytes = Math.max(bytes, b.offset + size(b));
        }
    }

    private long size(Buffer b) {
        return Math.max(ALIGN, ((b.bytes + 63) / 64 * 64 + guard + ALIGN - 1) / ALIGN * ALIGN);
    }

    /** The start of the tightest gap between the buffers that live at the same time, or behind them all. */
    private long gap(Buffer b, List<Buffer> placed) {
        long best = -1;
        long tightest = Long.MAX_VALUE;
        long end = 0;
        for (Buffer o : placed) {
            if (o.meets(b)) {
                long room = o.offset - end;
                if (room >= size(b) && room < tightest) {
                    tightest = room;
                    best = end;
                }
                end = Math.max(end, o.offset + size(o));
            }
        }
        return best < 0 ? end : best;
    }

    @Override
    public String toString() {
        return program.name() + ": " + bytes() + " bytes in " + Arrays.stream(values).filter(b -> b != null).distinct().count()
                + " places";
    }
}
