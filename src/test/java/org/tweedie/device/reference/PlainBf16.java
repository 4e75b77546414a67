// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.storage.Storage;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Rounding;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;

/**
 * Plain evaluation in BF16, against which a device's error is judged: each op reads its operands in the types in which a device
 * reads them, computes in double, and has its result rounded to the type in which that is stored. An F32 number keeps its double.
 */
public final class PlainBf16 {
    private PlainBf16() {}

    /**
     * Runs a program.
     *
     * @param program whose fused ops are decomposed as for the device with which it is compared
     */
    public static Map<String, Tensor> run(Program program, Map<String, Tensor> inputs) {
        Storage storage = Storage.of(program, DType.BF16);
        double[][] values = new double[program.values()][];
        program.constants().forEach(c -> values[c.value().id()] = c.data().doubles());
        program.inputs().forEach(i -> values[i.value().id()] = inputs.get(i.name()).doubles());
        for (Instr i : program.body()) {
            List<Array> in = new ArrayList<>();
            for (int k = 0; k < i.in().size(); k++) {
                Value v = i.in().get(k);
                in.add(new Array(v.shape(), rounded(values[v.id()], storage.wanted(i).get(k))));
            }
            List<Array> out = new ArrayList<>();
            for (Value v : i.out()) {
                out.add(new Array(v.shape(), new double[Math.toIntExact(v.shape().size())]));
            }
            ReferenceOps.run(i.op(), in, out);
            for (int k = 0; k < out.size(); k++) {
                Value v = i.out().get(k);
                values[v.id()] = rounded(out.get(k).data(), storage.of(v));
            }
        }
        Map<String, Tensor> results = new HashMap<>();
        program.outputs().forEach(o -> results.put(o.name(), Tensor.of(o.value().shape(), values[o.value().id()])));
        return results;
    }

    private static double[] rounded(double[] x, DType type) {
        if (type != DType.BF16) {
            return x;
        }
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = Rounding.to(DType.BF16, (float) x[i]);
        }
        return y;
    }
}
