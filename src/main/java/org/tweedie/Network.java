// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.Closing;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.model.NamedTensors;
import org.tweedie.model.TorchNetwork;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/**
 * A network of a model with PyTorch's names and layouts: its output, its vector-Jacobian product (pull-back), its
 * Jacobian-vector product (push-forward) and its Hessian-vector product. A program is compiled for each derivative and each
 * set of shapes, and kept until the model is closed. Derivatives are with respect to the first floating-point input. Only one
 * thread may use a network at a time.
 */
public final class Network {
    /** The quantity that a program computes: the output or one of its derivatives. */
    private enum Derivative { NONE, VJP, JVP, HVP }

    private record Key(Derivative derivative, Map<String, Shape> shapes) {}

    private final TorchNetwork network;
    private final Device device;
    private final Map<Key, Executable> programs = new HashMap<>();

    Network(TorchNetwork network, Device device) {
        this.network = network;
        this.device = device;
    }

    /** The network's name, for example {@code unet}. */
    public String name() {
        return network.name();
    }

    /**
     * The name of the input with respect to which derivatives are taken, for example {@code sample}; null for the text
     * encoder.
     */
    public String input() {
        return network.input();
    }

    /** The name of the output that is differentiated, for example {@code out_sample}. */
    public String output() {
        return network.output();
    }

    /**
     * Selects the network's inputs from named tensors.
     *
     * @throws IllegalArgumentException naming the input that is missing or does not fit
     */
    public Map<String, Tensor> arguments(NamedTensors in) {
        return network.arguments(in);
    }

    /** The shape of {@link #output} for the given inputs; a cotangent must have this shape. */
    public Shape outputShape(Map<String, Tensor> in) {
        return network.program(network.arguments(new NamedTensors(name(), in))).output(output()).shape();
    }

    /**
     * Evaluates the network.
     *
     * @param in the inputs by PyTorch's names, which {@code tweedie run --help} lists
     * @throws IllegalArgumentException naming the input that is missing, unknown or does not fit
     */
    public Map<String, Tensor> run(Map<String, Tensor> in) {
        return run(Derivative.NONE, in, Map.of());
    }

    /** Returns the pull-back J^T c, a tensor of the input's shape, of a cotangent c of the output's shape. */
    public Tensor vjp(Map<String, Tensor> in, Tensor cotangent) {
        return run(Derivative.VJP, in, Map.of("cotangent", cotangent)).get("grad");
    }

    /** Returns the push-forward J t, a tensor of the output's shape, of a tangent t of the input's shape. */
    public Tensor jvp(Map<String, Tensor> in, Tensor tangent) {
        return run(Derivative.JVP, in, Map.of("tangent", tangent)).get("jvp");
    }

    /**
     * Returns the Hessian-vector product of c . f(x) in the direction t: the derivative of {@link #vjp} along t, which is a
     * tensor of the input's shape.
     */
    public Tensor hvp(Map<String, Tensor> in, Tensor cotangent, Tensor tangent) {
        return run(Derivative.HVP, in, Map.of("cotangent", cotangent, "tangent", tangent)).get("jvp");
    }

    private Map<String, Tensor> run(Derivative derivative, Map<String, Tensor> in, Map<String, Tensor> directions) {
        if (derivative != Derivative.NONE && network.input() == null) {
            throw new IllegalArgumentException(name() + ": it has no floating-point input, so it has no derivative");
        }
        NamedTensors named = new NamedTensors(name(), in);
        Map<String, Tensor> arguments = network.arguments(named);
        if (!named.unused().isEmpty()) {
            throw new IllegalArgumentException(name() + ": unknown inputs " + named.unused() + "; it takes "
                    + arguments.keySet());
        }
        Map<String, Shape> shapes = new HashMap<>();
        arguments.forEach((n, x) -> shapes.put(n, x.shape()));
        Executable e = programs.computeIfAbsent(new Key(derivative, shapes), k -> device.compile(program(derivative, arguments)));
        arguments.putAll(directions);
        return e.run(arguments);
    }

    private Program program(Derivative derivative, Map<String, Tensor> arguments) {
        Program f = network.program(arguments);
        return switch (derivative) {
            case NONE -> f;
            case VJP -> Vjp.of(f, output(), input());
            case JVP -> Jvp.of(f, input(), output());
            case HVP -> Jvp.of(Vjp.of(f, output(), input()), input(), "grad");
        };
    }

    void close(Closing closing) {
        programs.values().forEach(e -> closing.add(e::close));
        programs.clear();
    }
}
