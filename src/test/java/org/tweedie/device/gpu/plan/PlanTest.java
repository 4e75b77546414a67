// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.device.storage.Storage;
import org.tweedie.model.Golden;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/** A network's gradient lowered: places, types, names and constants. */
class PlanTest {
    private static final long ARENA = 1L << 40;
    private static final long CONSTANTS = 1L << 50;

    /** The plan's steps at made-up addresses: constants far from the arena, a GiB apart. */
    private static List<Plan.Stage> bind(Plan plan) {
        Map<Constant, Long> addresses = new HashMap<>();
        plan.constants().forEach(c -> addresses.put(c, CONSTANTS + ((long) addresses.size() << 30)));
        return plan.bind(ARENA, addresses::get).stages();
    }

    private static Program unetGradient() throws IOException {
        try (Golden g = new Golden(Golden.SD15)) {
            return Simplify.of(Vjp.of(g.unetProgram(Shape.of(1, 8, 8, 4), 7), "out_sample", "sample"));
        }
    }

    private static List<Buffer> reads(PlanStep s) {
        List<Buffer> b = new ArrayList<>();
        switch (s) {
            case LibraryCall c -> b.addAll(c.in());
            case Launch l -> l.args().forEach(a -> {
                switch (a) {
                    case Arg.In(Buffer x) -> b.add(x);
                    case Arg.InOut(Buffer x) -> b.add(x);
                    default -> { }
                }
            });
        }
        return b;
    }

    private static List<Buffer> writes(PlanStep s) {
        List<Buffer> b = new ArrayList<>();
        switch (s) {
            case LibraryCall c -> b.addAll(c.out());
            case Launch l -> l.args().forEach(a -> {
                switch (a) {
                    case Arg.Out(Buffer x) -> b.add(x);
                    case Arg.InOut(Buffer x) -> b.add(x);
                    default -> { }
                }
            });
        }
        return b;
    }

    /** On paper: each byte of the arena remembers who wrote it last; a value must be whole when it is read. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16"})
    void everyReadFindsWhatWasWritten(DType real) throws IOException {
        Program p = unetGradient();
        Plan plan = Plan.of(p, real);
        String[] owner = new String[Math.toIntExact(plan.memory().bytes() / 2)]; // of each two bytes
        Plan.Bound bound = plan.bind(ARENA, c -> CONSTANTS);
        p.inputs().forEach(i -> own(owner, bound.of(i.value())));
        for (Plan.Stage stage : bind(plan)) {
            for (PlanStep s : stage.steps()) {
                reads(s).stream().filter(b -> b.address() < CONSTANTS && writes(s).stream().noneMatch(w ->
                        w.address() == b.address())).forEach(b -> {
                    assertEquals(0, b.address() % 256, b + " is not aligned");
                    for (int i = at(b); i < at(b) + b.bytes() / 2; i++) {
                        assertTrue(owner[i] != null, s + " reads " + b + ", which nothing has written");
                        assertEquals(owner[at(b)], owner[i], s + " reads " + b + ", part of which was overwritten");
                    }
                });
                writes(s).forEach(b -> own(owner, b));
            }
            plan.memory().ends(stage.number()).forEach(r -> java.util.Arrays.fill(owner, (int) r.offset() / 2, (int) (r.offset()
                    + r.bytes()) / 2, null));
        }
        p.outputs().forEach(o -> assertEquals(bound.of(o.value()).name(), owner[at(bound.of(o.value()))], "output " + o));
    }

    private static int at(Buffer b) {
        return Math.toIntExact((b.address() - ARENA) / 2);
    }

    private static void own(String[] owner, Buffer b) {
        java.util.Arrays.fill(owner, at(b), at(b) + (int) (b.bytes() / 2), b.name());
    }

    @Test
    void nothingWritesAConstant() throws IOException {
        bind(Plan.of(unetGradient(), DType.F16)).forEach(stage -> stage.steps().forEach(
                s -> writes(s).forEach(b -> assertTrue(b.address() < CONSTANTS, s + " writes " + b))));
    }

    @Test
    void buffersBearTheNamesOfTheProgram() throws IOException {
        String listing = Plan.of(unetGradient(), DType.F32).listing();
        assertTrue(listing.contains("sample:F32[1,8,8,4], conv_in.weight:F32[16,3,3,4], conv_in.bias:F32[16] -> %"), listing);
        assertTrue(listing.lines().anyMatch(l -> l.startsWith("groupnorm_silu_forward_f32 <<<")
                && l.contains("down_blocks.0.resnets.0.norm1.weight:F32[16]")), listing);
        assertFalse(listing.contains("null"), listing);
    }

    /** A weight that forward and pull-back read is uploaded once; a filter in the libraries' order. */
    @Test
    void constantsAreShared() throws IOException {
        Plan plan = Plan.of(unetGradient(), DType.F32);
        Set<String> names = new HashSet<>();
        for (Constant c : plan.constants()) {
            assertTrue(names.add(c.name()), c.name() + " is uploaded twice");
            if (c.data().shape().rank() == 4) {
                assertEquals(Constant.Layout.FILTER, c.layout(), c.name());
            }
        }
        assertTrue(names.contains("conv_in.weight"));
    }

    @Test
    void aFilterIsLaidOutForLibraries() {
        float[] w = new float[2 * 3 * 2 * 2];
        for (int i = 0; i < w.length; i++) {
            w[i] = i;
        }
        Constant c = new Constant("w", Tensor.of(Shape.of(2, 3, 2, 2), w), DType.F32, Constant.Layout.FILTER);
        assertEquals(Shape.of(2, 2, 2, 3), c.shape());
        Tensor packed = Tensor.of(c.shape(), new float[w.length]);
        c.pack(0, packed.data());
        // [o,u,v,c] of the packed is [o,c,u,v] of the plain
        assertEquals(w[((1 * 3 + 2) * 2 + 0) * 2 + 1], packed.get(((1 * 2 + 0) * 2 + 1) * 3 + 2));
        assertEquals(w[((0 * 3 + 1) * 2 + 1) * 2 + 0], packed.get(((0 * 2 + 1) * 2 + 0) * 3 + 1));
    }

    /**
     * A value that is read in another type by several, and by one of them twice, is converted where it is first; the copy has a
     * name and a place of its own.
     */
    @Test
    void aValueIsConvertedOnce() {
        Tracer t = new Tracer("twice");
        Value x = t.input("x", Type.real(6, 6));
        Value w = t.constant("w", Tensor.of(Shape.of(6, 6), new float[36]));
        Value square = t.matmul(x, x, false, true);
        t.output("y", t.add(t.scale(x, 2), t.matmul(t.linear(x, w, null), square, false, false)));
        Plan plan = Plan.of(t.finish(), DType.F16);
        List<String> lines = plan.listing().lines().toList();
        assertEquals(1, lines.stream().filter(l -> l.startsWith("cast_f32_f16") && l.endsWith("x:F32[6,6] -> x as F16:F16[6,6]"))
                .count(), plan.listing());
        assertTrue(lines.get(1).startsWith("MatMul[transA=false, transB=true] x as F16:F16[6,6], x as F16:F16[6,6] -> "),
                plan.listing());
        assertEquals(1, lines.stream().filter(l -> l.startsWith("MatMul") && l.contains(" x as F16:F16[6,6], w:F16[6,6] -> "))
                .count(), plan.listing());
        assertEquals(1, lines.stream().filter(l -> l.startsWith("affine_forward_f32") && l.contains(" x:F32[6,6] -> ")).count(),
                plan.listing());
    }

    /** Networks in 16 bits; what comes from inputs alone, sums and lse in F32, and casts between them only. */
    @Test
    void sixteenBitsAreForNetworks() throws IOException {
        Program p = unetGradient();
        Plan half = Plan.of(p, DType.F16);
        assertTrue(half.memory().bytes() < 0.6 * Plan.of(p, DType.F32).memory().bytes());
        Storage s = Storage.of(p, DType.F16);
        p.inputs().forEach(i -> assertEquals(DType.F32, s.of(i.value())));
        p.body().forEach(i -> {
            switch (i.op().getClass().getSimpleName()) {
                case "Convolution", "MatMul", "GroupNormalization", "DotProductAttentionVjp" -> assertEquals(DType.F16,
                        s.of(i.result()), i.toString());
                case "ReduceSum" -> assertEquals(DType.F32, s.of(i.result()), i.toString());
                case "DotProductAttention" -> assertEquals(List.of(DType.F16, DType.F32), i.out().stream().map(s::of).toList());
                default -> { }
            }
        });
        List<String> cast = new ArrayList<>();
        half.listing().lines().filter(l -> l.startsWith("cast_")).forEach(l ->
                cast.add(l.replaceAll("^cast_f32_f16 <<<.*>>> (.*) -> .*$", "$1").replaceAll("%\\d+", "%")));
        Collections.sort(cast);
        assertEquals(List.of("%:F32[1,16]", "cotangent:F32[1,8,8,4]", "encoder_hidden_states:F32[7,32]", "sample:F32[1,8,8,4]"),
                cast, "what enters a network, once");
    }

    @Test
    void aComputedFilterIsRefused() {
        Tracer t = new Tracer("odd");
        Value x = t.input("x", Type.real(1, 4, 4, 2));
        Value w = t.input("w", Type.real(2, 2, 3, 3));
        t.output("y", t.conv2d(x, w, null, 1, 1));
        Exception e = assertThrows(IllegalArgumentException.class, () -> Plan.of(t.finish(), DType.F32));
        assertTrue(e.getMessage().contains("program 'odd'") && e.getMessage().contains("a computed weight %1:F32[2,2,3,3]"),
                e.getMessage());
    }
}
