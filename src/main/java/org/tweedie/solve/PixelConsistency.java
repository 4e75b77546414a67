// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Executable;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;

/**
 * The last step: an autoencoder cannot show every picture, so the decoded picture is moved onto the measurement in pixel space. First by the
 * operator's own extension of the residual (for inpainting the residual spread smoothly over the holes), then by conjugate gradients on
 * |y - A x|^2 (CGLS), stopped at the noise level: Morozov's discrepancy principle, by which noise is not fitted.
 */
final class PixelConsistency implements AutoCloseable {
    private static final int MAX_ITERATIONS = 100;

    private final Executable residual;
    private final Executable forward;
    private final Executable adjoint;

    private PixelConsistency(Problem p) {
        MeasurementOperator a = p.operator();
        Shape y = p.y().shape();
        Tracer t = new Tracer("residual");
        Value x = t.input("x", Type.real(p.image()));
        t.output("r", a.residual(t, t.input("y", Type.real(y)), x));
        Tracer f = new Tracer("forward");
        f.output("y", a.apply(f, f.input("x", Type.real(p.image()))));
        Tracer b = new Tracer("adjoint");
        b.output("x", a.adjoint(b, b.input("y", Type.real(y)), p.image()));
        List<Executable> all = new ArrayList<>();
        try {
            for (Tracer traced : List.of(t, f, b)) {
                all.add(p.device().compile(Simplify.of(traced.finish())));
            }
        } catch (RuntimeException | Error e) { // no memory for all
            all.forEach(Executable::close);
            throw e;
        }
        residual = all.get(0);
        forward = all.get(1);
        adjoint = all.get(2);
    }

    static Solver.Result finish(Problem p, Tensor decoded, boolean wanted, NfeLedger counts) {
        try (PixelConsistency c = new PixelConsistency(p)) {
            Tensor r = c.residual(decoded, p.y());
            double before = Norms.norm(r) / p.noiseNorm();
            if (!wanted || before <= 1) {
                return new Solver.Result(decoded, decoded, before, before, counts);
            }
            Tensor x = c.cgls(Norms.minus(decoded, p.operator().extend(r), -1), p);
            double after = Norms.norm(c.residual(x, p.y())) / p.noiseNorm();
            return new Solver.Result(x, decoded, after, before, counts);
        }
    }

    private Tensor residual(Tensor x, Tensor y) {
        return residual.run(Map.of("x", x, "y", y)).get("r");
    }

    private Tensor cgls(Tensor x, Problem p) {
        Tensor r = residual(x, p.y());
        Tensor s = adjoint.run(Map.of("y", r)).get("x");
        Tensor direction = s;
        double gamma = Norms.dot(s, s);
        for (int i = 0; i < MAX_ITERATIONS && Norms.norm(r) > p.noiseNorm() && gamma > 0; i++) {
            Tensor q = forward.run(Map.of("x", direction)).get("y");
            double alpha = gamma / Norms.dot(q, q);
            x = Norms.minus(x, direction, -alpha);
            r = Norms.minus(r, q, alpha);
            s = adjoint.run(Map.of("y", r)).get("x");
            double next = Norms.dot(s, s);
            direction = Norms.minus(s, direction, -next / gamma);
            gamma = next;
        }
        return x;
    }

    @Override
    public void close() {
        try (residual; forward; adjoint) { }
    }
}
