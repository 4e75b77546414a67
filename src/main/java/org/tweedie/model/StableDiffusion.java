// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.io.IOException;
import java.nio.file.Path;
import org.tweedie.program.DType;
import org.tweedie.weights.Checkpoint;
import org.tweedie.weights.CheckpointPart;
import org.tweedie.weights.Json;
import org.tweedie.weights.RandomWeights;

/**
 * The parts of a Stable Diffusion checkpoint, each built at its first use. Its tensors are mapped files, valid until
 * {@link #close}.
 */
public final class StableDiffusion implements AutoCloseable {
    private final Checkpoint checkpoint;
    private Tokenizer tokenizer;
    private ClipText textEncoder;
    private UNet unet;
    private Autoencoder vae;

    private StableDiffusion(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /**
     * Opens a checkpoint.
     *
     * @param folder the folder, in the layout of diffusers
     * @throws IllegalArgumentException when it is not a checkpoint
     * @throws IOException when it cannot be read
     */
    public static StableDiffusion open(Path folder) throws IOException {
        return new StableDiffusion(Checkpoint.open(folder));
    }

    /**
     * Makes a model of the same sizes with random weights, for timing.
     *
     * @param folder the folder with the configuration files; weight files are not read
     */
    public static StableDiffusion random(Path folder, long seed, DType dtype) throws IOException {
        return new StableDiffusion(Checkpoint.random(folder, new RandomWeights(seed, dtype)));
    }

    /**
     * Makes a model of the same sizes with weights of zero that take no memory, for planning.
     *
     * @param folder the folder with the configuration files; weight files are not read
     */
    public static StableDiffusion unread(Path folder, DType dtype) throws IOException {
        return new StableDiffusion(Checkpoint.random(folder, RandomWeights.unread(dtype)));
    }

    public Tokenizer tokenizer() throws IOException {
        if (tokenizer == null) {
            tokenizer = Tokenizer.open(checkpoint.folder("tokenizer"));
        }
        return tokenizer;
    }

    public ClipText textEncoder() throws IOException {
        if (textEncoder == null) {
            CheckpointPart m = checkpoint.module("text_encoder");
            textEncoder = new ClipText(m.config(), m.weights());
        }
        return textEncoder;
    }

    public UNet unet() throws IOException {
        if (unet == null) {
            CheckpointPart m = checkpoint.module("unet");
            unet = new UNet(m.config(), m.weights());
        }
        return unet;
    }

    public Autoencoder vae() throws IOException {
        if (vae == null) {
            CheckpointPart m = checkpoint.module("vae");
            vae = new Autoencoder(m.config(), m.weights());
        }
        return vae;
    }

    /** The content of scheduler_config.json. */
    public Json schedule() throws IOException {
        return checkpoint.module("scheduler").config();
    }

    /** The side of the pictures that the model was trained on, in pixels. */
    public int side() throws IOException {
        return checkpoint.module("unet").config().integer("sample_size") * vae().factor();
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
