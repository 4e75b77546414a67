// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.cli.console.Notes;
import org.tweedie.options.Spelling;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.Window;

/** Converts the words of --args to a kernel's arguments: tensors of a file, new tensors and numbers. */
final class KernelArguments {
    private record Made(String name, DType dtype, Shape shape, MemorySegment data) {}

    private final Map<String, Tensor> tensors;
    private final Memory memory;
    private final Arena arena;
    private final List<Made> results = new ArrayList<>();

    /** @param arena holds the copies of the tensors that the kernel reads and writes */
    KernelArguments(Map<String, Tensor> tensors, Memory memory, Arena arena) {
        this.tensors = tensors;
        this.memory = memory;
        this.arena = arena;
    }

    /** Converts a word to the argument of a parameter of a type such as u64, u32 or f32. */
    Object of(int n, String word, String type) {
        if (type.startsWith("b8[")) {
            return ints(n, word);
        }
        boolean pointer = type.equals("u64") || type.equals("b64");
        try {
            return switch (type) {
                case "f32" -> (Object) Float.parseFloat(word);
                case "f64" -> Double.parseDouble(word);
                case "u32", "s32", "b32" -> (int) Long.parseLong(word);
                default -> pointer && !word.matches("-?[0-9]+") ? pointer(n, word) : Long.parseLong(word);
            };
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("argument " + n + ": expected a number of type " + type + ", got '" + word + "'");
        }
    }

    private static int[] ints(int n, String word) {
        if (!word.matches("ints(:-?[0-9]+)+")) {
            throw new IllegalArgumentException("argument " + n + ": expected a struct as in ints:1:2:3, got '" + word + "'");
        }
        return Arrays.stream(word.substring(5).split(":")).mapToInt(Integer::parseInt).toArray();
    }

    private Window pointer(int n, String word) {
        if (word.equals("null")) {
            return null;
        }
        if (word.startsWith("out:")) {
            return created(n, word);
        }
        boolean writes = word.startsWith("inout:");
        String name = writes ? word.substring(6) : word;
        Tensor t = tensors.get(name);
        if (t == null) {
            throw new IllegalArgumentException("argument " + n + ": no tensor '" + name + "' in the --in file"
                    + Spelling.suggestion(name, tensors.keySet())
                    + "; it has " + String.join(", ", tensors.keySet()));
        }
        MemorySegment data = map(t.data().byteSize());
        data.copyFrom(t.data());
        memory.wrote(data.address(), data.byteSize());
        if (writes) {
            add(n, new Made(name, t.dtype(), t.shape(), data));
        }
        return new Window(name, data.address(), data.byteSize(), true, writes);
    }

    private Window created(int n, String word) {
        String[] parts = word.split(":");
        if (parts.length != 4 || !parts[3].matches("[1-9][0-9]*(x[1-9][0-9]*)*")) {
            throw new IllegalArgumentException("argument " + n + ": expected out:NAME:TYPE:DxD, as in out:y:F32:2x65, got '"
                    + word + "'");
        }
        Spelling.check("argument " + n + ": type", parts[2].toUpperCase(Locale.ROOT),
                Arrays.stream(DType.values()).map(DType::name).toList());
        DType dtype = DType.valueOf(parts[2].toUpperCase(Locale.ROOT));
        Shape shape = Shape.of(Arrays.stream(parts[3].split("x")).mapToInt(Integer::parseInt).toArray());
        MemorySegment data = map(shape.size() * dtype.bytes());
        add(n, new Made(parts[1], dtype, shape, data));
        return new Window(parts[1], data.address(), data.byteSize(), false, true);
    }

    private void add(int n, Made m) {
        if (results.stream().anyMatch(r -> r.name.equals(m.name))) {
            throw new IllegalArgumentException("argument " + n + ": '" + m.name + "' is written twice; give each result a "
                    + "different name");
        }
        results.add(m);
    }

    private MemorySegment map(long bytes) {
        MemorySegment s = arena.allocate(bytes, 256);
        memory.map(s.address(), bytes);
        return s;
    }

    boolean hasResults() {
        return !results.isEmpty();
    }

    /** Returns the tensors that the kernel has written. A note names each tensor that it has not written in full. */
    Map<String, Tensor> results() {
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (Made m : results) {
            if (!memory.written(m.data.address(), m.data.byteSize())) {
                Notes.note("the kernel has not written all elements of '" + m.name + "'; the rest is zero");
            }
            out.put(m.name, new Tensor(m.dtype, m.shape, MemorySegment.ofArray(m.data.toArray(ValueLayout.JAVA_BYTE))));
        }
        return out;
    }
}
