// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.tweedie.ptx.execution.Block;
import org.tweedie.ptx.execution.Entry;
import org.tweedie.ptx.execution.Launching;
import org.tweedie.ptx.execution.Races;
import org.tweedie.ptx.launch.Counts;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.launch.Size;
import org.tweedie.ptx.launch.Window;
import org.tweedie.ptx.text.PtxException;
import org.tweedie.ptx.text.PtxNumbers;
import org.tweedie.ptx.text.Variable;

/**
 * This machine runs kernels written in PTX as a GPU of compute capability 8.0 would run them. It is slow and checks every access.
 */
public final class Machine {
    /** The limits of compute capability 8.0. */
    private static final int THREADS = 1024;
    private static final int SHARED = 163 * 1024;
    private static final int PARAMS = 4096;

    private final Memory memory;
    private final MachineOptions options;

    public Machine(Memory memory, MachineOptions options) {
        this.memory = memory;
        this.options = options;
    }

    /**
     * Runs one grid to its end.
     *
     * @param shared bytes of dynamic shared memory
     * @param args one argument per parameter: a {@link Window} for a pointer (null stands for a null pointer), Integer, Long,
     *         Float or Double for a number, int[] for a struct of 32-bit integers
     * @return the counts of the launch
     * @throws PtxException when the launch does not fit the kernel
     * @throws org.tweedie.ptx.launch.KernelFault when the kernel breaks a rule, such as an access out of bounds
     */
    public Counts launch(Entry kernel, Size grid, Size block, int shared, Object... args) {
        check(kernel, grid, block, shared);
        List<Window> windows = new ArrayList<>(kernel.constants());
        byte[] params = params(kernel, windows, args);
        Memory all = kernel.constants().isEmpty() ? memory : memory.with(kernel.constants());
        Launching l = new Launching(kernel, options, grid, block, shared, params, windows, all, options.races() ? races(windows)
                : null);
        int threads = options.races() || options.counts() ? 1 : (int) Math.min(options.threads(), grid.count());
        AtomicLong next = new AtomicLong();
        Counts sum = new Counts();
        if (threads == 1) {
            sum.add(work(l, next));
        } else {
            IntStream.range(0, threads).parallel().mapToObj(t -> work(l, next)).toList().forEach(sum::add);
        }
        return sum;
    }

    /** Runs blocks until none is left. */
    private static Counts work(Launching l, AtomicLong next) {
        try (Arena arena = Arena.ofConfined()) {
            Block b = new Block(l, arena);
            Size g = l.grid();
            for (long n = next.getAndIncrement(); n < g.count(); n = next.getAndIncrement()) {
                b.run(new Size((int) (n % g.x()), (int) (n / g.x() % g.y()), (int) (n / g.x() / g.y())));
            }
            return b.counts();
        }
    }

    /** Makes one log of accesses for each buffer; windows on the same buffer share it. */
    private static List<Races> races(List<Window> windows) {
        Map<Long, Races> logs = new HashMap<>();
        return windows.stream().map(w -> logs.computeIfAbsent(w.address(), a -> new Races(
                windows.stream().filter(o -> o.address() == w.address()).mapToLong(Window::bytes).max().orElseThrow(), true)))
                .toList();
    }

    private static void check(Entry k, Size grid, Size block, int shared) {
        if (grid.x() < 1 || grid.y() < 1 || grid.z() < 1 || grid.y() > 65535 || grid.z() > 65535) {
            throw new PtxException(k.name() + ": a grid of " + grid
                    + " blocks is beyond the limits; expected 1 to (2^31-1,65535,65535)");
        }
        if (block.x() < 1 || block.y() < 1 || block.z() < 1 || block.z() > 64 || block.count() > THREADS) {
            throw new PtxException(k.name() + ": a block of " + block + " threads is beyond the limits; expected 1 to " + THREADS
                    + " in all");
        }
        int[] max = k.maxThreads();
        if (max != null && block.count() > Arrays.stream(max).asLongStream().reduce(1, (a, b) -> a * b)) {
            throw new PtxException(k.name() + ": a block of " + block + " threads; the kernel was built for at most "
                    + Arrays.toString(max));
        }
        if (shared < 0 || shared > 0 && !k.layout.hasDynamic()) {
            throw new PtxException(k.name() + ": " + shared
                    + " bytes of dynamic shared memory were given, but the kernel takes none");
        }
        if (k.staticShared() + (long) shared > SHARED) {
            throw new PtxException(k.name() + ": too much shared memory: " + k.staticShared() + " + " + shared
                    + " bytes; a block may have " + SHARED);
        }
    }

    private static byte[] params(Entry k, List<Window> windows, Object[] args) {
        List<Variable> params = k.params();
        if (args.length != params.size()) {
            throw new PtxException(k.name() + ": expected " + params.size() + " arguments " + k.parameters() + ", got "
                    + args.length);
        }
        if (k.layout.paramBytes() > PARAMS) {
            throw new PtxException(k.name() + ": " + k.layout.paramBytes() + " bytes of parameters, at most " + PARAMS);
        }
        ByteBuffer b = ByteBuffer.allocate(k.layout.paramBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < args.length; i++) {
            Variable p = params.get(i);
            b.position(k.layout.param(p.name()));
            if (!put(b, p, args[i], windows)) {
                throw new PtxException(k.name() + ": argument " + (i + 1) + ": expected " + k.parameters().get(i) + ", got "
                        + (args[i] instanceof int[] ints ? ints.length + " integers" : args[i] instanceof Window
                        ? "a buffer" : args[i] + " ("
                        + (args[i] == null ? "null pointer" : args[i].getClass().getSimpleName()) + ")"));
            }
        }
        return b.array();
    }

    private static boolean put(ByteBuffer b, Variable p, Object arg, List<Window> windows) {
        String type = p.type();
        switch (arg) {
            case null -> {
                if (!type.equals("u64") && !type.equals("b64")) {
                    return false;
                }
                b.putLong(0);
            }
            case Window w -> {
                if (!type.equals("u64") && !type.equals("b64")) {
                    return false;
                }
                windows.add(w);
                b.putLong(w.address());
            }
            case Integer v -> {
                if (PtxNumbers.bytes(type) != 4 || type.equals("f32")) {
                    return false;
                }
                b.putInt(v);
            }
            case Long v -> {
                if (PtxNumbers.bytes(type) != 8 || type.equals("f64")) {
                    return false;
                }
                b.putLong(v);
            }
            case Float v -> {
                if (!type.equals("f32") && !type.equals("b32")) {
                    return false;
                }
                b.putFloat(v);
            }
            case Double v -> {
                if (!type.equals("f64") && !type.equals("b64")) {
                    return false;
                }
                b.putDouble(v);
            }
            case int[] v -> {
                if (!type.equals("b8") || p.bytes() != 4 * v.length) {
                    return false;
                }
                for (int x : v) {
                    b.putInt(x);
                }
            }
            default -> {
                return false;
            }
        }
        return true;
    }
}
