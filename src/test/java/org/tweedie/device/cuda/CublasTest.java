// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.cuda.driver.Blas;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.op.MatMul;
import org.tweedie.ptx.launch.MachineOptions;

/** Tests how row-major products are passed to cuBLAS, which stores matrices by column. */
class CublasTest {
    /**
     * Returns pairs of shapes for both transpositions each: with no batch, equal batches, batches broadcast on either side, and
     * some that no single stride reaches.
     */
    static Stream<OpCase> products() {
        List<List<int[]>> batches = List.of(List.of(new int[0], new int[0]), List.of(new int[] {3}, new int[] {3}),
                List.of(new int[] {4}, new int[0]),
                List.of(new int[0], new int[] {4}), List.of(new int[] {2, 3}, new int[] {3}),
                List.of(new int[] {2, 1}, new int[] {1, 3}),
                List.of(new int[] {2, 3, 1}, new int[] {1, 4}), List.of(new int[] {2, 1, 2}, new int[] {2, 3, 2}));
        return Stream.of(false, true)
                .flatMap(ta -> Stream.of(false, true).flatMap(tb -> batches.stream().map(b -> new OpCase(new MatMul(ta, tb), 2,
                List.of(shape(b.get(0), ta ? 5 : 7, ta ? 7 : 5), shape(b.get(1), tb ? 3 : 5, tb ? 5 : 3))))));
    }

    private static Shape shape(int[] batch, int rows, int columns) {
        int[] d = java.util.Arrays.copyOf(batch, batch.length + 2);
        d[batch.length] = rows;
        d[batch.length + 1] = columns;
        return Shape.of(d);
    }

    @ParameterizedTest
    @MethodSource("products")
    void agreesWithReference(OpCase c) {
        Program p = c.program(1);
        MachineDriver driver = new MachineDriver(MachineOptions.running(1));
        CudaDevice device = new CudaDevice(driver, (d, s, card, m) -> driver.vendor, new CudaOptions(DType.F32, true, 0, null,
                false), Ranges.NONE);
        Map<String, Tensor> expected = new ReferenceDevice().compile(p).run(c.inputs(1));
        try (CudaExecutable e = device.compile(p)) {
            e.run(c.inputs(1)).forEach((name, y) -> Conformance.assertClose(expected.get(name), y, 1e-6, c.toString()));
        }
        device.close();
        driver.assertNothingStays();
        assertEquals(0, driver.vendor.prepared(), "a product went to the other library");
    }

    @Test
    void oneMatrixForAllIsOneTallProduct() {
        List<Cublas.Part> parts = Cublas.parts(new MatMul(false, true), DType.BF16, Shape.of(2, 4096, 320), Shape.of(640, 320),
                Shape.of(2, 4096, 640), false);
        assertEquals(List.of(new Cublas.Part(new Blas.Gemm(DType.BF16, true, false, 640, 8192, 320, 320, 0, 320, 0, 640, 0, 1, 0),
                0, 0, 0)), parts);
    }

    @Test
    void equalBatchesAreOneCall() {
        List<Cublas.Part> parts = Cublas.parts(new MatMul(false, false), DType.F16, Shape.of(2, 3, 8, 16), Shape.of(3, 16, 4),
                Shape.of(2, 3, 8, 4), true);
        assertEquals(2, parts.size(), "b starts again after three");
        assertEquals(new Blas.Gemm(DType.F16, false, false, 4, 8, 16, 4, 64, 16, 128, 4, 32, 3, 1), parts.getFirst().gemm());
        assertEquals(new Cublas.Part(parts.getFirst().gemm(), 384, 0, 96), parts.getLast());
    }

    /** Two layers of different shapes on one device must get different prepared calls. */
    @Test
    void productsOfOneShapeSharePreparation() {
        MachineDriver driver = new MachineDriver(MachineOptions.running(1));
        CudaDevice device = new CudaDevice(driver, (d, s, card, m) -> driver.vendor, new CudaOptions(DType.F32, true, 0, null,
                false), Ranges.NONE);
        Tracer t = new Tracer("two");
        Tensor w = OpCase.random(Shape.of(4, 6), 1);
        t.output("a", t.linear(t.input("x", Type.real(3, 6)), t.constant("w", w),
                t.constant("b", OpCase.random(Shape.of(4), 8))));
        t.output("b", t.linear(t.input("y", Type.real(5, 6)), t.constant("w", w), null));
        Program p = t.finish();
        Map<String, Tensor> in = Map.of("x", OpCase.random(Shape.of(3, 6), 2), "y", OpCase.random(Shape.of(5, 6), 3));
        Map<String, Tensor> expected = new ReferenceDevice().compile(p).run(in);
        try (CudaExecutable e = device.compile(p)) {
            e.run(in).forEach((name, y) -> Conformance.assertClose(expected.get(name), y, 1e-6, name));
        }
        device.close();
        driver.assertNothingStays();
    }

    @Test
    void refusesWhatIsNoProduct() {
        Buffer a = new Buffer("a", DType.F16, Shape.of(2, 2), 0);
        Buffer b = new Buffer("b", DType.F32, Shape.of(2, 2), 0);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> new Cublas(null).prepare(new LibraryCall(new MatMul(false, false), Epilogue.NONE, List.of(a, b),
                List.of(a))));
        assertEquals("cublas: expected operands of type F16, got MatMul[transA=false, transB=false] a:F16[2,2], b:F32[2,2] -> "
                + "a:F16[2,2]", e.getMessage());
    }
}
