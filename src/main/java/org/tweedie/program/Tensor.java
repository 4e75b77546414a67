// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A contiguous tensor in host memory: an input or an output of a program, or a weight of a checkpoint. The engine never changes
 * it. Its memory may be a heap array or a mapped file; it must live as long as the tensor is
 * used.
 */
public record Tensor(DType dtype, Shape shape, MemorySegment data) {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Tensor {
        if (data.byteSize() != shape.size() * dtype.bytes()) {
            throw new IllegalArgumentException("tensor " + dtype + shape + ": expected " + shape.size() * dtype.bytes()
                    + " bytes, got " + data.byteSize());
        }
    }

    /** An F32 tensor over (not a copy of) the given numbers. */
    public static Tensor of(Shape shape, float... data) {
        return new Tensor(DType.F32, shape, MemorySegment.ofArray(data));
    }

    /** An F64 tensor over (not a copy of) the given numbers. */
    public static Tensor of(Shape shape, double... data) {
        return new Tensor(DType.F64, shape, MemorySegment.ofArray(data));
    }

    /** An I64 tensor over (not a copy of) the given numbers. */
    public static Tensor of(Shape shape, long... data) {
        return new Tensor(DType.I64, shape, MemorySegment.ofArray(data));
    }

    /** An F32 scalar. */
    public static Tensor scalar(double value) {
        return of(Shape.of(), (float) value);
    }

    public long size() {
        return shape.size();
    }

    /** Element i in row-major order as a double, whatever the type. */
    public double get(long i) {
        return switch (dtype) {
            case F32 -> data.get(FLOAT, i * 4);
            case F64 -> data.get(DOUBLE, i * 8);
            case F16 -> Float.float16ToFloat(data.get(SHORT, i * 2));
            case BF16 -> Float.intBitsToFloat(data.get(SHORT, i * 2) << 16);
            case I64, U64 -> data.get(LONG, i * 8);
            case I32 -> data.get(INT, i * 4);
            case U32 -> data.get(INT, i * 4) & 0xFFFFFFFFL;
            case I16 -> data.get(SHORT, i * 2);
            case U16 -> data.get(SHORT, i * 2) & 0xFFFF;
            case I8 -> data.get(ValueLayout.JAVA_BYTE, i);
            case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
        };
    }

    /** The elements as new floats, rounded to nearest where the type is wider. */
    public float[] floats() {
        int n = Math.toIntExact(size());
        float[] out = new float[n];
        if (dtype == DType.F32) {
            MemorySegment.ofArray(out).copyFrom(data);
            return out;
        }
        for (int i = 0; i < n; i++) {
            out[i] = (float) get(i);
        }
        return out;
    }

    /** The elements as new doubles. */
    public double[] doubles() {
        double[] out = new double[Math.toIntExact(size())];
        for (int i = 0; i < out.length; i++) {
            out[i] = get(i);
        }
        return out;
    }

    /** The elements as new longs. @throws IllegalStateException when the type is floating-point */
    public long[] longs() {
        if (dtype.isFloat()) {
            throw new IllegalStateException("tensor " + this + ": expected an integer type");
        }
        long[] out = new long[Math.toIntExact(size())];
        for (int i = 0; i < out.length; i++) {
            out[i] = dtype == DType.I64 ? data.get(LONG, i * 8L) : (long) get(i);
        }
        return out;
    }

    /** A view of these elements in another shape of equal size. */
    public Tensor reshape(int... dims) {
        return new Tensor(dtype, Shape.of(dims), data);
    }

    @Override
    public String toString() {
        return dtype + shape.toString();
    }
}
