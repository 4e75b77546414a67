// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.tweedie.device.Closing;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.Conditioning;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.model.ClipText;
import org.tweedie.model.StableDiffusion;
import org.tweedie.model.Tokenizer;
import org.tweedie.model.TorchNetwork;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.transform.Simplify;

/**
 * A Stable Diffusion checkpoint on a device. Each part is read at its first use. Only one thread may use a model at a time.
 */
public final class Model implements AutoCloseable {
    private final StableDiffusion checkpoint;
    private final Device device;
    private final Map<String, Network> networks = new HashMap<>();

    Model(StableDiffusion checkpoint, Device device) {
        this.checkpoint = checkpoint;
        this.device = device;
    }

    /** The device that the model runs on. */
    public Device device() {
        return device;
    }

    /** The checkpoint, whose parts can be traced into programs of one's own. */
    public StableDiffusion checkpoint() {
        return checkpoint;
    }

    /** Returns the text encoder, which maps input_ids [B,77] to last_hidden_state [B,77,C]. */
    public Network textEncoder() throws IOException {
        return network(TorchNetwork.of(checkpoint.textEncoder()));
    }

    /**
     * Returns the UNet, which maps sample [B,4,h,w], timestep [B] and encoder_hidden_states [B,77,C] to out_sample [B,4,h,w].
     */
    public Network unet() throws IOException {
        return network(TorchNetwork.of(checkpoint.unet()));
    }

    /** Returns the encoder, which maps image [B,3,H,W], from -1 to 1, to mean and logvar [B,4,h,w], unscaled. */
    public Network encoder() throws IOException {
        return network(TorchNetwork.encoder(checkpoint.vae()));
    }

    /** Returns the decoder, which maps latent [B,4,h,w], unscaled, to image [B,3,H,W]. */
    public Network decoder() throws IOException {
        return network(TorchNetwork.decoder(checkpoint.vae()));
    }

    private Network network(TorchNetwork n) {
        return networks.computeIfAbsent(n.name(), k -> new Network(n, device));
    }

    /** The checkpoint's noise schedule. */
    public NoiseSchedule schedule() throws IOException {
        return new NoiseSchedule(checkpoint.schedule());
    }

    /** The side of the pictures that the model was trained on, in pixels. */
    public int side() throws IOException {
        return checkpoint.side();
    }

    /** The hidden states of a text, [1,77,C]. The text is cut after 77 tokens, see {@link #warning}. */
    public Tensor prompt(String text) throws IOException {
        return prompts(text)[0];
    }

    /** Returns a warning if a text has more tokens than the model takes, otherwise nothing. */
    public Optional<String> warning(String text) throws IOException {
        Tokenizer t = checkpoint.tokenizer();
        int count = t.count(text);
        return count <= t.length() ? Optional.empty()
                : Optional.of("the prompt has " + count + " tokens, the model takes " + t.length() + "; the rest is cut");
    }

    private Tensor[] prompts(String... texts) throws IOException {
        ClipText encoder = checkpoint.textEncoder();
        Tracer t = new Tracer("text_encoder");
        t.output("states", encoder.apply(t, t.input("ids", new Type(DType.I64, Shape.of(1, encoder.length())))));
        // a model encodes few texts, so the encoder's weights are freed at once
        try (Executable run = device.compile(Simplify.of(t.finish()))) {
            Tensor[] states = new Tensor[texts.length];
            for (int i = 0; i < texts.length; i++) {
                long[] ids = checkpoint.tokenizer().ids(texts[i]);
                states[i] = run.run(Map.of("ids", Tensor.of(Shape.of(1, ids.length), ids))).get("states"); // [1,77,C]
            }
            return states;
        }
    }

    /**
     * Opens a session for pictures of a size, without a text.
     *
     * @throws IllegalArgumentException when the networks cannot process pictures of that size; the message says which sizes
     *         fit
     */
    public Session session(int height, int width) throws IOException {
        return session(height, width, Conditioning.NONE);
    }

    /** Opens a session for pictures of a size and a text. Close it before the model. */
    public Session session(int height, int width, Conditioning text) throws IOException {
        Shape image = Shape.of(1, height, width, 3);
        LatentCodec codec = codec();
        codec.latent(image); // a size that does not fit is reported before any other work
        return new Session(new Prior(device, schedule(), denoiser(text), codec, image));
    }

    /** The autoencoder with its scaling, which converts between pictures and latents. */
    public LatentCodec codec() throws IOException {
        return new LatentCodec(checkpoint.vae(), checkpoint.unet().stride());
    }

    /**
     * The UNet bound to a text.
     *
     * @throws IllegalArgumentException when the text encoder and the UNet do not belong together
     */
    public LatentDenoiser denoiser(Conditioning text) throws IOException {
        int width = checkpoint.unet().contextWidth();
        if (checkpoint.textEncoder().width() != width) {
            throw new IllegalArgumentException("text_encoder: expected hidden states of width " + width + " for this unet, got "
                    + checkpoint.textEncoder().width() + "; the parts of the checkpoint do not belong together");
        }
        Tensor[] states = text.guided() ? prompts(text.prompt(), text.negative()) : prompts(text.prompt());
        return new LatentDenoiser(checkpoint.unet(), schedule().prediction(), states[0], states[states.length - 1],
                text.guidance());
    }

    /** Closes the networks' programs and the files. Close all sessions before the model; the device stays open. */
    @Override
    public void close() {
        try (Closing closing = new Closing()) {
            closing.add(checkpoint::close);
            networks.values().forEach(n -> n.close(closing));
        }
    }
}
