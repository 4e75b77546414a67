// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.model.Autoencoder;
import org.tweedie.model.ClipText;
import org.tweedie.model.StableDiffusion;
import org.tweedie.model.UNet;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;

/** The networks of a checkpoint as programs with PyTorch's names and layouts: channels first outside, last inside. */
final class Modules {
    private Modules() {}

    /**
     * A program and what it is run on.
     *
     * @param input the first floating-point input, null if there is none; @param output the first output
     */
    record Call(Program program, Map<String, Tensor> arguments, String input, String output) {}

    static Call textEncoder(StableDiffusion model, Inputs in) throws IOException {
        ClipText net = model.textEncoder();
        Tensor ids = in.whole("input_ids", "B", net.length());
        Tracer t = new Tracer("text_encoder");
        t.output("last_hidden_state", net.apply(t, t.input("input_ids", type(ids))));
        return new Call(Simplify.of(t.finish()), Map.of("input_ids", ids), null, "last_hidden_state");
    }

    static Call unet(StableDiffusion model, Inputs in) throws IOException {
        UNet net = model.unet();
        Map<String, Tensor> args = new LinkedHashMap<>();
        args.put("sample", in.real("sample", "B", net.inChannels(), "h", "w"));
        args.put("timestep", in.number("timestep", "B"));
        args.put("encoder_hidden_states", in.real("encoder_hidden_states", "B", "N", net.contextWidth()));
        Tracer t = new Tracer("unet");
        Map<String, Value> v = new LinkedHashMap<>();
        args.forEach((name, x) -> v.put(name, t.input(name, type(x))));
        t.output("out_sample", first(t, net.apply(t, last(t, v.get("sample")), v.get("timestep"), v.get("encoder_hidden_states"))));
        return new Call(Simplify.of(t.finish()), args, "sample", "out_sample");
    }

    static Call encode(StableDiffusion model, Inputs in) throws IOException {
        Tensor image = in.real("image", "B", 3, "H", "W");
        Tracer t = new Tracer("encode");
        Autoencoder.Posterior z = model.vae().encode(t, last(t, t.input("image", type(image))));
        t.output("mean", first(t, z.mean()));
        t.output("logvar", first(t, z.logvar()));
        return new Call(Simplify.of(t.finish()), Map.of("image", image), "image", "mean");
    }

    static Call decode(StableDiffusion model, Inputs in) throws IOException {
        Tensor latent = in.real("latent", "B", model.vae().latentChannels(), "h", "w");
        Tracer t = new Tracer("decode");
        t.output("image", first(t, model.vae().decode(t, last(t, t.input("latent", type(latent))))));
        return new Call(Simplify.of(t.finish()), Map.of("latent", latent), "latent", "image");
    }

    static Type type(Tensor x) {
        return new Type(x.dtype().isFloat() ? org.tweedie.program.DType.F32 : x.dtype(), x.shape());
    }

    /** [B,C,H,W] to [B,H,W,C]. */
    static Value last(Tracer t, Value x) {
        return t.transpose(x, 0, 2, 3, 1);
    }

    /** [B,H,W,C] to [B,C,H,W]. */
    static Value first(Tracer t, Value x) {
        return t.transpose(x, 0, 3, 1, 2);
    }
}
