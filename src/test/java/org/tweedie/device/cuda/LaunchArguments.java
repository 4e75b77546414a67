// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.LongFunction;
import org.tweedie.ptx.execution.Entry;

/** Reads a launch's arguments as a card's driver reads them. */
final class LaunchArguments {
    private LaunchArguments() {}

    /**
     * Reads the values to which a list of addresses points. There must be as many as the kernel declares, each with its
     * parameter's size.
     *
     * @param word returns what a 64-bit value means
     */
    static Object[] read(Entry entry, MemorySegment list, LongFunction<Object> word) {
        List<String> types = entry.parameters();
        Object[] args = new Object[types.size()];
        long end = list.address() + 8L * types.size(); // the first value begins where the list ends
        for (int i = 0; i < args.length; i++) {
            MemorySegment at = list.getAtIndex(ValueLayout.ADDRESS, i);
            int bytes = switch (types.get(i)) {
                case "u64", "s64", "b64", "f64" -> 8;
                case "u32", "s32", "b32", "f32" -> 4;
                default -> Integer.parseInt(types.get(i).replaceAll("b8\\[(\\d+)]", "$1"));
            };
            int align = types.get(i).startsWith("b8") ? 4 : bytes;
            assertEquals(Math.ceilDiv(end, align) * align, at.address(), entry.name() + ": argument " + i
                    + " or the one before it is of another type than its parameter");
            end = at.address() + bytes;
            MemorySegment value = at.reinterpret(bytes);
            args[i] = switch (types.get(i)) {
                case "u64", "s64", "b64" -> word.apply(value.get(ValueLayout.JAVA_LONG, 0));
                case "u32", "s32", "b32" -> value.get(ValueLayout.JAVA_INT, 0);
                case "f32" -> value.get(ValueLayout.JAVA_FLOAT, 0);
                case "f64" -> value.get(ValueLayout.JAVA_DOUBLE, 0);
                default -> value.toArray(ValueLayout.JAVA_INT);
            };
        }
        assertEquals(list.address() + list.byteSize(), end, entry.name()
                + ": more arguments than parameters, or the last of another type");
        return args;
    }
}
