// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program;

import java.util.List;
import java.util.stream.Collectors;
import org.tweedie.program.op.Cost;

/**
 * A traced computation: an immutable list of instructions over the closed op set, each value assigned once, before its uses.
 * Everything else either transforms a program or runs one.
 */
public record Program(String name, List<Input> inputs, List<Constant> constants, List<Instr> body, List<Output> outputs,
        int values) {
    /** A tensor given at each run. */
    public record Input(String name, Value value) {}

    /** A tensor known when the program was traced: a weight (in the checkpoint's own layout and dtype) or a table. */
    public record Constant(String name, Value value, Tensor data) {}

    /** A tensor that a run gives back. */
    public record Output(String name, Value value) {}

    public Program {
        inputs = List.copyOf(inputs);
        constants = List.copyOf(constants);
        body = List.copyOf(body);
        outputs = List.copyOf(outputs);
    }

    /** @throws IllegalArgumentException naming the inputs there are */
    public Value input(String name) {
        return inputs.stream().filter(i -> i.name().equals(name)).findFirst().map(Input::value)
                .orElseThrow(() -> new IllegalArgumentException("program '" + this.name + "' has no input '" + name + "'; it has "
                        + inputs.stream().map(Input::name).collect(Collectors.joining(", "))));
    }

    /** @throws IllegalArgumentException naming the outputs there are */
    public Value output(String name) {
        return outputs.stream().filter(o -> o.name().equals(name)).findFirst().map(Output::value)
                .orElseThrow(() -> new IllegalArgumentException("program '" + this.name + "' has no output '" + name
                        + "'; it has "
                        + outputs.stream().map(Output::name).collect(Collectors.joining(", "))));
    }

    /** Work of one run: sums over the instructions. */
    public Cost cost() {
        Cost sum = Cost.NONE;
        for (Instr i : body) {
            sum = sum.plus(i.cost());
        }
        return sum;
    }

    /** The listing, with an instruction on each line. */
    public String listing() {
        return body.stream().map(Instr::toString).collect(Collectors.joining("\n"));
    }

    @Override
    public String toString() {
        return "program '" + name + "' (" + body.size() + " instructions)";
    }
}
