// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

import java.util.Arrays;

/** The extents of a contiguous tensor, outermost first. Rank 0 is a scalar. */
public final class Shape {
    private final int[] dims;

    private Shape(int[] dims) {
        this.dims = dims;
    }

    /** @throws IllegalArgumentException when an extent is negative */
    public static Shape of(int... dims) {
        for (int d : dims) {
            if (d < 0) {
                throw new IllegalArgumentException("shape " + Arrays.toString(dims) + ": extents must not be negative");
            }
        }
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    /** Extent of an axis; negative axes count from the end. */
    public int dim(int axis) {
        return dims[axis(axis)];
    }

    /** The axis as a number from 0, whether given from the front or (negative) from the end. */
    public int axis(int axis) {
        int a = axis < 0 ? axis + dims.length : axis;
        if (a < 0 || a >= dims.length) {
            throw new IllegalArgumentException("axis " + axis + " is outside of shape " + this);
        }
        return a;
    }

    /** Number of elements. @throws ArithmeticException on overflow of a long */
    public long size() {
        long n = 1;
        for (int d : dims) {
            n = Math.multiplyExact(n, (long) d);
        }
        return n;
    }

    /** Product of the extents of axes [from, to). */
    public long size(int from, int to) {
        long n = 1;
        for (int i = from; i < to; i++) {
            n *= dims[i];
        }
        return n;
    }

    public int[] dims() {
        return dims.clone();
    }

    /** This shape with one extent replaced. */
    public Shape with(int axis, int extent) {
        int[] d = dims.clone();
        d[axis(axis)] = extent;
        return of(d);
    }

    /** Element strides of the contiguous layout. */
    public long[] strides() {
        long[] s = new long[dims.length];
        long n = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            s[i] = n;
            n *= dims[i];
        }
        return s;
    }

    /** The shape to which two shapes broadcast by numpy's rule. @throws IllegalArgumentException when they do not agree */
    public static Shape broadcast(Shape a, Shape b) {
        int[] d = new int[Math.max(a.rank(), b.rank())];
        for (int i = 1; i <= d.length; i++) {
            int x = i <= a.rank() ? a.dim(-i) : 1;
            int y = i <= b.rank() ? b.dim(-i) : 1;
            if (x != y && x != 1 && y != 1) {
                throw new IllegalArgumentException("shapes " + a + " and " + b + " do not broadcast");
            }
            d[d.length - i] = x == 1 ? y : x;
        }
        return of(d);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Shape s && Arrays.equals(dims, s.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    /** The extents in brackets, for example {@code [1,16,16,4]}. */
    @Override
    public String toString() {
        return Arrays.toString(dims).replace(" ", "");
    }
}
