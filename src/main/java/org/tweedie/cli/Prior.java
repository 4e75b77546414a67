// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.model.Autoencoder;
import org.tweedie.model.ClipText;
import org.tweedie.model.Tokenizer;
import org.tweedie.model.UNet;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.weights.Checkpoint;
import org.tweedie.weights.Module;

/** A checkpoint made into what solvers need, for one prompt and guidance. Owns the mapped weights. */
final class Prior implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final NoiseSchedule schedule;
    private final LatentDenoiser denoiser;
    private final LatentCodec codec;

    private Prior(Checkpoint checkpoint, Device device, String prompt, double guidance) throws IOException {
        this.checkpoint = checkpoint;
        schedule = new NoiseSchedule(checkpoint.module("scheduler").config());
        Module u = checkpoint.module("unet");
        UNet unet = new UNet(u.config(), u.weights());
        Module v = checkpoint.module("vae");
        codec = new LatentCodec(new Autoencoder(v.config(), v.weights()), unet.stride());
        Module c = checkpoint.module("text_encoder");
        ClipText text = new ClipText(c.config(), c.weights());
        Tokenizer tokenizer = Tokenizer.open(checkpoint.folder("tokenizer"));
        Tensor hidden = hidden(device, text, tokenizer, prompt);
        denoiser = new LatentDenoiser(unet, schedule.prediction(), hidden, guidance == 1 ? hidden : hidden(device, text, tokenizer, ""), guidance);
    }

    static Prior open(Path folder, Device device, String prompt, double guidance) throws IOException {
        Checkpoint checkpoint = Checkpoint.open(folder);
        try {
            return new Prior(checkpoint, device, prompt, guidance);
        } catch (Throwable e) {
            checkpoint.close();
            throw e;
        }
    }

    private static Tensor hidden(Device device, ClipText text, Tokenizer tokenizer, String prompt) {
        Tracer t = new Tracer("text_encoder");
        t.output("last_hidden_state", text.apply(t, t.input("input_ids", new Type(DType.I64, Shape.of(1, text.length())))));
        try (Executable e = device.compile(t.finish())) {
            return e.run(Map.of("input_ids", Tensor.of(Shape.of(1, text.length()), tokenizer.ids(prompt)))).get("last_hidden_state");
        }
    }

    NoiseSchedule schedule() {
        return schedule;
    }

    LatentDenoiser denoiser() {
        return denoiser;
    }

    LatentCodec codec() {
        return codec;
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
