// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** A place on the noise schedule: z = sqrt(abar) z0 + sigma eps, sigma = sqrt(1 - abar). */
public record NoiseLevel(double timestep, double abar) {
    public double sqrtAbar() {
        return Math.sqrt(abar);
    }

    public double sigma() {
        return Math.sqrt(1 - abar);
    }

    /** A noise level as inputs of a program, so that one program serves all levels. timestep [1], sqrtAbar [], sigma []. */
    public record Traced(Value timestep, Value sqrtAbar, Value sigma) {}

    /** Declares the inputs of a level; the prefix tells several levels of one program apart. */
    public static Traced inputs(Tracer t, String prefix) {
        return new Traced(t.input(prefix + "timestep", Type.real(1)), t.input(prefix + "sqrt_abar", Type.real()),
                t.input(prefix + "sigma", Type.real()));
    }

    /** The tensors for {@link #inputs}. */
    public Map<String, Tensor> tensors(String prefix) {
        Map<String, Tensor> m = new HashMap<>();
        m.put(prefix + "timestep", Tensor.of(Shape.of(1), (float) timestep));
        m.put(prefix + "sqrt_abar", Tensor.of(Shape.of(), new double[] {sqrtAbar()}));
        m.put(prefix + "sigma", Tensor.of(Shape.of(), new double[] {sigma()}));
        return m;
    }
}
