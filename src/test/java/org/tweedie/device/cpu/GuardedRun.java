// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.tweedie.device.cpu.loops.VectorMath;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Rounding;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;

/**
 * Runs a program in an arena filled with NaN, with unused bytes behind each buffer, and checks the result of each instruction. A
 * kernel that reads what nothing has written, or writes beyond its buffer, is found.
 */
final class GuardedRun implements AutoCloseable {
    private static final int NAN = Float.floatToRawIntBits(Float.NaN);

    private final CpuExecutable executable;
    private final int guard;

    /** Compiles a program. @param guard the unused bytes behind each buffer */
    GuardedRun(CpuDevice device, Program program, int guard) {
        this.executable = new CpuExecutable(device, program, guard);
        this.guard = guard;
        for (long i = 0; i < executable.arenaBytes(); i += 4) {
            Native.ALL.set(Native.INT, executable.arena + i, NAN);
        }
    }

    /**
     * Runs the program once.
     *
     * @throws ArithmeticException naming the first instruction with a result that is NaN or infinite
     */
    Map<String, Tensor> run(Map<String, Tensor> inputs) {
        executable.copyIn(inputs);
        Program program = executable.program();
        program.inputs().forEach(i -> check(i.value(), "input '" + i.name() + "'"));
        for (int n = 0; n < executable.steps.length; n++) {
            if (executable.steps[n] != null) {
                executable.steps[n].run();
                Instr i = program.body().get(n);
                i.out().forEach(v -> check(v, i.op() + (i.where().isEmpty() ? "" : " at '" + i.where() + "'") + " " + i.in()));
            }
        }
        return executable.copyOut();
    }

    private void check(Value v, String what) {
        if (v.type().dtype() != DType.F32) {
            return;
        }
        long n = v.shape().size();
        for (long i = 0; i < n; i++) {
            float x = executable.stored(v) == DType.BF16 ? Rounding.fromBf16(Native.ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED,
                    executable.address(v) + 2 * i)) : VectorMath.get(executable.address(v) + 4 * i);
            if (!Float.isFinite(x)) {
                throw new ArithmeticException("program '" + executable.program().name() + "': " + x + " at element " + i
                        + " of the result " + v.type() + " of " + what);
            }
        }
    }

    /** Returns the program as it runs, with fused ops decomposed where the device has no loop of its own for them. */
    Program program() {
        return executable.program();
    }

    /** Tells whether the bytes behind each buffer are unchanged. */
    boolean guardsIntact() {
        return executable.plan().guards().stream().allMatch(at -> {
            boolean intact = true;
            for (int i = 0; i < guard; i += 4) {
                intact &= Native.ALL.get(Native.INT, executable.arena + at + i) == NAN;
            }
            return intact;
        });
    }

    @Override
    public void close() {
        executable.close();
    }
}
