// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Arguments;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;

/** Runs plain loops in double precision: they define every op, the fast devices are tested against them, and they stay plain. */
public final class ReferenceDevice implements Device {
    @Override
    public String name() {
        return "reference";
    }

    @Override
    public String description() {
        return "plain Java loops in double precision, one thread; the definition of every op";
    }

    @Override
    public Executable compile(Program program) {
        return new Run(program);
    }

    /** Always 0: arrays are on the Java heap only. */
    @Override
    public long liveBytes() {
        return 0;
    }

    @Override
    public void close() {}

    private record Run(Program program) implements Executable {
        @Override
        public Map<String, Tensor> run(Map<String, Tensor> inputs) {
            Arguments.check(program, inputs);
            double[][] values = new double[program.values()][];
            program.constants().forEach(c -> values[c.value().id()] = c.data().doubles());
            program.inputs().forEach(i -> values[i.value().id()] = inputs.get(i.name()).doubles());
            int[] uses = uses();
            for (Instr i : program.body()) {
                step(i, values);
                for (Value v : i.in()) {
                    if (--uses[v.id()] == 0) {
                        values[v.id()] = null;
                    }
                }
            }
            Map<String, Tensor> out = new HashMap<>();
            program.outputs().forEach(o -> out.put(o.name(), Tensor.of(o.value().shape(), values[o.value().id()])));
            return out;
        }

        /** The number of times that each value is read; outputs count once more, so that they stay. */
        private int[] uses() {
            int[] uses = new int[program.values()];
            program.body().forEach(i -> i.in().forEach(v -> uses[v.id()]++));
            program.outputs().forEach(o -> uses[o.value().id()]++);
            return uses;
        }

        private static void step(Instr i, double[][] values) {
            List<Array> in = new ArrayList<>();
            for (Value v : i.in()) {
                in.add(new Array(v.shape(), values[v.id()]));
            }
            List<Array> out = new ArrayList<>();
            for (Value v : i.out()) {
                values[v.id()] = new double[Math.toIntExact(v.shape().size())];
                out.add(new Array(v.shape(), values[v.id()]));
            }
            ReferenceOps.run(i.op(), in, out);
        }

        @Override
        public long arenaBytes() {
            return 0;
        }

        @Override
        public void close() {}
    }
}
