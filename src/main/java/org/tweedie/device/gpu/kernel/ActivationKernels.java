// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.Shape;
import org.tweedie.program.op.Fn;

/**
 * Launches kernels/activation.cu: y = fn^(order)(x), that times g, value and push-forward at once, and GEGLU. A result may
 * take the place of an operand.
 */
public final class ActivationKernels {
    private static final int THREADS = 256;

    private ActivationKernels() {}

    /** Computes fn^(order)(x) for n elements. */
    public static GpuKernel unary(Fn fn, int order, long n) {
        return GpuKernel.of(p -> {
            String type = Reals.type(fn.toString(), p.in(0), p.out(0));
            List<Arg> args = new ArrayList<>(List.of(new Arg.In(p.in(0)), new Arg.Out(p.out(0)), new Arg.I64(n)));
            if (common(fn) && order == 0) {
                return launch(name(fn) + "_forward_" + type, p.in(0), n, args);
            }
            return general("unary_forward_" + type, p.in(0), n, args, fn, order);
        });
    }

    /** Computes g fn^(order)(x) for n elements of x and g: a gate or, with order 1, a pull-back or push-forward. */
    public static GpuKernel unaryMul(Fn fn, int order, long n) {
        return GpuKernel.of(p -> {
            String type = Reals.type(fn.toString(), p.in(0), p.in(1), p.out(0));
            List<Arg> args = new ArrayList<>(List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.Out(p.out(0)),
                    new Arg.I64(n)));
            if (common(fn) && order == 1) {
                return launch(name(fn) + "_vjp_" + type, p.in(0), n, args);
            }
            if (fn == Fn.GELU && order == 0) {
                return launch("gelu_gate_forward_" + type, p.in(0), n, args);
            }
            return general("unary_mul_forward_" + type, p.in(0), n, args, fn, order);
        });
    }

    /** Computes y = fn(x) and ty = tx fn'(x) for n elements of x and tx; fn is SILU, GELU or QUICK_GELU. */
    public static GpuKernel dual(Fn fn, long n) {
        if (!common(fn)) {
            throw new IllegalArgumentException(fn
                    + ": expected SILU, GELU or QUICK_GELU, which alone have a kernel for value and tangent at once");
        }
        return GpuKernel.of(p -> launch(name(fn) + "_jvp_" + Reals.type(fn.toString(), p.in(0), p.in(1), p.out(0), p.out(1)),
                p.in(0), n,
                List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.Out(p.out(0)), new Arg.Out(p.out(1)), new Arg.I64(n))));
    }

    /** Computes a gelu(b) [..,C] from x = [a, b] [..,2C]. */
    public static GpuKernel geglu(Shape x) {
        return GpuKernel.of(p -> rows("geglu_forward_" + Reals.type("GEGLU", p.in(0), p.out(0)), x, p.in(0),
                List.of(new Arg.In(p.in(0)), new Arg.Out(p.out(0)))));
    }

    /** Computes the pull-back dx [..,2C] from x [..,2C] and dy [..,C]. */
    public static GpuKernel gegluVjp(Shape x) {
        return GpuKernel.of(p -> rows("geglu_vjp_" + Reals.type("GEGLU", p.in(0), p.in(1), p.out(0)), x, p.in(0),
                List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.Out(p.out(0)))));
    }

    /** Computes the push-forward ty [..,C] from x and tx [..,2C]. */
    public static GpuKernel gegluJvp(Shape x) {
        return GpuKernel.of(p -> rows("geglu_jvp_" + Reals.type("GEGLU", p.in(0), p.in(1), p.out(0)), x, p.in(0),
                List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.None(), new Arg.Out(p.out(0)))));
    }

    /** Computes y and ty [..,C] from x and tx [..,2C]. */
    public static GpuKernel gegluDual(Shape x) {
        return GpuKernel.of(p -> rows("geglu_jvp_" + Reals.type("GEGLU", p.in(0), p.in(1), p.out(0), p.out(1)), x, p.in(0),
                List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.Out(p.out(0)), new Arg.Out(p.out(1)))));
    }

    /** Tells whether a function has a kernel for value and tangent at once. */
    public static boolean hasDual(Fn fn) {
        return common(fn);
    }

    /** Tells whether a function has kernels of its own. */
    private static boolean common(Fn fn) {
        return fn == Fn.SILU || fn == Fn.GELU || fn == Fn.QUICK_GELU;
    }

    private static String name(Fn fn) {
        return fn.name().toLowerCase(Locale.ROOT);
    }

    /** A launch with a thread for each 16 bytes. */
    private static Launch launch(String entry, Buffer x, long n, List<Arg> args) {
        int lanes = Reals.lanes(x);
        return new Launch("activation", entry, Launch.blocks((n + lanes - 1) / lanes, THREADS), Launch.Dim.of(THREADS), 0, args);
    }

    private static Launch general(String entry, Buffer x, long n, List<Arg> args, Fn fn, int order) {
        args.addAll(List.of(new Arg.I32(fn.ordinal()), new Arg.I32(order)));
        return launch(entry, x, n, args);
    }

    /** A launch with a thread for each 16 bytes of the half of a row. */
    private static Launch rows(String entry, Shape x, Buffer b, List<Arg> buffers) {
        int c = x.dim(-1) / 2;
        int lanes = Reals.lanes(b);
        List<Arg> args = new ArrayList<>(buffers);
        args.add(new Arg.I32(c));
        Launch.Dim columns = Launch.blocks((c + lanes - 1) / lanes, THREADS);
        return new Launch("activation", entry, Launch.Dim.of(x.size() / x.dim(-1), columns.x()), Launch.Dim.of(THREADS), 0, args);
    }
}
