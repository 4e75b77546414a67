// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.tweedie.cli.console.Faults;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.model.StableDiffusion;
import org.tweedie.program.Tensor;
import org.tweedie.weights.Checkpoint;
import org.tweedie.weights.CheckpointPart;
import org.tweedie.weights.Shards;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists the contents of a checkpoint or a safetensors file, and checks that it is sound. */
@Command(name = "inspect", sortOptions = false,
        description = "Lists the modules, parameters, types, bytes and configuration; checks that the weights fit the networks "
                + "and are finite.",
        footerHeading = "%nExamples:%n",
        footer = {"  tweedie inspect DIR", "  tweedie inspect DIR/unet/diffusion_pytorch_model.safetensors --names"})
final class Inspect implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL_OR_FILE", description = "A checkpoint folder, a safetensors file or an index "
            + "of shards.")
    private Path path;

    @Option(names = "--names", description = "List every tensor.")
    private boolean names;

    private boolean sound = true;

    @Override
    public Integer call() throws IOException {
        if (Files.isDirectory(path)) {
            folder();
        } else {
            Notes.requireFile(path);
            try (Shards file = Shards.open(path)) {
                tensors(path.toString(), file.tensors());
            }
        }
        return sound ? 0 : Faults.FAILED;
    }

    private void folder() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(path); StableDiffusion model = StableDiffusion.open(path)) {
            System.out.println(path + ": " + checkpoint.index().text("_class_name", "a checkpoint"));
            for (String name : List.of("text_encoder", "unet", "vae")) {
                CheckpointPart module = checkpoint.module(name);
                tensors(name, module.tensors());
                System.out.println("  files: " + String.join(", ", module.files()));
                System.out.println("  config: " + module.config().object());
                check("fits the network", () -> build(model, name));
                check("finite", module::checkFinite);
            }
            System.out.println("scheduler\n  config: " + model.schedule().object());
            check("supported", () -> new NoiseSchedule(model.schedule()));
            System.out.println("tokenizer");
            check("readable", model::tokenizer);
        }
    }

    private static void build(StableDiffusion model, String name) throws IOException {
        switch (name) {
            case "text_encoder" -> model.textEncoder();
            case "unet" -> model.unet();
            default -> model.vae();
        }
    }

    private interface Check {
        void run() throws IOException;
    }

    /** Prints whether a check passes, or why it fails; the inspection goes on after a failure. */
    private void check(String what, Check check) throws IOException {
        String problem = null;
        try {
            check.run();
        } catch (IllegalArgumentException | IllegalStateException e) {
            problem = e.getMessage();
            sound = false;
        }
        System.out.println("  " + what + ": " + (problem == null ? "yes" : "no; " + problem));
    }

    private void tensors(String what, Map<String, Tensor> tensors) {
        long parameters = tensors.values().stream().mapToLong(Tensor::size).sum();
        long bytes = tensors.values().stream().mapToLong(t -> t.data().byteSize()).sum();
        String types = tensors.values().stream()
                .collect(Collectors.groupingBy(Tensor::dtype, TreeMap::new, Collectors.counting()))
                .entrySet().stream().map(e -> e.getValue() + " " + e.getKey()).collect(Collectors.joining(", "));
        System.out.println(what + ": " + Numbers.grouped(parameters) + " parameters in " + tensors.size() + " tensors (" + types
                + "), " + Numbers.bytes(bytes));
        if (names) {
            tensors.forEach((name, t) -> System.out.println("    " + name + " " + t));
        }
    }
}
