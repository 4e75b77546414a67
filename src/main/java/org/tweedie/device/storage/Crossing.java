// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.storage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.program.DType;
import org.tweedie.program.Value;

/**
 * Says where operands must be converted, because they are stored in another type than a kernel reads. The first kernel that
 * wants a value in another type converts it before it runs; the copy is a value of its own, and all kernels that want that type
 * read it.
 */
public final class Crossing {
    private record Key(int value, DType dtype) {}

    /** A value that no instruction makes. */
    public record Copy(Value of, DType dtype, Value value) {}

    /**
     * This record lists what a kernel reads and makes once its operands are converted.
     *
     * @param in the values that it reads; an operand that an earlier kernel converted is replaced by the copy
     * @param out the kernel's own results, and behind them the copies that it makes first
     * @param converted the numbers of the operands that it converts, one for each copy in {@code out}
     * @param copy for each operand, the number among {@code out} of the copy that the kernel reads instead, or -1
     */
    public record Crossed(List<Value> in, List<Value> out, List<Integer> converted, int[] copy) {}

    private final Map<Key, Copy> made = new HashMap<>();
    private final List<Copy> copies = new ArrayList<>();
    private final int first;

    /** @param first number of the first copy */
    public Crossing(int first) {
        this.first = first;
    }

    /** The copies, in the order of their numbers. */
    public List<Copy> copies() {
        return copies;
    }

    /**
     * Converts the operands of a kernel, where need be; kernels are to be passed in their order.
     *
     * @param in the operands
     * @param stored types of the operands; constants have the wanted one
     * @param wanted the types in which the kernel reads them
     * @param results what the kernel makes
     */
    public Crossed of(List<Value> in, List<DType> stored, List<DType> wanted, List<Value> results) {
        List<Value> reads = new ArrayList<>(in);
        List<Value> out = new ArrayList<>(results);
        List<Integer> converted = new ArrayList<>();
        int[] at = new int[in.size()];
        for (int k = 0; k < at.length; k++) {
            at[k] = -1;
            if (stored.get(k) == wanted.get(k)) {
                continue;
            }
            Copy known = made.get(new Key(in.get(k).id(), wanted.get(k)));
            Copy copy = known == null ? copy(in.get(k), wanted.get(k)) : known;
            at[k] = out.indexOf(copy.value);
            if (known == null) {
                at[k] = out.size();
                out.add(copy.value);
                converted.add(k);
            } else if (at[k] < 0) {
                reads.set(k, copy.value);
            }
        }
        return new Crossed(reads, out, converted, at);
    }

    private Copy copy(Value v, DType dtype) {
        Copy c = new Copy(v, dtype, new Value(first + copies.size(), v.type()));
        made.put(new Key(v.id(), dtype), c);
        copies.add(c);
        return c;
    }
}
