// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import static jcuda.driver.JCudaDriver.*;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUevent_record_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;
import org.tweedie.device.gpu.launch.Launch;

/** Calls the driver through JCuda. Creating an object initialises CUDA in this process. */
public final class Jcuda implements Driver {
    private static final int LOG = 16 << 10; // the bytes of the compiler's log

    private static final class JContext extends CUcontext implements Context {}

    private static final class JStream extends CUstream implements Stream {
        @Override
        public long address() {
            return getNativePointer();
        }
    }

    private static final class JEvent extends CUevent implements Event {}

    private static final class JModule extends CUmodule implements Module {}

    private static final class JFunction extends CUfunction implements Function {}

    private static final class JGraph extends CUgraphExec implements Graph {}

    public Jcuda() {
        JCudaDriver.setExceptionsEnabled(false);
        check("cuInit", cuInit(0));
    }

    private static void check(String call, int status) {
        if (status != CUresult.CUDA_SUCCESS) {
            String[] name = new String[1];
            String[] text = new String[1];
            if (cuGetErrorName(status, name) != CUresult.CUDA_SUCCESS
                    || cuGetErrorString(status, text) != CUresult.CUDA_SUCCESS) {
                name[0] = CUresult.stringFor(status);
                text[0] = "the driver has no description of it";
            }
            throw new CudaException(call, status, name[0], text[0]);
        }
    }

    @Override
    public int version() {
        int[] v = new int[1];
        check("cuDriverGetVersion", cuDriverGetVersion(v));
        return v[0];
    }

    @Override
    public int cards() {
        int[] n = new int[1];
        check("cuDeviceGetCount", cuDeviceGetCount(n));
        return n[0];
    }

    @Override
    public Card card(int ordinal) {
        CUdevice d = device(ordinal);
        byte[] name = new byte[256];
        check("cuDeviceGetName", cuDeviceGetName(name, name.length, d));
        long[] bytes = new long[1];
        check("cuDeviceTotalMem", cuDeviceTotalMem(bytes, d));
        int end = 0;
        while (end < name.length && name[end] != 0) {
            end++;
        }
        int capability = 10 * attribute(d, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                + attribute(d, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        return new Card(new String(name, 0, end, StandardCharsets.UTF_8), capability,
                attribute(d, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                bytes[0], attribute(d, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
    }

    private static CUdevice device(int ordinal) {
        CUdevice d = new CUdevice();
        check("cuDeviceGet", cuDeviceGet(d, ordinal));
        return d;
    }

    private static int attribute(CUdevice d, int which) {
        int[] v = new int[1];
        check("cuDeviceGetAttribute", cuDeviceGetAttribute(v, which, d));
        return v[0];
    }

    @Override
    public Context retain(int ordinal) {
        JContext c = new JContext();
        check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(c, device(ordinal)));
        makeCurrent(c);
        return c;
    }

    @Override
    public void makeCurrent(Context context) {
        check("cuCtxSetCurrent", cuCtxSetCurrent((JContext) context));
    }

    @Override
    public void release(int ordinal) {
        check("cuDevicePrimaryCtxRelease", cuDevicePrimaryCtxRelease(device(ordinal)));
    }

    @Override
    public long allocate(long bytes) {
        Address a = new Address();
        check("cuMemAlloc", cuMemAlloc(a, bytes));
        return a.value();
    }

    @Override
    public void free(long address) {
        check("cuMemFree", cuMemFree(new Address(address)));
    }

    @Override
    public long freeBytes() {
        long[] free = new long[1];
        check("cuMemGetInfo", cuMemGetInfo(free, new long[1]));
        return free[0];
    }

    @Override
    public MemorySegment allocateHost(long bytes) {
        HostPointer p = new HostPointer();
        check("cuMemAllocHost", cuMemAllocHost(p, bytes));
        return p.segment(bytes);
    }

    @Override
    public void freeHost(MemorySegment memory) {
        check("cuMemFreeHost", cuMemFreeHost(new HostPointer(memory)));
    }

    @Override
    public void toDevice(long to, MemorySegment from, Stream stream) {
        check("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(new Address(to), new HostPointer(from), from.byteSize(), (JStream) stream));
    }

    @Override
    public void toHost(MemorySegment to, long from, Stream stream) {
        check("cuMemcpyDtoHAsync", cuMemcpyDtoHAsync(new HostPointer(to), new Address(from), to.byteSize(), (JStream) stream));
    }

    @Override
    public void copy(long to, long from, long bytes, Stream stream) {
        check("cuMemcpyDtoDAsync", cuMemcpyDtoDAsync(new Address(to), new Address(from), bytes, (JStream) stream));
    }

    @Override
    public void fill(long address, byte value, long bytes, Stream stream) {
        check("cuMemsetD8Async", cuMemsetD8Async(new Address(address), value, bytes, (JStream) stream));
    }

    @Override
    public Stream stream() {
        JStream s = new JStream();
        check("cuStreamCreate", cuStreamCreate(s, CUstream_flags.CU_STREAM_NON_BLOCKING));
        return s;
    }

    @Override
    public void synchronize(Stream stream) {
        check("cuStreamSynchronize", cuStreamSynchronize((JStream) stream));
    }

    @Override
    public void destroy(Stream stream) {
        check("cuStreamDestroy", cuStreamDestroy((JStream) stream));
    }

    @Override
    public Event event() {
        JEvent e = new JEvent();
        check("cuEventCreate", cuEventCreate(e, CUevent_flags.CU_EVENT_DEFAULT));
        return e;
    }

    @Override
    public void record(Event event, Stream stream) {
        check("cuEventRecord", cuEventRecord((JEvent) event, (JStream) stream));
    }

    @Override
    public void recordByGraph(Event event, Stream stream) {
        check("cuEventRecordWithFlags", cuEventRecordWithFlags((JEvent) event, (JStream) stream,
                CUevent_record_flags.CU_EVENT_RECORD_EXTERNAL));
    }

    @Override
    public double milliseconds(Event from, Event to) {
        float[] ms = new float[1];
        check("cuEventElapsedTime", cuEventElapsedTime(ms, (JEvent) from, (JEvent) to));
        return ms[0];
    }

    @Override
    public void destroy(Event event) {
        check("cuEventDestroy", cuEventDestroy((JEvent) event));
    }

    @Override
    public Module load(String file, String ptx) {
        byte[] text = ptx.getBytes(StandardCharsets.UTF_8);
        JITOptions options = new JITOptions();
        options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[LOG]);
        options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, LOG);
        JModule m = new JModule();
        // the text must end with a zero
        int status = cuModuleLoadDataJIT(m, Pointer.to(Arrays.copyOf(text, text.length + 1)), options);
        try {
            check("cuModuleLoadDataEx", status);
        } catch (CudaException e) {
            String log = options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER).replace("\0", "").strip();
            throw e.at("while compiling " + file + (log.isEmpty() ? "" : "; its log: " + log));
        }
        return m;
    }

    @Override
    public Function function(Module module, String entry) {
        JFunction f = new JFunction();
        try {
            check("cuModuleGetFunction", cuModuleGetFunction(f, (JModule) module, entry));
        } catch (CudaException e) {
            throw e.at("for kernel " + entry);
        }
        return f;
    }

    @Override
    public void allowShared(Function function, int bytes) {
        check("cuFuncSetAttribute", cuFuncSetAttribute((JFunction) function,
                CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes));
    }

    @Override
    public void unload(Module module) {
        check("cuModuleUnload", cuModuleUnload((JModule) module));
    }

    @Override
    public void launch(Function function, Launch.Dim grid, Launch.Dim block, int shared, Stream stream, MemorySegment arguments) {
        check("cuLaunchKernel", cuLaunchKernel((JFunction) function, grid.x(), grid.y(), grid.z(), block.x(), block.y(),
                block.z(), shared, (JStream) stream,
                new HostPointer(arguments), null));
    }

    @Override
    public void beginCapture(Stream stream) {
        check("cuStreamBeginCapture",
                cuStreamBeginCapture((JStream) stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    }

    @Override
    public Graph endCapture(Stream stream) {
        CUgraph graph = new CUgraph();
        check("cuStreamEndCapture", cuStreamEndCapture((JStream) stream, graph));
        JGraph g = new JGraph();
        int status = cuGraphInstantiate(g, graph, 0);
        check("cuGraphDestroy", cuGraphDestroy(graph));
        check("cuGraphInstantiate", status);
        return g;
    }

    @Override
    public void abandonCapture(Stream stream) {
        CUgraph graph = new CUgraph();
        // if this fails, the driver has discarded the capture itself
        if (cuStreamEndCapture((JStream) stream, graph) == CUresult.CUDA_SUCCESS) {
            cuGraphDestroy(graph);
        }
    }

    @Override
    public void launch(Graph graph, Stream stream) {
        check("cuGraphLaunch", cuGraphLaunch((JGraph) graph, (JStream) stream));
    }

    @Override
    public void destroy(Graph graph) {
        check("cuGraphExecDestroy", cuGraphExecDestroy((JGraph) graph));
    }

    @Override
    public Blas blas(Stream stream, long workspace, long bytes) {
        return new Jcublas((JStream) stream, workspace, bytes);
    }
}
