// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Supplier;
import org.tweedie.device.Closing;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.Folds;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;

/**
 * A latent diffusion prior on a device, for pictures of one size: a noise schedule, a denoiser and a codec, and every program
 * that was compiled for them. Each program is compiled once and shared by all restorations and generations with this prior.
 * Only one thread may use a prior at a time.
 */
public final class Prior implements AutoCloseable {
    /** A compiled program and the network evaluations of one run of it. */
    record Compiled(Executable executable, Nfe nfe) {}

    /** The key of a program: the object for which it is traced, and the thing that it computes for that object. */
    private record Key(Object owner, Object what) {}

    private final Device device;
    private final NoiseSchedule schedule;
    private final Denoiser denoiser;
    private final Codec codec;
    private final Shape image;
    private final Shape latent;
    private final Map<Key, Compiled> programs = new HashMap<>();
    private final Folds folds = new Folds();
    private int compilations;
    private double compileSeconds;

    /**
     * @param device must stay open at least as long as the prior
     * @param image the shape of the pictures, [1,H,W,3]
     * @throws IllegalArgumentException when the codec cannot encode pictures of that size; the message says which sizes fit
     */
    public Prior(Device device, NoiseSchedule schedule, Denoiser denoiser, Codec codec, Shape image) {
        this.device = device;
        this.schedule = schedule;
        this.denoiser = denoiser;
        this.codec = codec;
        this.image = image;
        this.latent = codec.latent(image);
    }

    /** The device that programs are compiled for. */
    public Device device() {
        return device;
    }

    /** The noise schedule of the checkpoint. */
    public NoiseSchedule schedule() {
        return schedule;
    }

    /** The network that predicts the noise, with its text bound. */
    public Denoiser denoiser() {
        return denoiser;
    }

    /** The codec that converts between pictures and latents. */
    public Codec codec() {
        return codec;
    }

    /** The shape of the pictures, [1,H,W,3]. */
    public Shape image() {
        return image;
    }

    /** The shape of the latents, [1,h,w,c]. */
    public Shape latent() {
        return latent;
    }

    /**
     * Returns a program of an owner, which is compiled at the first call.
     *
     * @param owner the object that the program is traced for, such as an operator; {@link #release} closes all programs of an
     *         owner
     * @param what distinguishes the programs of an owner; it is compared by equals
     * @param nfe the network evaluations of one run
     */
    Compiled compiled(Object owner, Object what, Nfe nfe, Supplier<Program> trace) {
        Key key = new Key(owner, what);
        Compiled known = programs.get(key);
        if (known == null) {
            long start = System.nanoTime();
            known = new Compiled(device.compile(folds.apply(device, trace.get())), nfe);
            programs.put(key, known);
            compilations++;
            compileSeconds += (System.nanoTime() - start) / 1e9;
        }
        return known;
    }

    boolean isCompiled(Object owner, Object what) {
        return programs.containsKey(new Key(owner, what));
    }

    /** The number of programs that have been compiled so far, without those of {@link #folds}. */
    public int compilations() {
        return compilations;
    }

    /** The time in seconds that tracing and compiling programs has taken so far. */
    public double compileSeconds() {
        return compileSeconds;
    }

    /** The number of programs that ran once because their results depend on constants alone, such as the prompt's keys. */
    public int folds() {
        return folds.runs();
    }

    /** Closes the programs that were compiled for an owner, such as an operator that is not used any more. */
    public void release(Object owner) {
        try (Closing closing = new Closing()) {
            for (Iterator<Map.Entry<Key, Compiled>> i = programs.entrySet().iterator(); i.hasNext();) {
                Map.Entry<Key, Compiled> e = i.next();
                if (e.getKey().owner.equals(owner)) {
                    i.remove();
                    closing.add(e.getValue().executable::close);
                }
            }
        }
    }

    /** Closes all programs; the device stays open. */
    @Override
    public void close() {
        try (Closing closing = new Closing()) {
            programs.values().forEach(p -> closing.add(p.executable::close));
            programs.clear();
        }
    }
}
