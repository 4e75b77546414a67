// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.Model;
import org.tweedie.Tweedie;
import org.tweedie.device.Fitting;
import org.tweedie.device.MemoryPlan;
import org.tweedie.model.Golden;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.workload.Workloads;

/** A program in less memory computes the same bytes, in an arena within the limit, with as many operations more as are told. */
class FittingTest {
    private static CpuDevice limited(long arena) {
        return new CpuDevice(2, null, arena, false);
    }

    @ParameterizedTest
    @CsvSource({"tiny,unet-vjp", "tiny,decode-vjp", "tiny,inner-step", "demo,unet-vjp", "demo,decode-vjp"})
    void lessMemoryGivesTheSameBytes(String name, String what) throws Exception {
        Path folder = name.equals("tiny") ? Golden.SD15 : Golden.DEMO;
        try (CpuDevice device = new CpuDevice(2); Model model = Tweedie.open(folder, device)) {
            Workloads w = new Workloads(model, "sr:2", 8, 8);
            Program p = w.program(what, 1);
            Map<String, Tensor> in = w.inputs(p);
            long free;
            long flops;
            Map<String, Tensor> expected;
            try (CpuExecutable e = device.compile(p)) {
                free = e.arenaBytes();
                flops = e.program().cost().flops();
                expected = e.run(in);
            }
            long before = free;
            for (double part : new double[] {0.9, 0.8, 0.7}) {
                long limit = (long) (part * free);
                try (CpuDevice small = limited(limit); CpuExecutable e = small.compile(p)) {
                    assertTrue(e.arenaBytes() <= limit, e.arenaBytes() + " of " + limit);
                    assertTrue(e.arenaBytes() < before, e.arenaBytes() + " is no less than " + before);
                    assertTrue(e.program().cost().flops() >= flops);
                    before = e.arenaBytes();
                    e.run(in).forEach((n, x) -> assertArrayEquals(expected.get(n).floats(), x.floats(), n));
                }
            }
        }
    }

    @Test
    void operationsMoreAreAsTold() throws Exception {
        try (CpuDevice device = new CpuDevice(2); Model model = Tweedie.open(Golden.SD15, device)) {
            Program p = new Workloads(model, "sr:2", 8, 8).program("unet-vjp", 1);
            Fitting.Planner planner = form -> MemoryPlan.of(form, n -> 0);
            long free = planner.plan(p).bytes();
            assertEquals(p, Fitting.of(p, planner, v -> MemoryPlan.bytes(v.type()), free).program());
            Fitting less = Fitting.of(p, planner, v -> MemoryPlan.bytes(v.type()), free / 2);
            assertTrue(less.bytes() <= free / 2, less.bytes() + " of " + free);
            assertEquals(planner.plan(less.program()).bytes(), less.bytes());
            assertEquals(p.cost().flops() + less.flops(), less.program().cost().flops());
            assertTrue(less.flops() > 0 && less.flops() <= p.cost().flops());
        }
    }

    @Test
    void whatFitsInNoFormIsRefused() throws Exception {
        try (CpuDevice device = limited(1000); Model model = Tweedie.open(Golden.SD15, device)) {
            Program p = new Workloads(model, "sr:2", 8, 8).program("decode", 1);
            String message = assertThrows(IllegalArgumentException.class, () -> device.compile(p)).getMessage();
            assertTrue(message.contains("program 'decode' needs an arena of at least 1M, but the limit is 1M"), message);
            assertEquals(0, device.liveBytes());
        }
    }
}
