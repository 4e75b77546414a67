// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/** Tests {@code tweedie kernel}: its results, counts worked out by hand, and its errors. */
class KernelTest {
    /** A kernel y = factor x with a thread for each element; elements are a stride apart. */
    private static final String SCALE = """
            .version 8.5
            .target sm_80
            .address_size 64
            .visible .entry scale(.param .u64 x, .param .u64 y, .param .u32 n, .param .u32 stride, .param .f32 factor)
            {
            .reg .pred %p<2>; .reg .b32 %r<8>; .reg .f32 %f<4>; .reg .b64 %d<8>;
            ld.param.u64 %d1, [x]; ld.param.u64 %d2, [y]; ld.param.u32 %r1, [n]; ld.param.u32 %r2, [stride]; \
            ld.param.f32 %f1, [factor];
            mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ntid.x; mov.u32 %r5, %tid.x; \
            mad.lo.u32 %r3, %r3, %r4, %r5; mul.lo.u32 %r3, %r3, %r2;
            setp.ge.u32 %p1, %r3, %r1; @%p1 ret;
            mul.wide.u32 %d3, %r3, 4; add.s64 %d1, %d1, %d3; add.s64 %d2, %d2, %d3;
            ld.global.f32 %f2, [%d1]; mul.f32 %f2, %f2, %f1; st.global.f32 [%d2], %f2;
            ret;
            }
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void files() throws IOException {
        Files.writeString(folder.resolve("k.ptx"), SCALE);
        Files.writeString(folder.resolve("bad.ptx"), SCALE.replace("mul.f32 ", "frob.f32 "));
        float[] x = new float[70];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
        }
        SafeTensors.write(folder.resolve("x.safetensors"), Map.of("x", Tensor.of(Shape.of(70), x)), Map.of());
    }

    private String in(String name) {
        return Cli.in(folder, name);
    }

    private Cli scale(String args, String... more) {
        return Cli.run(java.util.stream.Stream.concat(java.util.stream.Stream.of("kernel", in("k.ptx"), "scale", "--grid", "3",
                "--block", "32",
                "--in", in("x.safetensors"), "--args", args, "-o", in("y.safetensors")), java.util.Arrays.stream(more))
                .toArray(String[]::new));
    }

    @Test
    void runsAndCounts() throws IOException {
        Cli c = scale("x,out:y:F32:70,70,1,2.5");
        assertEquals(0, c.code(), c.err());
        float[] expected = new float[70];
        for (int i = 0; i < 70; i++) {
            expected[i] = 2.5f * i;
        }
        try (SafeTensors y = SafeTensors.open(folder.resolve("y.safetensors"))) {
            assertArrayEquals(expected, y.tensors().get("y").floats());
        }
        // 280 bytes in 4 + 4 + 1 sectors, loaded and stored; three warps of 19 instructions each
        assertTrue(c.out().contains("9 + 9 sectors"), c.out());
        assertEquals("0.972", c.words().get("coalescing"));
        assertEquals("57", c.words().get("warp_instructions"));
    }

    @Test
    void seesScatteredAccess() {
        Cli c = scale("x,out:y:F32:70,70,8,1");
        assertEquals("0.125", c.words().get("coalescing"));
        assertTrue(c.err().contains("not written all elements of 'y'"), c.err());
    }

    @Test
    void lists() {
        assertEquals("scale [u64, u64, u32, u32, f32]", Cli.succeed("kernel", in("k.ptx")).out().strip());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            x,out:y:F32:60,70,1,2     | 1 | writes byte 240
            x,x,70,1,2                | 2 | the kernel has results; name
            x,out:y:F32:70,70,1       | 2 | expected 5 arguments [u64, u64, u32, u32, f32], got 4
            z,out:y:F32:70,70,1,2     | 2 | no tensor 'z'
            x,out:y:F31:70,70,1,2     | 2 | type 'F31': unknown; did you mean
            x,out:y:F32,70,1,2        | 2 | expected out:NAME:TYPE:DxD
            x,out:y:F32:70,70,1,two   | 2 | expected a number of type f32, got 'two'
            x,7,70,1,2                | 2 | no results
            """)
    void tells(String args, int code, String part) {
        Cli c = part.startsWith("the kernel has results") ? Cli.run("kernel", in("k.ptx"), "scale", "--in",
                in("x.safetensors"), "--args",
                "inout:x,x,70,1,2")
                : scale(args);
        assertTrue(c.fault(code).contains(part), c.err());
        assertFalse(Files.exists(folder.resolve("y.safetensors")));
    }

    @Test
    void refusesFiles() {
        assertTrue(Cli.run("kernel", in("bad.ptx"), "scale").fault(2).contains("instruction 'frob.f32' is not known"));
        assertTrue(Cli.run("kernel", in("k.ptx"), "scael").fault(2).contains("no kernel has this name; the file has scale"));
        assertTrue(Cli.run("kernel", in("x.safetensors")).fault(2).contains("expected PTX text"));
        assertTrue(scale("x,out:y:F32:70,70,1,2", "--shared", "1024").fault(2).contains("takes none"));
        assertTrue(Cli.run("kernel", in("k.ptx"), "scale", "--grid", "0", "--in", in("x.safetensors"), "--args",
                "x,out:y:F32:70,70,1,2", "-o",
                in("y.safetensors")).fault(2).contains("--grid: expected"));
    }
}
