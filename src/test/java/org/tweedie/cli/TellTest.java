// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.tweedie.measure.Operators;
import org.tweedie.options.OptionSpec;
import org.tweedie.sample.Samplers;
import org.tweedie.solve.Solvers;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the commands that print information (help, version, inspect, doctor), and the demo. */
class TellTest {
    @ParameterizedTest
    @ValueSource(strings = {"demo", "restore", "degrade", "generate", "run", "inspect", "doctor"})
    void everyCommandHasHelp(String command) {
        String out = Cli.succeed(command, "--help").out();
        assertTrue(out.startsWith("Usage: tweedie " + command), out);
    }

    @Test
    void theHelpListsTheCommandsAndExamples() {
        String out = Cli.succeed("--help").out();
        assertTrue(out.contains("generate  Generates a picture from a text.")
                && out.contains("tweedie restore y.png --model DIR"), out);
        assertTrue(Cli.succeed("--version").out().startsWith("tweedie "));
    }

    /** The help of each solver lists its options with the defaults that apply. */
    @Test
    void theHelpTellsTheDefaultsThatHold() {
        for (String solver : Solvers.names()) {
            String help = Cli.succeed("restore", "--solver", solver, "--help").out().replaceAll("\\s+", " ");
            for (OptionSpec o : Solvers.catalogue().options(solver).specs()) {
                Matcher told = Pattern.compile("--" + o.name() + "=[A-Z]+ .*?Default: (\\S+?)(\\.|;) ").matcher(help + " ");
                assertTrue(told.find(), o.name() + " is missing in " + help);
                assertEquals(o.defaultText(), told.group(1), o.name());
            }
        }
    }

    /** Help texts list the tasks and samplers that the code knows. */
    @Test
    void theHelpListsTasksAndSamplers() {
        String help = Cli.succeed("degrade", "--help").out();
        Operators.families().forEach(f -> f.grammar().forEach(g -> assertTrue(help.contains(g), g + " is missing in " + help)));
        String generate = Cli.succeed("generate", "--help").out();
        Samplers.names().forEach(s -> assertTrue(generate.contains("  " + s + ": "), s + " is missing in " + generate));
    }

    @Test
    void inspectTellsOfEachPart() {
        String out = Cli.succeed("inspect", Cli.TINY).out();
        for (String part : List.of("text_encoder: ", "unet: ", "vae: ", "scheduler", "tokenizer", "36 F16", "\"sample_size\":16",
                "fits the network: yes",
                "finite: yes")) {
            assertTrue(out.contains(part), part + " is missing in\n" + out);
        }
    }

    @Test
    void inspectListsTheTensorsOfAFile() {
        String out = Cli.succeed("inspect", Cli.TINY + "/unet/diffusion_pytorch_model.safetensors", "--names").out();
        assertTrue(out.contains("    conv_in.weight F16[16,4,3,3]"), out);
    }

    @Test
    void doctorTellsOfEachDevice() {
        String out = Cli.succeed("doctor").out();
        assertTrue(out.contains("device cpu") && out.contains("device reference   usable: ")
                && out.contains("device sim         usable: "), out);
        assertTrue(out.contains(System.getProperty("java.home")), out);
        for (String library : List.of("NVIDIA driver", "cuBLAS", "cuDNN", "NVRTC")) {
            assertEquals(1, out.lines().filter(l -> l.startsWith(library + " ")).count(), out);
        }
    }

    @Test
    void theDemoWritesFourPicturesAndSaysHowNear(@TempDir Path folder) throws IOException {
        Path out = folder.resolve("demo");
        Cli c = Cli.succeed("demo", "--model", Cli.TINY, "--steps", "1", "--inner", "1", "--eta", "0", "-o", out.toString());
        try (var files = Files.list(out)) {
            assertEquals(List.of("input.png", "measurement.png", "restored.png", "side-by-side.png"),
                    files.map(f -> f.getFileName().toString()).sorted().toList());
        }
        assertTrue(c.out().matches("(?s).*\\nrestored +[0-9.]+ dB +-?[0-9.]+ .*"), c.out());
        assertEquals(out.resolve("restored.png").toString(), c.words().get("restored"));
    }
}
