// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.tweedie.device.cudnn.engine.EngineChoice;
import org.tweedie.device.cudnn.engine.Note;
import org.tweedie.device.cudnn.engine.PlanCache;
import org.tweedie.device.cudnn.engine.Trials;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.Op;

/** Makes calls of a {@link Cudnn} on a {@link FakeCudnn} with numbers and compares the results with the reference device. */
final class CudnnBench implements AutoCloseable {
    /** Returns the program of a convolution. */
    static final LibraryCall CALL = new LibraryCall(new Convolution(1, 1, 1, 1, 1), Epilogue.NONE,
            List.of(new Buffer("image", DType.F16, Shape.of(1, 4, 4, 8), 0), new Buffer("filter", DType.F16, Shape.of(8, 3, 3, 8),
            0)),
            List.of(new Buffer("sums", DType.F16, Shape.of(1, 4, 4, 8), 0)));
    static final EngineChoice THIRD = new EngineChoice(3, new TreeMap<>(Map.of(24L, 5L)));

    static final String CARD = "NVIDIA Test Card";
    static final String COMPILERS = "NVRTC 12.6, driver for CUDA 12.8";

    final FakeCudnn fake = new FakeCudnn();
    final List<String> warnings = new ArrayList<>();
    final Path file;
    private final Arena arena = Arena.ofConfined();

    CudnnBench(Path file) {
        this.file = file;
    }

    Cudnn open(int capability, Trials trials) {
        return Cudnn.open(fake, 5, CARD, COMPILERS, capability, new PlanCache(file, warnings::add), trials);
    }

    /** Returns an op's operands as a program has them, random and rounded as they are stored; lse is F32. */
    static List<Tensor> operands(DType stored, List<Shape> shapes) {
        Random random = new Random(7);
        List<Tensor> all = new ArrayList<>();
        for (Shape s : shapes) {
            float[] v = new float[(int) s.size()];
            for (int i = 0; i < v.length; i++) {
                v[i] = Rounding.to(stored, (float) random.nextGaussian());
            }
            all.add(Tensor.of(s, v));
        }
        return all;
    }

    /**
     * Returns the results of an op on the reference device; where the epilogue says so, the residual is added and SiLU applied.
     */
    static List<double[]> reference(Op op, Epilogue epilogue, List<Tensor> in) {
        Tracer t = new Tracer("reference");
        Map<String, Tensor> inputs = new HashMap<>();
        List<Value> operands = new ArrayList<>();
        for (Tensor x : in) {
            String name = "x" + operands.size();
            operands.add(t.input(name, Type.real(x.shape())));
            inputs.put(name, x);
        }
        Value residual = epilogue.residual() ? operands.removeLast() : null;
        List<Value> out = new ArrayList<>(t.emit(op, operands.toArray(Value[]::new)));
        if (residual != null) {
            out.set(0, t.add(out.getFirst(), t.broadcast(residual, out.getFirst().shape())));
        }
        if (epilogue.silu()) {
            out.set(0, t.silu(out.getFirst()));
        }
        for (int i = 0; i < out.size(); i++) {
            t.output("y" + i, out.get(i));
        }
        Map<String, Tensor> results = new ReferenceDevice().compile(t.finish()).run(inputs);
        List<double[]> all = new ArrayList<>();
        for (int i = 0; i < out.size(); i++) {
            all.add(results.get("y" + i).doubles());
        }
        return all;
    }

    /** Returns the call with its operands in memory; a weight has the order that libraries want. */
    LibraryCall call(Op op, Epilogue epilogue, DType stored, List<Tensor> in, List<Shape> out, List<DType> inTypes,
            List<DType> outTypes) {
        List<Buffer> operands = new ArrayList<>();
        for (Tensor x : in) {
            int i = operands.size();
            boolean filter = i == 1 && x.shape().rank() == 4 && stored != null;
            operands.add(buffer("x" + i, inTypes.get(i), filter ? channelsLast(x) : x));
        }
        List<Buffer> results = new ArrayList<>();
        for (Shape s : out) {
            results.add(buffer("y" + results.size(), outTypes.get(results.size()), Tensor.of(s, new float[(int) s.size()])));
        }
        return new LibraryCall(op, epilogue, operands, results);
    }

    /** Reorders [Cout,Cin,kh,kw] to [Cout,kh,kw,Cin]. */
    private static Tensor channelsLast(Tensor w) {
        Shape s = w.shape();
        int cin = s.dim(1);
        int taps = s.dim(2) * s.dim(3);
        double[] from = w.doubles();
        double[] to = new double[from.length];
        for (int i = 0; i < from.length; i++) {
            to[(i / (cin * taps)) * cin * taps + i % taps * cin + i / taps % cin] = from[i];
        }
        return Tensor.of(Shape.of(s.dim(0), s.dim(2), s.dim(3), cin), to);
    }

    private Buffer buffer(String name, DType dtype, Tensor x) {
        MemorySegment s = arena.allocate(Math.max(16, x.size() * dtype.bytes()), 16);
        double[] v = x.doubles();
        for (int i = 0; i < v.length; i++) {
            float f = Rounding.to(dtype, (float) v[i]);
            switch (dtype) {
                case F32 -> s.setAtIndex(ValueLayout.JAVA_FLOAT, i, f);
                case F16 -> s.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(f));
                default -> s.setAtIndex(ValueLayout.JAVA_SHORT, i, Rounding.toBf16(f));
            }
        }
        return new Buffer(name, dtype, x.shape(), s.address());
    }

    static double[] read(Buffer b) {
        MemorySegment s = MemorySegment.ofAddress(b.address()).reinterpret(b.bytes());
        double[] v = new double[(int) b.size()];
        for (int i = 0; i < v.length; i++) {
            v[i] = switch (b.dtype()) {
                case F32 -> s.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                case F16 -> Float.float16ToFloat(s.getAtIndex(ValueLayout.JAVA_SHORT, i));
                default -> Rounding.fromBf16(s.getAtIndex(ValueLayout.JAVA_SHORT, i));
            };
        }
        return v;
    }

    /** Prepares and runs a call and compares each result with the reference; nothing may be live afterwards. */
    void check(Op op, Epilogue epilogue, DType stored, List<Tensor> in, boolean lseIn, boolean lseOut) {
        List<double[]> expected = reference(op, epilogue, in);
        List<DType> inTypes = new ArrayList<>();
        for (int i = 0; i < in.size(); i++) {
            inTypes.add(lseIn && i == 4 ? DType.F32 : stored);
        }
        List<Type> plain = in.subList(0, in.size() - (epilogue.residual() ? 1 : 0)).stream().map(x -> Type.real(x.shape()))
                .toList();
        List<Shape> shapes = op.infer(plain).stream().map(Type::shape).toList();
        List<DType> outTypes = new ArrayList<>();
        for (int i = 0; i < shapes.size(); i++) {
            outTypes.add(lseOut && i == 1 ? DType.F32 : stored);
        }
        LibraryCall call = call(op, epilogue, op instanceof Convolution || in.get(1).shape().rank() == 4 ? stored : null, in,
                shapes,
                inTypes, outTypes);
        try (Cudnn cudnn = open(90, null); Vendor.Prepared p = cudnn.prepare(call)) {
            MemorySegment workspace = arena.allocate(p.workspace(), 256);
            p.run(call, workspace.address());
            p.run(call, workspace.address()); // the second run shows that nothing of the first is in its way
        }
        for (int i = 0; i < expected.size(); i++) {
            near(op + " " + epilogue + " in " + stored + ", result " + i, expected.get(i), read(call.out().get(i)), stored);
        }
        assertEquals(Map.of(), fake.live, "descriptors alive after closing");
        assertEquals(0, fake.handles, "handles alive after closing");
    }

    /** The tolerance is the rounding of what is stored; sums are in double on both sides. */
    private static void near(String what, double[] expected, double[] got, DType stored) {
        double worst = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs(expected[i] - got[i]));
            norm = Math.max(norm, Math.abs(expected[i]));
        }
        double unit = stored == DType.F32 ? 1e-6 : stored == DType.F16 ? 1e-3 : 8e-3;
        assertTrue(worst <= 2 * unit * norm, what + ": off by " + worst + " of " + norm);
    }

    @Override
    public void close() {
        arena.close();
    }

    static FakeCudnn.Offer offer(EngineChoice c, Note... notes) {
        return new FakeCudnn.Offer(c, false, Set.of(notes));
    }
}
