// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.tweedie.device.Arguments;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.model.StableDiffusion;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;
import org.tweedie.weights.SafeTensors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Evaluates a network, a derivative of it, or STSL's loss on tensors from a file. */
@Command(name = "run", sortOptions = false,
        description = {"Evaluates a network, or its VJP or JVP, on tensors from a safetensors file with PyTorch's names and layouts.",
            "",
            "  MODULE        takes                                                             gives",
            "  text_encoder  input_ids [B,77] I64                                              last_hidden_state [B,77,C]",
            "  unet          sample [B,4,h,w], timestep [B], encoder_hidden_states [B,77,C]    out_sample [B,4,h,w]",
            "  encode        image [B,3,H,W], from -1 to 1                                     mean, logvar [B,4,h,w]",
            "  decode        latent [B,4,h,w], unscaled                                        image [B,3,H,W]",
            "  surrogate     z, timestep, encoder_hidden_states, probe [B,4,h,w], measurement  data, trace [B], grad [B,4,h,w]",
            "",
            "With --vjp the file also holds 'cotangent' (shape of the first output), and the result is 'grad', for the first",
            "floating-point input. With --jvp it holds 'tangent' (shape of that input), and the result is 'jvp'.",
            "The surrogate is STSL's loss at a scaled latent z; its measurement is [B,3,H,W].", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie run unet --model DIR --in in.safetensors -o out.safetensors",
            "  tweedie run decode --vjp --model DIR --in in.safetensors -o grad.safetensors",
            "  tweedie run surrogate --task sr:4 --eta 0.02 --model DIR --in in.safetensors -o loss.safetensors"})
final class Run implements Callable<Integer> {
    private static final List<String> MODULES = List.of("text_encoder", "unet", "encode", "decode", "surrogate");

    @Parameters(index = "0", paramLabel = "MODULE", description = "text_encoder, unet, encode, decode or surrogate.")
    private String module;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--in", paramLabel = "FILE.safetensors", required = true, description = "The tensors to run on.")
    private Path in;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE.safetensors", required = true, description = "The file to write.")
    private Path out;

    @ArgGroup
    private Derivative derivative = new Derivative();

    static final class Derivative {
        @Option(names = "--vjp", description = "The vector-Jacobian product (pull-back) instead.")
        private boolean vjp;

        @Option(names = "--jvp", description = "The Jacobian-vector product (push-forward) instead.")
        private boolean jvp;
    }

    @Mixin
    private SurrogateOptions surrogate;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        Choice.of("module", module, MODULES);
        boolean loss = module.equals("surrogate");
        surrogate.check(loss);
        if ((derivative.vjp || derivative.jvp) && (loss || module.equals("text_encoder"))) {
            throw new IllegalArgumentException("run " + module + ": no --vjp or --jvp, " + (loss ? "'grad' is always given" : "it has no floating-point input"));
        }
        engine.check();
        Output.check(out, ".safetensors", in);
        Notes.requireFile(in);
        long start = System.nanoTime();
        try (SafeTensors file = SafeTensors.open(in); StableDiffusion model = StableDiffusion.open(folder); Device device = engine.open()) {
            Inputs inputs = new Inputs(in.toString(), file.tensors());
            Map<String, Tensor> results = loss ? surrogate.run(model, device, inputs) : evaluate(model, device, inputs);
            inputs.noteUnused();
            SafeTensors.write(out, results, Map.of("format", "pt", "tweedie", Version.number()));
            report(results, (System.nanoTime() - start) / 1e9);
        }
        return 0;
    }

    private Map<String, Tensor> evaluate(StableDiffusion model, Device device, Inputs in) throws IOException {
        Modules.Call call = switch (module) {
            case "text_encoder" -> Modules.textEncoder(model, in);
            case "unet" -> Modules.unet(model, in);
            case "encode" -> Modules.encode(model, in);
            default -> Modules.decode(model, in);
        };
        Map<String, Tensor> args = new HashMap<>(call.arguments());
        Program program = call.program();
        if (derivative.vjp) {
            args.put("cotangent", in.real("cotangent", dims(program.output(call.output()).shape())));
            program = Vjp.of(program, call.output(), call.input());
        } else if (derivative.jvp) {
            args.put("tangent", in.real("tangent", dims(program.input(call.input()).shape())));
            program = Jvp.of(program, call.input(), call.output());
        }
        Arguments.check(program, args);
        try (Executable run = device.compile(program)) {
            Map<String, Tensor> all = run.run(args);
            return derivative.vjp ? Map.of("grad", all.get("grad")) : derivative.jvp ? Map.of("jvp", all.get("jvp")) : all;
        }
    }

    private static Object[] dims(Shape s) {
        return java.util.Arrays.stream(s.dims()).boxed().toArray();
    }

    private void report(Map<String, Tensor> results, double seconds) {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("written", out.toString());
        words.put("module", module);
        words.put("tensors", new TreeMap<>(results).entrySet().stream().map(e -> e.getKey() + e.getValue().shape()).collect(Collectors.joining(",")));
        words.put("seconds", Numbers.of(seconds, 2));
        Notes.result(words);
    }
}
