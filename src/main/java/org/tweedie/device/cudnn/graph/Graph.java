// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.graph;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cudnn.binding.Attribute;
import org.tweedie.device.cudnn.binding.BackendDescriptor;
import org.tweedie.device.cudnn.binding.DescriptorKind;
import org.tweedie.device.cudnn.binding.Scope;
import org.tweedie.device.cudnn.binding.Target;
import org.tweedie.program.DType;
import org.tweedie.program.op.Convolution;

/**
 * A few operations on tensors that cuDNN turns into one kernel or a few. All arithmetic is F32. Tensors between operations are
 * virtual: they are never written to memory.
 */
public final class Graph {
    /** The address of every buffer of a plan is a multiple of this. */
    public static final int ALIGNMENT = 16;

    private final Scope scope;
    private final int alignment;
    private final List<BackendDescriptor> operations = new ArrayList<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private long scratch;

    /**
     * Makes an empty graph.
     *
     * @param alignment the bytes of which every tensor's address is a multiple
     */
    public Graph(Scope scope, int alignment) {
        this.scope = scope;
        this.alignment = alignment;
    }

    /** The values of cudnnPointwiseMode_t that we use. */
    enum Pointwise {
        ADD(0), MUL(1), DIV(6), SUB(9), EXP(13), LOG(15), SWISH_FWD(106);

        final int code;

        Pointwise(int code) {
            this.code = code;
        }
    }

    /** The values of cudnnReduceTensorOp_t that we use. */
    enum Reduction {
        ADD(0), MAX(3);

        final int code;

        Reduction(int code) {
            this.code = code;
        }
    }

    /**
     * A tensor of the graph.
     *
     * @param uid its number in the graph
     */
    public record Tensor(long uid, BackendDescriptor descriptor, DType dtype, long[] dims, long[] strides, TensorPlace place) {}

    /** Adds a tensor of the given extents and strides, in elements. */
    Tensor tensor(TensorPlace place, DType dtype, long[] dims, long... strides) {
        long uid = tensors.size() + 1;
        BackendDescriptor d = scope.create(DescriptorKind.TENSOR).set(Attribute.TENSOR_UNIQUE_ID, uid)
                .set(Attribute.TENSOR_DATA_TYPE, code(dtype))
                .set(Attribute.TENSOR_BYTE_ALIGNMENT, alignment).set(Attribute.TENSOR_DIMENSIONS, dims)
                .set(Attribute.TENSOR_STRIDES, strides);
        switch (place) {
            case TensorPlace.Virtual _ -> d.set(Attribute.TENSOR_IS_VIRTUAL, 1);
            case TensorPlace.Scalar _ -> d.set(Attribute.TENSOR_IS_BY_VALUE, 1);
            case TensorPlace.In _, TensorPlace.Out _, TensorPlace.Scratch _ -> { }
        }
        Tensor t = new Tensor(uid, d.finish(), dtype, dims, strides, place);
        tensors.add(t);
        return t;
    }

    /** Adds a virtual F32 tensor with the extents and strides of another. */
    Tensor like(Tensor t) {
        return tensor(new TensorPlace.Virtual(), DType.F32, t.dims(), t.strides());
    }

    /** Adds an F32 number, with the rank 4 that all our tensors have. */
    Tensor scalar(float value) {
        return tensor(new TensorPlace.Scalar(value), DType.F32, new long[] {1, 1, 1, 1}, 1, 1, 1, 1);
    }

    /** Adds a tensor in working memory. */
    Tensor scratch(DType dtype, long[] dims, long... strides) {
        Tensor t = tensor(new TensorPlace.Scratch(scratch), dtype, dims, strides);
        scratch += (dims[0] * dims[1] * dims[2] * dims[3] * dtype.bytes() + 255) / 256 * 256;
        return t;
    }

    /** Adds the operation y = x (cross-correlated with) w. */
    void convolution(Convolution op, Tensor x, Tensor w, Tensor y) {
        add(scope.create(DescriptorKind.OPERATION_CONVOLUTION_FORWARD).set(Attribute.OPERATION_CONVOLUTION_FORWARD_X,
                x.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_FORWARD_W, w.descriptor()).set(Attribute.OPERATION_CONVOLUTION_FORWARD_Y,
                y.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_FORWARD_CONV_DESC, geometry(op))
                .setFloat(Attribute.OPERATION_CONVOLUTION_FORWARD_ALPHA, 1f)
                .setFloat(Attribute.OPERATION_CONVOLUTION_FORWARD_BETA, 0f));
    }

    /** Adds the operation that pulls dy back through {@link #convolution} to dx. */
    void backwardData(Convolution op, Tensor dy, Tensor w, Tensor dx) {
        add(scope.create(DescriptorKind.OPERATION_CONVOLUTION_BACKWARD_DATA).set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_DY,
                dy.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_W, w.descriptor()).set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_DX,
                dx.descriptor())
                .set(Attribute.OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, geometry(op))
                .setFloat(Attribute.OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1f)
                .setFloat(Attribute.OPERATION_CONVOLUTION_BWD_DATA_BETA, 0f));
    }

    private BackendDescriptor geometry(Convolution op) {
        return scope.create(DescriptorKind.CONVOLUTION).set(Attribute.CONVOLUTION_COMP_TYPE, code(DType.F32))
                .set(Attribute.CONVOLUTION_CONV_MODE, 1) // the code of cross-correlation
                .set(Attribute.CONVOLUTION_SPATIAL_DIMS, 2).set(Attribute.CONVOLUTION_DILATIONS, 1, 1)
                .set(Attribute.CONVOLUTION_FILTER_STRIDES, op.stride(), op.stride())
                .set(Attribute.CONVOLUTION_PRE_PADDINGS, op.top(), op.left())
                .set(Attribute.CONVOLUTION_POST_PADDINGS, op.bottom(), op.right()).finish();
    }

    /** Adds the operation y = mode(x) or, with a b that may be broadcast, y = mode(x, b). */
    Tensor pointwise(Pointwise mode, Tensor x, Tensor b, Tensor y) {
        BackendDescriptor how = scope.create(DescriptorKind.POINTWISE).set(Attribute.POINTWISE_MODE, mode.code)
                .set(Attribute.POINTWISE_MATH_PREC, code(DType.F32));
        if (mode == Pointwise.SWISH_FWD) {
            how.setFloat(Attribute.POINTWISE_SWISH_BETA, 1f);
        }
        BackendDescriptor d = scope.create(DescriptorKind.OPERATION_POINTWISE).set(Attribute.OPERATION_POINTWISE_PW_DESCRIPTOR,
                how.finish())
                .set(Attribute.OPERATION_POINTWISE_XDESC, x.descriptor());
        if (b != null) {
            d.set(Attribute.OPERATION_POINTWISE_BDESC, b.descriptor());
        }
        add(d.set(Attribute.OPERATION_POINTWISE_YDESC, y.descriptor()));
        return y;
    }

    /** Adds the reduction of x along the axes in which y has extent 1. */
    Tensor reduction(Reduction operator, Tensor x, Tensor y) {
        BackendDescriptor how = scope.create(DescriptorKind.REDUCTION).set(Attribute.REDUCTION_OPERATOR, operator.code)
                .set(Attribute.REDUCTION_COMP_TYPE, code(DType.F32)).finish();
        add(scope.create(DescriptorKind.OPERATION_REDUCTION).set(Attribute.OPERATION_REDUCTION_DESC, how)
                .set(Attribute.OPERATION_REDUCTION_XDESC, x.descriptor())
                .set(Attribute.OPERATION_REDUCTION_YDESC, y.descriptor()));
        return y;
    }

    /** Adds the product c = a b of the last two axes. */
    Tensor matmul(Tensor a, Tensor b, Tensor c) {
        BackendDescriptor how = scope.create(DescriptorKind.MATMUL).set(Attribute.MATMUL_COMP_TYPE, code(DType.F32)).finish();
        add(scope.create(DescriptorKind.OPERATION_MATMUL).set(Attribute.OPERATION_MATMUL_DESC, how)
                .set(Attribute.OPERATION_MATMUL_ADESC, a.descriptor())
                .set(Attribute.OPERATION_MATMUL_BDESC, b.descriptor()).set(Attribute.OPERATION_MATMUL_CDESC, c.descriptor()));
        return c;
    }

    /** Adds y, which is x with its last two axes exchanged; y's strides express that, and no element moves. */
    Tensor reshape(Tensor x, Tensor y) {
        add(scope.create(DescriptorKind.OPERATION_RESHAPE).set(Attribute.OPERATION_RESHAPE_XDESC, x.descriptor())
                .set(Attribute.OPERATION_RESHAPE_YDESC, y.descriptor()));
        return y;
    }

    private void add(BackendDescriptor operation) {
        operations.add(operation.finish());
    }

    /** Makes the finished OPERATIONGRAPH. */
    public BackendDescriptor finish(Target target) {
        BackendDescriptor d = scope.create(DescriptorKind.OPERATIONGRAPH).set(Attribute.OPERATIONGRAPH_OPS,
                operations.toArray(BackendDescriptor[]::new));
        if (target instanceof Target.Card card) {
            d.set(Attribute.OPERATIONGRAPH_HANDLE, card.handle());
        }
        return d.finish();
    }

    /** Returns the tensors that have an address when the graph runs. */
    public List<Tensor> bound() {
        return tensors.stream().filter(t -> !(t.place() instanceof TensorPlace.Virtual)).toList();
    }

    /** Returns the bytes of the tensors in working memory, a multiple of 256. */
    public long scratchBytes() {
        return scratch;
    }

    /** Returns the cudnnDataType_t of a type. */
    private static int code(DType dtype) {
        return switch (dtype) {
            case F32 -> 0;
            case F16 -> 2;
            case BF16 -> 9;
            default -> throw new IllegalArgumentException("cuDNN: expected F32, F16 or BF16, got " + dtype);
        };
    }
}
