// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Tensors by name, which are checked against the shapes that a network takes; a letter is a size that must be the same in all
 * tensors.
 */
public final class NamedTensors {
    private final String origin;
    private final Map<String, Tensor> tensors;
    private final Map<String, Integer> sizes = new HashMap<>();
    private final Map<String, String> origins = new HashMap<>();
    private final Set<String> used = new LinkedHashSet<>();

    /** @param origin the source of the tensors, for messages, such as a file's name */
    public NamedTensors(String origin, Map<String, Tensor> tensors) {
        this.origin = origin;
        this.tensors = tensors;
    }

    /**
     * Returns a floating-point tensor as F32 or F64.
     *
     * @param dims numbers, or letters for sizes that are free but the same in all tensors
     */
    public Tensor real(String name, Object... dims) {
        Tensor x = any(name, dims);
        if (!x.dtype().isFloat()) {
            throw wrong(name, "a floating-point type", x);
        }
        return x.dtype() == DType.F32 || x.dtype() == DType.F64 ? x : Tensor.of(x.shape(), x.floats());
    }

    /** Returns an integer tensor as I64. */
    public Tensor whole(String name, Object... dims) {
        Tensor x = any(name, dims);
        if (x.dtype().isFloat()) {
            throw wrong(name, "an integer type", x);
        }
        return x.dtype() == DType.I64 ? x : Tensor.of(x.shape(), x.longs());
    }

    /** Returns a tensor of either kind as F32 or F64. */
    public Tensor number(String name, Object... dims) {
        Tensor x = any(name, dims);
        return x.dtype() == DType.F32 || x.dtype() == DType.F64 ? x : Tensor.of(x.shape(), x.floats());
    }

    /** Returns the size that a letter has in the tensors read so far. */
    public int size(String letter) {
        return sizes.get(letter);
    }

    private Tensor any(String name, Object... dims) {
        Tensor x = tensors.get(name);
        if (x == null) {
            throw new IllegalArgumentException(origin + ": tensor '" + name + "' " + pattern(dims) + " is missing; there are "
                    + String.join(", ", tensors.keySet()));
        }
        used.add(name);
        Shape s = x.shape();
        boolean fits = s.rank() == dims.length;
        for (int i = 0; fits && i < dims.length; i++) {
            fits = dims[i] instanceof Integer n ? s.dim(i) == n : bind((String) dims[i], s.dim(i), name) == s.dim(i)
                    && s.dim(i) > 0;
        }
        if (!fits) {
            throw wrong(name, pattern(dims), x);
        }
        return x;
    }

    private int bind(String letter, int size, String name) {
        origins.putIfAbsent(letter, name);
        Integer before = sizes.putIfAbsent(letter, size);
        return before == null ? size : before;
    }

    private IllegalArgumentException wrong(String name, String expected, Tensor got) {
        StringBuilder where = new StringBuilder();
        sizes.forEach((letter, size) -> {
            if (expected.matches(".*\\b" + letter + "\\b.*") && !origins.get(letter).equals(name)) {
                where.append(where.isEmpty() ? " with " : ", ").append(letter).append('=').append(size).append(" as in '")
                        .append(origins.get(letter)).append('\'');
            }
        });
        return new IllegalArgumentException(origin + ": tensor '" + name + "' expected " + expected + where + ", got " + got);
    }

    private static String pattern(Object... dims) {
        StringBuilder s = new StringBuilder("[");
        for (Object d : dims) {
            s.append(s.length() > 1 ? "," : "").append(d);
        }
        return s.append(']').toString();
    }

    /** The names of the tensors that have not been used. */
    public List<String> unused() {
        return tensors.keySet().stream().filter(name -> !used.contains(name)).toList();
    }
}
