// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.cudnn.engine.Note;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;

/** Each graph must compute what the reference device does, and its descriptors must follow cuDNN's documentation. */
class GraphsTest {
    private static final List<Epilogue> EPILOGUES = List.of(Epilogue.NONE, new Epilogue(true, false), new Epilogue(false, true),
            new Epilogue(true, true));

    @TempDir
    Path folder;

    static Stream<Convolution> convolutions() {
        return Stream.of(new Convolution(1, 1, 1, 1, 1), new Convolution(2, 1, 1, 1, 1), new Convolution(2, 0, 0, 1, 1),
                new Convolution(1, 2, 0, 1, 3), new Convolution(1, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @MethodSource("convolutions")
    void convolutionWithAnyEpilogue(Convolution op) {
        for (Epilogue e : EPILOGUES) {
            for (boolean bias : new boolean[] {false, true}) {
                for (boolean broadcast : e.residual() ? new boolean[] {false, true} : new boolean[] {false}) {
                    try (CudnnBench bench = new CudnnBench(folder.resolve("plans.json"))) {
                        bench.check(op, e, DType.F32, operands(op, bias, e.residual(), broadcast), false, false);
                    }
                }
            }
        }
    }

    /** Returns a convolution of x [2,7,6,5] and w [3,5,3,2]. */
    private static List<Tensor> operands(Convolution op, boolean bias, boolean residual, boolean broadcast) {
        List<Shape> shapes = new ArrayList<>(List.of(Shape.of(2, 7, 6, 5), Shape.of(3, 5, 3, 2)));
        if (bias) {
            shapes.add(Shape.of(3));
        }
        if (residual) {
            int h = (7 + op.top() + op.bottom() - 3) / op.stride() + 1;
            int w = (6 + op.left() + op.right() - 2) / op.stride() + 1;
            shapes.add(broadcast ? Shape.of(2, 1, 1, 3) : Shape.of(2, h, w, 3));
        }
        return CudnnBench.operands(DType.F32, shapes);
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F16", "BF16"})
    void convolutionInSixteenBits(DType stored) {
        Convolution op = new Convolution(1, 1, 1, 1, 1);
        List<Shape> shapes = List.of(Shape.of(1, 5, 4, 8), Shape.of(8, 8, 3, 3), Shape.of(8), Shape.of(1, 5, 4, 8));
        try (CudnnBench bench = new CudnnBench(folder.resolve("plans.json"))) {
            bench.check(op, new Epilogue(true, true), stored, CudnnBench.operands(stored, shapes), false, false);
        }
    }

    @ParameterizedTest
    @MethodSource("convolutions")
    void pullBackOfConvolution(Convolution op) {
        int h = (7 + op.top() + op.bottom() - 3) / op.stride() + 1;
        int w = (6 + op.left() + op.right() - 2) / op.stride() + 1;
        List<Tensor> in = CudnnBench.operands(DType.F32, List.of(Shape.of(2, h, w, 3), Shape.of(3, 5, 3, 2)));
        try (CudnnBench bench = new CudnnBench(folder.resolve("plans.json"))) {
            bench.check(new ConvolutionVjp(op, 7, 6), Epilogue.NONE, DType.F32, in, false, false);
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F16", "BF16"})
    void attention(DType stored) {
        List<Tensor> in = CudnnBench.operands(stored, List.of(Shape.of(2, 5, 24), Shape.of(2, 7, 24), Shape.of(2, 7, 24)));
        try (CudnnBench bench = new CudnnBench(folder.resolve("plans.json"))) {
            bench.check(new DotProductAttention(3, false), Epilogue.NONE, stored, in, false, true);
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F16", "BF16"})
    void pullBackOfAttention(DType stored) {
        DotProductAttention of = new DotProductAttention(3, false);
        List<Tensor> in = new ArrayList<>(CudnnBench.operands(stored, List.of(Shape.of(2, 5, 24), Shape.of(2, 7, 24),
                Shape.of(2, 7, 24))));
        List<double[]> forward = CudnnBench.reference(of, Epilogue.NONE, in);
        in.add(Tensor.of(Shape.of(2, 5, 24), forward.get(0)));
        in.add(Tensor.of(Shape.of(2, 3, 5), forward.get(1)));
        in.addAll(CudnnBench.operands(stored, List.of(Shape.of(2, 5, 24))));
        for (boolean keys : new boolean[] {false, true}) {
            try (CudnnBench bench = new CudnnBench(folder.resolve("plans.json"))) {
                bench.check(new DotProductAttentionVjp(of, keys), Epilogue.NONE, stored, in, true, false);
            }
        }
    }

    /**
     * A residual [B,1,1,C] in F32 has no fused engine in cuDNN, so the convolution runs first, and then the rest of each sample.
     */
    @Test
    void withoutAFusedEngineTheEpilogueComesAfter() {
        Convolution op = new Convolution(1, 1, 1, 1, 1);
        for (boolean broadcast : new boolean[] {false, true}) {
            try (CudnnBench bench = new CudnnBench(folder.resolve("plans.json"))) {
                int fused = 5; // these are the convolution, the bias, the product by one, the residual and SiLU
                bench.fake.failing = (kind, before) -> kind == 15 && bench.fake.live.values().stream()
                        .filter(e -> e.kind == 15 && !e.finished).anyMatch(e -> e.values.get(801).length == fused);
                bench.check(op, new Epilogue(true, true), DType.F32, operands(op, true, true, broadcast), false, false);
                assertEquals(2 * (1 + 2), bench.fake.ran.size(),
                        "one run of the convolution and one of the rest per sample, twice");
            }
        }
    }

    @Test
    void whatEnginesMustNotDo() {
        assertTrue(Note.unwanted(DType.F32).containsAll(Set.of(Note.TENSOR_CORE, Note.DOWN_CONVERT_INPUTS)), "no TF32");
        for (DType stored : List.of(DType.F16, DType.BF16, DType.F32)) {
            assertTrue(Note.unwanted(stored).containsAll(Set.of(Note.NONDETERMINISTIC, Note.REDUCED_PRECISION_REDUCTION,
                    Note.WINOGRAD)), stored.toString());
        }
        assertEquals(9, Note.STRICT_NAN_PROP.ordinal(), "cudnnBackendNumericalNote_t");
    }
}
