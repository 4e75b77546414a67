// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.lang.foreign.MemorySegment;
import org.tweedie.device.Closing;
import org.tweedie.device.Device;
import org.tweedie.device.cuda.driver.Blas;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.gpu.plan.Constant;
import org.tweedie.device.gpu.plan.Constants;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.Program;

/**
 * An NVIDIA card, which runs our PTX kernels, cuBLAS and cuDNN on one stream. Weights are uploaded once per type and layout and
 * shared by all executables; each executable has one arena, planned before it runs. Any thread may use the device and its
 * executables, but only one at a time, because anything that another thread puts on the stream meanwhile would become part of a
 * graph.
 */
public final class CudaDevice implements Device {
    /** The bytes of the host buffer through which weights are uploaded. */
    private static final long STAGING = 32 << 20;
    /**
     * The bytes of cuBLAS's working memory. This is the size that its documentation recommends from Hopper on; older cards need
     * less.
     */
    private static final long CUBLAS_WORKSPACE = 32 << 20;
    /** The oldest compute capability that runs kernels of .target sm_80. */
    private static final int OLDEST = 80;

    /** Opens the library for convolutions and attention on a stream of a card. */
    interface Convolutions {
        Vendor open(Driver driver, Driver.Stream stream, Driver.Card card, DeviceMemory memory);
    }

    final Driver driver;
    final CudaOptions options;
    final Driver.Card card;
    final DeviceMemory memory;
    private final Closing closing = new Closing();
    final Driver.Stream stream;
    final KernelModules modules;
    final Calls calls;
    final Constants constants;
    private final Driver.Context context;
    private final Offer offer;
    private final MemorySegment staging;
    private final String libraries;
    final Ranges ranges;

    /**
     * Opens a card.
     *
     * @throws CudaException when there is no such card, or it has no memory left
     */
    CudaDevice(Driver driver, Convolutions convolutions, CudaOptions options, Ranges ranges) {
        this.ranges = ranges;
        this.driver = driver;
        this.options = options;
        try {
            card = card(driver, options.card());
            context = driver.retain(options.card());
            closing.add(() -> driver.release(options.card()));
            stream = driver.stream();
            closing.add(() -> driver.destroy(stream));
            memory = new DeviceMemory(driver);
            closing.add(memory::close);
            staging = driver.allocateHost(STAGING);
            closing.add(() -> driver.freeHost(staging));
            modules = new KernelModules(driver, memory, card.sharedMemory());
            closing.add(modules::close);
            Blas blas = driver.blas(stream, memory.allocate(CUBLAS_WORKSPACE, "cuBLAS"), CUBLAS_WORKSPACE);
            Cublas products = new Cublas(blas);
            closing.add(products::close);
            Vendor rest = convolutions.open(driver, stream, card, memory);
            closing.add(rest::close);
            offer = rest.offer();
            calls = new Calls(products, rest);
            closing.add(calls::close);
            libraries = "cuBLAS " + blas.version() / 10000 + "." + blas.version() / 100 % 100 + ", " + rest;
        } catch (RuntimeException | Error e) {
            Closing.after(e, closing::close);
            throw e;
        }
        constants = new Constants(new Constants.Heap() {
            @Override
            public long upload(Constant c) {
                return CudaDevice.this.upload(c);
            }

            @Override
            public void free(long address, long bytes) {
                memory.free(address);
            }
        });
    }

    /**
     * Opens a card of this machine.
     *
     * @throws UnsatisfiedLinkError in one line: which library is missing or does not fit, and what to do
     * @throws CudaException when the driver finds no card, or the card cannot be used
     * @throws IllegalStateException when there is no card, or it is too old
     * @throws IllegalArgumentException when there is no card of that number
     */
    public static CudaDevice open(CudaOptions options) {
        return Opening.open(options);
    }

    private static Driver.Card card(Driver driver, int ordinal) {
        int cards = driver.cards();
        if (cards == 0) {
            throw new IllegalStateException("the driver sees no card; 'nvidia-smi' lists them, CUDA_VISIBLE_DEVICES may hide "
                    + "them");
        }
        if (ordinal < 0 || ordinal >= cards) {
            throw new IllegalArgumentException("device 'cuda': expected a card from 0 to " + (cards - 1) + ", got " + ordinal);
        }
        Driver.Card c = driver.card(ordinal);
        if (c.capability() < OLDEST) {
            throw new IllegalStateException("expected a card of compute capability 8.0 (Ampere) or more, got " + c
                    + "; use --device cpu");
        }
        return c;
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String description() {
        return card + ", " + card.multiprocessors() + " multiprocessors, " + (card.memory() >> 30) + " GiB, driver for CUDA "
                + driver.version() / 1000 + "."
                + driver.version() % 1000 / 10 + ", " + libraries + ", networks in " + options.real()
                + (options.graphs() ? "" : ", without graphs");
    }

    @Override
    public CudaExecutable compile(Program program) {
        enter();
        return new CudaExecutable(this, Plan.of(program, options.real(), offer));
    }

    /** Makes the card's context current in the calling thread, which may be any. */
    void enter() {
        driver.makeCurrent(context);
    }

    /** Uploads a constant in chunks of whole units: each chunk is packed and then copied. */
    private long upload(Constant c) {
        int size = c.dtype().bytes();
        long most = STAGING / (c.unit() * size) * c.unit() * size;
        if (most == 0) {
            throw new IllegalArgumentException("device 'cuda': expected the weights of an output channel of at most " + STAGING
                    + " bytes, got constant '" + c.name()
                    + "' with " + c.unit() * size);
        }
        long address = memory.allocate(c.bytes(), "weights");
        try {
            for (long at = 0; at < c.bytes(); at += most) {
                MemorySegment pinned = staging.asSlice(0, Math.min(most, c.bytes() - at));
                c.pack(at / size, pinned);
                driver.toDevice(address + at, pinned, stream);
                driver.synchronize(stream);
            }
        } catch (CudaException e) {
            memory.free(address);
            throw e.at("while uploading '" + c.name() + "'");
        } catch (RuntimeException | Error e) {
            memory.free(address);
            throw e;
        }
        return address;
    }

    @Override
    public long liveBytes() {
        return memory.liveBytes() - CUBLAS_WORKSPACE;
    }

    @Override
    public long peakBytes() {
        return memory.peakBytes();
    }

    /**
     * Closes the device.
     *
     * @throws IllegalStateException when executables are still open
     */
    @Override
    public void close() {
        if (liveBytes() != 0) {
            throw new IllegalStateException("device 'cuda' is closed while " + liveBytes()
                    + " bytes are live; close its executables before");
        }
        enter();
        closing.close();
    }
}
