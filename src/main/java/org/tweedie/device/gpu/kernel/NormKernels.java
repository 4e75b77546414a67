// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.Shape;
import org.tweedie.program.op.GroupNormalization;

/**
 * Launches the kernels of group norm (+ SiLU) of x [B,..,C], its pull-back and its push-forward: {@link LayerNormKernels} for
 * layer norm, {@link NormStrips} for groups of more than {@value #BLOCK} elements, kernels/norm.cu for the rest, a block per
 * sample and group. Operands x, gamma, beta and, for the derivatives, dy or tx; results may take the place of x, dy or tx. A
 * pull-back may take one operand more, of x's shape, that is added to its result before that is rounded: what else is pulled back
 * to x, as around a residual block. The result may take its place too.
 */
public final class NormKernels {
    /**
     * Elements of a group that one block takes. Larger ones take one multiprocessor longer than the launches take that split
     * them: estimated from the instructions of both, 50 an element, and some microseconds a launch.
     */
    static final int BLOCK = 1 << 14;

    /** The function, or which of its derivatives, to compute. */
    enum Form {
        FORWARD, VJP,
        /** The pull-back and another summand: dx + plus. */
        VJP_PLUS,
        /** The push-forward ty alone. */
        JVP,
        /** The norm and its push-forward at once: y and ty. */
        DUAL;

        /** The word for it in the names of entry points. */
        String entry() {
            return this == DUAL ? "jvp" : isVjp() ? "vjp" : name().toLowerCase(Locale.ROOT);
        }

        boolean isVjp() {
            return this == VJP || this == VJP_PLUS;
        }

        /** The kernel's operands and results, in order. */
        List<Arg> args(GpuKernel.Places p) {
            List<Arg> a = new ArrayList<>(List.of(new Arg.In(p.in(0)), new Arg.In(p.in(1)), new Arg.In(p.in(2))));
            if (this != FORWARD) {
                a.add(new Arg.In(p.in(3)));
            }
            a.addAll(results(p));
            return a;
        }

        /** The results; in a derivative they follow plus or come with y, either of which may be missing. */
        List<Arg> results(GpuKernel.Places p) {
            Arg first = new Arg.Out(p.out(0));
            return switch (this) {
                case FORWARD -> List.of(first);
                case VJP_PLUS -> List.of(new Arg.In(p.in(4)), first);
                case VJP, JVP -> List.of(new Arg.None(), first);
                case DUAL -> List.of(first, new Arg.Out(p.out(1)));
            };
        }

        String type(GpuKernel.Places p) {
            return switch (this) {
                case FORWARD -> Reals.type("group norm", p.in(0), p.in(1), p.in(2), p.out(0));
                case VJP, JVP -> Reals.type("group norm", p.in(0), p.in(1), p.in(2), p.in(3), p.out(0));
                case VJP_PLUS -> Reals.type("group norm", p.in(0), p.in(1), p.in(2), p.in(3), p.in(4), p.out(0));
                case DUAL -> Reals.type("group norm", p.in(0), p.in(1), p.in(2), p.in(3), p.out(0), p.out(1));
            };
        }
    }

    private NormKernels() {}

    public static GpuKernel forward(GroupNormalization op, Shape x) {
        return of(op, x, Form.FORWARD);
    }

    /** Computes dx from x, gamma, beta, dy. */
    public static GpuKernel vjp(GroupNormalization op, Shape x) {
        return of(op, x, Form.VJP);
    }

    /** Computes dx + plus from x, gamma, beta, dy, plus. */
    public static GpuKernel vjpPlus(GroupNormalization op, Shape x) {
        return of(op, x, Form.VJP_PLUS);
    }

    /** Computes ty from x, gamma, beta, tx. */
    public static GpuKernel jvp(GroupNormalization op, Shape x) {
        return of(op, x, Form.JVP);
    }

    /** Computes y and ty from x, gamma, beta, tx. */
    public static GpuKernel dual(GroupNormalization op, Shape x) {
        return of(op, x, Form.DUAL);
    }

    private static GpuKernel of(GroupNormalization op, Shape x, Form form) {
        if (LayerNormKernels.fits(op, x)) {
            return LayerNormKernels.of(op, x, form);
        }
        boolean large = x.size() / x.dim(0) / op.groups() > BLOCK;
        return large && NormStrips.fits(x) ? NormStrips.of(op, x, form) : block(op, x, form);
    }

    /** A launch with a block for each group of each sample, whatever its size. */
    public static GpuKernel block(GroupNormalization op, Shape x, Form form) {
        int channels = x.dim(-1);
        int places = Math.toIntExact(x.size() / x.dim(0) / channels);
        int width = channels / op.groups();
        long pieces = (long) places * width / (width % 4 == 0 ? 4 : width % 2 == 0 ? 2 : 1); // that a thread reads at a time
        int threads = (int) Math.clamp((pieces + 127) / 128 * 32, 32, 512); // 4 pieces or more a thread
        return GpuKernel.of(p -> {
            List<Arg> args = form.args(p);
            args.addAll(List.of(new Arg.I32(places), new Arg.I32(channels), new Arg.I32(op.groups()),
                    new Arg.F32((float) op.eps())));
            return new Launch("norm", "groupnorm_" + (op.silu() ? "silu_" : "") + form.entry() + "_" + form.type(p),
                    Launch.Dim.of((long) x.dim(0) * op.groups()), Launch.Dim.of(threads), 0, args);
        });
    }
}
