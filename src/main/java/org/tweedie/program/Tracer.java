// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.tweedie.program.op.*;

/**
 * Records a computation as a {@link Program}: each method emits one instruction and returns its result. A tracer is used once, by
 * one thread.
 */
public final class Tracer {
    private final String name;
    private final List<Program.Input> inputs = new ArrayList<>();
    private final List<Program.Constant> constants = new ArrayList<>();
    private final Map<Object, Value> weights = new IdentityHashMap<>();
    private final Map<Double, Value> numbers = new HashMap<>();
    private final List<Instr> body = new ArrayList<>();
    private final List<Program.Output> outputs = new ArrayList<>();
    private final Deque<String> scopes = new ArrayDeque<>();
    private int values;

    public Tracer(String name) {
        this.name = name;
    }

    // ---- edges -------------------------------------------------------------------------------------------------

    public Value input(String name, Type type) {
        if (inputs.stream().anyMatch(i -> i.name().equals(name))) {
            throw new IllegalArgumentException("program '" + this.name + "': input '" + name + "' is declared twice");
        }
        Value v = value(type);
        inputs.add(new Program.Input(name, v));
        return v;
    }

    /** Declares a weight or table; the same tensor gives the same value. */
    public Value constant(String name, Tensor data) {
        return weights.computeIfAbsent(data, key -> {
            Value v = value(new Type(data.dtype().isFloat() ? DType.F32 : DType.I64, data.shape()));
            constants.add(new Program.Constant(name, v, data));
            return v;
        });
    }

    /** A scalar constant. */
    public Value constant(double number) {
        return numbers.computeIfAbsent(number, x -> constant(Double.toString(x), Tensor.of(Shape.of(), new double[] {x})));
    }

    public Value zeros(Shape shape) {
        return broadcast(constant(0.0), shape);
    }

    public void output(String name, Value value) {
        outputs.add(new Program.Output(name, value));
    }

    /** The name itself or, where it is taken, with 2s behind it: a derivative of a derivative has two cotangents. */
    public String freeInput(String name) {
        return inputs.stream().anyMatch(i -> i.name().equals(name)) ? freeInput(name + "2") : name;
    }

    public String freeOutput(String name) {
        return outputs.stream().anyMatch(o -> o.name().equals(name)) ? freeOutput(name + "2") : name;
    }

    public Program finish() {
        return new Program(name, inputs, constants, body, outputs, values);
    }

    /** The instructions so far; a transform walks them while it appends. */
    public List<Instr> body() {
        return body;
    }

    /** Runs a part of the model under its name, which its instructions carry for error messages and profiles. */
    public <T> T scope(String name, java.util.function.Supplier<T> part) {
        scopes.addLast(name);
        try {
            return part.get();
        } finally {
            scopes.removeLast();
        }
    }

    private Value value(Type type) {
        return new Value(values++, type);
    }

    public List<Value> emit(Op op, Value... in) {
        return emit(op, String.join(".", scopes), in);
    }

    /** Emits with a given place in the model; transforms keep that of the instruction from which they derive another. */
    public List<Value> emit(Op op, String where, Value... in) {
        List<Value> ins = List.of(in);
        List<Value> out = op.infer(ins.stream().map(Value::type).toList()).stream().map(this::value).toList();
        body.add(new Instr(op, ins, out, where));
        return out;
    }

    public Value emit1(Op op, Value... in) {
        return emit(op, in).getFirst();
    }

    /**
     * Copies another program's instructions; its inputs become the given values. Returns the value of each of its values by
     * number.
     */
    public Value[] inline(Program p, Map<String, Value> arguments) {
        Value[] map = new Value[p.values()];
        p.inputs().forEach(i -> map[i.value().id()] = arguments.get(i.name()));
        p.constants().forEach(c -> map[c.value().id()] = constant(c.name(), c.data()));
        for (Instr i : p.body()) {
            List<Value> out = emit(i.op(), i.where(), i.in().stream().map(v -> map[v.id()]).toArray(Value[]::new));
            for (int k = 0; k < out.size(); k++) {
                map[i.out().get(k).id()] = out.get(k);
            }
        }
        return map;
    }

    // ---- arithmetic --------------------------------------------------------------------------------------------

    public Value add(Value x, Value y) {
        return emit1(new Binary(Binary.Kind.ADD), x, y);
    }

    public Value sub(Value x, Value y) {
        return emit1(new Binary(Binary.Kind.SUB), x, y);
    }

    public Value mul(Value x, Value y) {
        return emit1(new Binary(Binary.Kind.MUL), x, y);
    }

    public Value div(Value x, Value y) {
        return emit1(new Binary(Binary.Kind.DIV), x, y);
    }

    /** Adds x and y, where null stands for zero. */
    public Value plus(Value x, Value y) {
        return x == null ? y : y == null ? x : add(x, y);
    }

    public Value affine(Value x, double scale, double shift) {
        return scale == 1 && shift == 0 ? x : emit1(new Affine(scale, shift), x);
    }

    public Value scale(Value x, double scale) {
        return affine(x, scale, 0);
    }

    public Value unary(Fn fn, Value x) {
        return emit1(new Unary(fn, 0), x);
    }

    public Value silu(Value x) {
        return unary(Fn.SILU, x);
    }

    // ---- shapes ------------------------------------------------------------------------------------------------

    /** Sums over axes, which stay with extent 1. */
    public Value sum(Value x, int... axes) {
        return emit1(new ReduceSum(Arrays.stream(axes).map(x.shape()::axis).sorted().boxed().toList()), x);
    }

    /** Sums over all axes but the first: [B,..] to [B]. */
    public Value sumPerSample(Value x) {
        Value flat = reshape(x, Shape.of(x.dim(0), (int) (x.shape().size() / x.dim(0))));
        return reshape(sum(flat, 1), Shape.of(x.dim(0)));
    }

    /** Undoes a broadcast by summing: the adjoint of {@link #broadcast}. */
    public Value sumTo(Value x, Shape to) {
        if (x.shape().equals(to)) {
            return x;
        }
        int lead = x.shape().rank() - to.rank();
        int[] axes = IntStream.range(0, x.shape().rank())
                .filter(a -> x.dim(a) != 1 && (a < lead || to.dim(a - lead) == 1)).toArray();
        return reshape(axes.length == 0 ? x : sum(x, axes), to);
    }

    public Value broadcast(Value x, Shape to) {
        return x.shape().equals(to) ? x : emit1(new Broadcast(to), x);
    }

    public Value reshape(Value x, Shape to) {
        return x.shape().equals(to) ? x : emit1(new Reshape(to), x);
    }

    public Value transpose(Value x, int... perm) {
        return emit1(new Transpose(Arrays.stream(perm).boxed().toList()), x);
    }

    public Value concat(int axis, Value... xs) {
        return xs.length == 1 ? xs[0] : emit1(new Concat(xs[0].shape().axis(axis)), xs);
    }

    public Value slice(Value x, int axis, int from, int to) {
        int a = x.shape().axis(axis);
        return from == 0 && to == x.dim(a) ? x : emit1(new Slice(a, from, to), x);
    }

    public Value pad(Value x, int axis, int before, int after) {
        return before == 0 && after == 0 ? x : emit1(new Pad(x.shape().axis(axis), before, after), x);
    }

    public Value upsample(Value x, int factor) {
        return emit1(new Upsample(factor), x);
    }

    // ---- networks ----------------------------------------------------------------------------------------------

    public Value matmul(Value a, Value b, boolean transA, boolean transB) {
        return emit1(new MatMul(transA, transB), a, b);
    }

    /** Computes x W^T + bias for x [..,in] and the checkpoint's W [out,in]; bias may be null. */
    public Value linear(Value x, Value weight, Value bias) {
        int in = x.dim(-1);
        Value rows = reshape(x, Shape.of((int) (x.shape().size() / in), in));
        MatMul op = new MatMul(false, true);
        Value y = bias == null ? emit1(op, rows, weight) : emit1(op, rows, weight, bias);
        return reshape(y, x.shape().with(-1, weight.dim(0)));
    }

    /** A convolution with equal padding on each side; bias may be null. */
    public Value conv2d(Value x, Value weight, Value bias, int stride, int pad) {
        return conv2d(x, weight, bias, new Convolution(stride, pad, pad, pad, pad));
    }

    public Value conv2d(Value x, Value weight, Value bias, Convolution op) {
        return bias == null ? emit1(op, x, weight) : emit1(op, x, weight, bias);
    }

    public Value groupNorm(Value x, Value gamma, Value beta, int groups, double eps, boolean silu) {
        return emit1(new GroupNormalization(groups, eps, silu), x, gamma, beta);
    }

    /** Layer norm over the last axis. */
    public Value layerNorm(Value x, Value gamma, Value beta, double eps) {
        int c = x.dim(-1);
        Value rows = reshape(x, Shape.of((int) (x.shape().size() / c), 1, c));
        return reshape(groupNorm(rows, gamma, beta, 1, eps, false), x.shape());
    }

    /** Attention of q [B,N,C] to k and v [B,M,C]: [B,N,C]. */
    public Value attention(Value q, Value k, Value v, int heads, boolean causal) {
        return emit1(new DotProductAttention(heads, causal), q, k, v);
    }

    public Value gather(Value table, Value ids) {
        return emit1(new Gather(), table, ids);
    }
}
