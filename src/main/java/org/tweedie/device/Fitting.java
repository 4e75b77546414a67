// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.Arrays;
import java.util.function.ToLongFunction;
import org.tweedie.program.Program;
import org.tweedie.program.Value;
import org.tweedie.transform.Recompute;

/**
 * Finds the form of a program whose arena fits into a limit with little extra work. It looks for the instruction at which most
 * memory is in use, lets the block that frees most bytes for an operation there be computed again ({@link Recompute}), and
 * repeats this until the arena fits. A block that only moves the peak elsewhere is passed over for the next best. A lower limit
 * only takes more of the same steps, so it never leads to a larger arena. The search ends without a fit where no block helps any
 * more, or where as much would be computed again as the whole program computes.
 *
 * @param program the program in the form that was found
 * @param bytes of its arena
 * @param flops operations more than in the program as it was given
 */
public record Fitting(Program program, long bytes, long flops) {
    /** The number of blocks that are tried in a step. */
    private static final int TRIED = 8;
    /** A block is worth a step if it frees at least this part of what is in use; peaks that differ by less count as equal. */
    private static final long PART = 512;

    /** Plans the memory of a program in steps that are its instructions. */
    @FunctionalInterface
    public interface Planner {
        /** Plans a form of the program. */
        MemoryPlan plan(Program p);
    }

    /** A form of the program and the bytes in use during each of its instructions. */
    private record Form(Program program, MemoryPlan plan, long[] inUse, int busiest, long flops) {
        static Form of(Program p, Planner planner, long flops) {
            MemoryPlan plan = planner.plan(p);
            long[] inUse = plan.inUse();
            int busiest = 0;
            for (int n = 1; n < inUse.length; n++) {
                busiest = inUse[n] > inUse[busiest] ? n : busiest;
            }
            return new Form(p, plan, inUse, busiest, flops);
        }

        long peak() {
            return inUse[busiest];
        }

        /** The number of instructions during which about as much is in use as in a peak. */
        long countAt(long peak) {
            return Arrays.stream(inUse).filter(b -> b >= peak - peak / PART).count();
        }

        boolean isBetterThan(Form o) {
            return peak() <= o.peak() && countAt(o.peak()) < o.countAt(o.peak());
        }
    }

    /**
     * Returns the first form whose arena has no more bytes than the limit, or the last that was found if none fits. A program
     * that fits as it is stays the same object.
     *
     * @param size the bytes of a value
     */
    public static Fitting of(Program program, Planner planner, ToLongFunction<Value> size, long limit) {
        long most = program.cost().flops();
        Form now = Form.of(program, planner, 0);
        while (now.peak() > limit || now.plan.bytes() > limit) {
            Form next = next(now, planner, size, most);
            if (next == null) {
                break;
            }
            now = next;
        }
        return new Fitting(now.program, now.plan.bytes(), now.flops);
    }

    private static Form next(Form now, Planner planner, ToLongFunction<Value> size, long most) {
        Recompute recompute = new Recompute(now.program, now.busiest, size);
        for (Recompute.Offer o : recompute.offers(now.peak() / PART).stream().limit(TRIED).toList()) {
            if (now.flops + o.flops() <= most) {
                Form next = Form.of(recompute.drop(o), planner, now.flops + o.flops());
                if (next.isBetterThan(now)) {
                    return next;
                }
            }
        }
        return null;
    }
}
