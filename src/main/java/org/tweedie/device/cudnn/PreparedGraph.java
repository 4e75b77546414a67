// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;

/** A graph with its plan. Scratch tensors of the graph lie at the start of working memory, the plan's own bytes behind them. */
final class PreparedGraph implements Vendor.Prepared {
    private final Scope scope;
    private final Scope planScope;
    private final long handle;
    private final Descriptor plan;
    private final Choice choice;
    private final List<Graph.Tensor> bound;
    private final long scratch;
    private final long planBytes;
    private final long[] uids;

    /**
     * Takes both scopes: that of the graph and that of the plan.
     *
     * @param handle cudnnHandle_t, 0 if the card is not there
     */
    PreparedGraph(Scope scope, Scope planScope, long handle, Graph graph, Descriptor plan, Choice choice) {
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

    Choice choice() {
        return choice;
    }

    @Override
    public long workspace() {
        return scratch + planBytes;
    }

    @Override
    public void run(LibraryCall call, long workspace) {
        if (handle == 0) {
            throw new IllegalStateException("cuDNN: " + choice + " was prepared for a card that is not there; it cannot be run");
        }
        try (Scope run = new Scope(scope.backend, "running " + choice + ", " + call); Arena host = Arena.ofConfined()) {
            long[] pointers = new long[uids.length];
            for (int i = 0; i < pointers.length; i++) {
                pointers[i] = switch (bound.get(i).place()) {
                    case Place.In in -> call.in().get(in.number()).address();
                    case Place.Out out -> call.out().get(out.number()).address();
                    case Place.Scratch at -> workspace + at.offset();
                    case Place.Scalar s -> host.allocateFrom(ValueLayout.JAVA_FLOAT, s.value()).address(); // read before execute returns
                    case Place.Virtual _ -> throw new AssertionError("a virtual tensor has no place");
                };
            }
            Descriptor pack = run.create(Kind.VARIANT_PACK).set(Attribute.VARIANT_PACK_UNIQUE_IDS, uids)
                    .set(Attribute.VARIANT_PACK_DATA_POINTERS, pointers).set(Attribute.VARIANT_PACK_WORKSPACE, workspace + scratch).finish();
            int status = scope.backend.execute(handle, plan.address, pack.address);
            if (status != 0) {
                throw run.failure("cudnnBackendExecute", status);
            }
        }
    }

    /** As in {@code cudnn eng5 k2=3}. */
    @Override
    public String toString() {
        return "cudnn " + choice;
    }

    /** Closes the plan alone: the graph goes on with another. */
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
