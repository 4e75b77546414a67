// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import java.lang.foreign.MemorySegment;
import org.tweedie.device.cuda.Parameters;
import org.tweedie.device.gpu.launch.Launch;

/**
 * The calls of NVIDIA's driver that this device makes, and cuBLAS, which works on the driver's streams. {@link Jcuda} makes the
 * calls; tests use a simulated machine in its place. Device addresses are 64-bit numbers. Every method may throw {@link
 * CudaException}, which names the call and its status.
 */
public interface Driver {
    /** Returns the newest CUDA version that the driver supports, for example 12060 for 12.6. */
    int version();

    /** Returns the number of cards that the driver sees. */
    int cards();

    Card card(int ordinal);

    /**
     * Makes the card's primary context, which the libraries use too, current in this thread. Each call is balanced by {@link
     * #release}.
     */
    Context retain(int ordinal);

    void makeCurrent(Context context);

    void release(int ordinal);

    long allocate(long bytes);

    void free(long address);

    /** Returns the bytes of device memory that are free now. */
    long freeBytes();

    /** Allocates page-locked host memory; copies from it run while the host continues. */
    MemorySegment allocateHost(long bytes);

    void freeHost(MemorySegment memory);

    void toDevice(long to, MemorySegment from, Stream stream);

    void toHost(MemorySegment to, long from, Stream stream);

    void copy(long to, long from, long bytes, Stream stream);

    void fill(long address, byte value, long bytes, Stream stream);

    Stream stream();

    /** Waits until everything that was put on the stream is done; throws the fault of a kernel on it. */
    void synchronize(Stream stream);

    void destroy(Stream stream);

    Event event();

    void record(Event event, Stream stream);

    /** Records an event during a capture, so that each launch of the graph records it anew and the host can read it. */
    void recordByGraph(Event event, Stream stream);

    /** Returns the time between two events that have happened. */
    double milliseconds(Event from, Event to);

    void destroy(Event event);

    /**
     * Compiles a module. A text that does not compile throws an exception with the compiler's log.
     *
     * @param file the file's name, for messages
     */
    Module load(String file, String ptx);

    Function function(Module module, String entry);

    /** Permits a kernel to have that much dynamic shared memory; without permission it may have 48 KiB. */
    void allowShared(Function function, int bytes);

    void unload(Module module);

    /**
     * Starts a kernel.
     *
     * @param arguments a list of addresses, one for each argument in the order of the parameters, as {@code Parameters} writes it
     */
    void launch(Function function, Launch.Dim grid, Launch.Dim block, int shared, Stream stream, MemorySegment arguments);

    /** Starts a capture: from here on, work that is put on the stream is recorded and not done. */
    void beginCapture(Stream stream);

    /** Ends a capture and returns the recorded work, ready to be launched. */
    Graph endCapture(Stream stream);

    /** Ends a capture that failed half-way; nothing of it is kept. */
    void abandonCapture(Stream stream);

    /** Captures the work that a task puts on a stream as a graph; if the task fails, nothing of it is kept. */
    default Graph capture(Stream stream, Runnable work) {
        beginCapture(stream);
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            abandonCapture(stream);
            throw e;
        }
        return endCapture(stream);
    }

    void launch(Graph graph, Stream stream);

    void destroy(Graph graph);

    /**
     * Opens cuBLAS on a stream.
     *
     * @param workspace the address of its working memory; without it cuBLAS would allocate memory, which a capture forbids
     */
    Blas blas(Stream stream, long workspace, long bytes);

    interface Context {}

    interface Stream {
        /** Returns the CUstream, for libraries. */
        long address();
    }

    interface Event {}

    interface Module {}

    interface Function {}

    /** An instantiated graph. */
    interface Graph {}

    /**
     * A card.
     *
     * @param capability major and minor version, for example 90
     * @param memory its bytes of memory
     * @param sharedMemory the most bytes of shared memory that a block may have
     */
    record Card(String name, int capability, int multiprocessors, long memory, int sharedMemory) {
        /** Returns a text such as {@code NVIDIA H100 80GB HBM3 (sm_90)}. */
        @Override
        public String toString() {
            return name + " (sm_" + capability + ")";
        }
    }
}
