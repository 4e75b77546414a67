// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.tweedie.device.cudnn.binding.Attribute;
import org.tweedie.device.cudnn.binding.BackendDescriptor;
import org.tweedie.device.cudnn.binding.DescriptorKind;
import org.tweedie.device.cudnn.binding.Scope;
import org.tweedie.device.cudnn.graph.Graph;
import org.tweedie.device.cudnn.graph.TensorPlace;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;

/**
 * A graph with its plan, ready to run. The graph's scratch tensors are at the start of working memory; the plan's own bytes
 * follow them.
 */
public final class PreparedGraph implements Vendor.Prepared {
    private final Scope scope;
    private final Scope planScope;
    private final long handle;
    private final BackendDescriptor plan;
    private final EngineChoice choice;
    private final List<Graph.Tensor> bound;
    private final long scratch;
    private final long planBytes;
    private final long[] uids;

    /**
     * Takes over both scopes, that of the graph and that of the plan.
     *
     * @param handle cudnnHandle_t, or 0 if the card is not present
     */
    PreparedGraph(Scope scope, Scope planScope, long handle, Graph graph, BackendDescriptor plan, EngineChoice choice) {
        this.scope = scope;
        this.planScope = planScope;
        this.handle = handle;
        this.plan = plan;
        this.choice = choice;
        this.bound = graph.bound();
        this.scratch = graph.scratchBytes();
        this.planBytes = plan.get(Attribute.EXECUTION_PLAN_WORKSPACE_SIZE, 1)[0];
        this.uids = bound.stream().mapToLong(Graph.Tensor::uid).toArray();
    }

    EngineChoice choice() {
        return choice;
    }

    @Override
    public long workspace() {
        return scratch + planBytes;
    }

    @Override
    public void run(LibraryCall call, long workspace) {
        if (handle == 0) {
            throw new IllegalStateException("cuDNN: " + choice
                    + " was prepared for a card that is not present, so it cannot be run");
        }
        try (Scope run = new Scope(scope.backend, "running " + choice + ", " + call); Arena host = Arena.ofConfined()) {
            long[] pointers = new long[uids.length];
            for (int i = 0; i < pointers.length; i++) {
                pointers[i] = switch (bound.get(i).place()) {
                    case TensorPlace.In in -> call.in().get(in.number()).address();
                    case TensorPlace.Out out -> call.out().get(out.number()).address();
                    case TensorPlace.Scratch at -> workspace + at.offset();
                    // cuDNN reads it before execute returns
                    case TensorPlace.Scalar s -> host.allocateFrom(ValueLayout.JAVA_FLOAT, s.value()).address();
                    case TensorPlace.Virtual _ -> throw new AssertionError("a virtual tensor has no address");
                };
            }
            BackendDescriptor pack = run.create(DescriptorKind.VARIANT_PACK).set(Attribute.VARIANT_PACK_UNIQUE_IDS, uids)
                    .set(Attribute.VARIANT_PACK_DATA_POINTERS, pointers).set(Attribute.VARIANT_PACK_WORKSPACE, workspace
                    + scratch).finish();
            int status = scope.backend.execute(handle, plan.address, pack.address);
            if (status != 0) {
                throw run.failure("cudnnBackendExecute", status);
            }
        }
    }

    /** Returns a text such as {@code cudnn eng5 k2=3}. */
    @Override
    public String toString() {
        return "cudnn " + choice;
    }

    /** Closes only the plan, so that another plan of the graph can be used. */
    void closePlan() {
        planScope.close();
    }

    @Override
    public void close() {
        try (scope) {
            closePlan();
        }
    }
}
