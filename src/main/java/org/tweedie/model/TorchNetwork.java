// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;

/**
 * A network of a checkpoint with PyTorch's names and layouts: its inputs and outputs have channels first, while the network
 * itself has channels last.
 *
 * @param input the first floating-point input, null if there is none
 * @param output the first output
 */
public record TorchNetwork(String name, String input, String output, List<Field> fields, Body body) {
    /** The types that an input may have: floating point, integers, or either. */
    public enum Kind { REAL, WHOLE, NUMBER }

    /** An input: its name, its kind, and its sizes as numbers or letters. */
    public record Field(String name, Kind kind, List<Object> dims) {}

    /** Traces the network and its outputs. */
    @FunctionalInterface
    public interface Body {
        void trace(Tracer t, Map<String, Value> in);
    }

    /** Returns the text encoder: input_ids [B,77] (I64) to last_hidden_state [B,77,C]. */
    public static TorchNetwork of(ClipText net) {
        return new TorchNetwork("text_encoder", null, "last_hidden_state",
                List.of(field("input_ids", Kind.WHOLE, "B", net.length())),
                (t, in) -> t.output("last_hidden_state", net.apply(t, in.get("input_ids"))));
    }

    /** Returns the UNet: sample [B,c,h,w], timestep [B] and encoder_hidden_states [B,N,C] to out_sample [B,c,h,w]. */
    public static TorchNetwork of(UNet net) {
        return new TorchNetwork("unet", "sample", "out_sample",
                List.of(field("sample", Kind.REAL, "B", net.inChannels(), "h", "w"),
                field("timestep", Kind.NUMBER, "B"), field("encoder_hidden_states", Kind.REAL, "B", "N", net.contextWidth())),
                (t, in) -> t.output("out_sample",
                        channelsFirst(t, net.apply(t, channelsLast(t, in.get("sample")), in.get("timestep"),
                        in.get("encoder_hidden_states")))));
    }

    /** Returns the encoder: image [B,3,H,W], from -1 to 1, to mean and logvar [B,c,h,w], unscaled. */
    public static TorchNetwork encoder(Autoencoder net) {
        return new TorchNetwork("encode", "image", "mean", List.of(field("image", Kind.REAL, "B", 3, "H", "W")), (t, in) -> {
            Autoencoder.Posterior z = net.encode(t, channelsLast(t, in.get("image")));
            t.output("mean", channelsFirst(t, z.mean()));
            t.output("logvar", channelsFirst(t, z.logvar()));
        });
    }

    /** Returns the decoder: latent [B,c,h,w], unscaled, to image [B,3,H,W]. */
    public static TorchNetwork decoder(Autoencoder net) {
        return new TorchNetwork("decode", "latent", "image",
                List.of(field("latent", Kind.REAL, "B", net.latentChannels(), "h", "w")),
                (t, in) -> t.output("image", channelsFirst(t, net.decode(t, channelsLast(t, in.get("latent"))))));
    }

    private static Field field(String name, Kind kind, Object... dims) {
        return new Field(name, kind, List.of(dims));
    }

    /**
     * Selects the network's inputs from named tensors.
     *
     * @throws IllegalArgumentException naming the input that is missing or does not fit
     */
    public Map<String, Tensor> arguments(NamedTensors in) {
        Map<String, Tensor> arguments = new LinkedHashMap<>();
        for (Field f : fields) {
            Object[] dims = f.dims.toArray();
            arguments.put(f.name, switch (f.kind) {
                case REAL -> in.real(f.name, dims);
                case WHOLE -> in.whole(f.name, dims);
                case NUMBER -> in.number(f.name, dims);
            });
        }
        return arguments;
    }

    /** Traces the network for arguments of these shapes. */
    public Program program(Map<String, Tensor> arguments) {
        Tracer t = new Tracer(name);
        Map<String, Value> in = new LinkedHashMap<>();
        for (Field f : fields) {
            Tensor x = arguments.get(f.name);
            in.put(f.name, t.input(f.name, new Type(x.dtype().isFloat() ? DType.F32 : x.dtype(), x.shape())));
        }
        body.trace(t, in);
        return Simplify.of(t.finish());
    }

    /** Traces [B,C,H,W] to [B,H,W,C]. */
    public static Value channelsLast(Tracer t, Value x) {
        return t.transpose(x, 0, 2, 3, 1);
    }

    /** Traces [B,H,W,C] to [B,C,H,W]. */
    public static Value channelsFirst(Tracer t, Value x) {
        return t.transpose(x, 0, 3, 1, 2);
    }

    /** Returns the program with channels first instead of last in its inputs and outputs of rank 4. */
    public static Program channelsFirst(Program p) {
        Tracer t = new Tracer(p.name());
        Map<String, Value> args = new LinkedHashMap<>();
        for (Program.Input i : p.inputs()) {
            int[] s = i.value().shape().dims();
            args.put(i.name(), s.length != 4 ? t.input(i.name(), i.value().type())
                    : channelsLast(t, t.input(i.name(), Type.real(s[0], s[3], s[1], s[2]))));
        }
        Value[] map = t.inline(p, args);
        for (Program.Output o : p.outputs()) {
            Value v = map[o.value().id()];
            t.output(o.name(), v.shape().rank() == 4 ? channelsFirst(t, v) : v);
        }
        return t.finish();
    }

    /** Returns the sizes of a tensor as {@link NamedTensors} takes them. */
    public static Object[] dims(org.tweedie.program.Shape s) {
        return Arrays.stream(s.dims()).boxed().toArray();
    }
}
