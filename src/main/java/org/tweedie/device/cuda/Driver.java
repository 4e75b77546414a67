// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.lang.foreign.MemorySegment;
import org.tweedie.device.gpu.launch.Launch;

/**
 * The calls of NVIDIA's driver that this device makes, and cuBLAS, which works on the driver's streams. {@link Jcuda} makes them; a test puts a
 * recording machine in its place. Device addresses are 64-bit numbers. Every method may throw {@link CudaException}, which names the call and its status.
 */
interface Driver {
    /** Of the driver, as in 12060 for 12.6: the newest CUDA that it serves. */
    int version();

    /** How many cards it sees. */
    int cards();

    Card card(int ordinal);

    /** Makes the card's primary context, which the libraries use too, current in this thread. Balanced by {@link #release}. */
    Context retain(int ordinal);

    void makeCurrent(Context context);

    void release(int ordinal);

    long allocate(long bytes);

    void free(long address);

    /** Bytes of device memory that nobody holds now. */
    long freeBytes();

    /** Page-locked host memory, from which copies run beside the host. */
    MemorySegment allocateHost(long bytes);

    void freeHost(MemorySegment memory);

    void toDevice(long to, MemorySegment from, Stream stream);

    void toHost(MemorySegment to, long from, Stream stream);

    void copy(long to, long from, long bytes, Stream stream);

    void fill(long address, byte value, long bytes, Stream stream);

    Stream stream();

    /** Waits until all that was put on it is done; throws what a kernel on it did wrong. */
    void synchronize(Stream stream);

    void destroy(Stream stream);

    Event event();

    void record(Event event, Stream stream);

    /** During a capture: each launch of the graph records it anew, for the host to read. */
    void recordByGraph(Event event, Stream stream);

    /** Between two events that have happened. */
    double milliseconds(Event from, Event to);

    void destroy(Event event);

    /** @param file for messages; a text that does not compile throws with the compiler's own log */
    Module load(String file, String ptx);

    Function function(Module module, String entry);

    /** Lets a kernel have that much dynamic shared memory; without, 48 KiB. */
    void allowShared(Function function, int bytes);

    void unload(Module module);

    /** @param arguments address by address where each argument lies, in the order of the parameters, as {@link Parameters} writes them */
    void launch(Function function, Launch.Dim grid, Launch.Dim block, int shared, Stream stream, MemorySegment arguments);

    /** From here on, what is put on the stream is noted instead of done. */
    void beginCapture(Stream stream);

    /** What was noted, ready to be launched. */
    Graph endCapture(Stream stream);

    /** Ends a capture that failed half-way; nothing of it is kept. */
    void abandonCapture(Stream stream);

    /** What the given work puts on a stream, as a graph; if it fails, nothing is kept of it. */
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
     * cuBLAS on a stream.
     *
     * @param workspace address of its working memory: with memory of its own it would allocate, which a capture forbids
     */
    Blas blas(Stream stream, long workspace, long bytes);

    interface Context {}

    interface Stream {
        /** The CUstream itself, for libraries. */
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
     * @param capability major and minor, as in 90
     * @param memory bytes
     * @param sharedMemory bytes of shared memory that a block may have at most
     */
    record Card(String name, int capability, int multiprocessors, long memory, int sharedMemory) {
        /** As in {@code NVIDIA H100 80GB HBM3 (sm_90)}. */
        @Override
        public String toString() {
            return name + " (sm_" + capability + ")";
        }
    }
}
