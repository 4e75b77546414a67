// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.program.Shape;

/**
 * The index space of a kernel and the places of its elements in up to two operands, with neighbouring axes joined that move
 * alike: {@code Axes} of kernels/axes.cuh.
 *
 * @param axes the innermost first; at least one
 */
record Axes(List<Axis> axes) {
    private static final int MOST = 6;

    /** An axis: its extent and its steps in elements of operands x and y, 0 where the operand is repeated. */
    record Axis(long extent, long x, long y) {}

    /** Joins what can be joined and leaves out axes of extent 1. */
    static Axes of(List<Axis> innermostFirst) {
        List<Axis> joined = new ArrayList<>();
        for (Axis a : innermostFirst) {
            Axis inner = joined.isEmpty() ? null : joined.getLast();
            if (a.extent == 1) {
                continue;
            }
            if (inner != null && a.x == inner.extent * inner.x && a.y == inner.extent * inner.y) {
                joined.set(joined.size() - 1, new Axis(inner.extent * a.extent, inner.x, inner.y));
            } else {
                joined.add(a);
            }
        }
        return new Axes(joined.isEmpty() ? List.of(new Axis(1, 0, 0)) : List.copyOf(joined));
    }

    /** Operands of shapes that broadcast to {@code out} by numpy's rule. */
    static Axes broadcast(Shape out, Shape x, Shape y) {
        List<Axis> axes = new ArrayList<>();
        long sx = 1;
        long sy = 1;
        for (int i = 1; i <= out.rank(); i++) {
            long dx = i <= x.rank() ? x.dim(-i) : 1;
            long dy = i <= y.rank() ? y.dim(-i) : 1;
            axes.add(new Axis(out.dim(-i), dx == 1 ? 0 : sx, dy == 1 ? 0 : sy));
            sx *= dx;
            sy *= dy;
        }
        return of(axes);
    }

    Axis inner() {
        return axes.getFirst();
    }

    long size() {
        return axes.stream().mapToLong(Axis::extent).reduce(1, (a, b) -> a * b);
    }

    /** This space with v elements along the innermost axis taken at a time; its steps still count elements. */
    Axes vectors(int v) {
        return inner(new Axis(inner().extent / v, inner().x * v, inner().y * v), axes);
    }

    /** This space and both operands in units of v elements; the innermost axis must be contiguous in both. */
    Axes units(int v) {
        return inner(new Axis(inner().extent / v, inner().x, inner().y),
                axes.stream().map(a -> new Axis(a.extent, a.x / v, a.y / v)).toList());
    }

    private static Axes inner(Axis inner, List<Axis> axes) {
        List<Axis> all = new ArrayList<>(axes);
        all.set(0, inner);
        return new Axes(all);
    }

    /** @throws IllegalArgumentException when more than six axes are left or a number does not fit into an int */
    Arg.Ints arg() {
        if (axes.size() > MOST) {
            throw new IllegalArgumentException("axes: a kernel walks at most " + MOST + " axes, got " + axes
                    + "; reshape or copy first");
        }
        List<Long> ints = new ArrayList<>(List.of((long) axes.size()));
        for (Axis a : axes) {
            Divisor d = Divisor.of(a.extent);
            Collections.addAll(ints, (long) d.d(), (long) d.mul(), (long) d.shift(), a.x, a.y);
        }
        ints.addAll(Collections.nCopies(1 + 5 * MOST - ints.size(), 0L));
        return new Arg.Ints(ints.stream().mapToInt(Math::toIntExact).toArray());
    }
}
