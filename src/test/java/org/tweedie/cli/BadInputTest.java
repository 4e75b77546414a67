// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.cli.console.Faults;
import org.tweedie.image.Png;
import org.tweedie.solve.Solvers;

/**
 * A mistake in the command line or its files gives one line on standard error that says what to do, exit code 2, and no
 * output file. IN stands for a folder with inputs.
 */
class BadInputTest {
    @TempDir
    static Path folder;

    @BeforeAll
    static void files() throws IOException {
        Png.write(folder.resolve("photo.png"), Cli.picture(32, 32), Map.of());
        Png.write(folder.resolve("odd.png"), Cli.picture(20, 32), Map.of());
        Files.writeString(folder.resolve("text.png"), "no picture");
        Files.createDirectory(folder.resolve("empty"));
        assertEquals(0, Cli.run("degrade", Cli.in(folder, "photo.png"), "--task", "sr:2", "-o", Cli.in(folder, "y.png")).code());
    }

    private static Arguments line(String args, String... parts) {
        return Arguments.of(args, parts);
    }

    static Stream<Arguments> misuse() {
        String restore = "restore IN/photo.png --task sr:2 --model " + Cli.TINY;
        return Stream.of(
                line("", "expected a command: demo, restore", "see 'tweedie --help'"),
                line("restore IN/photo.png", "missing required options: '--model=DIR', '--out=FILE.png'"),
                line("restroe", "command 'restroe': unknown; did you mean 'restore'?; known: demo, restore, degrade"),
                line("restore IN/photo.png --stpes 3", "option '--stpes': unknown; did you mean '--steps'?; see 'tweedie "
                        + "restore --help'"),
                line("restore", "missing", "Y.png"),
                line(restore + " -o IN/o.png more", "argument 'more': not expected"),
                line(restore + " --steps many -o IN/o.png", "steps: expected a whole number, got 'many'"),
                line(restore + " --steps 0 -o IN/o.png", "steps: expected at least 1, got 0"),
                line(restore + " --steps 1001 -o IN/o.png", "steps: expected 1 to 1000, got 1001"),
                line(restore + " --lambda x -o IN/o.png", "lambda: expected a number, got 'x'"),
                line(restore + " --eta -1 -o IN/o.png", "eta: expected 0 or more, got -1"),
                line(restore + " --norm sume -o IN/o.png", "norm: expected sum, mean, norm, got 'sume'; did you mean 'sum'?"),
                line(restore + " --sigma 0 -o IN/o.png", "sigma: expected a positive noise level, got 0"),
                line(restore + " --solver stl -o IN/o.png",
                        "solver 'stl': unknown; did you mean 'stsl'?; known: " + String.join(", ", Solvers.names())),
                line(restore + " --solver psld --eta 1 -o IN/o.png", "option '--eta': unknown"),
                line("generate a --model " + Cli.TINY + " --sampler ddmi -o IN/o.png",
                        "sampler 'ddmi': unknown; did you mean 'ddim'?"),
                line("generate a --model " + Cli.TINY + " --sampler ddim:eta=2 -o IN/o.png", "eta: expected 0 to 1, got 2"),
                line("generate a --model " + Cli.TINY + " --negative b --guidance 1 -o IN/o.png",
                        "--negative: guidance 1 does not use it"),
                line(restore + " --device gpu -o IN/o.png", "device 'gpu' unavailable: this version has no such device",
                        "available: cpu, ", "reference, sim"),
                line(restore + " --dtype f61 -o IN/o.png", "dtype 'f61': unknown; did you mean 'f16'?; known: f32, bf16, "
                        + "f16, auto"),
                line(restore + " --dtype f16 -o IN/o.png", "device 'cpu': expected dtype f32 or bf16, got f16; bf16 is for "
                        + "--device cpu, cuda and sim, f16 for cuda and sim"),
                line(restore + " --device reference --dtype bf16 -o IN/o.png", "device 'reference': expected dtype f32, got "
                        + "bf16"),
                line(restore + " --graphs no -o IN/o.png", "graphs 'no': unknown; did you mean 'on'?; known: on, off"),
                line(restore + " --device sim --time -o IN/o.png", "device 'sim' does not time its ops; --time works with "
                        + "--device cpu and cuda"),
                line(restore + " --threads 0 -o IN/o.png", "--threads: expected at least 1, got 0"),
                line(restore + " -o IN/o.jpg", "IN/o.jpg: expected a name that ends with .png"),
                line(restore + " -o IN/photo.png", "IN/photo.png: is the input as well and would be overwritten"),
                line(restore + " -o IN/none/o.png", "IN/none/o.png: folder IN/none does not exist"),
                line(restore + " -o IN/empty", "IN/empty: expected a file to write, got a folder"),
                line(restore + " --log IN/none/s.csv -o IN/o.png", "IN/none/s.csv: folder IN/none does not exist"),
                line("restore IN/photo.png --task sr:2 --model IN/empty -o IN/o.png", "IN/empty: has no model_index.json"),
                line("restore IN/photo.png --task sr:2 --model IN/none -o IN/o.png", "IN/none: no such folder"),
                line("restore IN/photo.png --model " + Cli.TINY + " -o IN/o.png", "IN/photo.png: not a measurement", "--task"),
                line("restore IN/photo.png --task srr:2 --model " + Cli.TINY + " -o IN/o.png", "task 'srr:2': unknown",
                        "did you mean 'sr:"),
                line("restore IN/y.png --task blur:3 --model " + Cli.TINY + " -o IN/o.png",
                        "was degraded by sr:2, got blur:3; leave --task out"),
                line("restore IN/none.png --task sr:2 --model " + Cli.TINY + " -o IN/o.png", "IN/none.png: no such file"),
                line("restore IN/text.png --task sr:2 --model " + Cli.TINY + " -o IN/o.png",
                        "IN/text.png: expected a PNG or JPEG picture"),
                line("restore IN/odd.png --task denoise --model " + Cli.TINY + " -o IN/o.png",
                        "image side 20 is not a multiple of 16; crop to 16 or pad to 32"),
                line("degrade IN/odd.png --task sr:8 -o IN/o.png", "sr:8: image side 20 is not a multiple of 8; crop to 16 or "
                        + "pad to 24"),
                line("degrade IN/photo.png --task inpaint:hole -o IN/o.png", "task 'inpaint:hole': expected inpaint:box"),
                line("degrade IN/photo.png --task inpaint:IN/odd.png -o IN/o.png", "the mask is 20x32, the picture 32x32"),
                line("degrade IN/photo.png --task denoise --noise rain -o IN/o.png",
                        "noise 'rain': expected gaussian or salt-pepper"),
                line("generate a --model " + Cli.TINY + " --width 100 -o IN/o.png", "image side 100 is not a multiple of 16"),
                line("generate a --model " + Cli.TINY + " --guidance -1 -o IN/o.png", "guidance: expected 0 or more, got -1.0"),
                line("run vae --model " + Cli.TINY + " --in IN/none -o IN/o.safetensors", "module 'vae': unknown",
                        "known: text_encoder, unet"),
                line("run unet --model " + Cli.TINY + " --in IN/none -o IN/o.safetensors", "IN/none: no such file"),
                line("run unet --vjp --jvp --model " + Cli.TINY + " --in IN/none -o IN/o.safetensors", "--vjp", "--jvp",
                        "mutually exclusive"),
                line("run text_encoder --vjp --model " + Cli.TINY + " --in IN/none -o IN/o.safetensors",
                        "it has no floating-point input"),
                line("run surrogate --model " + Cli.TINY + " --in IN/none -o IN/o.safetensors", "--task is missing"),
                line("run unet --task sr:2 --model " + Cli.TINY + " --in IN/none -o IN/o.safetensors",
                        "for 'run surrogate' only"),
                line("doctor --jar IN/photo.png", "--jar: expected --fetch-cuda too, got --jar alone"),
                line("doctor --fetch-cuda --jar IN/none.jar", "IN/none.jar: no such file"),
                line("inspect IN/none", "IN/none: no such file"),
                line("inspect IN/empty", "IN/empty: has no model_index.json"),
                line("demo --task sr:3 --model " + Cli.TINY + " -o IN/demo", "sr:3: image side 128 is not a multiple of 3"),
                line("demo --model " + Cli.TINY + " -o IN/photo.png", "IN/photo.png: is a file, expected a folder"));
    }

    @ParameterizedTest
    @MethodSource("misuse")
    void oneLineAndExitCodeTwo(String args, String[] parts) {
        String in = folder.toString();
        String[] words = args.isEmpty() ? new String[0] : args.replace("IN", in).split(" ");
        Cli c = Cli.run(words);
        String fault = c.fault(Faults.MISUSED);
        assertTrue(fault.startsWith("tweedie: "), fault);
        for (String part : parts) {
            assertTrue(fault.contains(part.replace("IN", in)), fault + "\n  lacks: " + part);
        }
        assertFalse(Files.exists(folder.resolve("o.png")), "nothing may be written");
    }

    @Test
    void aBrokenFileIsAFailureNotMisuse() throws IOException {
        Path file = folder.resolve("broken.safetensors");
        Files.write(file, "not a safetensors file".getBytes(StandardCharsets.UTF_8));
        String fault = Cli.run("inspect", file.toString()).fault(Faults.FAILED);
        assertTrue(fault.contains("broken.safetensors"), fault);
    }

    @Test
    void aStackTraceIsShownWhenAskedFor() {
        Cli c = Cli.run("inspect", "--stacktrace", folder.resolve("none").toString());
        assertTrue(c.err().contains("\tat org.tweedie.cli"), c.err());
        assertTrue(c.err().contains("tweedie: " + folder.resolve("none")), c.err());
    }
}
