// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tweedie.device.Closing;
import org.tweedie.device.cudnn.binding.Attribute;
import org.tweedie.device.cudnn.binding.Backend;
import org.tweedie.device.cudnn.binding.BackendDescriptor;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.cudnn.binding.CudnnLibrary;
import org.tweedie.device.cudnn.binding.DescriptorKind;
import org.tweedie.device.cudnn.binding.Scope;
import org.tweedie.device.cudnn.binding.Target;
import org.tweedie.device.cudnn.engine.Choosing;
import org.tweedie.device.cudnn.engine.Engines;
import org.tweedie.device.cudnn.engine.NoEngineException;
import org.tweedie.device.cudnn.engine.Note;
import org.tweedie.device.cudnn.engine.PlanCache;
import org.tweedie.device.cudnn.engine.PreparedGraph;
import org.tweedie.device.cudnn.engine.Support;
import org.tweedie.device.cudnn.engine.Trials;
import org.tweedie.device.cudnn.graph.AttentionGraphs;
import org.tweedie.device.cudnn.graph.ConvolutionGraphs;
import org.tweedie.device.cudnn.graph.Graph;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;
import org.tweedie.program.op.Op;

/**
 * cuDNN 9, used for convolutions, their pull-backs to the image, attention and its pull-back. The calling thread's CUDA context
 * must be that of the card.
 */
public final class Cudnn implements Vendor {
    private static final int MOST_TRIED = 4; // few, because each engine may have to be compiled first

    private final Backend backend;
    private final Scope scope;
    private final Target target;
    private final String card;
    private final String compilers;
    private final Support support;
    private final PlanCache cache;
    private final Trials trials;
    private final Map<String, Optional<String>> asked = new HashMap<>(); // reasons for refusing, by key
    // graphs that were prepared when cuDNN was asked, until the call itself is prepared
    private final Map<String, Prepared> ready = new HashMap<>();

    private Cudnn(Backend backend, Scope scope, Target target, String card, String compilers, Support support, PlanCache cache,
            Trials trials) {
        this.backend = backend;
        this.scope = scope;
        this.target = target;
        this.card = card;
        this.compilers = compilers;
        this.support = support;
        this.cache = cache;
        this.trials = trials;
    }

    /**
     * Opens the library for the calling thread's CUDA context.
     *
     * @param symbols the functions of libcudnn.so.9, which is loaded
     * @param stream CUstream on which everything runs; 0 is the default stream
     * @param card the card's name, which is part of the key of stored choices
     * @param compilers the versions of NVRTC and of the driver, which are part of the key too: they make the kernels of engines
     *         that are compiled
     * @param capability the card's compute capability, 90 for 9.0
     * @param trials tries engines; with null the engine is taken that cuDNN believes fastest
     * @throws UnsatisfiedLinkError naming a function that the library lacks
     * @throws IllegalStateException when the version is not 9
     * @throws CudnnException when the library does not find the card
     */
    public static Cudnn open(SymbolLookup symbols, long stream, String card, String compilers, int capability, PlanCache cache,
            Trials trials) {
        CudnnLibrary library = new CudnnLibrary(symbols);
        if (library.missing() != null) {
            throw library.missing();
        }
        return open(library, stream, card, compilers, capability, cache, trials);
    }

    static Cudnn open(Backend backend, long stream, String card, String compilers, int capability, PlanCache cache,
            Trials trials) {
        Support support = support(backend, capability);
        Scope scope = new Scope(backend, "opening cuDNN " + support.text() + " for " + card);
        long handle;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment at = arena.allocate(ValueLayout.JAVA_LONG);
            check(scope, "cudnnCreate", backend.createHandle(at));
            handle = at.get(ValueLayout.JAVA_LONG, 0);
        }
        Cudnn cudnn = new Cudnn(backend, scope, new Target.Card(handle), card, compilers, support, cache, trials);
        try {
            check(scope, "cudnnSetStream", backend.setStream(handle, stream));
            return cudnn;
        } catch (CudnnException e) {
            Closing.after(e, cudnn::close);
            throw e;
        }
    }

    /**
     * Opens the library (cuDNN 9.8 or later) for a card that is not present: calls can be prepared but not run.
     *
     * @param properties the card's properties, as JSON in the words of CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION
     */
    static Cudnn without(Backend backend, String properties, String card, int capability, PlanCache cache) {
        Support support = support(backend, capability);
        Scope scope = new Scope(backend, "describing " + card + " to cuDNN " + support.text());
        try {
            BackendDescriptor d = scope.create(DescriptorKind.DEVICEPROP).set(Attribute.DEVICEPROP_JSON_REPRESENTATION,
                    properties).finish();
            return new Cudnn(backend, scope, new Target.Properties(d), card, "no driver", support, cache, null);
        } catch (CudnnException e) {
            Closing.after(e, scope::close);
            throw e;
        }
    }

    private static Support support(Backend backend, int capability) {
        Support support = new Support(backend.version(), capability);
        if (support.version() / 10000 != 9) {
            throw new IllegalStateException("cuDNN: expected version 9, got " + support.text()
                    + "; install cuDNN 9 for CUDA 12 or 13");
        }
        return support;
    }

    private static void check(Scope scope, String call, int status) {
        if (status != 0) {
            throw scope.failure(call, status);
        }
    }

    /** Returns the version, for example {@code 9.24.0}. */
    public String version() {
        return support.text();
    }

    @Override
    public Offer offer() {
        return this::takes;
    }

    /** Tells whether {@link #prepare} supports an op. An op that is refused may run elsewhere. */
    public boolean takes(Op op, List<Type> in, DType stored) {
        return refusal(op, in, stored).isEmpty();
    }

    /**
     * Returns why an op is not supported by this library, card and version, or nothing if it is supported. For attention, which
     * our kernels support too, the library itself is asked whether it has an engine; if it has none, a warning says so.
     *
     * @param in the types of the op's operands, as in the program
     * @param stored the type in which they are stored, except lse
     */
    public synchronized Optional<String> refusal(Op op, List<Type> in, DType stored) {
        Optional<String> refusal = support.refusal(op, in.getFirst().shape(), in.get(1).shape(), stored);
        if (refusal.isPresent() || !(op instanceof DotProductAttention || op instanceof DotProductAttentionVjp)) {
            return refusal;
        }
        LibraryCall call = new LibraryCall(op, Epilogue.NONE, unplaced(in, stored, op instanceof DotProductAttentionVjp ? 4 : -1),
                unplaced(op.infer(in), stored, op instanceof DotProductAttention ? 1 : -1));
        return asked.computeIfAbsent(key(call), key -> ask(call, key, stored));
    }

    private static List<Buffer> unplaced(List<Type> types, DType stored, int lse) {
        return IntStream.range(0, types.size())
                .mapToObj(i -> new Buffer("#" + i, i == lse ? DType.F32 : stored, types.get(i).shape(), 0)).toList();
    }

    /**
     * Asks the library for an engine. An engine is known to exist only when its plan is finished and has run, because heuristics
     * name some that fail at that. The prepared call is kept for {@link #prepare}.
     */
    private Optional<String> ask(LibraryCall call, String key, DType stored) {
        try {
            ready.put(key, prepare(call, key, Note.unwanted(stored), Graph.ALIGNMENT, g -> build(g, call)));
            return Optional.empty();
        } catch (NoEngineException e) {
            cache.warn("cuDNN " + version() + ": it has no engine for an operation, so our kernel is used. " + e.getMessage());
            return Optional.of(e.getMessage());
        }
    }

    @Override
    public synchronized Prepared prepare(LibraryCall call) {
        List<Buffer> in = call.in();
        DType stored = in.getFirst().dtype();
        Shape second = in.size() > 1 ? in.get(1).shape() : in.getFirst().shape();
        support.refusal(call.op(), in.getFirst().shape(), second, stored).ifPresent(reason -> {
            throw new IllegalArgumentException(reason + "; asked for " + call);
        });
        requireOneType(call, stored);
        Prepared known = ready.remove(key(call));
        if (known != null) {
            return known;
        }
        try {
            return prepare(call, key(call), Note.unwanted(stored), Graph.ALIGNMENT, g -> build(g, call));
        } catch (NoEngineException e) {
            if (!(call.op() instanceof Convolution) || call.bias() == null && call.epilogue().equals(Epilogue.NONE)) {
                throw e;
            }
            return split(call);
        }
    }

    private PreparedGraph prepare(LibraryCall call, String key, Set<Note> unwanted, int alignment, Consumer<Graph> build) {
        Scope graphScope = new Scope(backend, "preparing " + call + " on " + card + " with cuDNN " + version());
        try {
            Graph graph = new Graph(graphScope, alignment);
            build.accept(graph);
            Engines engines = new Engines(target, finished(graph));
            return new Choosing(graphScope, graph, engines, target, key, cache, trials).choose(call, unwanted, MOST_TRIED);
        } catch (RuntimeException | Error e) {
            Closing.after(e, graphScope::close);
            throw e;
        }
    }

    private BackendDescriptor finished(Graph graph) {
        try {
            return graph.finish(target);
        } catch (CudnnException e) {
            if (e.notSupported()) {
                throw new NoEngineException(e.getMessage(), e);
            }
            throw e;
        }
    }

    private SplitConvolution split(LibraryCall call) {
        LibraryCall first = SplitConvolution.sums(call, 0);
        LibraryCall second = SplitConvolution.rest(call, 0, 0);
        Set<Note> unwanted = Note.unwanted(call.in().getFirst().dtype());
        PreparedGraph sums = prepare(first, key(first), unwanted, Graph.ALIGNMENT, g -> build(g, first));
        try {
            // engines that add carry this note too, but there is no product that TF32 could spoil
            unwanted.remove(Note.TENSOR_CORE);
            PreparedGraph rest = prepare(second, key(second) + ", the sums done", unwanted, SplitConvolution.alignment(second),
                    g -> ConvolutionGraphs.epilogue(g, second));
            return new SplitConvolution(sums, rest, call.out().getFirst());
        } catch (RuntimeException | Error e) {
            Closing.after(e, sums::close);
            throw e;
        }
    }

    private static void requireOneType(LibraryCall call, DType stored) {
        for (Buffer b : Stream.concat(call.in().stream(), call.out().stream()).toList()) {
            boolean lse = call.op() instanceof DotProductAttention && b == call.out().getLast()
                    || call.op() instanceof DotProductAttentionVjp
                    && b == call.in().get(4);
            if (b.dtype() != (lse ? DType.F32 : stored)) {
                throw new IllegalArgumentException("cuDNN: expected " + b + " in " + (lse ? DType.F32 : stored)
                        + " like the other operands of " + call);
            }
        }
    }

    /** Fills a graph with the operations of a call. */
    static void build(Graph g, LibraryCall call) {
        switch (call.op()) {
            case Convolution o -> ConvolutionGraphs.forward(g, o, call);
            case ConvolutionVjp o -> ConvolutionGraphs.backwardData(g, o, call);
            case DotProductAttention o -> AttentionGraphs.forward(g, o, call);
            case DotProductAttentionVjp o -> AttentionGraphs.backward(g, o, call);
            default -> throw new AssertionError(call.op() + " should have been refused");
        }
    }

    /** Returns the key of a call: everything that a choice depends on. Names of buffers do not matter. */
    private String key(LibraryCall call) {
        return card + " / cuDNN " + version() + ", " + compilers + " / " + call.op() + (call.epilogue().residual()
                ? " + residual" : "") + (call.epilogue().silu() ? ", silu" : "")
                + " " + types(call.in()) + " -> " + types(call.out());
    }

    private static String types(List<Buffer> buffers) {
        return buffers.stream().map(b -> b.dtype() + b.shape().toString()).collect(Collectors.joining(" "));
    }

    @Override
    public void close() {
        try (Closing closing = new Closing()) {
            closing.add(scope::close);
            if (target instanceof Target.Card c) {
                closing.add(() -> check(scope, "cudnnDestroy", backend.destroyHandle(c.handle())));
            }
            ready.values().forEach(p -> closing.add(p::close));
            ready.clear();
        }
    }
}
