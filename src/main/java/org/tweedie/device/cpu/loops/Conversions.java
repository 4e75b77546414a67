// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.program.DType;
import org.tweedie.program.Value;

/** Kernels with conversions between F32 and BF16 around them. */
public final class Conversions {
    private Conversions() {}

    /**
     * Returns a kernel that first converts some of its operands, whose copies are results behind its own.
     *
     * @param operands the operands of the instruction
     * @param stored the types in which they are stored
     * @param results the number of the kernel's own results
     * @param converted the numbers of the operands to convert, in the order of the copies
     * @param copy for each operand, the number among the results of the copy to read instead, or -1
     */
    public static CpuKernel before(Parallel parallel, CpuKernel k, List<Value> operands, List<DType> stored, int results,
            List<Integer> converted, int[] copy) {
        return new CpuKernel(k.scratch(), p -> {
            List<Runnable> steps = new ArrayList<>();
            for (int i = 0; i < converted.size(); i++) {
                int operand = converted.get(i);
                steps.add(cast(parallel, p.in(operand), stored.get(operand), p.out(results + i),
                        operands.get(operand).shape().size()));
            }
            steps.add(k.bind().apply(new CpuKernel.Places() {
                @Override
                public long in(int i) {
                    return copy[i] < 0 ? p.in(i) : p.out(copy[i]);
                }

                @Override
                public long out(int i) {
                    return p.out(i);
                }

                @Override
                public long scratch() {
                    return p.scratch();
                }
            }));
            return all(steps);
        });
    }

    /**
     * Returns a kernel that runs an F32 kernel on copies in working memory of the operands and results that are stored in BF16.
     * It serves ops that networks have seldom or on few numbers, and processors on which oneDNN has no products in BF16.
     *
     * @param types the types in which the operands are read, then those in which the results are stored
     */
    public static CpuKernel around(Parallel parallel, CpuKernel k, List<Value> operands, List<Value> results, List<DType> types) {
        List<Value> values = new ArrayList<>(operands);
        values.addAll(results);
        long[] at = new long[values.size()]; // the copies in working memory; -1 where there is none
        long bytes = 0;
        for (int i = 0; i < at.length; i++) {
            at[i] = types.get(i) == DType.BF16 ? bytes : -1;
            bytes += at[i] < 0 ? 0 : Native.roundUp(4 * values.get(i).shape().size()) + 64; // loops read whole vectors
        }
        long own = Native.roundUp(bytes);
        int n = operands.size();
        return new CpuKernel(own + k.scratch(), p -> {
            List<Runnable> steps = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                if (at[i] >= 0) {
                    steps.add(cast(parallel, p.in(i), DType.BF16, p.scratch() + at[i], values.get(i).shape().size()));
                }
            }
            steps.add(k.bind().apply(new CpuKernel.Places() {
                @Override
                public long in(int i) {
                    return at[i] < 0 ? p.in(i) : p.scratch() + at[i];
                }

                @Override
                public long out(int i) {
                    return at[n + i] < 0 ? p.out(i) : p.scratch() + at[n + i];
                }

                @Override
                public long scratch() {
                    return p.scratch() + own;
                }
            }));
            for (int i = n; i < at.length; i++) {
                if (at[i] >= 0) {
                    steps.add(cast(parallel, p.scratch() + at[i], DType.F32, p.out(i - n), values.get(i).shape().size()));
                }
            }
            return all(steps);
        });
    }

    private static Runnable cast(Parallel parallel, long x, DType from, long y, long n) {
        return () -> Brain.cast(parallel, x, from, y, n);
    }

    /** Returns one step that does these, in their order. */
    static Runnable all(List<Runnable> steps) {
        Runnable[] array = steps.toArray(Runnable[]::new);
        return () -> {
            for (Runnable r : array) {
                r.run();
            }
        };
    }
}
