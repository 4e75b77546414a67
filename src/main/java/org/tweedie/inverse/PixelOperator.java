// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.Locale;
import java.util.Map;
import org.tweedie.diffusion.Run;
import org.tweedie.measure.LinearOperator;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * Applies a problem's measurement operator and its derivative to pictures on the host, each as a program of its own. It takes
 * no network evaluation.
 */
public record PixelOperator(Problem p, Run run) {
    private enum Part { RESIDUAL, FORWARD, ADJOINT }

    /** Returns the residual y - A x of a picture x [1,H,W,3], in the shape of y. */
    public Tensor residual(Tensor x) {
        return evaluate(Part.RESIDUAL, Map.of("x", x, "y", p.y()));
    }

    /**
     * Returns A' d for a picture d [1,H,W,3], where A' is the operator's derivative at a picture; for a linear operator it is
     * A itself.
     */
    public Tensor forward(Tensor at, Tensor d) {
        return evaluate(Part.FORWARD, linear() ? Map.of("x", d) : Map.of("at", at, "x", d));
    }

    /** Returns the picture A'^T r [1,H,W,3] for r in the shape of y, where A' is the operator's derivative at a picture. */
    public Tensor adjoint(Tensor at, Tensor r) {
        return evaluate(Part.ADJOINT, linear() ? Map.of("r", r) : Map.of("at", at, "r", r));
    }

    private boolean linear() {
        return p.operator() instanceof LinearOperator;
    }

    private Tensor evaluate(Part part, Map<String, Tensor> in) {
        return run.evaluate(p.operator(), part, Nfe.NONE, () -> trace(part), in).get("out");
    }

    private Program trace(Part part) {
        MeasurementOperator a = p.operator();
        Shape y = p.y().shape();
        Tracer t = new Tracer(part.name().toLowerCase(Locale.ROOT));
        t.output("out", switch (part) {
            case RESIDUAL -> a.residual(t, t.input("y", Type.real(y)), t.input("x", Type.real(p.image())));
            case FORWARD -> {
                if (a instanceof LinearOperator) {
                    yield a.apply(t, t.input("x", Type.real(p.image())));
                }
                Value at = t.input("at", Type.real(p.image()));
                Value out = a.apply(t, at);
                yield Jvp.push(t, Map.of(at, t.input("x", Type.real(p.image()))), out)[0];
            }
            case ADJOINT -> {
                if (a instanceof LinearOperator linear) {
                    yield linear.adjoint(t, t.input("r", Type.real(y)), p.image());
                }
                Value at = t.input("at", Type.real(p.image()));
                Value out = a.apply(t, at);
                yield Vjp.pull(t, Map.of(out, t.input("r", Type.real(y))), at)[0];
            }
        });
        return Simplify.of(t.finish());
    }
}
