// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import java.io.IOException;
import java.nio.file.Path;
import org.tweedie.device.Device;
import org.tweedie.device.DeviceOptions;
import org.tweedie.device.Devices;
import org.tweedie.model.StableDiffusion;
import org.tweedie.program.DType;

/** Opens devices, and models on them. The caller closes both: first the model, then its device. */
public final class Tweedie {
    private Tweedie() {}

    /**
     * Opens a device that uses all processors.
     *
     * @param name cpu, cuda (an NVIDIA GPU), reference (plain loops in double) or sim (the GPU's kernels on a simulated GPU)
     * @throws IllegalArgumentException when there is no such device
     * @throws Devices.Unavailable when the device cannot be used on this machine; the message says why
     */
    public static Device device(String name) {
        return device(name, DeviceOptions.threads(Runtime.getRuntime().availableProcessors()));
    }

    /** Opens a device with options. @throws IllegalArgumentException when the device does not take these options */
    public static Device device(String name, DeviceOptions options) {
        return Devices.open(name, options);
    }

    /**
     * Opens a Stable Diffusion 1.x or 2.x checkpoint on a device.
     *
     * @param folder the checkpoint in the folder layout of diffusers
     * @param device must stay open at least as long as the model
     * @throws IllegalArgumentException when the folder is not such a checkpoint
     * @throws IOException when a file cannot be read
     */
    public static Model open(Path folder, Device device) throws IOException {
        return new Model(StableDiffusion.open(folder), device);
    }

    /**
     * Opens a model for timing: it has a checkpoint's sizes and random weights of a type. The checkpoint's weight files are
     * not read.
     */
    public static Model random(Path folder, long seed, DType dtype, Device device) throws IOException {
        return new Model(StableDiffusion.random(folder, seed, dtype), device);
    }

    /**
     * Opens a model for planning: it has a checkpoint's sizes, and weights of a type that are zero and take no memory. The
     * checkpoint's weight files are not read.
     */
    public static Model unread(Path folder, DType dtype, Device device) throws IOException {
        return new Model(StableDiffusion.unread(folder, dtype), device);
    }
}
