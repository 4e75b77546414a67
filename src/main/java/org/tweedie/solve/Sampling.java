// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.Codec;
import org.tweedie.diffusion.Ddim;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;

/** The prior's own moves, compiled for one size: DDIM steps in either direction, decoding and encoding. */
public final class Sampling implements AutoCloseable {
    private final Device device;
    private final Denoiser denoiser;
    private final Codec codec;
    private final Executable ddim;
    private Executable decode;
    private Executable encode;

    public Sampling(Problem p) {
        this(p.device(), p.denoiser(), p.codec(), p.image());
    }

    /** @param image shape of the pictures, [1,H,W,3] */
    public Sampling(Device device, Denoiser denoiser, Codec codec, Shape image) {
        this.device = device;
        this.denoiser = denoiser;
        this.codec = codec;
        ddim = device.compile(ddim(denoiser, codec.latent(image)));
    }

    private static Program ddim(Denoiser denoiser, Shape latent) {
        Tracer t = new Tracer("ddim");
        Value z = t.input("z", Type.real(latent));
        Value timestep = t.input("timestep", Type.real(1));
        NoiseLevel.Traced from = NoiseLevel.inputs(t, "from.");
        NoiseLevel.Traced to = NoiseLevel.inputs(t, "to.");
        Value eps = denoiser.eps(t, z, new NoiseLevel.Traced(timestep, from.sqrtAbar(), from.sigma()));
        t.output("z", Ddim.move(t, z, eps, from, to));
        return Simplify.of(t.finish());
    }

    /** One step downwards: the network is asked at the level that z is at. */
    public Tensor ddim(Tensor z, NoiseLevel from, NoiseLevel to, NfeLedger counts) {
        return move(z, from.timestep(), from, to, counts);
    }

    /** One step upwards: the network is asked at the level that z goes to, as it will be on the way down. */
    public Tensor invert(Tensor z, NoiseLevel from, NoiseLevel to, NfeLedger counts) {
        return move(z, to.timestep(), from, to, counts);
    }

    private Tensor move(Tensor z, int timestep, NoiseLevel from, NoiseLevel to, NfeLedger counts) {
        Map<String, Tensor> in = new HashMap<>(from.tensors("from."));
        in.putAll(to.tensors("to."));
        in.put("z", z);
        in.put("timestep", Tensor.of(Shape.of(1), (float) timestep));
        counts.unet(denoiser.evaluations(), 0);
        return ddim.run(in).get("z");
    }

    /** z [1,h,w,c] to a picture [1,H,W,3]. */
    public Tensor decode(Tensor z, NfeLedger counts) {
        if (decode == null) {
            Tracer t = new Tracer("decode");
            t.output("image", codec.decode(t, t.input("z", Type.real(z.shape()))));
            decode = device.compile(Simplify.of(t.finish()));
        }
        counts.decode(1, 0);
        return decode.run(Map.of("z", z)).get("image");
    }

    /** A picture [1,H,W,3] to z [1,h,w,c]. */
    public Tensor encode(Tensor image, NfeLedger counts) {
        if (encode == null) {
            Tracer t = new Tracer("encode");
            t.output("z", codec.encode(t, t.input("image", Type.real(image.shape()))));
            encode = device.compile(Simplify.of(t.finish()));
        }
        counts.encode(1);
        return encode.run(Map.of("image", image)).get("z");
    }

    @Override
    public void close() {
        try (ddim; Executable d = decode; Executable e = encode) { } // a resource that is null is left out
    }
}
