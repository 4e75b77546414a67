// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.cli.console.Faults;
import org.tweedie.device.Devices;
import org.tweedie.image.ImageFile;
import org.tweedie.image.Png;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/** Tests degrading, restoring and generating from end to end, on a tiny model with random weights. */
class RestoreTest {
    @TempDir
    Path folder;

    private String file(String name) {
        return Cli.in(folder, name);
    }

    private void degrade(String task) throws IOException {
        Png.write(folder.resolve("photo.png"), Cli.picture(48, 32), Map.of());
        Cli.succeed("degrade", file("photo.png"), "--task", task, "--sigma", "0.02", "--seed", "3", "-o", file("y.png"));
    }

    private Cli restore(String out, String... options) {
        List<String> args = new ArrayList<>(List.of("restore", file("y.png"), "--model", Cli.TINY, "--steps", "2", "-o",
                file(out)));
        args.addAll(List.of(options));
        for (String once : List.of("--inner", "--threads")) {
            if (!args.contains(once)) {
                args.addAll(List.of(once, "1"));
            }
        }
        return Cli.succeed(args.toArray(String[]::new));
    }

    @Test
    void endsWithOneLineOfCounts() throws IOException {
        degrade("sr:4");
        Map<String, String> words = restore("x.png", "--seed", "7").words();
        assertEquals(List.of("restored", "task", "solver", "steps", "inner", "nfe", "unet_forwards", "unet_vjps", "decodes",
                "decode_vjps", "encodes",
                "residual", "seconds", "seed"), List.copyOf(words.keySet()));
        assertEquals(file("x.png"), words.get("restored"));
        assertEquals("sr:4", words.get("task"));
        assertEquals("2", words.get("nfe"));
        // at each of two levels an inner step and a sampler's step
        assertEquals("4", words.get("unet_forwards"));
        assertEquals("7", words.get("seed"));
        assertEquals(Shape.of(1, 32, 48, 3), ImageFile.read(folder.resolve("x.png")).image().shape());
    }

    /** The type that auto has chosen is in the last line and in the picture, and asking for it gives the same bytes. */
    @Test
    void autoSaysWhichTypeItChose() throws IOException {
        degrade("sr:4");
        String chosen = restore("a.png", "--dtype", "auto").words().get("dtype");
        assertEquals(Devices.fastest("cpu").name().toLowerCase(Locale.ROOT), chosen);
        assertEquals(chosen, ImageFile.read(folder.resolve("a.png")).text().get("dtype"));
        restore("b.png", "--dtype", chosen);
        assertArrayEquals(ImageFile.read(folder.resolve("a.png")).image().data(),
                ImageFile.read(folder.resolve("b.png")).image().data());
        restore("c.png", "--dtype", "bf16");
        restore("d.png");
        assertFalse(java.util.Arrays.equals(ImageFile.read(folder.resolve("c.png")).image().data(),
                ImageFile.read(folder.resolve("d.png")).image().data()), "BF16 and the default give the same picture");
        assertEquals("f32", ImageFile.read(folder.resolve("d.png")).text().get("dtype"));
    }

    @Test
    void theSameSeedGivesTheSameBytesAndThreadsDoNotMatter() throws IOException {
        degrade("inpaint:random:0.4");
        restore("a.png", "--seed", "5", "--threads", "1");
        restore("b.png", "--seed", "5", "--threads", "2");
        restore("c.png", "--seed", "6");
        byte[] a = Files.readAllBytes(folder.resolve("a.png"));
        assertArrayEquals(a, Files.readAllBytes(folder.resolve("b.png")));
        assertFalse(java.util.Arrays.equals(a, Files.readAllBytes(folder.resolve("c.png"))));
    }

    @Test
    void aRunIsRepeatedFromTheTextOfItsOutput() throws IOException {
        degrade("motion:15");
        restore("a.png", "--seed", "5", "--eta", "0.3", "--trace-weight", "normalised", "--probe", "scaled", "--init", "qsample",
                "--norm", "norm",
                "--lambda", "0.8", "--step", "constant", "--consistency", "none", "--prompt", "it's a photo", "--guidance", "2");
        Map<String, String> text = Png.text(folder.resolve("a.png"));
        assertEquals("normalised", text.get("trace-weight"));
        assertEquals("0.02", text.get("sigma"));
        List<String> again = new ArrayList<>(List.of("restore", file("y.png"), "-o", file("b.png")));
        text.forEach((key, value) -> {
            if (!key.equals("version") && !key.equals("command")) {
                again.addAll(List.of("--" + key, value));
            }
        });
        Cli.succeed(again.toArray(String[]::new));
        assertArrayEquals(Files.readAllBytes(folder.resolve("a.png")), Files.readAllBytes(folder.resolve("b.png")));
        assertTrue(text.get("command").contains("--prompt 'it'\\''s a photo'"), text.get("command"));
    }

    /** Runs every kernel of both networks, of the solver's loss and of its gradient as it is launched on a GPU. */
    @Test
    void theSimulatedGpuRestoresAsTheCpuDoes() throws IOException {
        Png.write(folder.resolve("photo.png"), Cli.picture(16, 16), Map.of());
        Cli.succeed("degrade", file("photo.png"), "--task", "sr:2", "--sigma", "0.02", "--seed", "3", "-o", file("y.png"));
        restore("cpu.png", "--seed", "5");
        assertEquals("2", restore("sim.png", "--seed", "5", "--device", "sim", "--threads", "2").words().get("nfe"));
        float[] x = ImageFile.read(folder.resolve("cpu.png")).image().data();
        float[] y = ImageFile.read(folder.resolve("sim.png")).image().data();
        for (int i = 0; i < x.length; i++) {
            assertEquals(x[i], y[i], 2.01 / 127.5, "value " + i); // within a rounding of the last bit
        }
    }

    @Test
    void aForeignPictureIsRestoredByItsTask() throws IOException {
        Png.write(folder.resolve("y.png"), Cli.picture(16, 16), Map.of());
        assertEquals("sr:2", restore("x.png", "--task", "sr:2", "--eta", "0").words().get("task"));
        assertEquals(Shape.of(1, 32, 32, 3), ImageFile.read(folder.resolve("x.png")).image().shape());
        assertEquals("0.01", Png.text(folder.resolve("x.png")).get("sigma"));
    }

    @Test
    void theLogHasALineForEachStep() throws IOException {
        degrade("denoise");
        restore("x.png", "--inner", "2", "--log", file("steps.csv"));
        List<String> lines = Files.readAllLines(folder.resolve("steps.csv"));
        assertEquals("step,inner,timestep,residual,gradient,data_gradient,trace_gradient,move", lines.getFirst());
        assertTrue(lines.size() >= 3 && lines.size() <= 5, lines.toString());
        String[] first = lines.get(1).split(",", -1);
        assertEquals("1", first[0]);
        assertTrue(Double.parseDouble(first[3]) > 0 && Double.parseDouble(first[5]) > 0 && Double.parseDouble(first[6]) > 0,
                lines.get(1));
    }

    @Test
    void progressIsPlainLinesWhereThereIsNoTerminal() throws IOException {
        degrade("denoise");
        String err = restore("x.png").err();
        assertTrue(err.contains("tweedie: stsl 100 %, step 2/2, residual "), err);
        assertFalse(err.contains("\r"), err);
    }

    @Test
    void aNumberThatIsNoneStopsTheRunAndNothingIsWritten() throws IOException {
        degrade("denoise");
        Path broken = brokenModel();
        Cli c = Cli.run("restore", file("y.png"), "--model", broken.toString(), "--steps", "2", "--inner", "1", "--init", "noise",
                "-o", file("x.png"));
        String fault = c.fault(Faults.FAILED);
        assertTrue(fault.contains("step 1 of 2 (t=501)") && fault.contains("is not finite"), fault);
        assertFalse(Files.exists(folder.resolve("x.png")));
        Cli inspected = Cli.run("inspect", broken.toString());
        assertEquals(Faults.FAILED, inspected.code());
        assertTrue(inspected.out().contains("finite: no; unet: tensor 'conv_in.bias'"), inspected.out());
    }

    /** Makes a copy of the tiny model with one weight that is NaN. */
    private Path brokenModel() throws IOException {
        Path from = Path.of(Cli.TINY);
        Path to = folder.resolve("broken");
        try (var files = Files.walk(from)) {
            for (Path f : files.toList()) {
                Files.copy(f, to.resolve(from.relativize(f).toString()));
            }
        }
        Path weights = to.resolve("unet/diffusion_pytorch_model.safetensors");
        Map<String, Tensor> tensors = new java.util.HashMap<>();
        try (SafeTensors file = SafeTensors.open(weights)) {
            file.tensors().forEach((name, t) -> tensors.put(name, Tensor.of(t.shape(), t.floats())));
        }
        float[] bias = tensors.get("conv_in.bias").floats();
        bias[3] = Float.NaN;
        tensors.put("conv_in.bias", Tensor.of(Shape.of(bias.length), bias));
        SafeTensors.write(weights, tensors, Map.of());
        return to;
    }

    @Test
    void generatesTheSamePictureFromTheSameSeed() {
        String[] names = {"a.png", "b.png"};
        byte[][] bytes = new byte[2][];
        for (int i = 0; i < 2; i++) {
            Map<String, String> words = Cli.succeed("generate", "a photo of a dress", "--model", Cli.TINY, "--steps", "3",
                    "--seed", "4", "--height", "32",
                    "--width", "48", "-o", file(names[i])).words();
            assertEquals("6", words.get("unet_forwards"));
            bytes[i] = assertReads(names[i]);
        }
        assertArrayEquals(bytes[0], bytes[1]);
    }

    private byte[] assertReads(String name) {
        try {
            assertEquals(Shape.of(1, 32, 48, 3), ImageFile.read(folder.resolve(name)).image().shape());
            return Files.readAllBytes(folder.resolve(name));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
