// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.MemoryPlan;
import org.tweedie.program.DType;

/** Operands that are stored in another type than a kernel reads: they are converted into working memory before each run of it. */
final class Crossing {
    private Crossing() {}

    /** @param stored the types in which the operands lie; constants lie as wanted */
    static GpuKernel around(Group g, List<DType> stored) {
        GpuKernel k = g.kernel();
        if (stored.equals(g.wanted())) {
            return k;
        }
        long[] offsets = new long[stored.size()]; // of the copies in working memory; -1: read where it lies
        long bytes = aligned(k.scratch());
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = stored.get(i) == g.wanted().get(i) ? -1 : bytes;
            bytes += offsets[i] < 0 ? 0 : aligned(g.in().get(i).shape().size() * g.wanted().get(i).bytes());
        }
        return new GpuKernel(bytes, p -> {
            List<Step> steps = new ArrayList<>();
            Buffer[] in = new Buffer[offsets.length];
            for (int i = 0; i < in.length; i++) {
                in[i] = p.in(i);
                if (offsets[i] >= 0) {
                    in[i] = new Buffer(in[i].name() + " as " + g.wanted().get(i), g.wanted().get(i), in[i].shape(), p.scratch() + offsets[i]);
                    steps.add(Elementwise.cast(p.in(i), in[i]));
                }
            }
            steps.addAll(k.bind().apply(new Places(in, p)));
            return steps;
        });
    }

    private record Places(Buffer[] operands, GpuKernel.Places rest) implements GpuKernel.Places {
        @Override
        public Buffer in(int i) {
            return operands[i];
        }

        @Override
        public Buffer out(int i) {
            return rest.out(i);
        }

        @Override
        public long scratch() {
            return rest.scratch();
        }
    }

    private static long aligned(long bytes) {
        return (bytes + MemoryPlan.ALIGN - 1) / MemoryPlan.ALIGN * MemoryPlan.ALIGN;
    }
}
