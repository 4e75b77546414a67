// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.image.Image;
import org.tweedie.image.Png;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class MeasurementTest {
    private static final Shape SHAPE = Shape.of(1, 32, 40, 3);

    @TempDir
    Path dir;

    private static Image picture() {
        float[] d = new float[(int) SHAPE.size()];
        new Philox(9, Philox.Stream.INIT).uniforms(0, d);
        return new Image(40, 32, d);
    }

    private static Measurement degrade(String task, NoiseModel noise) {
        try (ReferenceDevice device = new ReferenceDevice()) {
            return Measurement.of(device, picture(), Operators.parse(task, SHAPE, 4), noise, 4);
        }
    }

    /** The residual's norm at the true picture is sigma sqrt(m), within the spread of a sum of m squares. */
    @ParameterizedTest
    @ValueSource(strings = {"sr:4", "blur", "motion:21", "inpaint:box", "inpaint:random:0.7", "denoise"})
    void theResidualOfTheTruthIsTheNoise(String task) {
        for (NoiseModel noise : List.of(new NoiseModel.Gaussian(0.05), new NoiseModel.SaltPepper(0.2))) {
            Measurement m = degrade(task, noise);
            Tensor r = Run.residual(m.operator(), m.y(), picture().tensor());
            double expected = m.sigma() * Math.sqrt(m.count());
            double spread = noise instanceof NoiseModel.Gaussian ? 5 / Math.sqrt(2 * m.count()) : 1e-5;
            assertEquals(expected, Math.sqrt(Run.dot(r, r)), expected * spread);
        }
    }

    @Test
    void holesHoldNoNoise() {
        Measurement m = degrade("inpaint:box", new NoiseModel.Gaussian(0.5));
        Tensor mask = m.operator().tensors().get("mask");
        for (int i = 0; i < m.y().size(); i++) {
            assertEquals(mask.get(i / 3) == 0, m.y().get(i) == 0);
        }
        assertEquals(3 * (32 * 40 - 16 * 20), m.count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sr:8", "blur", "motion:21", "inpaint:box", "inpaint:random:0.4", "denoise"})
    void comesBackFromItsSidecarToTheLastBit(String task) throws IOException {
        Measurement m = degrade(task, new NoiseModel.Gaussian(0.7));
        Path png = dir.resolve("y.png");
        MeasurementFile.save(m, png);
        MeasurementFile.Loaded read = MeasurementFile.load(png);
        assertEquals(List.of(), read.notes());
        assertSame(m, read.measurement(), 0);
        try (var files = Files.list(dir)) {
            assertEquals(List.of("y.measurement.safetensors", "y.png"),
                    files.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sr:8", "motion:21", "inpaint:box", "inpaint:random:0.4"})
    void comesBackFromThePictureAlone(String task) throws IOException {
        Measurement m = degrade(task, new NoiseModel.Gaussian(0.7));
        Path png = dir.resolve("y.png");
        MeasurementFile.save(m, png);
        Files.delete(MeasurementFile.sidecar(png));
        MeasurementFile.Loaded read = MeasurementFile.load(png);
        assertEquals(1, read.notes().size());
        assertTrue(read.notes().getFirst().contains("no y.measurement.safetensors beside it"), read.notes().getFirst());
        assertSame(m, read.measurement(), 1e-4);
    }

    private static void assertSame(Measurement a, Measurement b, double tolerance) {
        if (tolerance == 0) {
            assertArrayEquals(a.y().floats(), b.y().floats());
        }
        assertArrayEquals(a.y().floats(), b.y().floats(), (float) tolerance + 1e-12f);
        assertEquals(List.of(a.operator().spec(), a.image(), a.noise(), a.sigma(), a.seed()),
                List.of(b.operator().spec(), b.image(), b.noise(), b.sigma(), b.seed()));
        Tensor x = Run.noise(a.image(), 1);
        assertArrayEquals(Run.apply(a.operator(), x).doubles(), Run.apply(b.operator(), x).doubles());
    }

    /** The stored mask is used, not the file that it was read from. */
    @Test
    void theSidecarOutlivesTheMaskFile() throws IOException {
        float[] mask = new float[(int) SHAPE.size()];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = i / 3 % 7 == 0 ? -1 : 1;
        }
        Path file = dir.resolve("mask.png");
        Png.write(file, new Image(40, 32, mask), Map.of());
        Measurement m = degrade("inpaint:" + file, new NoiseModel.Gaussian(0.1));
        Path png = dir.resolve("y.png");
        MeasurementFile.save(m, png);
        Files.delete(file);
        assertSame(m, MeasurementFile.load(png).measurement(), 0);
    }

    @Test
    void disagreeingFilesAreRefused() throws IOException {
        Path png = dir.resolve("y.png");
        MeasurementFile.save(degrade("sr:4", new NoiseModel.Gaussian(0.1)), png);
        Path other = dir.resolve("z.png");
        MeasurementFile.save(degrade("sr:4", new NoiseModel.Gaussian(0.2)), other);
        Files.copy(other, png, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        var e = assertThrows(IllegalArgumentException.class, () -> MeasurementFile.load(png));
        assertEquals(png + ": shows another measurement than y.measurement.safetensors beside it; delete the one that is out of "
                + "date",
                e.getMessage());
    }

    @Test
    void aPlainPictureNeedsItsTaskSaid() throws IOException {
        Path png = dir.resolve("photo.png");
        Png.write(png, picture(), Map.of());
        var e = assertThrows(IllegalArgumentException.class, () -> MeasurementFile.load(png));
        assertEquals(png + ": not a measurement written by 'tweedie degrade' (it has no task); give its task and noise with "
                + "--task and --sigma",
                e.getMessage());
        Measurement m = Measurement.of(picture(), "sr:4", 0.02, 1);
        assertEquals(Shape.of(1, 128, 160, 3), m.image());
        assertEquals(160, m.start().width());
    }

    @Test
    void saysBeforehandThatAFolderIsMissing() {
        Measurement m = degrade("denoise", new NoiseModel.Gaussian(0));
        Path png = dir.resolve("gone").resolve("y.png");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> MeasurementFile.save(m, png)).getMessage()
                .contains("does not exist"));
        assertArrayEquals(picture().data(), m.y().floats());
    }
}
