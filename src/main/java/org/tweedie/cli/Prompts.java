// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.model.ClipText;
import org.tweedie.model.StableDiffusion;
import org.tweedie.model.Tokenizer;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.transform.Simplify;

/** Binds a model to a text. */
final class Prompts {
    private Prompts() {}

    /** The UNet with a prompt encoded and, unless guidance is 1, the empty one. */
    static LatentDenoiser bind(StableDiffusion model, Device device, NoiseSchedule schedule, String prompt, double guidance) throws IOException {
        if (!Double.isFinite(guidance) || guidance < 0) {
            throw new IllegalArgumentException("--guidance: expected 0 or more, got " + guidance);
        }
        ClipText encoder = model.textEncoder();
        if (encoder.width() != model.unet().contextWidth()) {
            throw new IllegalArgumentException("text_encoder: expected hidden states of width " + model.unet().contextWidth() + " for this unet, got "
                    + encoder.width() + "; the parts of the checkpoint do not belong together");
        }
        Tracer t = new Tracer("text_encoder");
        t.output("states", encoder.apply(t, t.input("ids", new Type(DType.I64, Shape.of(1, encoder.length())))));
        try (Executable run = device.compile(Simplify.of(t.finish()))) {
            Tensor text = encode(run, model.tokenizer(), prompt);
            return new LatentDenoiser(model.unet(), schedule.prediction(), text, guidance == 1 ? text : encode(run, model.tokenizer(), ""), guidance);
        }
    }

    private static Tensor encode(Executable run, Tokenizer tokenizer, String prompt) {
        int count = tokenizer.count(prompt);
        if (count > tokenizer.length()) {
            Notes.note("the prompt has " + count + " tokens, the model takes " + tokenizer.length() + "; the rest is cut");
        }
        long[] ids = tokenizer.ids(prompt);
        return run.run(Map.of("ids", Tensor.of(Shape.of(1, ids.length), ids))).get("states"); // [1,77,C]
    }
}
