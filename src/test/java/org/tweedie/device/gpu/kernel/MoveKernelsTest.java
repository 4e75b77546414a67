// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.op.*;
import org.tweedie.ptx.launch.KernelFault;

/** kernels/move.cu on the PTX machine: random bits must arrive where the reference device puts the elements' numbers. */
@Tag("kernels")
class MoveKernelsTest {
    static Stream<OpCase> cases() {
        return Stream.concat(OpCase.all(), more()).filter(c -> switch (c.op()) {
            case Broadcast _, Concat _, Gather _, Pad _, Slice _, Transpose _, Upsample _ -> true;
            default -> false;
        });
    }

    /** Whole and broken vectors, tiles with edges, many parts, more than one batch of tiles. */
    private static Stream<OpCase> more() {
        List<OpCase> c = new ArrayList<>();
        c.add(of(new Broadcast(Shape.of(2, 3, 5, 16)), Shape.of(2, 1, 1, 16)));
        c.add(of(new Broadcast(Shape.of(4, 64)), Shape.of(4, 1)));
        c.add(of(new Broadcast(Shape.of(2, 3, 2, 3, 2, 8)), Shape.of(3, 1, 3, 1, 8)));
        c.add(of(new Transpose(List.of(0, 1, 3, 2)), Shape.of(2, 3, 40, 33)));
        c.add(of(new Transpose(List.of(0, 2, 1)), Shape.of(3, 77, 64)));
        c.add(of(new Transpose(List.of(3, 1, 2, 0)), Shape.of(9, 2, 3, 65)));
        c.add(of(new Transpose(List.of(0, 2, 1, 3)), Shape.of(2, 7, 4, 40)));
        c.add(of(new Transpose(List.of(0, 2, 3, 1)), Shape.of(2, 3, 9, 11)));
        c.add(of(new Transpose(List.of(5, 3, 1, 4, 2, 0)), Shape.of(2, 3, 2, 3, 2, 3)));
        c.add(of(new Transpose(List.of(0)), Shape.of(13)));
        c.add(of(new Concat(1), Shape.of(2, 8), Shape.of(2, 16), Shape.of(2, 24), Shape.of(2, 8), Shape.of(2, 40)));
        c.add(of(new Concat(0), Shape.of(1), Shape.of(2), Shape.of(3), Shape.of(1), Shape.of(2), Shape.of(1), Shape.of(1),
                Shape.of(1), Shape.of(5)));
        c.add(of(new Concat(3), Shape.of(1, 4, 4, 32), Shape.of(1, 4, 4, 16)));
        c.add(of(new Slice(2, 8, 24), Shape.of(3, 5, 32)));
        c.add(of(new Slice(1, 1, 4), Shape.of(3, 5, 8)));
        c.add(of(new Pad(2, 8, 16), Shape.of(3, 5, 8)));
        c.add(of(new Pad(0, 1, 0), Shape.of(2, 1, 3)));
        c.add(of(new Upsample(2), Shape.of(1, 3, 4, 16)));
        c.add(of(new Upsample(3), Shape.of(2, 2, 1, 3)));
        return c.stream();
    }

    private static OpCase of(Op op, Shape... in) {
        return new OpCase(op, in.length, List.of(in));
    }

    /** Each element by its number, from 1 on, through the reference device: 0 where a zero is to be. */
    private static int[] sources(Program p, List<Integer> sizes) {
        Map<String, Tensor> in = new HashMap<>();
        int first = 1;
        for (int k = 0; k < sizes.size(); k++) {
            double[] numbers = new double[sizes.get(k)];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = first++;
            }
            in.put("x" + k, Tensor.of(p.input("x" + k).shape(), numbers));
        }
        if (p.body().getFirst().op() instanceof Gather) {
            in.put("ids", IDS);
        }
        return Arrays.stream(new ReferenceDevice().compile(p).run(in).get("y0").doubles()).mapToInt(v -> (int) v).toArray();
    }

    private static final Tensor IDS = Tensor.of(Shape.of(2, 5), 0L, 10, 3, 3, 1, 7, 2, 9, 5, 4);

    @ParameterizedTest
    @MethodSource("cases")
    void bitsArriveWhereTheyShould(OpCase c) {
        Program p = program(c);
        Instr i = p.body().getFirst();
        int[] sources = sources(p, c.in().stream().map(s -> (int) s.size()).toList());
        for (DType t : List.of(DType.F32, DType.F16, DType.BF16, DType.I64)) {
            byte[] bits = bits(c.in().stream().mapToInt(s -> (int) s.size()).sum() * t.bytes());
            try (KernelBench bench = new KernelBench()) {
                List<Buffer> in = new ArrayList<>();
                int at = 0;
                for (Shape s : c.in()) {
                    int n = (int) s.size() * t.bytes();
                    in.add(bench.bits("x" + in.size(), t, s, Arrays.copyOfRange(bits, at, at + n)));
                    at += n;
                }
                if (i.op() instanceof Gather) {
                    in.add(bench.in("ids", DType.I64, IDS));
                }
                Buffer out = bench.out("y", t, i.result().shape());
                bench.run(GpuLowering.of(i), in, List.of(out));
                assertArrayEquals(picked(bits, sources, t.bytes()), bench.bytes(out), c + " of " + t);
            }
        }
    }

    /** More batches than a launch of tiles has blocks for: some do two. */
    @Test
    void manyBatchesAreTransposed() {
        OpCase c = of(new Transpose(List.of(0, 2, 1)), Shape.of(1027, 8, 9));
        int n = (int) c.in().getFirst().size();
        byte[] bits = bits(2 * n);
        try (KernelBench bench = new KernelBench()) {
            Buffer y = bench.out("y", DType.F16, Shape.of(1027, 9, 8));
            bench.run(GpuLowering.of(program(c).body().getFirst()), List.of(bench.bits("x", DType.F16, c.in().getFirst(), bits)),
                    List.of(y));
            assertArrayEquals(picked(bits, sources(program(c), List.of(n)), 2), bench.bytes(y));
        }
    }

    /** The op alone, all its operands but ids inputs x0, x1, .. */
    private static Program program(OpCase c) {
        return new OpCase(c.op(), c.in().size(), c.in()).program(1);
    }

    private static byte[] bits(int n) {
        byte[] b = new byte[n];
        new Random(11).nextBytes(b);
        return b;
    }

    private static byte[] picked(byte[] bits, int[] sources, int width) {
        byte[] out = new byte[sources.length * width];
        for (int i = 0; i < sources.length; i++) {
            if (sources[i] > 0) {
                System.arraycopy(bits, (sources[i] - 1) * width, out, i * width, width);
            }
        }
        return out;
    }

    static Stream<OpCase> differentiable() {
        return cases().filter(c -> c.active() > 0);
    }

    /** Derivatives of moves are moves and sums. */
    @ParameterizedTest
    @MethodSource("differentiable")
    void derivativesAgreeWithReference(OpCase c) {
        OneOp.REALS.forEach(t -> OpBench.check(c, t));
    }

    /** Parts of any number, each behind the one before in every row. */
    @Test
    @Tag("sanitized")
    void partsStandBehindEachOther() {
        for (List<Integer> widths : List.of(List.of(8, 16), List.of(1, 7, 3), List.of(8, 8, 16, 8, 24, 8))) {
            Concat op = new Concat(1);
            List<Type> types = widths.stream().map(w -> Type.real(3, w, 2)).toList();
            Shape all = op.infer(types).getFirst().shape();
            for (DType t : List.of(DType.F32, DType.F16, DType.I64)) {
                try (KernelBench bench = new KernelBench()) {
                    List<Buffer> in = types.stream().map(x -> bench.bits("x", t, x.shape(), bits((int) x.shape()
                            .size() * t.bytes()))).toList();
                    Buffer y = bench.out("y", t, all);
                    bench.run(MoveKernels.concat(op, types, all), in, List.of(y));
                    byte[] got = bench.bytes(y);
                    int at = 0;
                    for (int row = 0; row < 3; row++) {
                        for (Buffer x : in) {
                            int n = (int) x.bytes() / 3;
                            assertArrayEquals(Arrays.copyOfRange(bench.bytes(x), row * n, (row + 1) * n), Arrays.copyOfRange(got,
                                    at, at + n), widths + " of " + t);
                            at += n;
                        }
                    }
                }
            }
        }
    }

    @Test
    void unitsAreAsWideAsTheyCanBe() {
        try (KernelBench bench = new KernelBench()) {
            Buffer h = bench.out("h", DType.F16, Shape.of(1));
            Buffer f = bench.out("f", DType.F32, Shape.of(1));
            Buffer odd = new Buffer("odd", DType.F16, Shape.of(1), h.address() + 4);
            assertEquals("copy_forward_b128", KernelBench.entry(MoveKernels.slice(new Slice(1, 8, 16), Shape.of(3, 24)), h));
            assertEquals("copy_forward_b64", KernelBench.entry(MoveKernels.slice(new Slice(1, 4, 8), Shape.of(3, 24)), h));
            assertEquals("copy_forward_b32", KernelBench.entry(MoveKernels.slice(new Slice(1, 8, 16), Shape.of(3, 24)), odd));
            assertEquals("copy_forward_b16", KernelBench.entry(MoveKernels.slice(new Slice(1, 1, 8), Shape.of(3, 24)), h));
            assertEquals("transpose_forward_b16", KernelBench.entry(MoveKernels.transpose(new Transpose(List.of(0, 2, 1)),
                    Shape.of(2, 64, 320)), h));
            assertEquals("copy_forward_b32", KernelBench.entry(MoveKernels.transpose(new Transpose(List.of(0, 3, 1, 2)),
                    Shape.of(2, 64, 64, 3)), f));
            assertEquals("copy_forward_b128", KernelBench.entry(MoveKernels.transpose(new Transpose(List.of(0, 2, 1, 3)),
                    Shape.of(2, 64, 8, 40)), h));
            assertEquals("fill_forward_b32", KernelBench.entry(MoveKernels.broadcast(Shape.of(3, 64), Shape.of()), f));
            assertEquals("upsample_forward_b128", KernelBench.entry(MoveKernels.upsample(2, Shape.of(2, 8, 8, 640)), h));
            assertEquals("concat_forward_b128", KernelBench.entry(MoveKernels.concat(new Concat(1), List.of(Type.real(9, 320),
                    Type.real(9, 640)), Shape.of(9, 960)), h));
        }
    }

    @Test
    void idsOutsideOfTheTableTrap() {
        assumeFalse(KernelBench.onCard(), "a card that has trapped serves this process no more");
        for (long id : new long[] {-1, 3}) {
            try (KernelBench bench = new KernelBench()) {
                Buffer table = bench.in("table", DType.F32, OpCase.random(Shape.of(3, 4), 1));
                Buffer ids = bench.in("ids", DType.I64, Tensor.of(Shape.of(2), 1L, id));
                Buffer y = bench.out("y", DType.F32, Shape.of(2, 4));
                KernelFault fault = assertThrows(KernelFault.class, () -> bench.run(MoveKernels.gather(table.shape(), 2),
                        List.of(table, ids), List.of(y)));
                assertEquals(KernelFault.Kind.TRAP, fault.kind());
            }
        }
    }
}
