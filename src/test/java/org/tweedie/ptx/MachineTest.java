// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.ptx.execution.Entry;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.KernelFault.Kind;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.launch.Size;
import org.tweedie.ptx.launch.Window;
import org.tweedie.ptx.text.PtxException;

/**
 * Tests the PTX machine: instructions against values worked out by hand or from the ISA's text, planted faults, and text that it
 * must refuse.
 */
class MachineTest {
    private static final String HEAD = ".version 8.5\n.target sm_80\n.address_size 64\n";
    private static final String REGISTERS =
            ".reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<32>; .reg .f32 %f<16>; .reg .b64 %d<16>; .reg .f64 %g<8>;\n";
    private static final String START =
            "ld.param.u64 %d0, [in]; ld.param.u64 %d1, [out]; mov.u32 %r0, %tid.x; mul.wide.u32 %d2, %r0, 4;\n"
            + "add.s64 %d3, %d0, %d2; add.s64 %d4, %d1, %d2;\n";

    private static String kernel(String shared, String body) {
        return HEAD + ".visible .entry k(.param .u64 in, .param .u64 out)\n{\n" + REGISTERS + shared + START + body
                + "\nret;\n}\n";
    }

    /** Runs a block of threads that reads the given words and writes as many words. */
    private static int[] run(String text, int threads, int... in) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(4L * in.length, 256);
            MemorySegment y = arena.allocate(4L * in.length, 256);
            x.copyFrom(MemorySegment.ofArray(in));
            Memory m = new Memory();
            m.map(x.address(), x.byteSize());
            m.wrote(x.address(), x.byteSize());
            m.map(y.address(), y.byteSize());
            new Machine(m, MachineOptions.STRICT).launch(PtxModule.parse("t.ptx", text).entry("k"), new Size(1, 1, 1),
                    new Size(threads, 1, 1), 0,
                    new Window("in", x.address(), x.byteSize(), true, false), new Window("out", y.address(), y.byteSize(), false,
                    true));
            return y.toArray(ValueLayout.JAVA_INT);
        }
    }

    /** Tests one instruction that computes %r9 of %r1 (the input), %r2 = 5 and %r3 = -3. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            add.s32 %r9, %r1, %r2                  |          7 |         12
            sub.s32 %r9, %r2, %r1                  |          7 |         -2
            mul.lo.s32 %r9, %r1, %r3               |          7 |        -21
            mul.hi.u32 %r9, %r1, %r3               |          7 |          6
            mul.hi.s32 %r9, %r1, %r3               |          7 |         -1
            mad.lo.s32 %r9, %r1, %r2, %r3          |          7 |         32
            div.s32 %r9, %r1, %r3                  |          7 |         -2
            rem.s32 %r9, %r1, %r3                  |          7 |          1
            div.u32 %r9, %r3, %r1                  |          7 |  613566756
            min.s32 %r9, %r1, %r3                  |          7 |         -3
            min.u32 %r9, %r1, %r3                  |          7 |          7
            max.u32 %r9, %r1, %r3                  |          7 |         -3
            abs.s32 %r9, %r3                       |          7 |          3
            neg.s32 %r9, %r1                       |          7 |         -7
            and.b32 %r9, %r1, %r2                  |          7 |          5
            or.b32 %r9, %r1, 8                     |          7 |         15
            xor.b32 %r9, %r1, %r2                  |          7 |          2
            not.b32 %r9, %r1                       |          7 |         -8
            shl.b32 %r9, %r1, 31                   |          7 | -2147483648
            shl.b32 %r9, %r1, 32                   |          7 |          0
            shr.s32 %r9, %r1, 1                    |         -5 |         -3
            shr.u32 %r9, %r1, 1                    |         -5 | 2147483645
            shr.s32 %r9, %r1, 40                   |         -5 |         -1
            popc.b32 %r9, %r1                      |        255 |          8
            clz.b32 %r9, %r1                       |        255 |         24
            brev.b32 %r9, %r1                      |          1 | -2147483648
            bfind.u32 %r9, %r1                     |        255 |          7
            bfind.u32 %r9, %r1                     |          0 |         -1
            bfe.u32 %r9, %r1, 4, 8                 |      74565 |         52
            bfe.s32 %r9, %r1, 0, 3                 |          7 |         -1
            bfi.b32 %r9, %r2, %r1, 8, 4            |          7 |       1287
            prmt.b32 %r9, %r1, 0, 0x0123           |  305419896 | 2018915346
            lop3.b32 %r9, %r1, %r2, %r3, 0x96      |          7 |         -1
            shf.l.wrap.b32 %r9, %r1, %r2, 4        |         -1 |         95
            shf.r.wrap.b32 %r9, %r1, %r2, 4        |         -1 | 1610612735
            cvt.u32.u16 %r9, %h1                   |      70000 |       4464
            cvt.s32.s8 %r9, %r1                    |        200 |        -56
            cvt.rni.s32.f32 %r9, 0f40200000        |          7 |          2
            cvt.rzi.s32.f32 %r9, 0fC0700000        |          7 |         -3
            cvt.rzi.u32.f32 %r9, 0fC0700000        |          7 |          0
            cvt.rzi.s32.f32 %r9, 0f7FC00000        |          7 |          0
            cvt.rn.f16x2.f32 %r9, 0f3F800000, 0fC0000000 |    7 | 1006682112
            cvt.rn.bf16x2.f32 %r9, 0f3F800000, 0fC0000000 |   7 | 1065402368
            add.f16x2 %r9, %r1, %r1                | 1006682112 | 1073792000
            fma.rn.f16x2 %r9, %r1, %r1, %r1        | 1006682112 | 1073758208
            selp.b32 %r9, %r2, %r3, %p1            |          7 |          5
            """)
    void words(String instruction, int x, int expected) {
        String body = "ld.global.u32 %r1, [%d3]; mov.u32 %r2, 5; mov.u32 %r3, -3; cvt.u16.u32 %h1, %r1; setp.eq.s32 %p1, %r1, "
                + "7;\n" + instruction
                + "; st.global.u32 [%d4], %r9;";
        assertEquals(expected, run(kernel("", body), 1, x)[0]);
    }

    /** Tests one instruction that computes %f9 of %f1 (the input) and %f2 = 3. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            add.f32 %f9, %f1, %f2                  |  0.5   |   3.5
            sub.rn.f32 %f9, %f1, %f2               |  0.5   |  -2.5
            mul.f32 %f9, %f1, %f2                  |  0.5   |   1.5
            fma.rn.f32 %f9, %f1, %f2, %f2          |  0.5   |   4.5
            div.rn.f32 %f9, %f1, %f2               |  1     |   0.33333334
            sqrt.rn.f32 %f9, %f1                   |  2     |   1.4142135
            rcp.rn.f32 %f9, %f1                    |  3     |   0.33333334
            min.f32 %f9, %f1, %f2                  |  NaN   |   3
            max.NaN.f32 %f9, %f1, %f2              |  NaN   |   NaN
            abs.f32 %f9, %f1                       | -2     |   2
            neg.f32 %f9, %f1                       | -2     |   2
            add.sat.f32 %f9, %f1, %f2              |  1     |   1
            mul.ftz.f32 %f9, %f1, %f2              |  1e-40 |   0
            cvt.rn.f32.s32 %f9, %r0                |  1     |   0
            cvt.rmi.f32.f32 %f9, %f1               | -1.5   |  -2
            cvt.rn.f32.s64 %f9, 9007199791611905   |  0     |   9.0072E15
            cvt.rn.f32.u64 %f9, -1                 |  0     |   1.8446744E19
            """)
    void floats(String instruction, float x, float expected) {
        String body = "ld.global.f32 %f1, [%d3]; mov.f32 %f2, 0f40400000;\n" + instruction + "; st.global.f32 [%d4], %f9;";
        assertEquals(expected, Float.intBitsToFloat(run(kernel("", body), 1, Float.floatToRawIntBits(x))[0]));
    }

    /** The results must be within the ISA's bound even when the machine gives results at that bound. */
    @ParameterizedTest
    @CsvSource({"ex2.approx.ftz.f32, 1.5, 2.8284271247", "lg2.approx.f32, 10, 3.3219280949", "sin.approx.f32, 1, 0.8414709848",
            "cos.approx.f32, 1, 0.5403023059",
        "rsqrt.approx.f32, 2, 0.7071067812", "rcp.approx.ftz.f32, 3, 0.3333333333", "sqrt.approx.f32, 2, 1.4142135624"})
    void approximations(String instruction, float x, double exact) {
        String body = "ld.global.f32 %f1, [%d3]; " + instruction + " %f9, %f1; st.global.f32 [%d4], %f9;";
        float y = Float.intBitsToFloat(run(kernel("", body), 1, Float.floatToRawIntBits(x))[0]);
        assertEquals(exact, y, exact * 0x1p-20);
    }

    @Test
    void branchesMeetAgain() {
        String body = """
                setp.lt.u32 %p1, %r0, 3;
                mov.u32 %r1, 100;
                @!%p1 bra $join;
                $loop: add.u32 %r1, %r1, 1; sub.u32 %r0, %r0, 1; setp.ge.s32 %p2, %r0, 0; @%p2 bra $loop;
                $join: bar.warp.sync 0xffffffff; st.global.u32 [%d4], %r1;""";
        assertArrayEquals(new int[] {101, 102, 103, 100, 100}, java.util.Arrays.copyOf(run(kernel("", body), 32, new int[32]),
                5));
    }

    @Test
    void shufflesAndVotes() {
        String body = """
                shfl.sync.bfly.b32 %r1, %r0, 1, 31, 0xffffffff;
                shfl.sync.up.b32 %r2|%p1, %r0, 2, 0, 0xffffffff;
                shfl.sync.idx.b32 %r3, %r0, 5, 31, 0xffffffff;
                setp.lt.u32 %p2, %r0, 3; vote.sync.ballot.b32 %r4, %p2, 0xffffffff;
                mad.lo.u32 %r5, %r2, 100, %r1; mad.lo.u32 %r5, %r3, 10000, %r5; mad.lo.u32 %r5, %r4, 1000000, %r5;
                st.global.u32 [%d4], %r5;""";
        int[] y = run(kernel("", body), 32, new int[32]);
        for (int i = 0; i < 32; i++) {
            assertEquals((i ^ 1) + 100 * (i < 2 ? i : i - 2) + 50000 + 7000000, y[i]);
        }
    }

    /**
     * A is all ones in its first column and B holds row numbers, so every element of D is the sum that the fragment maps give.
     */
    @Test
    void multipliesMatrices() {
        String body = """
                mov.u32 %r1, 0x3c003c00; mov.f32 %f1, 0f3F800000;
                mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f2,%f3,%f4,%f5}, {%r1,%r1,%r1,%r1},
                    {%r1,%r1}, {%f1,%f1,%f1,%f1};
                st.global.f32 [%d4], %f4;""";
        for (int bits : run(kernel("", body), 32, new int[32])) {
            assertEquals(17f, Float.intBitsToFloat(bits));
        }
    }

    private static void faults(Kind kind, String part, String text, int threads) {
        KernelFault f = assertThrows(KernelFault.class, () -> run(text, threads, new int[threads]));
        assertEquals(kind, f.kind(), f.getMessage());
        assertTrue(f.getMessage().startsWith("k, t.ptx:") && f.getMessage().contains(part), f.getMessage());
    }

    private static final String TILE = ".shared .align 16 .b8 tile[512];\n";
    private static final String NEIGHBOUR =
            "shl.b32 %r1, %r0, 2; mov.u32 %r2, tile; add.u32 %r3, %r1, %r2; xor.b32 %r4, %r3, 128;\n";

    @Test
    void catchesPlantedFaults() {
        faults(Kind.OUT_OF_BOUNDS, "'out'", kernel("", "st.global.u32 [%d4+4], %r0;"), 32);
        faults(Kind.MISALIGNED, "'out'", kernel("", "st.global.v2.u32 [%d4+4], {%r0, %r0};"), 32);
        faults(Kind.READ_ONLY, "'in'", kernel("", "st.global.u32 [%d3], %r0;"), 32);
        faults(Kind.UNINITIALISED, "%r9", kernel("", "st.global.u32 [%d4], %r9;"), 32);
        faults(Kind.UNINITIALISED, "shared memory", kernel(TILE, NEIGHBOUR + "ld.shared.u32 %r5, [%r3];"), 32);
        faults(Kind.UNINITIALISED, "'out'", kernel("", "ld.global.u32 %r5, [%d4];"), 32);
        faults(Kind.TRAP, "trap", kernel("", "trap;"), 32);
        faults(Kind.BARRIER, "barrier", kernel("",
                "setp.lt.u32 %p1, %r0, 3; @%p1 bra $in; bra $out; $in: bar.sync 0; $out: st.global.u32 [%d4], %r0;"), 32);
        faults(Kind.BARRIER, "never reaches", kernel("", "setp.lt.u32 %p1, %r0, 32; @%p1 ret; bar.sync 0;"), 64);
    }

    @Test
    void aMissingBarrierIsARace() {
        String write = NEIGHBOUR + "mov.u32 %r6, 0; st.shared.u32 [%r3], %r6; bar.sync 0; st.shared.u32 [%r3], %r0;\n";
        String read = "ld.shared.u32 %r5, [%r4]; st.global.u32 [%d4], %r5;";
        faults(Kind.RACE, "no barrier between", kernel(TILE, write + read), 64);
        assertEquals(32, run(kernel(TILE, write + "bar.sync 0;\n" + read), 64, new int[64])[0]);
    }

    @Test
    void aMissingWaitIsCaught() {
        String copy = NEIGHBOUR + "cp.async.ca.shared.global [%r3], [%d3], 4; cp.async.commit_group;\n";
        String read = "ld.shared.u32 %r5, [%r3]; st.global.u32 [%d4], %r5;";
        faults(Kind.PENDING_COPY, "cp.async", kernel(TILE, copy + read), 32);
        int[] x = new int[32];
        x[7] = 9;
        assertEquals(9, run(kernel(TILE, copy + "cp.async.wait_group 0;\n" + read), 32, x)[7]);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            tex.2d.v4.f32.f32 %f1, %f2;        | instruction 'tex.2d.v4.f32.f32' is not known
            add.s32 %r1, %r2;                  | missing
            add.s32 %r1, %r2, %d3;             | 32 bits
            add.s32 %r1, %r2, %q3;             | '%q3' is not declared
            bra $nowhere;                      | is not defined
            add.s32 %r1, %r2, %r3              | expected ','
            .reg .b128 %x;                     | .b128 are not known
            mov.u32 %r1, ?;                    | unexpected character '?'
            """)
    void refusesByName(String text, String part) {
        PtxException e = assertThrows(PtxException.class, () -> PtxModule.parse("t.ptx", kernel("", text)).entry("k"));
        assertTrue(e.getMessage().startsWith("t.ptx:") && e.getMessage().contains(part), e.getMessage());
    }

    @Test
    void refusesLaunchesThatDoNotFit() {
        Entry k = PtxModule.parse("t.ptx", kernel("", "")).entry("k");
        Machine m = new Machine(new Memory(), MachineOptions.STRICT);
        Size one = new Size(1, 1, 1);
        assertLaunch("expected 2 arguments", () -> m.launch(k, one, one, 0, 1L));
        assertLaunch("argument 2: expected u64", () -> m.launch(k, one, one, 0, 1L, 1.0f));
        assertLaunch("1025", () -> m.launch(k, one, new Size(1025, 1, 1), 0, 1L, 1L));
        assertLaunch("dynamic shared memory", () -> m.launch(k, one, one, 16, 1L, 1L));
        Entry big = PtxModule.parse("t.ptx", kernel(".shared .align 16 .b8 t[200000];\n", "")).entry("k");
        assertLaunch("too much shared memory", () -> m.launch(big, one, one, 0, 1L, 1L));
        assertThrows(PtxException.class, () -> PtxModule.parse("t.ptx", "hello").entry("k"));
    }

    private static void assertLaunch(String part, org.junit.jupiter.api.function.Executable e) {
        String message = assertThrows(PtxException.class, e).getMessage();
        assertTrue(message.contains(part), message);
    }
}
