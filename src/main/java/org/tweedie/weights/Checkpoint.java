// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A Stable Diffusion checkpoint in the folder layout of diffusers: {@code model_index.json} and the folders {@code unet}, {@code
 * vae}, {@code text_encoder}, {@code tokenizer}, {@code scheduler}. Its tensors are mapped files, valid until {@link #close}.
 */
public final class Checkpoint implements AutoCloseable {
    private final Path root;
    private final Json index;
    private final RandomWeights random; // null where the folder has weights
    private final Map<String, CheckpointPart> open = new LinkedHashMap<>();

    private Checkpoint(Path root, Json index, RandomWeights random) {
        this.root = root;
        this.index = index;
        this.random = random;
    }

    /**
     * Opens a checkpoint.
     *
     * @throws IllegalArgumentException when the path is no checkpoint folder
     * @throws IOException when its index cannot be read
     */
    public static Checkpoint open(Path root) throws IOException {
        return new Checkpoint(root, index(root), null);
    }

    /**
     * Opens the networks that a folder's configurations describe, with weights that were never trained and are drawn when they
     * are asked for. The folder needs no weight files; the checkpoint closes the weights.
     */
    public static Checkpoint random(Path root, RandomWeights random) throws IOException {
        return new Checkpoint(root, index(root), random);
    }

    private static Json index(Path root) throws IOException {
        if (!Files.exists(root)) {
            throw new IllegalArgumentException(root
                    + ": no such folder; expected a Stable Diffusion checkpoint in diffusers layout");
        }
        if (!Files.isDirectory(root)) {
            throw new IllegalArgumentException(root
                    + ": is a file; expected a folder in diffusers layout (model_index.json, unet/, vae/, "
                    + "text_encoder/, ...); name the folder, or convert a single-file checkpoint first");
        }
        Path file = root.resolve("model_index.json");
        if (!Files.exists(file)) {
            boolean part = Files.exists(root.resolve("config.json"));
            throw new IllegalArgumentException(root
                    + ": has no model_index.json; expected a checkpoint folder in diffusers layout; "
                    + (part ? "this seems to be one part of a checkpoint; name the folder above it" : "check the path"));
        }
        return Json.read(file, "model_index.json");
    }

    public Path root() {
        return root;
    }

    /** Returns the content of model_index.json. */
    public Json index() {
        return index;
    }

    /**
     * Returns the folder of a part, for example {@code tokenizer}.
     *
     * @throws IllegalArgumentException when it is missing
     */
    public Path folder(String name) {
        Path folder = root.resolve(name);
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(root + ": has no folder " + name + "/, which a Stable Diffusion checkpoint needs; "
                    + "download the checkpoint again, whole");
        }
        return folder;
    }

    /**
     * Returns a part whose configuration has been read; its weights are opened when they are asked for. Each call returns the
     * same object.
     */
    public CheckpointPart module(String name) throws IOException {
        CheckpointPart module = open.get(name);
        if (module == null) {
            module = new CheckpointPart(name, folder(name), random);
            open.put(name, module);
        }
        return module;
    }

    @Override
    public void close() {
        open.values().forEach(CheckpointPart::close);
        if (random != null) {
            random.close();
        }
    }
}
