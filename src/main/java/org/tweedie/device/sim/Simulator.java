// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.ptx.Machine;
import org.tweedie.ptx.PtxModule;
import org.tweedie.ptx.launch.Counts;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.launch.Size;
import org.tweedie.ptx.launch.Window;
import org.tweedie.ptx.text.PtxException;

/** Runs launches of our kernels on the PTX machine. */
public final class Simulator {
    /** The modules parsed so far; they never change, so all simulators share them. */
    private static final Map<String, PtxModule> MODULES = new ConcurrentHashMap<>();

    private final Memory memory;
    private final Machine machine;

    public Simulator(Memory memory, MachineOptions options) {
        this.memory = memory;
        this.machine = new Machine(memory, options);
    }

    public Memory memory() {
        return memory;
    }

    /** Runs a launch after it has made the machine forget the contents of its outputs. */
    public Counts launch(Launch l) {
        for (Arg a : l.args()) {
            if (a instanceof Arg.Out(Buffer b) && l.args().stream().noneMatch(o -> o instanceof Arg.In(Buffer i)
                    && i.address() == b.address())) {
                memory.forget(b.address(), b.bytes());
            }
        }
        return machine.launch(module(l.module()).entry(l.entry()), size(l.grid()), size(l.block()), l.shared(),
                l.args().stream().map(Simulator::argument).toArray());
    }

    private static Size size(Launch.Dim d) {
        return new Size(d.x(), d.y(), d.z());
    }

    private static Object argument(Arg a) {
        return switch (a) {
            case Arg.In(Buffer b) -> new Window(b.toString(), b.address(), b.bytes(), true, false);
            case Arg.Out(Buffer b) -> new Window(b.toString(), b.address(), b.bytes(), false, true);
            case Arg.InOut(Buffer b) -> new Window(b.toString(), b.address(), b.bytes(), true, true);
            case Arg.None() -> null;
            case Arg.I32(int v) -> v;
            case Arg.I64(long v) -> v;
            case Arg.F32(float v) -> v;
            case Arg.F64(double v) -> v;
            case Arg.Ints(int[] v) -> v;
        };
    }

    /** @throws PtxException when there is no such module */
    public static PtxModule module(String name) {
        return MODULES.computeIfAbsent(name, n -> {
            try (InputStream in = Simulator.class.getResourceAsStream("/kernels/" + n + ".ptx")) {
                if (in == null) {
                    throw new PtxException("kernels/" + n + ".ptx: there is no such module");
                }
                return PtxModule.parse(n + ".ptx", new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
