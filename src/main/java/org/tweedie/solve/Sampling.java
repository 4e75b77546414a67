// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.Ddim;
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
    private final Problem p;
    private final Executable ddim;
    private Executable decode;
    private Executable encode;

    public Sampling(Problem p) {
        this.p = p;
        ddim = p.device().compile(ddim(p));
    }

    private static Program ddim(Problem p) {
        Tracer t = new Tracer("ddim");
        Value z = t.input("z", Type.real(p.codec().latent(p.image())));
        Value timestep = t.input("timestep", Type.real(1));
        NoiseLevel.Traced from = NoiseLevel.inputs(t, "from.");
        NoiseLevel.Traced to = NoiseLevel.inputs(t, "to.");
        Value eps = p.denoiser().eps(t, z, new NoiseLevel.Traced(timestep, from.sqrtAbar(), from.sigma()));
        t.output("z", Ddim.move(t, Ddim.mean(t, z, eps, from), eps, to));
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
        counts.unet(p.denoiser().evaluations(), 0);
        return ddim.run(in).get("z");
    }

    /** z [1,h,w,c] to a picture [1,H,W,3]. */
    public Tensor decode(Tensor z, NfeLedger counts) {
        if (decode == null) {
            Tracer t = new Tracer("decode");
            t.output("image", p.codec().decode(t, t.input("z", Type.real(z.shape()))));
            decode = p.device().compile(Simplify.of(t.finish()));
        }
        counts.decode(1, 0);
        return decode.run(Map.of("z", z)).get("image");
    }

    /** A picture [1,H,W,3] to z [1,h,w,c]. */
    public Tensor encode(Tensor image, NfeLedger counts) {
        if (encode == null) {
            Tracer t = new Tracer("encode");
            t.output("z", p.codec().encode(t, t.input("image", Type.real(image.shape()))));
            encode = p.device().compile(Simplify.of(t.finish()));
        }
        counts.encode(1);
        return encode.run(Map.of("image", image)).get("z");
    }

    @Override
    public void close() {
        ddim.close();
        if (decode != null) {
            decode.close();
        }
        if (encode != null) {
            encode.close();
        }
    }
}
