// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.Model;
import org.tweedie.Tweedie;
import org.tweedie.device.Device;
import org.tweedie.device.DeviceOptions;
import org.tweedie.device.Devices;
import org.tweedie.device.Footprint;
import org.tweedie.model.Golden;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.solve.Solvers;
import org.tweedie.workload.Recording;
import org.tweedie.workload.Workloads;

/** A rehearsal takes no memory, and tells exactly what the same work takes on the device. */
class RehearsalTest {
    private static Device rehearsal() {
        return Devices.rehearsal("cpu", DeviceOptions.threads(2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"unet", "unet-vjp", "unet-jvp", "decode", "decode-vjp", "encode-vjp", "inner-step"})
    void aProgramTakesWhatWasPlanned(String what) throws Exception {
        Footprint planned;
        long live;
        try (Device device = rehearsal(); Model model = Tweedie.open(Golden.DEMO, device);
                var e = device.compile(new Workloads(model, "sr:2", 8, 8).program(what, 1))) {
            planned = device.footprint();
            live = device.liveBytes();
            assertEquals(planned.arena(), e.arenaBytes());
        }
        try (Device device = new CpuDevice(2); Model model = Tweedie.open(Golden.DEMO, device);
                var e = device.compile(new Workloads(model, "sr:2", 8, 8).program(what, 1))) {
            assertEquals(planned, device.footprint());
            assertEquals(live, device.liveBytes());
            assertEquals(planned.arena(), e.arenaBytes());
        }
    }

    static Iterable<String> solvers() {
        return Solvers.names();
    }

    /** Made-up numbers lead each solver through the same programs as real ones, and as often where it cannot stop early. */
    @ParameterizedTest
    @MethodSource("solvers")
    void aRestorationTakesWhatWasPlanned(String solver) throws Exception {
        Footprint planned;
        try (Device device = rehearsal()) {
            restore(device, solver);
            planned = device.footprint();
        }
        try (Device device = new CpuDevice(2)) {
            restore(device, solver);
            assertEquals(planned, device.footprint());
        }
    }

    private static void restore(Device device, String solver) throws Exception {
        try (Model model = Tweedie.open(Golden.SD15, device)) {
            new Workloads(model, "sr:2", 8, 8).restore(Solvers.of(solver + ":steps=3"));
        }
    }

    /** Weights that are not read have the sizes of those that are. */
    @Test
    void sizesAreEnough() throws Exception {
        Footprint read;
        try (Device device = rehearsal(); Model model = Tweedie.random(Golden.SD15, 1, DType.F16, device)) {
            restore(device, model);
            read = device.footprint();
        }
        try (Device device = rehearsal(); Model model = Tweedie.unread(Golden.SD15, DType.F16, device)) {
            restore(device, model);
            assertEquals(read, device.footprint());
        }
    }

    private static void restore(Device device, Model model) throws Exception {
        Recording recording = new Recording(device);
        Program p = new Workloads(model, "sr:2", 8, 8).program("inner-step", 1);
        recording.compile(p).close();
        assertEquals(1, recording.parts().size());
    }

    /** Arenas of a device lie over each other; programs that run in turn do not disturb each other. */
    @Test
    void programsShareOneArena() throws Exception {
        try (CpuDevice device = new CpuDevice(2); Model model = Tweedie.open(Golden.SD15, device)) {
            Workloads w = new Workloads(model, "sr:2", 8, 8);
            Program small = w.program("decode", 1);
            Program large = w.program("unet-vjp", 1);
            Map<String, Tensor> in = w.inputs(small);
            try (CpuExecutable a = device.compile(small)) {
                Map<String, Tensor> first = a.run(in);
                try (CpuExecutable b = device.compile(large)) {
                    assertTrue(b.arenaBytes() > a.arenaBytes());
                    assertEquals(b.arenaBytes(), device.footprint().arena());
                    b.run(w.inputs(large));
                    assertArrayEquals(first.get("image").floats(), a.run(in).get("image").floats());
                }
                assertEquals(a.arenaBytes(), device.arena.bytes());
                assertArrayEquals(first.get("image").floats(), a.run(in).get("image").floats());
            }
            assertEquals(0, device.liveBytes());
        }
    }
}
