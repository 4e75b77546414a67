// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tweedie.device.cuda.driver.Blas;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.sim.DoubleVendor;
import org.tweedie.ptx.Machine;
import org.tweedie.ptx.PtxModule;
import org.tweedie.ptx.execution.Entry;
import org.tweedie.ptx.launch.KernelFault;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.launch.Size;
import org.tweedie.ptx.launch.Window;

/**
 * Takes the place of CUDA's driver without a card. It notes every call, executes it on the PTX machine, and fails the test where
 * a call breaks a rule of CUDA's: memory that is not held, arguments that do not fit the kernel's parameters, grids larger than a
 * card's, anything but launches during a capture.
 */
final class MachineDriver implements Driver {
    private static final int MOST_SHARED = 163 << 10; // the limit of a block on an A100

    /** All calls in order, each by its name and its object. */
    final List<String> log = new ArrayList<>();
    final DoubleVendor vendor = new DoubleVendor(1 << 10, this::call);
    /** The errors with which the next calls of a name fail, each once. */
    final Map<String, CudaException> failing = new HashMap<>();
    /**
     * Tells whether the next failure is a kernel's fault: every later call fails with it too, but closes what it is asked to
     * close.
     */
    boolean sticky;
    long capacity = 1L << 31;
    Card card = new Card("PTX machine", 80, 1, 1L << 31, MOST_SHARED);
    int cards = 1;
    int launches;
    int graphLaunches;

    private final Memory memory = new Memory();
    private final Machine machine;
    private final Map<Long, Arena> blocks = new HashMap<>();
    private final Map<Long, Long> sizes = new TreeMap<>();
    private final Map<Long, Arena> pinned = new HashMap<>();
    private int contexts;
    private int open; // streams, events, modules, graphs and handles
    private double clock;
    private List<Runnable> capturing;
    private boolean faulted;

    MachineDriver(MachineOptions options) {
        machine = new Machine(memory, options);
    }

    /** Checks, when a device is closed, that everything that was opened has been closed. */
    void assertNothingStays() {
        assertEquals(Map.of(), sizes, "device memory is still held");
        assertEquals(0, pinned.size(), "page-locked memory is still held");
        assertEquals(0, open, "streams, events, modules, graphs or handles are still open");
        assertEquals(0, contexts, "the context is still retained");
        assertTrue(vendor.closed(), "the library or what it prepared is still open");
    }

    private void note(String call, Object what) {
        log.add(call + " " + what);
        if (faulted) {
            throw new CudaException(call, 700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered");
        }
        CudaException e = failing.remove(call);
        if (e != null) {
            faulted = sticky;
            throw e;
        }
    }

    /** Notes a call that CUDA forbids while a stream is captured. */
    private void outside(String call, Object what) {
        assertEquals(null, capturing, call + " during a capture");
        note(call, what);
    }

    private void doOrNote(Runnable work) {
        if (capturing == null) {
            work.run();
        } else {
            capturing.add(work);
        }
    }

    private void requireHeld(long address, long bytes) {
        assertTrue(sizes.entrySet().stream().anyMatch(b -> address >= b.getKey() && address + bytes <= b.getKey() + b.getValue()),
                () -> "no block holds [0x" + Long.toHexString(address) + ", +" + bytes + ")");
    }

    private static MemorySegment segment(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    @Override
    public int version() {
        return 12060;
    }

    @Override
    public int cards() {
        return cards;
    }

    @Override
    public Card card(int ordinal) {
        return card;
    }

    @Override
    public Context retain(int ordinal) {
        note("retain", ordinal);
        contexts++;
        return new FakeHandles.FakeContext();
    }

    @Override
    public void makeCurrent(Context context) {
        assertNotNull(context);
    }

    @Override
    public void release(int ordinal) {
        contexts--;
        note("release", ordinal);
    }

    @Override
    public long allocate(long bytes) {
        outside("allocate", bytes);
        assertTrue(contexts > 0, "memory is asked for without a context");
        if (capacity - sizes.values().stream().mapToLong(Long::longValue).sum() < bytes) {
            throw new CudaException("cuMemAlloc", CudaException.OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory");
        }
        Arena arena = Arena.ofShared();
        long address = arena.allocate(bytes, 512).fill((byte) 0xFF).address();
        blocks.put(address, arena);
        sizes.put(address, bytes);
        memory.map(address, bytes);
        return address;
    }

    @Override
    public void free(long address) {
        Long bytes = sizes.remove(address);
        assertNotNull(bytes, "what is freed is not held");
        memory.unmap(address);
        blocks.remove(address).close();
        outside("free", bytes);
    }

    @Override
    public long freeBytes() {
        return capacity - sizes.values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public MemorySegment allocateHost(long bytes) {
        outside("allocateHost", bytes);
        Arena arena = Arena.ofShared();
        MemorySegment s = arena.allocate(bytes, 256);
        pinned.put(s.address(), arena);
        return s;
    }

    @Override
    public void freeHost(MemorySegment s) {
        pinned.remove(s.address()).close();
        outside("freeHost", s.byteSize());
    }

    @Override
    public void toDevice(long to, MemorySegment from, Stream stream) {
        outside("toDevice", from.byteSize());
        requireHeld(to, from.byteSize());
        segment(to, from.byteSize()).copyFrom(from);
        memory.wrote(to, from.byteSize());
    }

    @Override
    public void toHost(MemorySegment to, long from, Stream stream) {
        outside("toHost", to.byteSize());
        requireHeld(from, to.byteSize());
        assertTrue(memory.written(from, to.byteSize()), "what comes back has not been written");
        to.copyFrom(segment(from, to.byteSize()));
    }

    @Override
    public void copy(long to, long from, long bytes, Stream stream) {
        note("copy", bytes);
        requireHeld(to, bytes);
        requireHeld(from, bytes);
        doOrNote(() -> {
            segment(to, bytes).copyFrom(segment(from, bytes));
            memory.wrote(to, bytes);
        });
    }

    @Override
    public void fill(long address, byte value, long bytes, Stream stream) {
        note("fill", bytes);
        requireHeld(address, bytes);
        doOrNote(() -> {
            segment(address, bytes).fill(value);
            memory.wrote(address, bytes);
        });
    }

    @Override
    public Stream stream() {
        open++;
        return new FakeHandles.FakeStream(42);
    }

    @Override
    public void synchronize(Stream stream) {
        outside("synchronize", "");
    }

    @Override
    public void destroy(Stream stream) {
        open--;
        note("destroy", "stream");
    }

    @Override
    public Event event() {
        open++;
        return new FakeHandles.FakeEvent();
    }

    @Override
    public void recordByGraph(Event event, Stream stream) {
        note("recordByGraph", "");
        assertNotNull(capturing, "only a graph records so");
        capturing.add(() -> ((FakeHandles.FakeEvent) event).at = clock++);
    }

    @Override
    public void record(Event event, Stream stream) {
        outside("record", "");
        ((FakeHandles.FakeEvent) event).at = clock++;
    }

    @Override
    public double milliseconds(Event from, Event to) {
        double ms = ((FakeHandles.FakeEvent) to).at - ((FakeHandles.FakeEvent) from).at;
        assertTrue(ms >= 0, "events that have not happened, or in the wrong order");
        return ms;
    }

    @Override
    public void destroy(Event event) {
        open--;
    }

    @Override
    public Module load(String file, String ptx) {
        outside("load", file);
        open++;
        return new FakeHandles.FakeModule(PtxModule.parse(file, ptx));
    }

    @Override
    public Function function(Module module, String entry) {
        return new FakeHandles.FakeFunction(((FakeHandles.FakeModule) module).code().entry(entry));
    }

    @Override
    public void allowShared(Function function, int bytes) {
        note("allowShared", bytes);
        assertTrue(bytes <= MOST_SHARED, bytes + " bytes of shared memory are more than a block has");
        ((FakeHandles.FakeFunction) function).allowed = bytes;
    }

    @Override
    public void unload(Module module) {
        open--;
        note("unload", ((FakeHandles.FakeModule) module).code());
    }

    @Override
    public void launch(Function function, Launch.Dim grid, Launch.Dim block, int shared, Stream stream, MemorySegment arguments) {
        FakeHandles.FakeFunction f = (FakeHandles.FakeFunction) function;
        note("launch", f.entry.name());
        assertTrue(shared <= f.allowed, f.entry.name() + " is not allowed " + shared + " bytes of shared memory");
        assertTrue((long) block.x() * block.y() * block.z() <= 1024 && block.z() <= 64, f.entry.name() + ": a block of " + block);
        Object[] args = LaunchArguments.read(f.entry, arguments, this::word);
        doOrNote(() -> {
            launches++;
            try {
                machine.launch(f.entry, size(grid), size(block), shared, args);
            } catch (KernelFault e) {
                throw new CudaException("cuLaunchKernel", 700, "CUDA_ERROR_ILLEGAL_ADDRESS", e.getMessage());
            }
        });
    }

    private static Size size(Launch.Dim d) {
        return new Size(d.x(), d.y(), d.z());
    }

    /** Replaces a pointer into a block by the rest of the block from there on; a value that points nowhere is a number. */
    private Object word(long v) {
        for (Map.Entry<Long, Long> b : sizes.entrySet()) {
            if (v >= b.getKey() && v < b.getKey() + b.getValue()) {
                return new Window("block+" + (v - b.getKey()), v, b.getKey() + b.getValue() - v, true, true);
            }
        }
        return v == 0 ? null : v;
    }

    /** Notes a library's call, which is treated like a launch. */
    private boolean call(LibraryCall c, long workspace) {
        note("call", c.op().getClass().getSimpleName());
        assertTrue(workspace != 0, "a call got no working memory");
        requireHeld(workspace, 1 << 10);
        doOrNote(() -> {
            c.in().forEach(b -> assertTrue(memory.written(b.address(), b.bytes()), () -> c + " reads what is not written"));
            vendor.compute(c);
            c.out().forEach(b -> memory.wrote(b.address(), b.bytes()));
        });
        return false;
    }

    @Override
    public void beginCapture(Stream stream) {
        outside("beginCapture", "");
        capturing = new ArrayList<>();
    }

    @Override
    public Graph endCapture(Stream stream) {
        assertNotNull(capturing);
        Graph g = new FakeHandles.FakeGraph(capturing);
        capturing = null;
        note("endCapture", "");
        open++;
        return g;
    }

    @Override
    public void abandonCapture(Stream stream) {
        capturing = null;
        note("abandonCapture", "");
    }

    @Override
    public void launch(Graph graph, Stream stream) {
        outside("launchGraph", "");
        graphLaunches++;
        ((FakeHandles.FakeGraph) graph).work().forEach(Runnable::run);
    }

    @Override
    public void destroy(Graph graph) {
        open--;
        outside("destroy", "graph");
    }

    @Override
    public Blas blas(Stream stream, long workspace, long bytes) {
        outside("blas", bytes);
        requireHeld(workspace, bytes);
        open++;
        return new PlainBlas(this::doOrNote, memory, () -> open--);
    }
}
