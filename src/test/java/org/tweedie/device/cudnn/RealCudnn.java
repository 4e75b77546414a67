// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cudnn.binding.Backend;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.cudnn.binding.CudnnLibrary;
import org.tweedie.device.cudnn.binding.Scope;
import org.tweedie.device.cudnn.binding.Target;
import org.tweedie.device.cudnn.engine.NoEngineException;
import org.tweedie.device.cudnn.engine.PlanCache;
import org.tweedie.device.cudnn.engine.Support;
import org.tweedie.device.cudnn.graph.Graph;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;

/**
 * Prepares Stable Diffusion 1.5's calls with a real cuDNN for a card that need not be present, given by its properties (cuDNN 9.8
 * or later); with earlier versions only the graphs are made. It prints a line for each call, "ok" or "no".
 */
final class RealCudnn {
    /**
     * The properties of an H100, taken from CUDA's device attributes, in the words of CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION.
     */
    private static final String CARD = """
            {"cudaDeviceId":0,"deviceVer":%d,"driverVer":13000,"maxGridSize":[2147483647,65535,65535],\
            "maxBlockSize":[1024,1024,64],\
            "regsPerBlock":65536,\
            "multiProcessorCount":%d,"smCountOrigin":1,"warpSize":32,"maxSharedMemoryPerBlock":49152,\
            "maxSharedMemoryPerBlockOptin":%d,\
            "reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":%d,"maxThreadsPerBlock":1024,\
            "maxThreadsPerSM":%d,"pciDeviceId":0,\
            "isTccDriver":0,"supportCoopLaunch":1,"smClockRateKHz":1980000,"memClockRateKHz":2619000,\
            "l2CacheSize":52428800,"totalGlobalMem":85045870592,\
            "deviceName":"%s"}""";

    private RealCudnn() {}

    private static String properties(int capability) {
        return switch (capability) {
            case 80 -> CARD.formatted(800, 108, 166912, 32, 2048, "A100");
            case 86 -> CARD.formatted(860, 84, 101376, 16, 1536, "RTX 3090");
            case 89 -> CARD.formatted(890, 128, 101376, 24, 1536, "RTX 4090");
            case 100 -> CARD.formatted(1000, 148, 232448, 32, 2048, "B200");
            case 120 -> CARD.formatted(1200, 170, 101376, 24, 1536, "RTX 5090");
            default -> CARD.formatted(900, 132, 232448, 32, 2048, "H100");
        };
    }

    /**
     * Runs the program.
     *
     * @param args the folder of libcudnn.so.9, and the compute capability
     */
    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[0], "libcudnn.so.9");
        int capability = Integer.parseInt(args[1]);
        CudnnLibrary library = new CudnnLibrary(SymbolLookup.libraryLookup(file, Arena.global()));
        if (library.missing() != null) {
            throw library.missing();
        }
        System.out.println("version " + library.version());
        Path plans = Files.createTempDirectory("plans").resolve("plans.json");
        for (DType stored : List.of(DType.F16, DType.BF16, DType.F32)) {
            if (library.version() < 90800) {
                calls(stored).forEach(call -> graph(library, capability, call));
                continue;
            }
            try (Cudnn cudnn = Cudnn.without(library, properties(capability), "card " + capability, capability,
                    new PlanCache(plans, System.out::println))) {
                calls(stored).forEach(call -> prepare(cudnn, call));
            }
        }
        Files.deleteIfExists(plans);
        Files.delete(plans.getParent());
    }

    private static void prepare(Cudnn cudnn, LibraryCall call) {
        try (Vendor.Prepared first = cudnn.prepare(call); Vendor.Prepared again = cudnn.prepare(call)) {
            if (!again.toString().equals(first.toString()) || again.workspace() != first.workspace()) {
                throw new AssertionError(call + ": chose " + first + ", then " + again);
            }
            System.out.println("ok " + call + " | " + first + ", " + first.workspace() + " bytes");
        } catch (IllegalArgumentException | NoEngineException | CudnnException e) {
            System.out.println("no " + call + " | " + e.getMessage().replace('\n', ' '));
        }
    }

    private static void graph(Backend backend, int capability, LibraryCall call) {
        if (new Support(backend.version(), capability).refusal(call.op(), call.in().get(0).shape(), call.in().get(1).shape(),
                call.in().getFirst().dtype()).isPresent()) {
            System.out.println("no " + call + " | refused");
            return;
        }
        try (Scope scope = new Scope(backend, "test")) {
            Graph g = new Graph(scope, Graph.ALIGNMENT);
            Cudnn.build(g, call);
            g.finish(new Target.Properties(null)); // a graph needs no handle
            System.out.println("ok " + call + " | graph alone");
        } catch (CudnnException e) {
            System.out.println("no " + call + " | " + e.getMessage().replace('\n', ' '));
        }
    }

    /** Returns the ops of the networks for a 512 x 512 image: all kinds of layer, with the largest and smallest of each. */
    private static List<LibraryCall> calls(DType t) {
        List<LibraryCall> all = new ArrayList<>();
        int[][] attention = {{2, 8, 4096, 4096, 40}, {2, 8, 4096, 77, 40}, {2, 8, 1024, 1024, 80}, {2, 8, 1024, 77, 80},
                {2, 8, 256, 256, 160},
            {2, 8, 256, 77, 160}, {2, 8, 64, 64, 160}, {2, 8, 64, 77, 160}};
        for (int[] a : attention) {
            DotProductAttention op = new DotProductAttention(a[1], false);
            Buffer q = new Buffer("q", t, Shape.of(a[0], a[2], a[1] * a[4]), 0);
            Buffer k = new Buffer("k", t, Shape.of(a[0], a[3], a[1] * a[4]), 0);
            Buffer lse = new Buffer("lse", DType.F32, Shape.of(a[0], a[1], a[2]), 0);
            all.add(new LibraryCall(op, Epilogue.NONE, List.of(q, k, k), List.of(q, lse)));
            all.add(new LibraryCall(new DotProductAttentionVjp(op, true), Epilogue.NONE, List.of(q, k, k, q, lse, q), List.of(q,
                    k, k)));
            all.add(new LibraryCall(new DotProductAttentionVjp(op, false), Epilogue.NONE, List.of(q, k, k, q, lse, q),
                    List.of(q)));
        }
        Convolution same = new Convolution(1, 1, 1, 1, 1);
        Convolution half = new Convolution(2, 1, 1, 1, 1);
        Convolution encoder = new Convolution(2, 0, 0, 1, 1);
        Convolution point = new Convolution(1, 0, 0, 0, 0);
        convolutions(all, t, same, 2, 64, 4, 320, 3);
        convolutions(all, t, same, 2, 64, 320, 320, 3);
        convolutions(all, t, same, 2, 8, 2560, 1280, 3);
        convolutions(all, t, same, 2, 64, 320, 4, 3);
        convolutions(all, t, same, 1, 512, 3, 128, 3);
        convolutions(all, t, same, 1, 512, 128, 128, 3);
        convolutions(all, t, same, 1, 512, 128, 3, 3);
        convolutions(all, t, half, 2, 64, 320, 320, 3);
        convolutions(all, t, encoder, 1, 512, 128, 128, 3);
        convolutions(all, t, point, 2, 64, 960, 320, 1);
        convolutions(all, t, point, 1, 64, 4, 4, 1);
        return all;
    }

    private static void convolutions(List<LibraryCall> all, DType t, Convolution op, int batch, int size, int cin, int cout,
            int k) {
        Shape out = op.infer(List.of(Type.real(batch, size, size, cin), Type.real(cout, cin, k, k))).getFirst().shape();
        Buffer x = new Buffer("x", t, Shape.of(batch, size, size, cin), 0);
        Buffer w = new Buffer("w", t, Shape.of(cout, k, k, cin), 0);
        Buffer b = new Buffer("b", t, Shape.of(cout), 0);
        Buffer y = new Buffer("y", t, out, 0);
        Buffer time = new Buffer("t", t, Shape.of(batch, 1, 1, cout), 0);
        all.add(new LibraryCall(op, Epilogue.NONE, List.of(x, w), List.of(y)));
        all.add(new LibraryCall(op, Epilogue.NONE, List.of(x, w, b), List.of(y)));
        all.add(new LibraryCall(op, new Epilogue(true, false), List.of(x, w, b, y), List.of(y)));
        all.add(new LibraryCall(op, new Epilogue(true, false), List.of(x, w, b, time), List.of(y)));
        all.add(new LibraryCall(op, new Epilogue(false, true), List.of(x, w, b), List.of(y)));
        all.add(new LibraryCall(op, new Epilogue(true, true), List.of(x, w, b, y), List.of(y)));
        all.add(new LibraryCall(new ConvolutionVjp(op, size, size), Epilogue.NONE, List.of(y, w), List.of(x)));
    }
}
