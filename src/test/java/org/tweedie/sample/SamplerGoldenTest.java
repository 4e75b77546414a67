// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.NoiseSchedule.Betas;
import org.tweedie.diffusion.NoiseSchedule.Prediction;
import org.tweedie.diffusion.NoiseSchedule.Spacing;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/**
 * Compares the samplers with diffusers' schedulers, level by level and latent by latent (weights-tools/golden/samplers.py).
 */
class SamplerGoldenTest {
    /** The largest distance from diffusers' code in double precision, where rounding is the only difference. */
    private static final double DOUBLE = 1e-10;
    /** The largest distance from diffusers' code itself, whose tables are in single precision. */
    private static final double FLOAT = 1e-5;

    @ParameterizedTest
    @CsvSource({"ddim", "ddim_eta", "euler", "euler_karras", "dpmpp2m", "dpmpp2m_karras"})
    void walksAsDiffusersDoes(String name) throws IOException {
        double[] worst = new double[3];
        int cases = 0;
        try (SafeTensors golden = SafeTensors.open(Path.of("src/test/resources/golden/samplers.safetensors"))) {
            for (Prediction prediction : Prediction.values()) {
                for (String spacing : List.of("unsaid", "leading", "linspace", "trailing")) {
                    for (int steps : new int[] {10, 25}) {
                        if (!(name.startsWith("ddim") && spacing.equals("linspace"))) { // see Ddim
                            check(golden, prediction, name, spacing, steps, worst);
                            cases++;
                        }
                    }
                }
            }
        }
        System.out.printf(Locale.ROOT, "golden: %-14s %d walks; worst: levels %.1e, latents %.1e, end in float %.1e%n",
                name, cases, worst[0], worst[1], worst[2]);
        assertTrue(worst[0] <= DOUBLE && worst[1] <= DOUBLE && worst[2] <= FLOAT, name + ": distances " + Arrays.toString(worst));
    }

    private static Sampler sampler(String name) {
        return switch (name) {
            case "ddim" -> new Ddim(0);
            case "ddim_eta" -> new Ddim(1);
            case "euler" -> new Euler(false);
            case "euler_karras" -> new Euler(true);
            case "dpmpp2m" -> new Dpmpp2m(false);
            default -> new Dpmpp2m(true);
        };
    }

    private static void check(SafeTensors golden, Prediction prediction, String name, String spacing, int steps, double[] worst) {
        String model = prediction == Prediction.EPSILON ? "sd15" : "sd21";
        String prefix = model + "." + name + "." + spacing + "." + steps + ".";
        Optional<Spacing> said = Arrays.stream(Spacing.values()).filter(s -> s.name().equalsIgnoreCase(spacing)).findAny();
        NoiseSchedule schedule = new NoiseSchedule(Betas.SCALED_LINEAR, 0.00085, 0.012, 1000, prediction, said, 1, false);
        Sampler.Walk walk = sampler(name).walk(schedule, steps);
        List<NoiseLevel> levels = walk.levels();
        assertEquals(steps + 1, levels.size(), prefix);
        double[] abar = levels.stream().mapToDouble(NoiseLevel::abar).toArray();
        double[] timesteps = levels.stream().limit(steps).mapToDouble(NoiseLevel::timestep).toArray();
        worst[0] = Math.max(worst[0], distance(abar, golden.tensor(prefix + "abar").doubles(), 0));
        worst[0] = Math.max(worst[0], distance(timesteps, golden.tensor(prefix + "timesteps").doubles(), 0));

        double[] expected = golden.tensor(prefix + "latents").doubles();
        List<double[]> latents = latents(walk, golden, prediction);
        for (int i = 0; i <= steps; i++) {
            worst[1] = Math.max(worst[1], distance(latents.get(i), expected, i * latents.get(i).length));
        }
        worst[2] = Math.max(worst[2], distance(latents.get(steps), golden.tensor(prefix + "stock").doubles(), 0));
    }

    /** Returns z at each level and at the end, as double[numbers]. */
    private static List<double[]> latents(Sampler.Walk walk, SafeTensors golden, Prediction prediction) {
        double[] n = golden.tensor("n").doubles();
        Tensor noise = golden.tensor("noise"); // [steps, numbers]
        double[] z = Arrays.stream(n).map(x -> walk.initNoise() * x).toArray();
        List<double[]> latents = new ArrayList<>(List.of(z));
        for (int i = 0; i + 1 < walk.levels().size(); i++) {
            int first = i * n.length;
            Tensor fresh = Tensor.of(Shape.of(n.length), Arrays.copyOfRange(noise.doubles(), first, first + n.length));
            Tensor eps = Tensor.of(Shape.of(n.length), eps(z, walk.levels().get(i), prediction));
            z = walk.step(i, Tensor.of(Shape.of(n.length), z), eps, () -> fresh).doubles();
            latents.add(z);
        }
        return latents;
    }

    /** Evaluates the golden script's network, u(z, t) = 0.8 sin(1.3 z + t / 400) + 0.1 z, which gives eps or v. */
    private static double[] eps(double[] z, NoiseLevel level, Prediction prediction) {
        return Arrays.stream(z).map(x -> {
            double u = 0.8 * Math.sin(1.3 * x + level.timestep() / 400) + 0.1 * x;
            return prediction == Prediction.EPSILON ? u : level.sqrtAbar() * u + level.sigma() * x;
        }).toArray();
    }

    /**
     * Returns the relative L2 distance from a part of the golden numbers; a NaN among them makes it NaN, which exceeds every
     * tolerance.
     */
    private static double distance(double[] got, double[] golden, int from) {
        double gap = 0;
        double size = 0;
        for (int i = 0; i < got.length; i++) {
            gap += Math.pow(got[i] - golden[from + i], 2);
            size += Math.pow(golden[from + i], 2);
        }
        return Math.sqrt(gap / size);
    }
}
