// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * The tensors of one model as its code asks for them, by checkpoint name and expected shape. Problems are collected and not
 * thrown: a tensor that is missing or misshapen is returned as zeros of the expected shape so that tracing continues, and {@link
 * #finish} reports all problems at once.
 */
public final class Weights {
    private static final int SHOWN = 10;    // the names shown per kind of problem

    /** The data that all views of one model share. */
    private static final class Ledger {
        final String model;
        final String hint;
        final Map<String, Tensor> tensors;
        final RandomWeights random; // null for the weights of a checkpoint
        final Set<String> used = new HashSet<>();
        final Set<String> missing = new TreeSet<>();
        final Map<String, String> misshapen = new TreeMap<>();
        MemorySegment zeros = MemorySegment.ofArray(new float[0]);

        Ledger(String model, String hint, Map<String, Tensor> tensors, RandomWeights random) {
            this.model = model;
            this.hint = hint;
            this.tensors = tensors;
            this.random = random;
        }
    }

    private final Ledger ledger;
    private final String prefix;

    private Weights(Ledger ledger, String prefix) {
        this.ledger = ledger;
        this.prefix = prefix;
    }

    /**
     * Returns the weights of a model.
     *
     * @param model the name that messages give the model, for example {@code unet}
     * @param hint a question or remark at the end of the report, for example {@code is this an SD 1.x UNet?}
     */
    public static Weights of(String model, String hint, Map<String, Tensor> tensors) {
        return new Weights(new Ledger(model, hint, tensors, null), "");
    }

    /** Returns weights that were never trained: every tensor that is asked for exists, in the shape that is asked for. */
    static Weights of(String model, RandomWeights random) {
        return new Weights(new Ledger(model, "", Map.of(), random), "");
    }

    /** Returns the same weights seen from inside a block: names are asked for without the prefix and its dot. */
    public Weights at(String block) {
        return new Weights(ledger, prefix + block + ".");
    }

    /** Returns the common beginning of the names, without its last dot. */
    public String prefix() {
        return prefix.isEmpty() ? "" : prefix.substring(0, prefix.length() - 1);
    }

    /** Returns the full name in the checkpoint. */
    public String name(String name) {
        return prefix + name;
    }

    /** Tells whether the checkpoint has the tensor; asking does not count as use. */
    public boolean has(String name) {
        return ledger.random != null || ledger.tensors.containsKey(prefix + name);
    }

    /** Returns the tensor, or zeros of that shape and adds a line to the report. */
    public Tensor take(String name, int... shape) {
        return take(prefix + name, Shape.of(shape), false);
    }

    /**
     * Returns the first of several names that the checkpoint has: SD 1.x autoencoders call the same weight {@code to_q} or {@code
     * query}. Its shape may differ from the expected one by trailing ones ([C,C,1,1] for [C,C]), which are removed or added.
     */
    public Tensor takeAny(List<String> names, int... shape) {
        for (String name : names) {
            if (has(name)) {
                return take(prefix + name, Shape.of(shape), true);
            }
        }
        ledger.missing.add(prefix + String.join(" or ", names));
        return zeros(Shape.of(shape));
    }

    private Tensor take(String name, Shape expected, boolean ones) {
        if (ledger.random != null) {
            return ledger.random.draw(ledger.model + "." + name, expected);
        }
        Tensor t = ledger.tensors.get(name);
        if (t == null) {
            ledger.missing.add(name);
            return zeros(expected);
        }
        ledger.used.add(name);
        if (!t.dtype().isFloat()) {
            ledger.misshapen.put(name, "expected floating-point numbers, got " + t);
            return zeros(expected);
        }
        if (t.shape().equals(expected)) {
            return t;
        }
        if (ones && trimmed(t.shape()).equals(trimmed(expected))) {
            return t.reshape(expected.dims());
        }
        ledger.misshapen.put(name, "expected " + expected + ", got " + t.shape());
        return zeros(expected);
    }

    private static Shape trimmed(Shape shape) {
        int rank = shape.rank();
        while (rank > 0 && shape.dim(rank - 1) == 1) {
            rank--;
        }
        return Shape.of(Arrays.copyOf(shape.dims(), rank));
    }

    /** Returns zeros. Placeholders share one block of zeros, because a wrong checkpoint may lack gigabytes. */
    private Tensor zeros(Shape shape) {
        long bytes = shape.size() * DType.F32.bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(report(Set.of()));
        }
        if (ledger.zeros.byteSize() < bytes) {
            ledger.zeros = Arena.ofAuto().allocate(bytes, 64);
        }
        return new Tensor(DType.F32, shape, ledger.zeros.asSlice(0, bytes).asReadOnly());
    }

    /**
     * Ends the loading. It may be called on any view; names are full names.
     *
     * @param ignorable tensors that checkpoints of this kind may have without use
     * @throws IllegalArgumentException listing all missing, misshapen and unused tensors
     */
    public void finish(Set<String> ignorable) {
        if (!ledger.missing.isEmpty() || !ledger.misshapen.isEmpty() || !unused(ignorable).isEmpty()) {
            throw new IllegalArgumentException(report(ignorable));
        }
    }

    private Set<String> unused(Set<String> ignorable) {
        Set<String> unused = new TreeSet<>(ledger.tensors.keySet());
        unused.removeAll(ledger.used);
        unused.removeAll(ignorable);
        return unused;
    }

    private String report(Set<String> ignorable) {
        List<String> shapes = new ArrayList<>();
        ledger.misshapen.forEach((name, problem) -> shapes.add(Quote.of(name) + " " + problem));
        List<String> missing = ledger.missing.stream().map(Quote::of).toList();
        List<String> unused = unused(ignorable).stream().map(Quote::of).toList();
        return ledger.model + ": the checkpoint does not fit the model" + part("missing", missing)
                + part("with another shape", shapes)
                + part("not expected", unused) + "\n  " + ledger.hint;
    }

    private static String part(String kind, Collection<String> lines) {
        if (lines.isEmpty()) {
            return "";
        }
        StringBuilder s = new StringBuilder("\n  " + lines.size() + " " + kind + ":");
        lines.stream().limit(SHOWN).forEach(line -> s.append("\n    ").append(line));
        return s + (lines.size() > SHOWN ? "\n    and " + (lines.size() - SHOWN) + " more" : "");
    }
}
