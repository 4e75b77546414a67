// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.program.DType;
import org.tweedie.program.op.Convolution;

/**
 * A few operations on tensors that become one kernel, or a few, of cuDNN's choice. All arithmetic is F32. What lies between operations is virtual: it is
 * never written to memory.
 */
final class Graph {
    /** Every buffer of a plan lies at a multiple of this. */
    static final int ALIGNMENT = 16;

    private final Scope scope;
    private final int alignment;
    private final List<Descriptor> operations = new ArrayList<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private long scratch;

    /** @param alignment at multiples of which all tensors lie */
    Graph(Scope scope, int alignment) {
        this.scope = scope;
        this.alignment = alignment;
    }

    /** cudnnPointwiseMode_t, as far as it is used. */
    enum Pointwise {
        ADD(0), MUL(1), DIV(6), SUB(9), EXP(13), LOG(15), SWISH_FWD(106);

        final int code;

        Pointwise(int code) {
            this.code = code;
        }
    }

    /** cudnnReduceTensorOp_t, as far as it is used. */
    enum Reduction {
        ADD(0), MAX(3);

        final int code;

        Reduction(int code) {
            this.code = code;
        }
    }

    /** @param uid its number in the graph */
    record Tensor(long uid, Descriptor descriptor, DType dtype, long[] dims, long[] strides, Place place) {}

    /** A tensor of the given extents and strides, in elements. */
    Tensor tensor(Place place, DType dtype, long[] dims, long... strides) {
        long uid = tensors.size() + 1;
        Descriptor d = scope.create(Kind.TENSOR).set(Attribute.TENSOR_UNIQUE_ID, uid).set(Attribute.TENSOR_DATA_TYPE, code(dtype))
                .set(Attribute.TENSOR_BYTE_ALIGNMENT, alignment).set(Attribute.TENSOR_DIMENSIONS, dims).set(Attribute.TENSOR_STRIDES, strides);
        switch (place) {
            case Place.Virtual _ -> d.set(Attribute.TENSOR_IS_VIRTUAL, 1);
            case Place.Scalar _ -> d.set(Attribute.TENSOR_IS_BY_VALUE, 1);
            case Place.In _, Place.Out _, Place.Scratch _ -> { }
        }
        Tensor t = new Tensor(uid, d.finish(), dtype, dims, strides, place);
        tensors.add(t);
        return t;
    }

    /** A virtual F32 tensor of another's extents and strides. */
    Tensor like(Tensor t) {
        return tensor(new Place.Virtual(), DType.F32, t.dims(), t.strides());
    }

    /** A number of F32, of the rank 4 that all our tensors have. */
    Tensor scalar(float value) {
        return tensor(new Place.Scalar(value), DType.F32, new long[] {1, 1, 1, 1}, 1, 1, 1, 1);
    }

    /** A tensor in working memory. */
    Tensor scratch(DType dtype, long[] dims, long... strides) {
        Tensor t = tensor(new Place.Scratch(scratch), dtype, dims, strides);
        scratch += (dims[0] * dims[1] * dims[2] * dims[3] * dtype.bytes() + 255) / 256 * 256;
        return t;
    }

    /** y = x (cross-correlated with) w. */
    void convolution(Convolution op, Tensor x, Tensor w, Tensor y) {
        add(scope.create(Kind.OPERATION_CONVOLUTION_FORWARD).set(Attribute.OPERATION_CONVOLUTION_FORWARD_X, x.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_FORWARD_W, w.descriptor()).set(Attribute.OPERATION_CONVOLUTION_FORWARD_Y, y.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_FORWARD_CONV_DESC, geometry(op))
                .setFloat(Attribute.OPERATION_CONVOLUTION_FORWARD_ALPHA, 1f).setFloat(Attribute.OPERATION_CONVOLUTION_FORWARD_BETA, 0f));
    }

    /** dx = what {@link #convolution} pulls dy back to. */
    void backwardData(Convolution op, Tensor dy, Tensor w, Tensor dx) {
        add(scope.create(Kind.OPERATION_CONVOLUTION_BACKWARD_DATA).set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_DY, dy.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_W, w.descriptor()).set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_DX, dx.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, geometry(op))
                .setFloat(Attribute.OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1f).setFloat(Attribute.OPERATION_CONVOLUTION_BWD_DATA_BETA, 0f));
    }

    private Descriptor geometry(Convolution op) {
        return scope.create(Kind.CONVOLUTION).set(Attribute.CONVOLUTION_COMP_TYPE, code(DType.F32))
                .set(Attribute.CONVOLUTION_CONV_MODE, 1) // cross-correlation
                .set(Attribute.CONVOLUTION_SPATIAL_DIMS, 2).set(Attribute.CONVOLUTION_DILATIONS, 1, 1)
                .set(Attribute.CONVOLUTION_FILTER_STRIDES, op.stride(), op.stride())
                .set(Attribute.CONVOLUTION_PRE_PADDINGS, op.top(), op.left())
                .set(Attribute.CONVOLUTION_POST_PADDINGS, op.bottom(), op.right()).finish();
    }

    /** y = mode(x) or, with a b that may be broadcast, mode(x, b). */
    Tensor pointwise(Pointwise mode, Tensor x, Tensor b, Tensor y) {
        Descriptor how = scope.create(Kind.POINTWISE).set(Attribute.POINTWISE_MODE, mode.code).set(Attribute.POINTWISE_MATH_PREC, code(DType.F32));
        if (mode == Pointwise.SWISH_FWD) {
            how.setFloat(Attribute.POINTWISE_SWISH_BETA, 1f);
        }
        Descriptor d = scope.create(Kind.OPERATION_POINTWISE).set(Attribute.OPERATION_POINTWISE_PW_DESCRIPTOR, how.finish())
                .set(Attribute.OPERATION_POINTWISE_XDESC, x.descriptor());
        if (b != null) {
            d.set(Attribute.OPERATION_POINTWISE_BDESC, b.descriptor());
        }
        add(d.set(Attribute.OPERATION_POINTWISE_YDESC, y.descriptor()));
        return y;
    }

    /** y = x reduced along the axes in which y has extent 1. */
    Tensor reduction(Reduction operator, Tensor x, Tensor y) {
        Descriptor how = scope.create(Kind.REDUCTION).set(Attribute.REDUCTION_OPERATOR, operator.code)
                .set(Attribute.REDUCTION_COMP_TYPE, code(DType.F32)).finish();
        add(scope.create(Kind.OPERATION_REDUCTION).set(Attribute.OPERATION_REDUCTION_DESC, how).set(Attribute.OPERATION_REDUCTION_XDESC, x.descriptor())
                .set(Attribute.OPERATION_REDUCTION_YDESC, y.descriptor()));
        return y;
    }

    /** c = a b, of the last two axes. */
    Tensor matmul(Tensor a, Tensor b, Tensor c) {
        Descriptor how = scope.create(Kind.MATMUL).set(Attribute.MATMUL_COMP_TYPE, code(DType.F32)).finish();
        add(scope.create(Kind.OPERATION_MATMUL).set(Attribute.OPERATION_MATMUL_DESC, how).set(Attribute.OPERATION_MATMUL_ADESC, a.descriptor())
                .set(Attribute.OPERATION_MATMUL_BDESC, b.descriptor()).set(Attribute.OPERATION_MATMUL_CDESC, c.descriptor()));
        return c;
    }

    /** y = x with its last two axes exchanged, by y's strides: nothing moves. */
    Tensor reshape(Tensor x, Tensor y) {
        add(scope.create(Kind.OPERATION_RESHAPE).set(Attribute.OPERATION_RESHAPE_XDESC, x.descriptor())
                .set(Attribute.OPERATION_RESHAPE_YDESC, y.descriptor()));
        return y;
    }

    private void add(Descriptor operation) {
        operations.add(operation.finish());
    }

    /** The finished OPERATIONGRAPH. */
    Descriptor finish(Target target) {
        Descriptor d = scope.create(Kind.OPERATIONGRAPH).set(Attribute.OPERATIONGRAPH_OPS, operations.toArray(Descriptor[]::new));
        if (target instanceof Target.Card card) {
            d.set(Attribute.OPERATIONGRAPH_HANDLE, card.handle());
        }
        return d.finish();
    }

    /** Those that lie somewhere when the graph runs. */
    List<Tensor> bound() {
        return tensors.stream().filter(t -> !(t.place() instanceof Place.Virtual)).toList();
    }

    /** Bytes of the tensors in working memory, a multiple of 256. */
    long scratchBytes() {
        return scratch;
    }

    /** cudnnDataType_t. */
    private static int code(DType dtype) {
        return switch (dtype) {
            case F32 -> 0;
            case F16 -> 2;
            case BF16 -> 9;
            default -> throw new IllegalArgumentException("cuDNN: expected F32, F16 or BF16, got " + dtype);
        };
    }
}
