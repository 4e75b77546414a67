// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.tweedie.Model;
import org.tweedie.Network;
import org.tweedie.Tweedie;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.console.Output;
import org.tweedie.cli.console.Version;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.device.Device;
import org.tweedie.model.NamedTensors;
import org.tweedie.model.TorchNetwork;
import org.tweedie.options.Spelling;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Evaluates a network, a derivative of it, or STSL's loss on tensors from a file. */
@Command(name = "run", sortOptions = false,
        description = {"Evaluates a network, or its VJP or JVP, on tensors from a safetensors file with PyTorch's names and "
                + "layouts.",
            "",
            "  MODULE        takes                                                             gives",
            "  text_encoder  input_ids [B,77] I64                                              last_hidden_state [B,77,C]",
            "  unet          sample [B,4,h,w], timestep [B], encoder_hidden_states [B,77,C]    out_sample [B,4,h,w]",
            "  encode        image [B,3,H,W], from -1 to 1                                     mean, logvar [B,4,h,w]",
            "  decode        latent [B,4,h,w], unscaled                                        image [B,3,H,W]",
            "  surrogate     z, timestep, encoder_hidden_states, probe [B,4,h,w], measurement  data, trace [B], grad [B,4,h,w]",
            "",
            "With --vjp the file also holds 'cotangent' (shape of the first output), and the result is 'grad', for the first "
                + "floating-point input. With --jvp it holds 'tangent' (shape of that input), and the result is 'jvp'.",
            "The surrogate is STSL's loss at a scaled latent z; its measurement is [B,3,H,W].", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie run unet --model DIR --in in.safetensors -o out.safetensors",
            "  tweedie run decode --vjp --model DIR --in in.safetensors -o grad.safetensors",
            "  tweedie run surrogate --task sr:4 --eta 0.02 --model DIR --in in.safetensors -o loss.safetensors"})
final class RunNetwork implements Callable<Integer> {
    private static final List<String> MODULES = List.of("text_encoder", "unet", "encode", "decode", "surrogate");

    @Parameters(index = "0", paramLabel = "MODULE", description = "The network to evaluate: text_encoder, unet, encode, decode "
            + "or surrogate.")
    private String module;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--in", paramLabel = "FILE.safetensors", required = true, description = "The file with the input tensors.")
    private Path in;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE.safetensors", required = true, description = "The file to write.")
    private Path out;

    @ArgGroup
    private Derivative derivative = new Derivative();

    static final class Derivative {
        @Option(names = "--vjp", description = "Compute the vector-Jacobian product (pull-back) instead of the output.")
        private boolean vjp;

        @Option(names = "--jvp", description = "Compute the Jacobian-vector product (push-forward) instead of the output.")
        private boolean jvp;
    }

    @Mixin
    private SurrogateOptions surrogate;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        Spelling.check("module", module, MODULES);
        boolean loss = module.equals("surrogate");
        surrogate.check(loss);
        if ((derivative.vjp || derivative.jvp) && (loss || module.equals("text_encoder"))) {
            throw new IllegalArgumentException("run " + module + ": no --vjp or --jvp, "
                    + (loss ? "'grad' is always given" : "it has no floating-point input"));
        }
        engine.check();
        Output.check(out, ".safetensors", in);
        Notes.requireFile(in);
        long start = System.nanoTime();
        try (SafeTensors file = SafeTensors.open(in); Device device = engine.open(d -> rehearse(d, file));
                Model model = Tweedie.open(folder, device)) {
            NamedTensors inputs = new NamedTensors(in.toString(), file.tensors());
            Map<String, Tensor> results = results(model, inputs);
            inputs.unused().forEach(name -> Notes.note(in + ": tensor '" + name + "' is not used"));
            SafeTensors.write(out, results, Map.of("format", "pt", "tweedie", Version.number()));
            report(results, (System.nanoTime() - start) / 1e9);
        }
        return 0;
    }

    private void rehearse(Device device, SafeTensors file) throws IOException {
        try (Model model = Tweedie.open(folder, device)) {
            results(model, new NamedTensors(in.toString(), file.tensors()));
        }
    }

    private Map<String, Tensor> results(Model model, NamedTensors in) throws IOException {
        return module.equals("surrogate") ? surrogate.loss(model).at(in) : evaluate(model, in);
    }

    private Map<String, Tensor> evaluate(Model model, NamedTensors in) throws IOException {
        Network network = switch (module) {
            case "text_encoder" -> model.textEncoder();
            case "unet" -> model.unet();
            case "encode" -> model.encoder();
            default -> model.decoder();
        };
        Map<String, Tensor> arguments = network.arguments(in);
        if (derivative.vjp) {
            return Map.of("grad", network.vjp(arguments,
                    in.real("cotangent", TorchNetwork.dims(network.outputShape(arguments)))));
        }
        if (derivative.jvp) {
            return Map.of("jvp", network.jvp(arguments,
                    in.real("tangent", TorchNetwork.dims(arguments.get(network.input()).shape()))));
        }
        return network.run(arguments);
    }

    private void report(Map<String, Tensor> results, double seconds) {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("written", out.toString());
        words.put("module", module);
        words.put("tensors", new TreeMap<>(results).entrySet().stream().map(e -> e.getKey() + e.getValue().shape())
                .collect(Collectors.joining(",")));
        words.put("seconds", Numbers.of(seconds, 2));
        Notes.result(words);
    }
}
