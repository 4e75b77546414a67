// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import java.util.List;
import org.tweedie.program.op.Fn;
import org.tweedie.program.op.GroupNormalization;

/** Computes group norm, its pull-back and its push-forward, group by group. */
final class ReferenceNorm {
    private ReferenceNorm() {}

    /** One sample's group: the offsets of its elements and their mean and 1/sqrt(var + eps). */
    private record Group(int[] offsets, int[] channels, double mean, double r) {
        double xhat(Array x, int i) {
            return (x.data()[offsets[i]] - mean) * r;
        }
    }

    private interface Body {
        void run(Group g);
    }

    private static void eachGroup(GroupNormalization o, Array x, Body body) {
        int c = x.dim(-1);
        int places = x.size() / x.dim(0) / c;
        int width = c / o.groups();
        for (int b = 0; b < x.dim(0); b++) {
            for (int g = 0; g < o.groups(); g++) {
                int[] offsets = new int[places * width];
                int[] channels = new int[places * width];
                double mean = 0;
                for (int i = 0; i < offsets.length; i++) {
                    channels[i] = g * width + i % width;
                    offsets[i] = (b * places + i / width) * c + channels[i];
                    mean += x.data()[offsets[i]] / offsets.length;
                }
                double var = 0;
                for (int i : offsets) {
                    var += Math.pow(x.data()[i] - mean, 2) / offsets.length;
                }
                body.run(new Group(offsets, channels, mean, 1 / Math.sqrt(var + o.eps())));
            }
        }
    }

    static void forward(GroupNormalization o, List<Array> in, Array y) {
        Array x = in.get(0);
        eachGroup(o, x, g -> {
            for (int i = 0; i < g.offsets.length; i++) {
                double u = in.get(1).data()[g.channels[i]] * g.xhat(x, i) + in.get(2).data()[g.channels[i]];
                y.data()[g.offsets[i]] = o.silu() ? Fn.SILU.at(0, u) : u;
            }
        });
    }

    static void vjp(GroupNormalization o, List<Array> in, Array dx) {
        Array x = in.get(0);
        eachGroup(o, x, g -> {
            double[] v = new double[g.offsets.length];
            for (int i = 0; i < v.length; i++) {
                double gamma = in.get(1).data()[g.channels[i]];
                double u = gamma * g.xhat(x, i) + in.get(2).data()[g.channels[i]];
                v[i] = in.get(3).data()[g.offsets[i]] * gamma * (o.silu() ? Fn.SILU.at(1, u) : 1);
            }
            project(g, x, v);
            for (int i = 0; i < v.length; i++) {
                dx.data()[g.offsets[i]] = v[i];
            }
        });
    }

    static void jvp(GroupNormalization o, List<Array> in, Array ty) {
        Array x = in.get(0);
        eachGroup(o, x, g -> {
            double[] v = new double[g.offsets.length];
            for (int i = 0; i < v.length; i++) {
                v[i] = in.get(3).data()[g.offsets[i]];
            }
            project(g, x, v);
            for (int i = 0; i < v.length; i++) {
                double gamma = in.get(1).data()[g.channels[i]];
                double u = gamma * g.xhat(x, i) + in.get(2).data()[g.channels[i]];
                ty.data()[g.offsets[i]] = v[i] * gamma * (o.silu() ? Fn.SILU.at(1, u) : 1);
            }
        });
    }

    /** v becomes r (v - mean(v) - xhat mean(xhat v)). */
    private static void project(Group g, Array x, double[] v) {
        double mean = 0;
        double along = 0;
        for (int i = 0; i < v.length; i++) {
            mean += v[i] / v.length;
            along += v[i] * g.xhat(x, i) / v.length;
        }
        for (int i = 0; i < v.length; i++) {
            v[i] = g.r * (v[i] - mean - g.xhat(x, i) * along);
        }
    }
}
