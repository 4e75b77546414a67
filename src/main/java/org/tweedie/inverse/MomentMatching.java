// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Prior;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * Traces the Krylov iterations of MMPS (arXiv 2405.13712) through the decoder, all of a level in one program. The posterior of
 * z0 given z is taken as normal with the mean zbar and the covariance gam J, where J = d zbar / d z and
 * gam = sigma^2 / sqrt(abar). B is the derivative of A D at zbar and r = y - A D(zbar). The iterations build a Krylov space of
 * the measurement's covariance v0 I + B gam J^T B^T, starting from r:
 *
 * <pre>
 * q = r
 * k times:  q = q - sum_i (q.v_i) v_i,   v = q / |q|,   d = gam J^T B^T v,   w = v0 v + B d,   q = w
 * </pre>
 *
 * <p>B^T and J^T are pull-backs and B is a push-forward. All of them share one evaluation of the network and the decoder. For
 * an operator that is not linear, B contains its derivative. The program gives each v the length of a power of two that is
 * close to the root of the number of measured values instead of the length 1, and so scales d and w by the same factor: the
 * values of v are then about 1, which is needed because F16 has no positive numbers below 6e-8.
 */
public final class MomentMatching {
    /** Added to |q|^2, so that a residual of exactly zero gives v = 0 and not a quotient of zeros. */
    private static final double TINY = 1e-30;

    private MomentMatching() {}

    /**
     * Traces the program of one level. Its inputs are those of {@link #inputs}. Its outputs are eps [1,h,w,c], residual (the
     * norm of r), r in the shape of y, and for j = 1 to k the changes of the latent dj [1,h,w,c] and of the measurement wj in
     * the shape of y.
     *
     * @param k the number of iterations; each takes a pull-back through the network and the decoder, and a push-forward
     *         through the decoder
     */
    public static Program program(String name, Problem p, int k) {
        Program mean = mean(p.prior());
        Program misfit = misfit(p);
        Tracer t = new Tracer(name);
        Map<String, Value> args = new HashMap<>();
        mean.inputs().forEach(i -> args.put(i.name(), t.input(i.name(), i.value().type())));
        args.put("measurement", t.input("measurement", Type.real(p.y().shape())));
        Value v0 = t.input("v0", Type.real());
        args.put("zbar", inlined(t, mean, "zbar", args));
        Value r = inlined(t, misfit, "r", args);
        t.output("eps", inlined(t, mean, "eps", args));
        t.output("residual", LossGradient.norm(t, r));
        t.output("r", r);
        if (k > 0) {
            iterate(t, k, r, v0, new Maps(Vjp.of(mean, "zbar", "z"), Vjp.of(misfit, "r", "zbar"),
                    Jvp.of(misfit, "zbar", "r"), args));
        }
        return Simplify.of(t.finish());
    }

    /** Returns the input tensors of {@link #program}. @param v0 the variance of a measured value given the latent z0 */
    public static Map<String, Tensor> inputs(Tensor z, Tensor y, NoiseLevel level, double v0) {
        Map<String, Tensor> in = Surrogate.inputs(z, y, level);
        in.put("v0", Tensor.of(Shape.of(), new double[] {v0}));
        return in;
    }

    private static void iterate(Tracer t, int k, Value r, Value v0, Maps maps) {
        double length = Math.scalb(1.0, Math.getExponent(Math.sqrt(r.shape().size())));
        List<Value> earlier = new ArrayList<>();
        Value q = r;
        for (int j = 1; j <= k; j++) {
            for (Value v : earlier) {
                q = t.sub(q, t.mul(v, t.scale(dot(t, q, v), 1 / (length * length))));
            }
            Value inverse = t.unary(Fn.RSQRT, t.affine(dot(t, q, q), 1, TINY)); // []
            Value v = t.mul(q, t.scale(inverse, length)); // shape of y
            Value d = maps.covariance(t, v); // [1,h,w,c]
            Value w = t.add(t.mul(v, v0), maps.b(t, d)); // shape of y
            t.output("d" + j, d);
            t.output("w" + j, w);
            earlier.add(v);
            q = w;
        }
    }

    /**
     * The linear maps at the latent z. The misfit is y - A D(zbar), whose derivative is -B, so the maps change the sign.
     *
     * @param jt the pull-back from zbar to z
     * @param bt the pull-back from the misfit to zbar
     * @param b the push-forward from zbar to the misfit
     * @param args the values of the inputs that these programs share
     */
    private record Maps(Program jt, Program bt, Program b, Map<String, Value> args) {
        /** Emits gam J^T B^T v. */
        Value covariance(Tracer t, Value v) {
            Value btv = inlined(t, bt, "grad", with("cotangent", v)); // [1,h,w,c]
            Value sigma = args.get("sigma");
            Value gam = t.div(t.mul(sigma, sigma), args.get("sqrt_abar"));
            return t.mul(inlined(t, jt, "grad", with("cotangent", btv)), t.scale(gam, -1));
        }

        /** Emits B d. */
        Value b(Tracer t, Value d) {
            return t.scale(inlined(t, b, "jvp", with("tangent", d)), -1);
        }

        private Map<String, Value> with(String name, Value value) {
            Map<String, Value> all = new HashMap<>(args);
            all.put(name, value);
            return all;
        }
    }

    /** Traces eps and zbar as functions of z and the level. */
    private static Program mean(Prior prior) {
        Tracer t = new Tracer("mean");
        Value z = t.input("z", Type.real(prior.latent()));
        NoiseLevel.Traced level = NoiseLevel.inputs(t, "");
        Value eps = prior.denoiser().eps(t, z, level);
        t.output("eps", eps);
        t.output("zbar", level.mean(t, z, eps));
        return Simplify.of(t.finish());
    }

    /** Traces y - A D(zbar) as a function of zbar. */
    private static Program misfit(Problem p) {
        Tracer t = new Tracer("misfit");
        Value zbar = t.input("zbar", Type.real(p.prior().latent()));
        Value y = t.input("measurement", Type.real(p.y().shape()));
        t.output("r", p.operator().residual(t, y, p.prior().codec().decode(t, zbar)));
        return Simplify.of(t.finish());
    }

    /** Copies a program and returns one of its outputs; {@link Simplify} keeps one of several copies. */
    private static Value inlined(Tracer t, Program f, String output, Map<String, Value> args) {
        return t.inline(f, args)[f.output(output).id()];
    }

    private static Value dot(Tracer t, Value x, Value y) {
        return t.reshape(t.sumPerSample(t.mul(x, y)), Shape.of());
    }
}
