// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Checks a derivative along one random direction: &lt;c, J t&gt; = &lt;J^T c, t&gt; = a central difference, in double. */
public final class DirectionCheck {
    private DirectionCheck() {}

    /** First order, from one input to one output. */
    public static void first(Program f, Map<String, Tensor> inputs, String input, String output, double tolerance) {
        Tensor x = inputs.get(input);
        Shape y = f.output(output).shape();
        Tensor t = OpCase.random(x.shape(), 71);
        Tensor c = OpCase.random(y, 72);
        double forward = dot(c, last(Jvp.of(f, input, output), inputs, t));
        double reverse = dot(t, last(Vjp.of(f, output, input), inputs, c));
        double h = 1e-5;
        double plus = dot(c, run(f, with(inputs, input, moved(x, t, h))).get(output));
        double minus = dot(c, run(f, with(inputs, input, moved(x, t, -h))).get(output));
        agree(f, "<c, J t> and <J' c, t>", forward, reverse, scale(c, t), 1e-11);
        agree(f, "<c, J t> and the central difference", forward, (plus - minus) / (2 * h), scale(c, t), tolerance);
    }

    /** Second order: the push-forward of the pull-back, against a central difference of the pull-back. */
    public static void second(Program f, Map<String, Tensor> inputs, String input, String output, double tolerance) {
        Program g = Vjp.of(f, output, input);
        Tensor c = OpCase.random(f.output(output).shape(), 73);
        first(g, with(inputs, "cotangent", c), input, "grad", tolerance);
    }

    /** Runs a derivative, whose direction is its last input and whose result its last output. */
    private static Tensor last(Program d, Map<String, Tensor> inputs, Tensor direction) {
        return run(d, with(inputs, d.inputs().getLast().name(), direction)).get(d.outputs().getLast().name());
    }

    public static Map<String, Tensor> run(Program f, Map<String, Tensor> inputs) {
        try (Device d = new ReferenceDevice(); Executable e = d.compile(f)) {
            return e.run(inputs);
        }
    }

    public static Map<String, Tensor> with(Map<String, Tensor> inputs, String name, Tensor value) {
        Map<String, Tensor> m = new HashMap<>(inputs);
        m.put(name, value);
        return m;
    }

    public static double dot(Tensor a, Tensor b) {
        double sum = 0;
        for (int i = 0; i < a.size(); i++) {
            sum += a.get(i) * b.get(i);
        }
        return sum;
    }

    private static double scale(Tensor c, Tensor t) {
        return Math.sqrt(c.size()) + Math.sqrt(t.size());
    }

    private static Tensor moved(Tensor x, Tensor t, double h) {
        double[] y = x.doubles();
        for (int i = 0; i < y.length; i++) {
            y[i] += h * t.get(i);
        }
        return Tensor.of(x.shape(), y);
    }

    private static void agree(Program f, String what, double a, double b, double scale, double tolerance) {
        double gap = Math.abs(a - b) / Math.max(Math.max(Math.abs(a), Math.abs(b)), 1e-3 * scale);
        assertTrue(gap <= tolerance, () -> f.name() + ": " + what + " differ: " + a + " and " + b + ", relative " + gap);
    }
}
