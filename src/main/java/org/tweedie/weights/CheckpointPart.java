// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.tweedie.program.Tensor;

/**
 * One part of a {@link Checkpoint}: a folder with a configuration and, for networks, weights. It is closed with its checkpoint.
 */
public final class CheckpointPart implements AutoCloseable {
    /** The names of weight files in order of preference: full precision before half, one file before shards. */
    private static final List<String> WEIGHT_FILES = List.of(
            "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json",
            "model.safetensors", "model.safetensors.index.json",
            "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors.index.fp16.json",
            "diffusion_pytorch_model.fp16.safetensors.index.json",
            "model.fp16.safetensors", "model.safetensors.index.fp16.json", "model.fp16.safetensors.index.json");
    private static final Map<String, String> HINTS = Map.of(
            "unet", "is this an SD 1.x or 2.x UNet (UNet2DConditionModel)?",
            "vae", "is this an SD 1.x or 2.x autoencoder (AutoencoderKL)?",
            "text_encoder", "is this a CLIP text encoder (CLIPTextModel)?");

    private final String name;
    private final Path folder;
    private final Json config;
    private final RandomWeights random; // null where the folder has weights
    private Shards shards;

    CheckpointPart(String name, Path folder, RandomWeights random) throws IOException {
        String file = name.equals("scheduler") ? "scheduler_config.json" : "config.json";
        this.name = name;
        this.folder = folder;
        this.config = Json.read(folder.resolve(file), name + "/" + file);
        this.random = random;
    }

    /** Returns the name, for example {@code unet}. */
    public String name() {
        return name;
    }

    /** Returns the content of config.json, or of scheduler_config.json for the scheduler. */
    public Json config() {
        return config;
    }

    /** Returns the weight files in use, as messages show them; the first call opens them. */
    public List<String> files() throws IOException {
        return shards().files();
    }

    /** Returns all tensors by name; the first call opens the weight files. */
    public Map<String, Tensor> tensors() throws IOException {
        return shards().tensors();
    }

    /** Returns a new account of the tensors for the code that builds the network. */
    public Weights weights() throws IOException {
        if (random != null) {
            return Weights.of(name, random);
        }
        return Weights.of(name, HINTS.getOrDefault(name, "does this folder belong to another kind of model?")
                + " " + config.where() + " names " + config.text("_class_name", kind()), tensors());
    }

    private String kind() {
        return config.has("architectures") ? String.join(", ", config.texts("architectures")) : "no class";
    }

    /**
     * Reads every weight.
     *
     * @throws IllegalStateException naming the first tensor that has a NaN or an infinity
     */
    public void checkFinite() throws IOException {
        FiniteCheck.check(name, tensors());
    }

    private Shards shards() throws IOException {
        if (shards == null) {
            String file = WEIGHT_FILES.stream().filter(f -> Files.exists(folder.resolve(f))).findFirst()
                    .orElseThrow(this::noWeights);
            shards = Shards.open(folder.resolve(file), name + "/" + file);
        }
        return shards;
    }

    private IllegalArgumentException noWeights() {
        try (Stream<Path> files = Files.list(folder)) {
            List<String> there = files.map(f -> f.getFileName().toString()).sorted().toList();
            boolean pickle = there.stream().anyMatch(f -> f.endsWith(".bin") || f.endsWith(".ckpt"));
            return new IllegalArgumentException(name + ": expected " + WEIGHT_FILES.getFirst() + " or model.safetensors in "
                    + folder
                    + ", got " + String.join(", ", there.subList(0, Math.min(10, there.size()))) + "; "
                    + (pickle ? "pickled weights (.bin, .ckpt) are not supported; download the safetensors files"
                    : "download the weights"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (shards != null) {
            shards.close();
        }
    }
}
